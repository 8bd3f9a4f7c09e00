"""The registry holds every figure and table of both papers, once."""

from itertools import product

import pytest

from varbook.book.chapters import CHAPTERS
from varbook.book.claims.registry import PUBLISHED, REGISTRY, artefact, of_chapter, published
from varbook.errors import VarbookError


def test_every_figure_and_table_has_one_row():
    numbers = {}
    for row in REGISTRY.values():
        numbers.setdefault((row.paper, row.kind), []).append(row.number)
    assert set(numbers) == set(product(("CycleVAR", "FlexVAR"), ("fig", "table")))
    for printed in numbers.values():
        assert printed == list(range(1, len(printed) + 1))


def test_ids_and_labels_follow_from_the_row():
    for key, row in REGISTRY.items():
        assert key == row.id == f"{row.paper.lower()}-{row.kind}-{row.number}"
        assert row.label == f"{row.paper} {row.kind} {row.number}"


def test_every_row_is_complete_and_belongs_to_a_chapter():
    for row in REGISTRY.values():
        assert row.chapter in CHAPTERS
        for field in ("title", "claim", "published", "alt"):
            assert getattr(row, field).strip(), (row.id, field)
            assert "|" not in getattr(row, field), "a bar would break the report's table"


def test_every_row_says_what_is_checked_and_how():
    for row in REGISTRY.values():
        checks = list(row.all_checks())
        assert row.checks and len({check.key for check in checks}) == len(checks), row.id
        for check in checks:
            assert check.key.strip() and check.measured.strip(), (row.id, check)
            assert "<" not in check.key, (row.id, check, "a place that for_each has not filled")


def test_claims_are_said_once():
    claims = [row.claim for row in REGISTRY.values()]
    assert len(set(claims)) == len(claims)


def test_every_published_table_is_there_in_full():
    assert set(PUBLISHED) == {row.id for row in REGISTRY.values() if row.kind == "table"}
    for name, table in PUBLISHED.items():
        assert table.rows and all(len(row) == len(table.columns) for row in table.rows), name
        assert len(set(table.columns)) == len(table.columns), name


def test_tables_agree_with_each_other_where_the_paper_says_the_same_twice():
    modes = {row["mode"]: row for row in published("cyclevar-table-3").as_dicts()}
    scales = published("cyclevar-table-4").as_dicts()[0]
    temperature = {row["temperature"]: row for row in published("cyclevar-table-5").as_dicts()}[
        "2.00"
    ]
    for column in ("FID h2z", "structure h2z", "FID z2h", "structure z2h"):
        assert modes["parallel one-step"][column] == scales[column] == temperature[column]
    first = {row["method"]: row for row in published("cyclevar-table-1").as_dicts()}[
        "CycleVAR w/ VAR"
    ]
    assert first["FID horse to zebra"] == round(scales["FID h2z"], 1)
    assert first["FID zebra to horse"] == round(scales["FID z2h"], 1)
    four, six = published("flexvar-table-4").rows, published("flexvar-table-6").rows
    assert four[-1][-2:] == six[-1][-2:] and four[-2][-2:] == six[0][-2:]


def test_schedules_have_as_many_scales_as_steps_and_end_at_the_latent_size():
    for resolution, steps, scales in published("flexvar-table-7").rows:
        assert len(scales) == steps and scales[0] == 1 and scales[-1] * 16 == resolution
        assert list(scales) == sorted(set(scales))


def test_votes_of_the_preference_study_sum_to_one():
    rows = published("cyclevar-table-2").as_dicts()
    for question in ("style", "content", "overall"):
        assert sum(row[question] for row in rows) == pytest.approx(1, abs=0.0015)


def test_unknown_ids_are_refused_with_one_sentence():
    with pytest.raises(VarbookError, match="no figure or table"):
        artefact("cyclevar-fig-99")
    with pytest.raises(VarbookError, match="not a published table"):
        published("cyclevar-fig-1")


def test_chapters_share_out_the_rows():
    shared = [row.id for number in CHAPTERS for row in of_chapter(number)]
    assert sorted(shared) == sorted(REGISTRY)
