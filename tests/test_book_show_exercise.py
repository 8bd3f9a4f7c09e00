import torch

from varbook.book.show.exercise import self_check


def test_an_answer_is_missing_right_or_not_yet(capsys):
    self_check("sum", None, 4)
    self_check("sum", 4, 4)
    self_check("sum", 5, 4)
    assert capsys.readouterr().out.splitlines() == [
        "sum: not answered yet",
        "sum: right",
        "sum: not right yet",
    ]


def test_a_function_may_judge(capsys):
    self_check("even", 6, lambda answer: answer % 2 == 0)
    self_check("even", torch.tensor(7), lambda answer: answer % 2 == 0)
    assert capsys.readouterr().out.splitlines() == ["even: right", "even: not right yet"]


def test_an_answer_that_breaks_the_check_is_told_how(capsys):
    self_check("length", 3, lambda answer: len(answer) == 2)
    assert capsys.readouterr().out.startswith("length: not right yet (TypeError:")
