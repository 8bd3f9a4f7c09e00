"""The table of mutants fits the code: each harm can be done, once, and has tests that look at it."""

import ast
import sys

import pytest

from varbook.paths import repository

sys.path.insert(0, str(repository() / "tests" / "mutation"))
from mutants import read_mutants  # noqa: E402

MUTANTS = read_mutants()


def test_there_are_enough_and_no_two_are_the_same():
    assert len(MUTANTS) >= 60
    assert len({mutant.key for mutant in MUTANTS}) == len(MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.what)
def test_each_can_be_done_once_and_is_looked_at(mutant):
    harmed = mutant.harmed(repository())
    before = (repository() / "varbook" / mutant.file).read_text(encoding="utf-8")
    # Another program, not another spelling of the same.
    assert ast.dump(ast.parse(harmed)) != ast.dump(ast.parse(before))
    assert mutant.tests and all((repository() / test).is_file() for test in mutant.tests)
