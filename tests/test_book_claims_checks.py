"""The tie between registry and chapters: the checks of a row are saved, all of them and no others."""

import ast
import json

import pytest
from claims import checks_of

from varbook.book.chapters import written
from varbook.book.claims.artefact import Artefact
from varbook.book.claims.checks import by_check, refuse_others
from varbook.book.claims.registry import REGISTRY
from varbook.book.claims.verdicts import NOT_RUN, verdict
from varbook.errors import VarbookError
from varbook.paths import repository

ROW = Artefact(
    paper="FlexVAR",
    kind="fig",
    number=99,
    chapter="05",
    title="",
    claim="",
    published="",
    alt="",
    checks={"faster": "seconds", "depth {depth}: better than {other}": "FD-toy"},
    checks_where={
        "photographs are there": {"photographs, a: seen": "", "photographs, b: seen": ""}
    },
)
GOOD = {"faster": True, "depth 2: better than VAR": True, "depth 3: better than VAR": False}
SAVED = sorted((repository() / "figures").glob("*/*-*-*.json"))


@pytest.mark.parametrize(
    "extra", [{}, {"photographs, a: seen": True, "photographs, b: seen": True}]
)
def test_the_checks_of_the_row_are_accepted(extra):
    refuse_others(ROW, GOOD | extra)


@pytest.mark.parametrize(
    ("saved", "named"),
    [
        ({"faster": True}, '"depth {depth}: better than {other}" missing'),
        (GOOD | {"nicer": True}, '"nicer" not in the row'),
        (GOOD | {"depth 2: better than": True}, '"depth 2: better than" not in the row'),
        (GOOD | {"depth 2: better than a: b": True}, '"depth 2: better than a: b" not in the row'),
        (GOOD | {"photographs, a: seen": True}, '"photographs, b: seen" missing'),
        ({}, '"faster", "depth {depth}: better than {other}" missing'),
    ],
)
def test_any_other_set_is_refused_with_one_sentence_that_names_the_faults(saved, named):
    with pytest.raises(VarbookError) as refused:
        refuse_others(ROW, saved)
    assert named in str(refused.value) and "FlexVAR fig 99" in str(refused.value)


@pytest.mark.parametrize("name", REGISTRY)
def test_a_saved_key_belongs_to_one_check_of_its_row(name):
    results = checks_of(name, conditions=True)
    refuse_others(REGISTRY[name], results)
    owners = [key for keys in by_check(REGISTRY[name], results).values() for key in keys]
    assert sorted(owners) == sorted(results)


@pytest.mark.parametrize("path", SAVED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_saved_results_hold_the_checks_of_the_registry_and_their_verdict(path):
    result = json.loads(path.read_text(encoding="utf-8"))
    row = REGISTRY[result["id"]]
    assert result["chapter"] == row.chapter
    if result["verdict"] != NOT_RUN:
        refuse_others(row, result["checks"])
        assert result["verdict"] == verdict(result["checks"])


def typed_keys(call: ast.Call) -> list[str]:
    """The keys that a call of save_result spells out."""
    given = [keyword.value for keyword in call.keywords if keyword.arg == "checks"]
    dictionaries = [
        node for value in given for node in ast.walk(value) if isinstance(node, ast.Dict)
    ]
    keys = [key for node in dictionaries for key in node.keys]
    return [key.value for key in keys if isinstance(key, ast.Constant)]


@pytest.mark.parametrize("chapter", written(), ids=lambda chapter: chapter.number)
def test_the_keys_that_a_notebook_spells_out_are_those_of_the_registry(chapter):
    cells = json.loads(chapter.path.read_text(encoding="utf-8"))["cells"]
    trees = [ast.parse("".join(cell["source"])) for cell in cells if cell["cell_type"] == "code"]
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "save_result":
            row = REGISTRY[node.args[0].value]
            named = by_check(row, dict.fromkeys(typed_keys(node), True))
            assert {key for keys in named.values() for key in keys} == set(typed_keys(node)), row.id
