"""Exercises: right answers are accepted, common mistakes get the hint that fits, nothing is thrown."""

import pytest
import torch
from tries import every

from varbook.book.exercises import judging
from varbook.book.exercises.checking import Case, Mistake, try_out

TRIES = every()
every_exercise = pytest.mark.parametrize("name", TRIES)


@every_exercise
def test_an_exercise_is_open_until_it_is_answered_and_then_right(name, capsys):
    ask, right, _ = TRIES[name]
    ask(lambda *_: None)
    ask(right)
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith(": not answered yet") and second.endswith(": right")


@pytest.mark.parametrize(
    ("name", "hint"), [(name, hint) for name, (_, _, wrong) in TRIES.items() for hint in wrong]
)
def test_a_mistake_is_rejected_with_the_hint_that_fits(name, hint, capsys):
    ask, _, wrong = TRIES[name]
    ask(wrong[hint])
    told = capsys.readouterr().out
    assert ": not yet\n" in told and hint in told and ": right" not in told


@every_exercise
@pytest.mark.parametrize("answer", ["a word", [1, 2], {}, torch.zeros(0), float("nan"), print])
def test_answers_of_a_wrong_kind_are_told_and_nothing_is_thrown(name, answer, capsys):
    TRIES[name][0](lambda *_: answer)
    assert ": not yet\n" in capsys.readouterr().out


@every_exercise
def test_a_function_that_stops_is_told_with_its_error(name, capsys):
    def stops(*_):
        raise RuntimeError("a shape is off")

    TRIES[name][0](stops)
    assert "it stops with RuntimeError: a shape is off" in capsys.readouterr().out


def test_an_answer_instead_of_the_function_is_told(capsys):
    judging.true_share(0.3)
    assert "pass the function itself" in capsys.readouterr().out


def test_a_function_may_change_its_arguments(capsys):
    def doubled(x):
        x *= 2
        return x

    case = Case((torch.ones(2),), torch.full((2,), 2.0), "two ones")
    try_out("double", doubled, [case, case], [Mistake(lambda x: x, "that is x itself")])
    assert capsys.readouterr().out == "double: right\n"
