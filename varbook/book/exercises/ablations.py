"""The exercises of chapter 10."""

import math
from collections.abc import Callable

from varbook.book.exercises.checking import Case, Mistake, try_out


def false_alarm(function: Callable) -> None:
    """Try `function(n)` -> how often the rule "every seed of one row is farther" calls a row of n
    seeds farther where there is no difference.
    """
    cases = [Case((n,), 1 / math.comb(2 * n, n), f"{n} seeds each") for n in (1, 2, 3, 5)]
    mistakes = (
        Mistake(
            lambda n: 2 / math.comb(2 * n, n),
            "that counts both rows: here only the first is called farther",
        ),
        Mistake(
            lambda n: 0.5**n,
            "that pairs the seeds off: here each seed of one row must beat every one of the other",
        ),
        Mistake(
            lambda n: 0.5 ** (n * n),
            "the n times n comparisons are not independent: think of one order of all 2 n seeds",
        ),
        Mistake(
            lambda n: 1 / math.factorial(2 * n),
            "that is one order of all seeds; within a row the order does not matter",
        ),
    )
    try_out("exercise 1", function, cases, mistakes)


def same_noise(function: Callable) -> None:
    """Try `function(s, tau, other)` -> the temperature at which gaps of deviation `other` have the
    root mean square slope that gaps of deviation s have at tau, by the limit.
    """
    plans = ((3.0, 0.01, 1.0), (1.0, 0.02, 4.0), (2.0, 0.1, 2.0))
    cases = [
        Case((s, tau, other), s * tau / other, f"s = {s:g}, tau = {tau:g}, other = {other:g}")
        for s, tau, other in plans
    ]
    mistakes = (
        Mistake(
            lambda s, tau, other: tau * other / s, "the wrong way round: which product counts?"
        ),
        Mistake(
            lambda s, tau, other: tau,
            "the density p(0) depends on the deviation, and stands in the formula as well",
        ),
        Mistake(
            lambda s, tau, other: tau * (s / other) ** 0.5,
            "the root is taken of the whole fraction, so it does not change what is equal to what",
        ),
        Mistake(
            lambda s, tau, other: tau * (s / other) ** 2,
            "p(0) is one over s times a constant, not one over s squared",
        ),
    )
    try_out("exercise 2", function, cases, mistakes)


def pictures_needed(function: Callable) -> None:
    """Try `function(cosine, wanted)` -> the smallest number of pictures in each of two batches whose
    mean gradients have at least the cosine `wanted`.
    """
    plans = ((0.11, 0.5), (0.021, 0.5), (0.32, 0.9), (0.015, 0.8), (0.6, 0.5))
    cases = [
        Case((c, w), _needed(c, w), f"cosine {c:g} of two pictures, {w:g} wanted") for c, w in plans
    ]
    mistakes = (
        Mistake(
            lambda c, w: math.floor(_exact(c, w)), "one picture more: the cosine must reach it"
        ),
        Mistake(lambda c, w: math.ceil(w / c - 1e-9), "the length of a mean shrinks as n grows"),
        Mistake(
            lambda c, w: math.ceil((w / c) ** 2 - 1e-9),
            "no root here: the cosine of the means is a quotient in n itself",
        ),
        Mistake(_exact, "pictures come whole: round up"),
    )
    try_out("exercise 3", function, cases, mistakes)


def _exact(cosine: float, wanted: float) -> float:
    return wanted * (1 - cosine) / (cosine * (1 - wanted))


def _needed(cosine: float, wanted: float) -> int:
    return math.ceil(_exact(cosine, wanted) - 1e-9)


def share_as_printed(function: Callable) -> None:
    """Try `function(alpha, K)` -> the share of eq. 9's weight that eq. 6 as printed gives a scale,
    averaged over the K scales.
    """
    plans = ((0.6, 5), (0.5, 7), (0.9, 10), (1.0, 4), (0.3, 1))
    cases = [
        Case((a, n), sum(a ** (n - j) for j in range(1, n + 1)) / n, f"alpha = {a:g}, K = {n}")
        for a, n in plans
    ]
    mistakes = (
        Mistake(
            lambda a, n: sum(a ** (n - j + 1) for j in range(1, n + 1)) / n,
            "relative to eq. 9: there each scale has the weight alpha, so divide by it",
        ),
        Mistake(
            lambda a, n: sum(a ** (n - j) for j in range(1, n + 1)),
            "averaged over the scales: divide by K",
        ),
        Mistake(lambda a, n: a ** (n - 1), "that is the share of the first scale alone"),
        Mistake(
            lambda a, n: sum(a**j for j in range(1, n + 1)) / n,
            "mind the ends: the last scale has its full weight, the first the least",
        ),
    )
    try_out("exercise 4", function, cases, mistakes)
