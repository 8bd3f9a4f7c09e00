"""The benchmark's questions, small: the candidates agree, and disagreement is noticed."""

import importlib.util

import pytest
import torch

from varbook.errors import VarbookError
from varbook.paths import repository


@pytest.fixture(scope="module")
def bench():
    spec = importlib.util.spec_from_file_location(
        "varbook_bench", repository() / "benchmarks" / "bench.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("number", range(7))
def test_every_question_is_answered(bench, number):
    question = bench.QUESTIONS[number](True)
    rows = bench.answer(question, seconds=0.0, least=1, most=1)
    assert [row["candidate"] for row in rows] == list(question.candidates)
    assert rows[0]["times as fast"] == 1
    assert all(row["median ms"] >= row["fastest ms"] >= 0 and row["rounds"] == 1 for row in rows)


def test_all_questions_are_counted(bench):
    assert len(bench.QUESTIONS) == 7


def test_candidates_that_differ_are_refused(bench):
    wrong = bench.Question(
        "wrong", {"zeros": lambda: torch.zeros(3), "ones": lambda: torch.ones(3)}
    )
    with pytest.raises(VarbookError, match="do not compute the same thing"):
        bench.answer(wrong, seconds=0.0, least=1, most=1)


def test_a_code_index_that_differs_is_refused(bench):
    wrong = bench.Question(
        "codes", {"a": lambda: torch.arange(9), "b": lambda: torch.arange(9) + 1}
    )
    with pytest.raises(VarbookError):
        bench.answer(wrong, seconds=0.0, least=1, most=1)


def test_candidates_take_turns(bench):
    calls = []
    question = bench.Question(
        "turns", {name: lambda name=name: calls.append(name) or torch.zeros(1) for name in "ab"}
    )
    bench.answer(question, seconds=0.0, least=3, most=3)
    assert calls == ["a", "b"] * 4  # one warm-up and three rounds
