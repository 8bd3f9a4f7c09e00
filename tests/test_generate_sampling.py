"""From logits to tokens, against slow references written from the definitions."""

import math

import pytest
import torch
from tiny import noise

from varbook.errors import VarbookError
from varbook.generate.sampling import (
    Drawing,
    guidance_at,
    guide,
    released_choices,
    sample_tokens,
)
from varbook.tokenizer.schedule import TABLE_7

DRAWS = 3000


def slow_probabilities(
    logits: list[float], top_k: int, top_p: float, temperature: float
) -> list[float]:
    """Return the distribution that is sampled: the k best, of those the best until their mass
    reaches p.
    """
    weights = torch.tensor(logits).double().div(temperature).exp().tolist()
    order = sorted(range(len(weights)), key=lambda v: -weights[v])
    kept = order[:top_k] if top_k else order
    total, mass, chosen = sum(weights[v] for v in kept), 0.0, []
    for v in kept:
        if not chosen or not 0 < top_p < 1 or mass < top_p:
            chosen.append(v)
        mass += weights[v] / total
    total = sum(weights[v] for v in chosen)
    return [weights[v] / total if v in chosen else 0.0 for v in range(len(weights))]


def test_no_guidance_leaves_the_conditional_logits():
    c, u = noise(2, 5, 7), noise(2, 5, 7, seed=1)
    assert torch.equal(guide(c, u, 0.0), c)
    assert torch.allclose(guide(c, u, 1.5), c + 1.5 * (c - u), atol=1e-6)
    assert torch.allclose(
        guide(c, c, 3.0), c, atol=1e-5
    )  # where both agree, guidance has nothing to say


def test_guidance_grows_from_none_to_all_over_the_scales():
    assert [guidance_at(4.0, k, 5) for k in range(5)] == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert guidance_at(4.0, 0, 1) == 0.0
    ramp = [
        guidance_at(9.0, k, 13, ramp_to=9) for k in range(13)
    ]  # constant from the tenth scale on
    assert ramp == pytest.approx([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9])
    assert (
        guidance_at(2.5, 4, 5, ramp_to=9) == 2.5
    )  # fewer scales than that: the ramp ends with them


def test_a_ramp_that_ends_at_the_first_scale_is_none():
    assert [guidance_at(2.5, k, 5, ramp_to=0) for k in range(5)] == [2.5] * 5


@pytest.mark.parametrize(
    "settings, match",
    [
        ({"temperature": 0.0}, "temperature is a number above 0, not 0.0; .* use top_k=1"),
        ({"temperature": -1.0}, "temperature"),
        ({"temperature": math.nan}, "temperature"),
        ({"temperature": math.inf}, "temperature"),
        ({"top_k": -1}, "top_k is a whole number"),
        ({"top_k": 2.5}, "top_k is a whole number"),
        ({"top_p": 90.0}, "top_p is a probability"),
        ({"top_p": -0.1}, "top_p is a probability"),
        ({"top_p": math.nan}, "top_p is a probability"),
    ],
)
def test_settings_out_of_range_are_refused_wherever_they_are_given(settings, match):
    for draw in (Drawing, lambda **own: sample_tokens(noise(2, 5), **own)):
        with pytest.raises(VarbookError, match=match):
            draw(**settings)


@pytest.mark.parametrize("guidance", [math.nan, math.inf])
def test_guidance_is_finite(guidance):
    with pytest.raises(VarbookError, match="Guidance is a finite number"):
        Drawing(guidance=guidance)


@pytest.mark.parametrize(
    "top_k, top_p, temperature",
    [
        (0, 0.0, 1.0),
        (3, 0.0, 1.0),
        (0, 0.6, 1.0),
        (4, 0.7, 1.0),
        (0, 0.0, 0.5),
        (5, 0.9, 2.0),
        (99, 0.0, 1.0),
        (2, 1.0, 1.0),
    ],
)
def test_the_draws_follow_the_slow_reference(top_k, top_p, temperature):
    logits = noise(8) * 1.5
    wanted = torch.tensor(slow_probabilities(logits.tolist(), top_k, top_p, temperature))
    tokens = sample_tokens(
        logits.expand(DRAWS, 8),
        top_k=top_k,
        top_p=top_p,
        temperature=temperature,
        generator=torch.Generator().manual_seed(0),
    )
    share = torch.bincount(tokens, minlength=8) / DRAWS
    assert (share[wanted == 0] == 0).all()
    # five standard deviations of a share
    assert ((share - wanted).abs() <= 5 * (wanted * (1 - wanted) / DRAWS).sqrt() + 1e-6).all()


@pytest.mark.parametrize("top_k", [0, 1, 2, 7])
@pytest.mark.parametrize("top_p", [0.0, 1e-9, 0.3, 0.999, 1.0])
def test_at_least_the_best_token_stays_and_never_one_outside_the_reference(top_k, top_p):
    logits = 2 * noise(60, 7)
    tokens = sample_tokens(
        logits, top_k=top_k, top_p=top_p, generator=torch.Generator().manual_seed(1)
    )
    for row, token in zip(logits.tolist(), tokens.tolist()):
        assert slow_probabilities(row, top_k, top_p, 1.0)[token] > 0
    if top_k == 1 or top_p == 1e-9:
        assert torch.equal(tokens, logits.argmax(-1))


def test_very_confident_and_very_flat_logits_are_no_problem():
    sharp = torch.full((4, 6), -1e4)
    sharp[range(4), [3, 0, 5, 1]] = 1e4
    assert sample_tokens(sharp, top_k=3, top_p=0.9).tolist() == [3, 0, 5, 1]
    flat = sample_tokens(
        torch.zeros(500, 6), top_p=0.999, generator=torch.Generator().manual_seed(0)
    )
    assert set(flat.tolist()) == set(range(6))


def test_shapes_are_kept_and_the_generator_decides():
    logits = noise(2, 3, 5, 9)
    first, again, other = (
        sample_tokens(logits, generator=torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)
    )
    assert first.shape == (2, 3, 5) and torch.equal(first, again) and not torch.equal(first, other)


def test_with_a_generator_per_image_each_image_is_drawn_for_itself():
    logits, make = noise(3, 50, 9), torch.Generator
    together = sample_tokens(
        logits, top_k=5, generator=[make().manual_seed(seed) for seed in (4, 5, 6)]
    )
    for n, seed in enumerate((4, 5, 6)):
        alone = sample_tokens(logits[n : n + 1], top_k=5, generator=[make().manual_seed(seed)])
        assert torch.equal(together[n : n + 1], alone)
        assert torch.equal(
            alone, sample_tokens(logits[n : n + 1], top_k=5, generator=make().manual_seed(seed))
        )
    with pytest.raises(VarbookError, match="2 generators do not serve 3 images"):
        sample_tokens(logits, generator=[make(), make()])


def test_the_released_choices_of_thirteen_steps_and_of_512_pixels():
    # 7, 9, 12 and 14 are greedy among the 13 steps of table 7
    sides = [h for h, _ in TABLE_7[256, 13]]
    chosen = [released_choices(2.5, 900, k, 13, (side, side)) for k, side in enumerate(sides)]
    assert [side for side, (_, top_k) in zip(sides, chosen) if top_k == 1] == [7, 9, 12, 14]
    # the guidance is at full strength at the tenth scale, and goes on
    assert [strength for strength, _ in chosen] == pytest.approx([2.5 * k / 9 for k in range(13)])
    # and with ten steps or fewer it is VAR's ramp
    assert [released_choices(2.5, 900, k, 6, (1, 1))[0] for k in range(6)] == [
        guidance_at(2.5, k, 6) for k in range(6)
    ]
    # beyond 16 everything is greedy, under the full guidance
    assert (
        released_choices(3.0, 900, 4, 12, (23, 23))
        == (3.0, 1)
        == released_choices(3.0, 900, 11, 12, (32, 32))
    )
    assert released_choices(3.0, 900, 4, 12, (5, 7)) == (
        pytest.approx(3.0 * 4 / 9),
        1,
    )  # a rectangle with an odd side
    assert released_choices(3.0, 900, 3, 6, (4, 8)) == (pytest.approx(3.0 * 3 / 5), 900)
