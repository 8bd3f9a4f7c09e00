"""Chapter 11's rows, checks and sentences follow from the measures of its translators that read."""

import pytest

from varbook.book.claims.checks import refuse_others
from varbook.book.claims.registry import REGISTRY
from varbook.book.experiments.counterpart_rows import (
    counterpart_rows,
    figure_4_checks,
    figure_4_sentence,
    figure_5_checks,
    figure_5_sentence,
    kept_edges,
    plain_row,
    scene_rows,
    street_rows,
    table_1_rows,
    toy_rows,
)
from varbook.book.experiments.streets_and_flat import DAY_NIGHT, ROWS, SHOWN, STREET_ROWS, STYLES
from varbook.book.models.tasks import NIGHT


def judged(target: float = 1.0, gain: float = 7.0, edges: float = 0.45) -> dict:
    values = {"target": target, "animal": 1.0, "psnr": 20.0, "gain": gain, "edges": edges}
    ceiling = values | {"edges": 0.5}
    return {row: ceiling if row == ROWS[-1] else values for row in ROWS}


def street(brightness: float, distance: float | None = 1.0) -> dict:
    values = {"brightness": brightness, "seen as target": 0.75}
    if distance is not None:
        values["frechet"] = {"name": "FD-x", "value": distance}
        values["structure"] = {"name": "s-x", "value": 0.5}
    return values


MEASURED = {way: judged() for way in DAY_NIGHT}
STREETS = {
    way: dict(zip(STREET_ROWS, (street(0.9, 2.0), street(0.9, 3.0), street(0.4), street(0.3))))
    for way in DAY_NIGHT
}


def failed(checks: dict[str, bool]) -> list[str]:
    return [name for name, holds in checks.items() if not holds]


def test_each_direction_shows_other_scenes_above_their_counterparts(smoke):
    held = {name: NIGHT.domain(smoke, name, held_out=True) for name in ("day", "night")}
    translated = dict.fromkeys(DAY_NIGHT, held["day"].images[:SHOWN])
    rows = scene_rows(held, DAY_NIGHT, translated)
    assert list(rows)[:3] == ["source: day", "CycleVAR: to night", "hidden counterpart: night"]
    assert (rows["hidden counterpart: night"] == held["night"].images[:SHOWN]).all()
    assert (rows["source: night"] == held["night"].images[SHOWN : 2 * SHOWN]).all()


def test_the_toy_worlds_row_is_the_trained_translators():
    there, back = toy_rows(MEASURED)
    assert there == {
        "direction": "day to night",
        "seen as target": 1.0,
        "gain, dB": 7.0,
        "edges": 0.45,
    }
    assert back["direction"] == "night to day"


def test_rows_are_readable_and_complete():
    rows = counterpart_rows(judged(gain=-1e-9))
    assert [row[""] for row in rows] == list(ROWS)
    assert str(rows[0]["gain over untouched, dB"]) == "0.0"
    assert plain_row(street(0.5)) == {
        "brightness": 0.5,
        "seen as target": 0.75,
        "FD-x": 1,
        "s-x": 0.5,
    }
    assert [row[""] for row in street_rows(STREETS["day to night"])] == list(STREET_ROWS)
    table = table_1_rows(STREETS)
    assert [row["method"] for row in table] == list(STREET_ROWS)
    assert table[2]["FD-x night to day"] == 1.0


def test_a_distance_on_photographs_stands_beside_that_of_real_ones_where_it_is_known():
    assert "FD-x 1" in figure_4_sentence(MEASURED, STREETS)
    assert "FD-x of real pictures 1" in figure_4_sentence(MEASURED, STREETS)
    bare = {
        way: rows | {STREET_ROWS[-1]: {"brightness": 0.3, "seen as target": 1.0}}
        for way, rows in STREETS.items()
    }
    assert "of real pictures" not in figure_4_sentence(MEASURED, bare)
    assert [row["method"] for row in table_1_rows(bare)] == list(STREET_ROWS[:3])


@pytest.mark.parametrize("streets", [{}, STREETS])
def test_the_checks_of_figure_4_are_those_of_the_registry(streets):
    checks = figure_4_checks(MEASURED, streets)
    refuse_others(REGISTRY["cyclevar-fig-4"], checks)
    assert failed(checks) == []


def test_a_translation_fails_by_what_it_lacks():
    dim = {way: judged(target=0.9, gain=5.0) for way in DAY_NIGHT}
    assert len(failed(figure_4_checks(dim, {}))) == 4
    bright = {"day to night": STREETS["day to night"] | {"CycleVAR w/ Infinity": street(0.8, 2.5)}}
    assert failed(figure_4_checks(MEASURED, bright)) == [
        "streets, day to night: brightness nearer to the target's than to the source's",
        "streets, day to night: nearer to the target than source, untouched",
    ]


def test_without_features_brightness_alone_is_checked():
    plain = {way: {row: street(0.3, None) for row in STREET_ROWS} for way in DAY_NIGHT}
    checks = figure_4_checks(MEASURED, plain)
    refuse_others(REGISTRY["cyclevar-fig-4"], checks)
    assert [name for name in checks if name.startswith("streets")] == [
        f"streets, {way}: brightness nearer to the target's than to the source's"
        for way in DAY_NIGHT
    ]


def test_edges_are_measured_by_the_ceiling_that_the_tokenizer_sets():
    styled = {way: judged(edges=0.45) for way in STYLES}
    assert kept_edges(styled) == dict.fromkeys(STYLES, pytest.approx(0.9))
    checks = figure_5_checks(styled)
    refuse_others(REGISTRY["cyclevar-fig-5"], checks)
    assert failed(checks) == []
    assert len(failed(figure_5_checks({way: judged(edges=0.4) for way in STYLES}))) == 2


def test_the_sentences_name_every_direction():
    text = figure_4_sentence(MEASURED, STREETS)
    assert text.startswith("toy world: day to night 100.0% seen as target, +7.0 dB, night to day")
    assert "; streets, night to day: brightness 0.4, seen as target 0.75, FD-x 1" in text
    text = figure_5_sentence({way: judged() for way in STYLES})
    assert "flat to photograph 100.0% seen as target, edges 0.90 of the counterpart's" in text
