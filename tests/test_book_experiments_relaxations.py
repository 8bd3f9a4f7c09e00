"""The tables of chapter 08 put what was measured beside the exact gradient and beside the paper."""

import pytest
import torch

from varbook.book.claims.checks import refuse_others
from varbook.book.claims.registry import artefact, published
from varbook.book.experiments.relaxations import (
    NAMES,
    evenness,
    figure_1_checks,
    figure_1_sentence,
    gradient_report,
    gradient_rows,
    scale_rows,
    temperature_rows,
)


def test_every_relaxation_has_its_row():
    report = {
        name: {"cosine": 0.5 + n, "lowest cosine": float(n), "norm": 1.0}
        for n, name in enumerate(NAMES)
    }
    rows = gradient_rows(report)
    assert [row["relaxation"] for row in rows] == list(NAMES.values())
    assert rows[1]["cosine to the exact gradient"] == 1.5
    assert rows[1]["lowest of the tokens"] == 1.0


def test_a_temperature_stands_beside_the_papers_row_of_it():
    state = {"perplexity": 8.0, "norm_ratio": 0.5, "gradient": 2.0, "share": 0.75}
    paper = published("cyclevar-table-5").as_dicts()
    (row,) = temperature_rows({"2.0": state}, paper)
    (theirs,) = [line for line in paper if line["temperature"] == "2.00"]
    assert row["temperature"] == 2.0 and row["norm ratio"] == 0.5
    assert row["paper: FID h2z"] == theirs["FID h2z"]


def test_temperatures_rise_whatever_order_a_record_has_them_in():
    state = {"perplexity": 8.0, "norm_ratio": 0.5, "gradient": 2.0, "share": 0.75}
    states = dict.fromkeys(("0.1", "10.0", "10000.0", "2.0"), state)
    rows = temperature_rows(states, published("cyclevar-table-5").as_dicts())
    assert [row["temperature"] for row in rows] == [0.1, 2.0, 10.0, 10_000.0]


def test_gradients_are_held_against_the_exact_one_token_by_token():
    exact, across = torch.tensor([3.0, 0.0]), torch.tensor([0.0, 1.0])
    tokens = [
        (exact, {"ours": exact[None], "noisy": torch.stack((exact, across))}),
        (across, {"ours": 3 * exact[None], "noisy": across[None]}),
    ]
    report = gradient_report(tokens)
    assert report["ours"] == {"cosine": 0.5, "norm": 5.0, "lowest cosine": 0.0}
    assert report["noisy"]["cosine"] == 0.75
    assert report["noisy"]["norm"] == pytest.approx((2 / 3 + 1) / 2)


def test_evenness_is_the_share_of_tokens_that_have_something():
    assert evenness(torch.ones(4)) == 1.0
    assert evenness(torch.tensor([5.0, 0.0, 0.0, 0.0])) == 0.25
    assert evenness(torch.zeros(4)) == 0.0


def test_a_row_per_scale_has_its_own_numbers():
    state = {"perplexity_per_scale": [1.0, 9.0], "norm_per_scale": [0.5, 0.25]}
    states = dict.fromkeys(("0.1", "1.0", "2.0", "10.0"), state)
    one, two = scale_rows(states, ((1, 1), (3, 2)))
    assert one["scale"] == "1x1" and two["scale"] == "3x2"
    assert two["perplexity at 10"] == 9.0 and two["norm ratio at 2"] == 0.25


def test_figure_1_asks_what_the_registry_names_and_says_its_numbers():
    norms = {"argmax": 0.0, "straight_through": 0.25, "gumbel": 0.5, "softmax": 0.125}
    held = figure_1_checks(norms, {"relative_error": 1e-8})
    refuse_others(artefact("cyclevar-fig-1"), held)
    assert all(held.values())
    assert not all(figure_1_checks(norms | {"argmax": 0.1}, {"relative_error": 1e-8}).values())
    assert not all(figure_1_checks(norms | {"softmax": 0.0}, {"relative_error": 1e-8}).values())
    assert not all(figure_1_checks(norms, {"relative_error": 0.1}).values())
    assert "SRQ 0.125; SRQ differs" in figure_1_sentence(norms, {"relative_error": 1e-8})
