"""Chapter 06's measurements: what an edit keeps, and what it is compared with."""

from types import SimpleNamespace

import pytest
import torch
from test_book_experiments_flexible import DRAWING, RUNS, sample, task
from tiny import tiny_judge, tiny_model, tiny_tokenizer

from varbook.book.experiments import editing as edits
from varbook.book.experiments import editing_verdicts as verdicts
from varbook.book.experiments.editing import Editing
from varbook.book.experiments.flexible import Flexible
from varbook.book.models.profiles import SMOKE
from varbook.evaluate.generation import resized


@pytest.fixture
def editing(monkeypatch):
    toys = task()
    toys.label = {"horse": 0, "zebra": 1, "elephant": 2}.__getitem__
    toys.pictures = SimpleNamespace(rendered=True)
    toys.sample = lambda profile, number, size=16, seed=7: sample(profile, number, size, seed)
    model, tokenizer = tiny_model("ground_truth"), tiny_tokenizer("ground_truth")
    return Editing(Flexible(SMOKE, toys, model, tokenizer, tiny_judge(), RUNS, DRAWING, seed=0))


def test_parts_have_seeds_of_their_own_and_keep_their_order(monkeypatch):
    monkeypatch.setattr(edits, "AT_ONCE", 2)
    seeds = []

    def edit(x, y, pick):
        seeds.append(pick.initial_seed())
        return x + y

    x = torch.arange(5.0)
    assert torch.equal(edits.in_parts(edit, x, 10 * x), 11 * x)
    assert seeds == [1000, 1001, 1002]


def test_masks_are_where_they_say(editing):
    assert editing.mask(0, 8, 0, 4).sum() == 16 * 8 and editing.mask(0, 8, 0, 4)[:, :8].all()
    assert not editing.outside[4:14, 4:12].any() and editing.outside.sum() == 256 - 10 * 8
    assert not editing.animal[:2].any() and editing.animal[2:].all()
    assert editing.hole[4:14, 3:8].all() and editing.hole.sum() == 10 * 5


def test_painting_keeps_what_is_pasted_and_measures_both_ways(editing):
    values = edits.measure_painting(editing)
    edited = {f"{e}{way}" for e in ("in", "out", "elephant") for way in ("", ": masked")}
    assert edited <= set(values)
    assert all(values[e]["known pixels pasted, kept exactly"] for e in ("in", "out", "elephant"))
    assert "in, whole picture encoded" in values and 0 <= values["real"][edits.TAKEN] <= 1


def test_an_extension_is_held_against_grey_sides_and_real_scenes(editing):
    values = edits.measure_extension(editing)
    assert list(values["seam"]) == ["extended", "decoded", "real", "grey sides"]
    assert values["seam"]["grey sides"] > values["seam"]["real"]
    assert set(values[editing.flex.judge.distance]) == set(values["seam"])


def test_of_photographs_the_middle_of_a_wide_one_is_extended(editing):
    given, wide = edits.in_the_middle(editing)
    assert torch.equal(given, editing.images) and wide.shape[2:] == (16, 32)
    editing.flex.task.pictures.rendered = False
    given, wide = edits.in_the_middle(editing)
    assert torch.equal(given, wide[..., 8:24])


def test_refinement_is_measured_beside_bicubic_and_the_tokenizers_ceiling(editing):
    class Squared(torch.nn.Module):
        name = "squared"

        def __init__(self):
            super().__init__()
            self.one = torch.nn.Parameter(torch.ones(1))  # by which its device is found

        def forward(self, a, b):
            return self.one.detach() * (a - b).square().mean((1, 2, 3))

    values = edits.measure_refining(editing, 2, 32, Squared())
    kinds = ["bicubic", "refined", "refined, most likely codes", "ceiling: decoded truth"]
    assert list(values) == kinds
    bicubic = resized(editing.rendered(16).cpu(), 32)
    off = (bicubic - editing.rendered(32).cpu()).square().mean()
    assert values["bicubic"]["squared"] == pytest.approx(off.item(), rel=1e-3)
    assert edits.factors(editing) == ((2, 16), (4, 16), (2, 32))


def test_shares_of_codes_are_told_for_both_ways_to_encode(editing):
    shares = edits.agreement(editing)
    assert list(shares) == ["as it is", "enlarged first"]
    assert all(0 <= share <= 1 for share in shares.values())


def test_a_refinement_is_better_where_psnr_is_higher_and_distances_are_lower(editing):
    name = editing.flex.judge.distance
    better = {"PSNR, dB": 20.0, "lpips": 0.1, name: 1.0, edits.TAKEN: 0.9}
    worse = {"PSNR, dB": 10.0, "lpips": 0.2, name: 2.0, edits.TAKEN: 0.5}
    kinds = {"refined": better, "bicubic": worse, "ceiling: decoded truth": better}
    runs = {pair: SimpleNamespace(result=kinds) for pair in edits.factors(editing)}
    checks, told = verdicts.refined(editing, runs, "lpips")
    assert len(checks) == 9 and all(checks.values())
    assert "recognised at factor 4: 90% refined, 50% bicubic" in told["why"]
    kinds["bicubic"] = better | {"PSNR, dB": 30.0}
    checks, _ = verdicts.refined(editing, runs, "lpips")
    assert not any(checks.values())
