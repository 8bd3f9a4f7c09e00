"""What a training at several sizes changes is measured with chapter 05's own measures, at the sizes
of docs/bars.md, and held against their bars.
"""

from types import SimpleNamespace

import pytest
import torch
from test_book_experiments_flexible import DRAWING, RUNS, task
from tiny import tiny_judge, tiny_model, tiny_tokenizer

from varbook.book.experiments import other_sizes
from varbook.book.experiments.flexible import SPANNED, Flexible
from varbook.book.experiments.flexible_texts import TAKEN
from varbook.book.models.profiles import SMOKE
from varbook.errors import VarbookError
from varbook.paths import repository

LATENTS = ((4, 8), (8, 4), (8, 8))


@pytest.fixture
def both(monkeypatch):
    """The experiments before and after; the second model is another one."""
    model, tokenizer = tiny_model("ground_truth"), tiny_tokenizer("ground_truth")
    flex = Flexible(SMOKE, task(), model, tokenizer, tiny_judge(), RUNS, DRAWING, seed=0)
    made = SimpleNamespace(model=tiny_model("ground_truth", seed=7), run=SimpleNamespace(key="new"))
    monkeypatch.setattr(other_sizes.build, "next_scale_at_sizes", lambda task, profile: made)
    flex.task.chain_of = lambda profile: SMOKE.chains["toy"]
    return flex, other_sizes.after(flex)


def result(kind_of: dict[str, dict]):
    return SimpleNamespace(result=kind_of)


def kinds(recognised=0.9, distance=1.0, enlarged=None, spans=None) -> dict[str, dict]:
    drawn, real = {TAKEN: recognised, "FD-toy": distance}, {TAKEN: 1.0, "FD-toy": 0.5}
    if spans:
        drawn |= dict(zip(SPANNED, spans))
        real |= dict.fromkeys(SPANNED, 10.0)
    more = {"enlarged": {TAKEN: 0.8, "FD-toy": enlarged}} if enlarged is not None else {}
    return {"drawn": drawn, "real": real} | more


def test_after_is_the_same_experiment_on_another_model(both):
    before, then = both
    assert then.model is not before.model and then.tokenizer is before.tokenizer
    assert then.drawing["greedy_above"] == 8 and before.drawing["greedy_above"] == 4
    assert [run.key for run in then.runs] == ["new", "tokenizer", "judge"]
    assert then.behind["model"] == "new" and then.behind["judge"] == before.behind["judge"]
    labels = before.classes("horse", "zebra")
    first, second = (one.draw(labels, (4, 8)) for one in both)
    assert first.shape == second.shape == (2, 3, 16, 32) and not torch.equal(first, second)


def test_a_profile_without_such_a_training_is_answered(both, monkeypatch):
    before, _ = both
    before.task.chain_of = lambda profile: SMOKE.chains["small"]
    with pytest.raises(VarbookError, match="at several sizes"):
        other_sizes.after(before)


def test_the_sizes_are_those_of_the_bars_and_two_odd_ones(both):
    before, then = both
    latents = other_sizes.measured_latents(before)
    assert latents[:4] == [(4, 4), (4, 8), (8, 4), (8, 8)] and len(latents) == 6
    assert latents == other_sizes.measured_latents(then)
    assert other_sizes.trained_latents(before) == ((4, 4), *LATENTS)


def test_each_size_is_measured_once_with_the_measures_of_the_chapter(both, monkeypatch):
    asked = []
    monkeypatch.setattr(other_sizes, "measured_size", lambda flex, side: asked.append(side))
    monkeypatch.setattr(other_sizes, "measured_shape", lambda flex, size: asked.append(size))
    runs = other_sizes.measured(both[0])
    assert list(runs) == other_sizes.measured_latents(both[0])
    assert asked[:4] == [4, (4, 8), (8, 4), 8]


def test_a_row_says_what_the_bars_name(both):
    before, then = both
    found = other_sizes.numbers(before, kinds(0.8, 2.0, spans=(13.0, 9.0)))
    across, up = other_sizes.OVER_REAL
    assert found["recognised"] == 0.8 and found["recognised, real"] == 1.0
    assert (found[across], found[up]) == pytest.approx((1.3, 0.9))
    runs = {(8, 8): result(kinds(enlarged=1.5)), (3, 5): result(kinds())}
    rows = other_sizes.rows(before, runs, runs)
    assert [row["model"] for row in rows] == ["before", "after"] * 2
    assert [row["trained at"] for row in rows] == [True, True, False, False]
    assert rows[0]["pixels"] == "32 x 32" and rows[0]["FD-toy, enlarged"] == 1.5


def test_a_bar_is_kept_by_the_number_itself_and_missed_by_a_little_less(both):
    flex, _ = both
    kept = {
        (4, 4): result(kinds(0.90)),
        (4, 8): result(kinds(0.75, spans=(13.0, 10.0 / 1.29))),
        (8, 8): result(kinds(0.75, 1.5, enlarged=1.5)),
    }
    assert len(other_sizes.bars(flex, kept)) == 6 and all(other_sizes.bars(flex, kept).values())
    missed = {
        (4, 4): result(kinds(0.89)),
        (4, 8): result(kinds(0.74, spans=(13.1, 10.0 / 1.31))),
        (8, 8): result(kinds(0.74, 1.51, enlarged=1.5)),
    }
    assert other_sizes.bars(flex, missed).keys() == other_sizes.bars(flex, kept).keys()
    assert not any(other_sizes.bars(flex, missed).values())


def test_the_bars_are_those_of_the_page(both):
    page = (repository() / "docs" / "bars.md").read_text(encoding="utf-8")

    def row(start: str) -> str:
        (line,) = [one for one in page.splitlines() if one.startswith(f"| FlexVAR{start}")]
        return line

    def share(bar: float) -> str:
        return f"| at least {100 * bar:.0f} % |"

    assert share(other_sizes.RECOGNISED) in row(", twice the size | recognized")
    assert share(other_sizes.RECOGNISED) in row(", 1:2 and 2:1 | recognized")
    assert share(other_sizes.RECOGNISED_AT_HOME) in row(" | recognized among 280 samples, all")
    span = f"between 1 / {other_sizes.SPAN} and {other_sizes.SPAN}"
    assert span in row(", 1:2 and 2:1 | width and height")
