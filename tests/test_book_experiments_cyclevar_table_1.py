"""CycleVAR table 1: rows, checks and sentence follow from the same measures."""

import pytest

from varbook.book.claims.checks import refuse_others
from varbook.book.claims.registry import REGISTRY, published
from varbook.book.experiments import cyclevar_table_1, translator_rivals
from varbook.book.experiments.cyclevar_table_1 import COLUMNS, Table1
from varbook.book.experiments.translator_reports import FLOORS, OURS, REAL, WAYS


def report(distance: float) -> dict:
    measures = {"frechet": ("FD-x", distance), "structure": ("s-x", 1.0), "kernel": ("KD-x", 0.1)}
    values = {k: {"name": n, "value": v, "card": {"samples": 9}} for k, (n, v) in measures.items()}
    return dict.fromkeys(WAYS, values)


def small(ours: float = 1.0) -> dict:
    names = (translator_rivals.OURS, *translator_rivals.RIVALS)
    numbers = {f"{key} {way}": 2.0 for key in ("FD", "structure") for way in ("h2z", "z2h")}
    better = {"FD h2z": ours, "FD z2h": ours}
    return {name: numbers | (better if name == translator_rivals.OURS else {}) for name in names}


def at_full_size(ours: float = 1.0) -> dict:
    return {OURS: report(ours)} | {floor: report(2.0) for floor in FLOORS}


@pytest.fixture
def table(smoke):
    return Table1(smoke, at_full_size(), small())


@pytest.fixture
def with_photographs(smoke):
    photographs = at_full_size() | {name: report(2.0) for name in translator_rivals.RIVALS}
    return Table1(smoke, at_full_size(), small(), photographs)


def test_the_papers_rows_are_all_there_under_our_columns():
    rows = cyclevar_table_1.paper_rows()
    paper = published("cyclevar-table-1").as_dicts()
    assert [row["method"] for row in rows] == [row["method"] for row in paper]
    assert [row["distance horse to zebra"] for row in rows] == [
        r["FID horse to zebra"] for r in paper
    ]
    assert set(COLUMNS) <= set(rows[0])


def test_our_rows_say_where_each_number_comes_from(table, with_photographs):
    rows = cyclevar_table_1.our_rows(table)
    assert len(rows) == len(at_full_size()) + len(small())
    assert rows[0]["measured as"] == "FD-x, s-x" and rows[0]["kernel zebra to horse"] == 0.1
    assert rows[-1]["method"] == "Cycle-Diffusion" and rows[-1]["distance zebra to horse"] == 2.0
    assert len(cyclevar_table_1.numbers(rows)) == len(rows)
    both = cyclevar_table_1.our_rows(with_photographs)
    assert len(both) == len(rows) + len(with_photographs.photographs)
    assert set(cyclevar_table_1.cards(with_photographs)) == {"toy world", "photographs"}


def test_the_checks_are_those_of_the_registry(table, with_photographs):
    row = REGISTRY["cyclevar-table-1"]
    for each in (table, with_photographs):
        checks = cyclevar_table_1.checks(each)
        refuse_others(row, checks)
        assert all(checks.values())


def test_who_is_farther_than_doing_nothing_fails_that_check(smoke):
    checks = cyclevar_table_1.checks(Table1(smoke, at_full_size(ours=3.0), small()))
    failed = [name for name, holds in checks.items() if not holds]
    assert failed == [
        f"toy world, {way}: nearer to the target than {floor}" for floor in FLOORS for way in WAYS
    ]


def test_the_sentence_has_the_distances_of_all(table, with_photographs):
    text = cyclevar_table_1.sentence(table)
    assert text.startswith(
        "toy world, horse to zebra: FD-x 1 (untouched 2), s-x 1; rivals at 32 px"
    )
    assert "CUT FD-toy 2 / 2" in text and "photographs" not in text
    assert "on photographs: CycleVAR FD-mobilenet 1 / 1" in cyclevar_table_1.sentence(
        with_photographs
    )


def test_streets_are_those_that_chapter_11_has_left(table, monkeypatch):
    rows = {name: report(2.0)["horse to zebra"] for name in FLOORS}
    rows["CycleVAR w/ Infinity"] = report(3.0)["horse to zebra"]
    streets = {"day to night": rows, "night to day": rows}
    record = {"measurements": {"result": {"values": {"measures": streets}}}}
    monkeypatch.setattr(cyclevar_table_1, "known_streets", lambda profile: record)
    assert cyclevar_table_1.our_rows(table)[3]["distance day to night"] == 2.0
    assert not cyclevar_table_1.checks(table)[
        "w/ Infinity, streets, day to night: nearer to the target than tokenizer alone"
    ]
    assert "w/ Infinity, streets, night to day: FD-x 3" in cyclevar_table_1.sentence(table)


def real(distance: float) -> dict:
    """Distances of real photographs, which have no source whose structure they could keep."""
    return {way: {"frechet": {"name": "FD-x", "value": distance}} for way in WAYS}


def test_photographs_stand_beside_the_distance_of_real_ones(smoke, monkeypatch):
    table = Table1(smoke, at_full_size(), small(), at_full_size() | {REAL: real(0.5)})
    row = cyclevar_table_1.our_rows(table)[-len(small()) - 1]
    assert row["method"] == REAL and row["measured as"] == "FD-x"
    assert row["distance zebra to horse"] == 0.5 and "structure zebra to horse" not in row
    text = cyclevar_table_1.sentence(table)
    assert "photographs, horse to zebra: FD-x 1 (untouched 2, real target 0.5)" in text
    assert cyclevar_table_1.checks(table) == cyclevar_table_1.checks(
        Table1(smoke, at_full_size(), small(), at_full_size())
    )


def test_streets_stand_beside_the_distance_of_real_ones_where_a_record_has_it(table, monkeypatch):
    rows = {name: report(2.0)["horse to zebra"] for name in (*FLOORS, "CycleVAR w/ Infinity")}
    rows[REAL] = {"brightness": 0.4}
    ways = ("day to night", "night to day")
    streets = dict.fromkeys(ways, rows)
    record = {"measurements": {"result": {"values": {"measures": streets}}}}
    monkeypatch.setattr(cyclevar_table_1, "known_streets", lambda profile: record)
    assert REAL not in [row["method"] for row in cyclevar_table_1.our_rows(table)]
    floor = dict.fromkeys(ways, {"frechet": {"name": "FD-x", "value": 0.7}})
    record["measurements"]["real against real"] = {"values": floor}
    (row,) = (row for row in cyclevar_table_1.our_rows(table) if row["method"] == REAL)
    assert row["distance day to night"] == 0.7
    assert "FD-x 2 (untouched 2, real target 0.7)" in cyclevar_table_1.sentence(table)


def test_photographs_too_few_for_distances_are_not_compared(smoke):
    few = {way: {"structure": {"name": "s-x", "value": 1.0}} for way in WAYS}
    table = Table1(smoke, at_full_size(), small(), dict.fromkeys((OURS, *FLOORS, "CUT"), few))
    without = Table1(smoke, at_full_size(), small())
    assert table.rivals == [] and table.photograph_numbers == {}
    for part in ("our_rows", "checks", "sentence", "cards"):
        made = getattr(cyclevar_table_1, part)
        assert made(table) == made(without)
