"""Exercises: right answers are accepted, common mistakes get the hint that fits, nothing is thrown."""

import math

import pytest
import torch

from varbook.book.exercises import attention, judging
from varbook.book.exercises.checking import Case, Mistake, try_out

HALF = 8
POINTS = torch.randn(
    300, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64
) @ torch.tensor([[2.0, 0.5], [0.0, 1.0]], dtype=torch.float64)


def clock(places):
    angles = places[:, None] * 10_000 ** (-torch.arange(32) / 32)
    return torch.cat((angles.sin(), angles.cos()), 1)


def looks(away, loud):
    def queries_and_keys(length):
        places = torch.arange(float(length))
        return loud * clock(places + away), clock(places)

    return queries_and_keys


def weighted(divide=True, root=True, safe=True):
    def attend(q, keys, values):
        total, mixed, largest = 0.0, torch.zeros_like(values[0]), 0.0
        scores = keys @ q / (math.sqrt(len(q)) if root else 1)
        largest = scores.max() if safe else 0.0
        for score, value in zip(scores, values, strict=True):
            weight = (score - largest).exp()
            total, mixed = total + weight, mixed + weight * value
        return mixed / total if divide else mixed

    return attend


def circle(n):
    angle = torch.linspace(0, 2 * math.pi, n + 1, dtype=torch.float64)[:-1]
    return torch.stack((angle.cos(), angle.sin()), 1)


def ring(x):
    y = circle(len(x))
    own, wanted = (torch.linalg.cholesky(z.T.cov()) for z in (y, x))
    return y @ torch.linalg.inv(own).T @ wanted.T + x.mean(0)


def true_share(s, a, b):
    return None if abs(a + b - 1) < 1e-9 else (s + b - 1) / (a + b - 1)


TRIES = {
    "one by one": (
        attention.one_by_one,
        weighted(),
        {
            "exp(1000) is infinite": weighted(safe=False),
            "divide by their sum": weighted(divide=False),
            "root of D": weighted(root=False),
            "got shape (9,), wanted (8,)": lambda q, k, v: k @ q,
        },
    ),
    "the one before": (
        attention.previous,
        looks(-1, 50),
        {
            "looks at itself": looks(0, 50),
            "mind the sign": looks(1, 50),
            "make the scores larger": looks(-1, 1),
            "return two things": lambda length: clock(torch.arange(12.0)),
            "wanted (12, 64)": lambda length: (torch.zeros(64, 12), torch.zeros(64, 12)),
        },
    ),
    "mirrored": (
        lambda function: attention.mirrored(function, HALF),
        lambda p: 2 * HALF - 2 - p,
        {
            "name the next": lambda p: 2 * HALF - 1 - p,
            "not mirrored": lambda p: p - HALF + 1,
        },
    ),
    "impostor": (
        lambda function: judging.impostor(function, POINTS),
        ring,
        {
            "shape is that of the given": lambda x: x.flip(0),
            "covariances differ": lambda x: circle(len(x)) + x.mean(0),
            "means differ": lambda x: ring(x) - x.mean(0) + 1,
            "wanted (300, 2)": lambda x: ring(x[:100]),
        },
    ),
    "pictures needed": (
        judging.pictures_needed,
        lambda p, m: math.ceil(4 * p * (1 - p) / m**2),
        {
            "two standard errors": lambda p, m: math.ceil(p * (1 - p) / m**2),
            "squared as well": lambda p, m: math.ceil(2 * p * (1 - p) / m**2),
            "round up: one picture less": lambda p, m: math.floor(4 * p * (1 - p) / m**2),
            "pictures come whole": lambda p, m: 4 * p * (1 - p) / m**2,
            "more than needed": lambda p, m: 10**9,
        },
    ),
    "true share": (
        judging.true_share,
        true_share,
        {
            "are accepted as well": lambda s, a, b: s / a,
            "b is the share rejected": lambda s, a, b: (s - b) / (a - b),
            "not turned round": lambda s, a, b: s * a + (1 - s) * (1 - b),
            "ZeroDivisionError": lambda s, a, b: (s + b - 1) / (a + b - 1),
            "wanted None": lambda s, a, b: true_share(s, a, b) or 0.0,
        },
    ),
}
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
