"""Schedules: their arithmetic, what a bad one is told, and FlexVAR's step sampling."""

from collections import Counter

import pytest
import torch

from varbook.errors import VarbookError
from varbook.tokenizer.schedule import (
    TABLE_7,
    VAR_256,
    check_schedule,
    make_schedule,
    nearest_schedule,
    sample_scales,
    sample_schedule,
    scale_slices,
    schedule_for,
    square,
    token_count,
)


def grows(schedule) -> bool:
    return all(a != b and a[0] <= b[0] and a[1] <= b[1] for a, b in zip(schedule, schedule[1:]))


def test_the_ten_scales_of_var_are_680_tokens():
    assert VAR_256 == square(1, 2, 3, 4, 5, 6, 8, 10, 13, 16) and token_count(VAR_256) == 680
    assert token_count(square(1, 2, 3, 4, 6, 9, 13, 18, 24, 32)) == 2240  # VAR at 512 px


def test_slices_tile_the_sequence():
    schedule = ((1, 1), (1, 2), (2, 3), (4, 6))
    slices = scale_slices(schedule)
    covered = [position for s in slices for position in range(s.start, s.stop)]
    assert covered == list(range(token_count(schedule)))
    assert [s.stop - s.start for s in slices] == [1, 2, 6, 24]


def test_table_7_holds_valid_schedules_of_the_stated_length_and_size():
    for (pixels, steps), schedule in TABLE_7.items():
        assert check_schedule(schedule, (pixels // 16, pixels // 16)) == schedule
        assert len(schedule) == steps and schedule[0] == (1, 1)


def test_a_valid_schedule_comes_back_as_pairs_of_ints():
    assert check_schedule([[1, 1], torch.tensor([2, 3])], (2, 3)) == ((1, 1), (2, 3))


@pytest.mark.parametrize(
    "bad, says",
    [
        ((), "at least one scale"),
        ((1, 2, 4), "pairs"),
        (((0, 1), (4, 4)), "1 or more"),
        (((1, 1), (3, 3), (2, 2), (4, 4)), "scale 3 is (2, 2) after (3, 3)"),
        (((1, 1), (2, 2), (2, 2), (4, 4)), "must grow"),
        (((1, 2), (2, 1), (4, 4)), "must grow"),
        (((1, 1), (8, 8)), "must be the size of the latent (4, 4)"),
        (((1, 1), (2, 2)), "must be the size of the latent (4, 4)"),
    ],
)
def test_a_bad_schedule_gets_one_sentence_with_a_remedy(bad, says):
    with pytest.raises(VarbookError) as error:
        check_schedule(bad, (4, 4))
    assert says in str(error.value) and "\n" not in str(error.value)


def test_the_proposed_schedule_is_valid():
    for bad in (
        ((1, 1), (3, 3), (2, 2)),
        ((5, 5), (9, 9)),
        ((2, 1), (1, 2), (2, 2)),
        ((4, 6), (4, 6)),
    ):
        proposed = nearest_schedule(bad, (4, 6))
        assert check_schedule(proposed, (4, 6)) == proposed


def test_made_schedules_are_valid_for_every_latent_and_number_of_steps():
    for latent in ((1, 1), (4, 4), (8, 8), (16, 16), (4, 8), (8, 3), (1, 7), (16, 48)):
        for steps in range(1, max(latent) + 1):
            schedule = make_schedule(latent, steps)
            assert len(schedule) == steps and check_schedule(schedule, latent) == schedule
    assert make_schedule((8, 8), 4)[0] == (1, 1)
    with pytest.raises(VarbookError, match="1 to 8 steps"):
        make_schedule((4, 8), 9)


def test_schedules_beyond_the_training_size_are_those_of_table_7():
    assert schedule_for(VAR_256, (24, 24)) == TABLE_7[384, 11]
    assert schedule_for(VAR_256, (32, 32)) == TABLE_7[512, 12]
    assert schedule_for(TABLE_7[256, 13], (32, 32)) == TABLE_7[512, 15]
    assert schedule_for(VAR_256, (16, 16)) == VAR_256


def test_schedules_for_any_size_are_valid_and_start_at_one():
    for latent in ((1, 1), (2, 2), (7, 7), (8, 16), (16, 8), (5, 3), (3, 48), (64, 64)):
        schedule = schedule_for(square(1, 2, 3, 4, 5, 6, 8), latent)
        assert check_schedule(schedule, latent) == schedule and schedule[0] == (1, 1)
        assert all(max(b) <= max(8, 1.6 * max(a)) for a, b in zip(schedule, schedule[1:]))


def test_step_sampling_draws_six_to_ten_scales_and_always_ends_at_the_latent():
    generator = torch.Generator().manual_seed(0)
    drawn = [sample_schedule((16, 16), 10, generator=generator) for _ in range(2000)]
    assert all(
        schedule[0] == (1, 1) and schedule[-1] == (16, 16) and grows(schedule) for schedule in drawn
    )
    lengths = [len(schedule) for schedule in drawn]
    assert set(lengths) <= set(range(6, 11)) and {8, 9, 10} <= set(lengths)
    # each of the eight middle scales is dropped in 5 % of the steps (FlexVAR section 3.4)
    assert 8 * 0.05 == pytest.approx(10 - sum(lengths) / len(lengths), abs=0.06)
    assert len(set(drawn)) > 1000


def test_step_sampling_drops_at_most_so_many():
    generator = torch.Generator().manual_seed(1)
    lengths = {
        len(sample_schedule((16, 16), 10, drop=0.9, max_drops=4, generator=generator))
        for _ in range(200)
    }
    assert lengths >= {6} and lengths <= set(range(6, 11))


def test_step_sampling_keeps_the_budget_and_never_drops_the_last_scale():
    generator, tight = torch.Generator().manual_seed(2), 0
    for _ in range(2000):
        schedule = sample_schedule((16, 16), 10, budget=680, generator=generator)
        assert (
            token_count(schedule) <= 680
            and schedule[-1] == (16, 16)
            and schedule[0] == (1, 1)
            and grows(schedule)
        )
        tight += len(schedule) < 10
    assert tight > 1000  # the budget was not idle
    assert sample_schedule((16, 16), 10, budget=10, generator=generator) == ((1, 1), (16, 16))


def test_the_budget_takes_the_largest_middle_scales_away():
    for seed in range(20):
        free, bound = (
            sample_schedule(
                (16, 16), 10, budget=budget, generator=torch.Generator().manual_seed(seed)
            )
            for budget in (None, 400)
        )
        kept = len(bound) - 1
        assert bound == (*free[:kept], (16, 16))  # the coarse ones stay,
        assert token_count((*free[: kept + 1], (16, 16))) > 400  # as many as there is room for


def test_step_sampling_on_rectangles_and_tiny_latents():
    generator = torch.Generator().manual_seed(3)
    for latent in ((4, 8), (8, 3), (2, 2), (1, 5)):
        for _ in range(50):
            schedule = sample_schedule(latent, 6, generator=generator)
            assert check_schedule(schedule, latent) == schedule
    assert sample_schedule((2, 2), 6, generator=generator) == square(1, 2)


def test_step_sampling_is_a_function_of_its_generator():
    first, second = (
        sample_schedule((16, 16), 10, generator=torch.Generator().manual_seed(7)) for _ in range(2)
    )
    assert (
        first == second != sample_schedule((16, 16), 10, generator=torch.Generator().manual_seed(8))
    )


def test_the_scales_of_a_tokenizer_s_step_are_any_down_to_one_by_one():
    generator = torch.Generator().manual_seed(0)
    drawn = [sample_scales((16, 16), 5, generator=generator) for _ in range(200)]
    assert all(len(scales) == 5 and scales[-1] == (16, 16) for scales in drawn)
    assert all(scales == check_schedule(scales) for scales in drawn)
    seen = Counter(height for scales in drawn for height, _ in scales[:-1])
    # four of fifteen sides a step: each is seen in about 53 of 200 steps, the smallest like any
    assert sorted(seen) == list(range(1, 16)) and all(25 < count < 85 for count in seen.values())
    assert sample_scales((2, 2), 5, generator=generator) == ((1, 1), (2, 2))
    assert all(sample_scales((2, 6), 2, generator=generator)[-1] == (2, 6) for _ in range(9))
