"""Attention against Mamba: means, ranges and the verdict that follows from them."""

from types import SimpleNamespace

from varbook.book.experiments import mamba_table
from varbook.book.models.profiles import SMOKE


def values(fd, loss, parameters=100):
    base = {"taken for its class": 0.5, "core seconds per step": 1.0, "card": {}}
    base |= {"core seconds per image": parameters / 100, "parameters": parameters}
    return [base | {"FD-toy": fd + step, "loss": loss} for step in (-0.1, 0.1)]


def both(monkeypatch, attention, mamba):
    monkeypatch.setattr(mamba_table.flexvar_ablations, "distance_of", lambda profile: "FD-toy")
    runs = {mixer: [SimpleNamespace(key=mixer)] * 2 for mixer in mamba_table.ROWS}
    return mamba_table.Mixers(SMOKE, runs, {"attention": attention, "Mamba": mamba})


def test_a_difference_within_the_range_over_the_seeds_is_none(monkeypatch):
    near = both(monkeypatch, values(3.0, 5.0), values(2.9, 5.0, 110))
    rows = mamba_table.rows(near)
    assert [row["mixer"] for row in rows] == ["transformer", "Mamba"]
    checks, told = mamba_table.verdict(near, rows)
    assert list(checks.values()) == [True] * 4
    assert "FD-toy 2.90 (range 0.20) against 3.00 (0.20)" in told["ours"]
    assert "1.1 times as much on a CPU; +10% parameters" in told["why"]
    assert "is **lower** by 0.10 with ranges of 0.20 and 0.20" in mamba_table.sentence(near)


def test_a_larger_one_is_told(monkeypatch):
    far = both(monkeypatch, values(3.0, 5.0), values(4.0, 5.5, 130))
    checks, _ = mamba_table.verdict(far, mamba_table.rows(far))
    assert list(checks.values()) == [False] * 4
    assert "is **higher** by 1.00" in mamba_table.sentence(far)
