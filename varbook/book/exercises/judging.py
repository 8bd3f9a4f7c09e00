"""The exercises of chapter 01b."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from varbook.book.exercises.checking import Case, Mistake, faults_of_tensor, try_out


def impostor(function: Callable, points: Tensor) -> None:
    """Try `function(points)` -> other points (n, 2) of the same mean and covariance."""

    def fault(answer: object) -> str:
        wrong = faults_of_tensor(answer, tuple(points.shape))
        if wrong:
            return wrong
        assert isinstance(answer, Tensor)
        y = answer.to(points.dtype)
        for name, off in (
            ("means", y.mean(0) - points.mean(0)),
            ("covariances", y.T.cov() - points.T.cov()),
        ):
            if float(off.abs().max()) > 1e-3:
                return f"the {name} differ by {float(off.abs().max()):.3g}"
        if min(_share_inside(y, points), _share_inside(points, y)) > 0.8:
            return "mean and covariance are right, but the shape is that of the given points, too"
        return ""

    try_out("exercise 1", function, [Case((points,), fault, "the given points")])


def _share_inside(points: Tensor, cloud: Tensor) -> float:
    """Return the share of points that lie nearer to one of `cloud` than its third neighbour."""
    radius = torch.cdist(cloud, cloud).kthvalue(4).values
    return (torch.cdist(points, cloud) <= radius).any(1).double().mean().item()


def pictures_needed(function: Callable) -> None:
    """Try `function(share, wanted)` -> the smallest number of pictures with that margin."""
    plans = [(0.9, 0.02), (0.5, 0.03), (0.97, 0.005), (0.8, 0.007)]
    cases = [Case(plan, _needed(*plan), f"share {plan[0]}, margin {plan[1]}") for plan in plans]
    mistakes = (
        Mistake(lambda p, m: math.ceil(p * (1 - p) / m**2), "a margin is two standard errors"),
        Mistake(
            lambda p, m: math.floor(4 * p * (1 - p) / m**2), "round up: one picture less is too few"
        ),
        Mistake(lambda p, m: round(4 * p * (1 - p) / m**2), "round up, not to the nearest"),
        Mistake(lambda p, m: math.ceil(2 * p * (1 - p) / m**2), "the 2 is squared as well"),
    )
    try_out("exercise 2", function, cases, mistakes)


def _needed(share: float, wanted: float) -> Callable[[object], str]:
    """Return what says whether a number of pictures is the smallest with the wanted margin."""

    def margin(n: float) -> float:
        return 2 * math.sqrt(share * (1 - share) / n)

    def fault(answer: object) -> str:
        if not isinstance(answer, (int, float)) or answer < 1:
            return f"got {answer!r}, wanted a number of pictures"
        if answer != int(answer):
            return f"got {answer:g}: pictures come whole"
        if margin(answer) > wanted + 1e-9:
            return f"{int(answer)} pictures are too few: their margin is {margin(answer):.4f}"
        # Rounding may add one picture where the number comes out whole.
        if answer > 2 and margin(answer - 2) <= wanted - 1e-9:
            return f"{int(answer)} pictures are more than needed"
        return ""

    return fault


def true_share(function: Callable) -> None:
    """Try `function(reported, a, b)` -> the true share, None where the judge only guesses."""
    cases = [
        Case((p * a + (1 - p) * (1 - b), a, b), p, f"a = {a}, b = {b}")
        for a, b in ((0.9, 0.95), (0.6, 0.7), (1.0, 0.8))
        for p in (0.3, 0.0, 1.0)
    ]
    mistakes = (
        Mistake(lambda s, a, b: s / a, "of those without the target, 1 - b are accepted as well"),
        Mistake(lambda s, a, b: (s - b) / (a - b), "b is the share rejected: 1 - b are accepted"),
        Mistake(lambda s, a, b: s * a + (1 - s) * (1 - b), "that is the formula, not turned round"),
    )
    guesses = Case((0.5, 0.4, 0.6), None, "a judge that guesses, a + b = 1")
    last = Mistake(_unguarded, "with a + b = 1 the answer says nothing about p: return None")
    try_out("exercise 3", function, [*cases, guesses], (*mistakes, last))


def _unguarded(s: float, a: float, b: float) -> float:
    return (s + b - 1) / (a + b - 1)
