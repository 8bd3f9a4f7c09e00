"""Reports on a translator, the floors beneath it, and the rows that are made of both."""

import pytest
import torch
from tiny import tiny_judge, tiny_tokenizer

from varbook.book.claims.checks import refuse_others
from varbook.book.claims.registry import artefact
from varbook.book.experiments.translator_reports import (
    COLUMNS,
    FLOORS,
    TARGETS,
    WAYS,
    figure_3_checks,
    figure_3_sentence,
    floors,
    judged_rows,
    report_rows,
    target_rows,
    toy_report,
)
from varbook.book.models.tasks import TOY
from varbook.data.images import to_float


def test_the_floors_change_nothing_but_what_the_tokenizer_loses():
    images = torch.arange(2 * 3 * 16 * 16, dtype=torch.uint8).view(2, 3, 16, 16)
    untouched, alone = (translate(images, 0) for translate in floors(tiny_tokenizer()).values())
    assert torch.equal(untouched, to_float(images)) and alone.shape == untouched.shape
    assert list(floors(tiny_tokenizer())) == list(FLOORS)


def test_a_report_knows_the_source_the_target_and_the_way(smoke):
    seen = []

    def translate(images, target):
        seen.append((len(images), target))
        return images

    judge = tiny_judge()
    report = toy_report(smoke, judge, translate)
    assert list(report) == list(WAYS)
    assert seen == [(smoke.held_out, TOY.domains[target]) for _, target in WAYS.values()]
    for measures in report.values():
        assert set(measures) == {"frechet", "kernel", "structure"}
        assert measures["structure"]["value"] == pytest.approx(0, abs=1e-6)
    hidden = {
        TOY.domains[end]: TOY.domain(smoke, end, held_out=True).images for _, end in WAYS.values()
    }
    counterparts = toy_report(smoke, judge, lambda _, target: hidden[target])
    assert all(measures["structure"]["value"] > 0 for measures in counterparts.values())


def test_rows_have_a_column_for_each_measure_that_there_is():
    measured = {"ours": {"a to b": {"domain_accuracy": 1.0, "stripe_ratio": 0.5, "loss": 3.0}}}
    assert judged_rows(measured, "a to b") == [
        {"": "ours", "accuracy": 1.0, "stripe contrast": 0.5}
    ]
    report = {"frechet": {"name": "FD-toy", "value": 2.0}, "structure": {"name": "s", "value": 1.0}}
    assert report_rows({"ours": {"a to b": report}}, "a to b") == [
        {"": "ours", "FD-toy": 2.0, "s": 1.0}
    ]


def test_a_target_is_reached_from_its_own_value_on():
    measures = {"a to b": {"domain_accuracy": 0.98, "silhouette_iou": 0.7}}
    rows = target_rows(measures, {"a to b": {"domain_accuracy": 0.98, "silhouette_iou": 0.74}})
    assert [row["held"] for row in rows] == [True, False]
    assert rows[1]["measure"] == "silhouette IoU" and rows[1]["at least"] == 0.74


def test_figure_3_asks_what_the_registry_names_and_says_its_numbers():
    measures = {way: dict.fromkeys(COLUMNS, 100.0) for way in WAYS}
    seen = dict(zip(WAYS, (0.76, 0.5), strict=True))
    held = figure_3_checks(target_rows(measures, TARGETS), seen)
    refuse_others(artefact("cyclevar-fig-3"), held)
    assert [name for name, holds in held.items() if not holds] == [
        "photographs, zebra to horse: seen as the target"
    ]
    told = figure_3_sentence(measures, seen)
    assert "IoU 100.000 and 100.000" in told
    assert told.endswith("photographs, zebra to horse: 50% seen as the target")
