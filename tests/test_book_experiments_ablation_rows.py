"""Rows of chapter 10's tables: means and ranges over the seeds, and what exceeds the noise."""

import pytest

from varbook.book.claims.checks import refuse_others
from varbook.book.claims.registry import REGISTRY
from varbook.book.experiments.ablation_rows import (
    both_ways,
    changes,
    distances,
    equally_far,
    farther_checks,
    floor_row,
    reach_checks,
    state_rows,
    surely_farther,
    sweep_of,
    table_row,
    variant_rows,
)
from varbook.book.experiments.cyclevar_ablations import VARIANTS, Variant, seeds_of
from varbook.translate.cyclevar import CycleVARConfig


def seed(distance: float) -> dict[str, float]:
    others = dict.fromkeys(both_ways("structure", "accuracy", "IoU"), 0.5)
    return others | {"FD h2z": distance, "FD z2h": 10 * distance}


NEAR, FAR = [seed(1.0), seed(2.0)], [seed(3.0), seed(5.0)]


def test_a_row_changes_what_it_names_and_nothing_else(smoke):
    assert changes(Variant()) == {}
    variant = Variant(CycleVARConfig(alpha=0.25), rate=2.0, optimiser="sgd", vocab_size=64)
    assert changes(variant) == {
        "alpha": 0.25,
        "learning rate": "x 2",
        "optimiser": "plain descent",
        "codes": 64,
    }
    rows = {row["row"]: row for row in variant_rows(smoke)}
    assert list(rows) == list(VARIANTS) and rows["default"]["changes"] == "nothing"
    assert rows["alpha 0.25"]["changes"] == "alpha = 0.25"
    assert rows["default"]["seeds"] == len(seeds_of(smoke, "default"))


def test_a_row_has_means_and_a_range_where_there_are_seeds():
    row = table_row(NEAR)
    assert row["FD-toy h2z"] == 1.5 and row["range z2h"] == 10 and row["seeds"] == 2
    assert table_row(NEAR[:1])["range h2z"] is None
    floor = floor_row(NEAR[0])
    assert floor["FD-toy z2h"] == 10 and set(floor) < set(row)


def test_farther_means_every_seed_in_both_directions():
    assert surely_farther(FAR, NEAR) and not surely_farther(NEAR, FAR)
    assert farther_checks("far", FAR, [seed(4.0)]) == {"far, h2z": False, "far, z2h": False}
    assert equally_far(NEAR, [seed(2.4)]) == {"h2z": True, "z2h": True}
    assert equally_far(NEAR, [seed(2.6)]) == {"h2z": False, "z2h": False}


def test_distances_are_told_row_by_row_and_way_by_way():
    assert distances([NEAR, FAR]) == "1.5 / 15 / 4 / 40"
    assert distances([NEAR, FAR], ["z2h"]) == "15 / 40"


def test_a_sweep_has_mean_and_range_of_each_setting_in_each_direction():
    swept = sweep_of({0.25: NEAR, 0.5: FAR}, "FD")
    assert swept[0.25] == {"h2z": (1.5, 1.0), "z2h": (15.0, 10.0)}
    assert list(swept) == [0.25, 0.5] and swept[0.5]["h2z"] == (4.0, 2.0)


def test_the_checks_of_figure_6_are_those_of_the_registry():
    checks = reach_checks({0.01: (0.1, 0.95), 2.0: (0.95, 0.8), 10_000.0: (0.0, 0.0)})
    refuse_others(REGISTRY["cyclevar-fig-6"], checks)
    failed = [name for name, holds in checks.items() if not holds]
    assert failed == [
        "temperature 0.01 does not reach it, z2h",
        "temperature 2 reaches the target, z2h",
    ]


def test_the_state_of_a_mixture_is_that_of_the_first_seed():
    state = {"perplexity": 2.0, "norm_ratio": 0.5, "logit_std": 1.0, "gap": 3.0}
    (row,) = state_rows({0.7: [{"state": state}, {}]})
    assert row["temperature"] == "0.7" and row["codes in a mixture (perplexity)"] == pytest.approx(
        2
    )
