"""Chapter 05's measurements: samples follow from seed and classes, sizes from the training's, and the
verdicts say what was measured.
"""

from types import SimpleNamespace

import pytest
import torch
from tiny import pictures, tiny_judge, tiny_model, tiny_tokenizer

from varbook.book.experiments import flexible, flexible_step_verdicts, flexible_steps
from varbook.book.experiments import flexible_verdicts as verdicts
from varbook.book.models.profiles import SMOKE
from varbook.tokenizer.schedule import square

DRAWING = {"guidance": 1.5, "top_k": 0, "top_p": 0.0, "ramp_to": 3, "greedy_above": 4}
RUNS = tuple(SimpleNamespace(key=key) for key in ("model", "tokenizer", "judge"))


def task():
    labels = {"horse": 0, "zebra": 1}
    return SimpleNamespace(
        noun="toys", label=labels.__getitem__, side=lambda profile: 16, sample=sample
    )


def sample(profile, number, size, seed):
    height, width = (size, size) if isinstance(size, int) else size
    images = ((pictures(number, height, width, seed=seed) + 1) * 127.5).round().to(torch.uint8)
    return SimpleNamespace(images=images, labels=torch.arange(number) % 2)


@pytest.fixture
def flex():
    model, tokenizer = tiny_model("ground_truth"), tiny_tokenizer("ground_truth")
    return flexible.Flexible(SMOKE, task(), model, tokenizer, tiny_judge(), RUNS, DRAWING, seed=0)


def test_samples_follow_from_seed_and_class_and_have_the_size_asked_for(flex):
    labels = flex.classes("horse", "zebra", "horse")
    first, again = flex.draw(labels, (4, 8)), flex.draw(labels, (4, 8))
    assert torch.equal(first, again) and first.shape == (3, 3, 16, 32)
    assert not torch.equal(first, flex.draw(labels, (4, 8), seed=1))
    assert not torch.equal(first, flex.draw(labels, (4, 8), changes={"guidance": 0.0}))
    assert torch.equal(flex.draw(labels), flex.draw(labels, schedule=flex.trained))


def test_many_samples_are_drawn_in_parts_with_a_seed_each(flex, monkeypatch):
    monkeypatch.setattr(flexible, "AT_ONCE", 2)
    labels = torch.tensor([0, 1, 0, 1])
    both = flex.draw(labels)
    assert torch.equal(both[:2], flex.draw(labels[:2]))
    assert not torch.equal(both[2:], both[:2])


def test_sizes_are_parts_of_the_training_size_and_large_ones_are_fewer(flex):
    assert flex.sides(flexible.PARTS) == [2, 3, 4, 6, 8, 12, 16]
    assert flexible.number_at(flex, 8) == flex.count == 16
    assert flexible.number_at(flex, 32) == 14


def test_a_size_is_measured_on_four_kinds_of_pictures(flex):
    values = flexible.measure_size(flex, 2 * flex.side)
    kinds = ["real", "decoded", "drawn", "enlarged", "drawn, dice at all scales", "spectrum"]
    assert list(values) == kinds
    assert values["real"]["detail"] == pytest.approx(1, abs=0.3)
    assert len(values["spectrum"]["drawn"]) == 16 + 1
    assert list(flexible.measure_size(flex, 6)) == [*kinds[:4], "spectrum"]


def test_what_a_sample_keeps_is_asked_of_those_recognised_at_the_training_size(flex):
    def seen(*species):
        return {"drawn": {"seen as": list(species)}}

    # Labels are 0, 1, 2 in turn: of four samples three are recognised at home.
    values = {flex.side: seen(0, 1, 0, 0), 8: seen(0, 2, 2, 0)}
    assert flexible.keeps(flex, values, 8) == pytest.approx(2 / 3)


def test_the_octave_is_the_upper_half_of_the_frequencies():
    powers = {"real": [9.0, 1.0, 1.0, 1.0], "drawn": [9.0, 9.0, 0.5, 0.0]}
    assert flexible.octave({"spectrum": powers}, "drawn") == pytest.approx(0.25)


def test_ways_to_twice_the_size_end_there_and_draw_otherwise(flex):
    drawn = {}
    for name, way in flexible.ways(flex).items():
        drawn[name] = flexible.draw_in(flex, way, flex.classes("horse"), seed=0)
    assert {picture.shape for picture in drawn.values()} == {(1, 3, 32, 32)}
    usual = drawn.pop("as in the table")
    assert not [name for name, picture in drawn.items() if torch.equal(picture, usual)]


def test_a_shape_is_measured_with_the_spans_of_the_animal(flex):
    values = flexible.measure_shape(flex, (4, 8))
    assert set(values) == {"real", "drawn"}
    assert 0 <= values["drawn"][flexible.SPANNED[0]] <= 32
    assert 0 <= values["drawn"][flexible.SPANNED[1]] <= 16


def test_a_straight_line_is_found_and_explains_itself():
    start, slope, explained = flexible_step_verdicts.line([0, 1, 3], [1.0, 3.0, 7.0])
    assert (start, slope, explained) == pytest.approx((1, 2, 1))
    assert flexible_step_verdicts.line([0, 1, 2], [0.0, 1.0, 0.0])[2] == pytest.approx(0)


def test_schedules_of_the_comparison_reach_as_many_steps_as_the_latent_allows(flex):
    steps = flexible_steps.Steps(flex)
    assert list(steps.schedules) == [2, 3, 4]
    assert steps.schedules[4] == square(1, 2, 3, 4)
    assert len(steps.labels) == 2 * flex.count


def test_a_verdict_says_its_checks_and_keeps_the_class_apart_from_the_training_size(flex):
    kind = {"seen as": [0, 1], "detail": 0.5, "card": {}, "taken for its class": 1.0}
    names = ("drawn", "drawn, dice at all scales")
    runs = {n: SimpleNamespace(result=dict.fromkeys(names, kind)) for n in (2, 3, 4, 6, 8)}
    checks, told = verdicts.growing(flex, runs)
    assert checks == {f"{px} px: most keep their class": True for px in (8, 12, 24, 32)}
    assert told["numbers"] == {"kept": dict.fromkeys((8, 12, 16, 24, 32), 1.0)}
    assert told["runs"] == [*RUNS, *runs.values()]
    checks, told = verdicts.enlarged(flex, runs)
    assert list(checks) == ["24 px: most keep their class", "32 px: most keep their class"]
    assert "in 100% instead of 100%" in told["why"]


def test_a_shape_is_told_height_first_and_broken_at_the_comma_alone():
    flex = SimpleNamespace(tokenizer=SimpleNamespace(stride=8))
    label = verdicts.shape_label(flex, (8, 16))
    high, wide = label.split(" ")
    assert high.replace("\N{NO-BREAK SPACE}", " ") == "64 px high,"
    assert wide.replace("\N{NO-BREAK SPACE}", " ") == "128 px wide"
