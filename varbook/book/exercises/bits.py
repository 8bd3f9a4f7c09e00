"""The exercises of chapter 11."""

import math
from collections.abc import Callable
from itertools import product

import torch
from torch import Tensor

from varbook.book.exercises.checking import Case, Mistake, faults_of_tensor, try_out


def worst_vector(function: Callable) -> None:
    """Try `function(d)` -> a vector (d,) of length one, as far from all sign codes as can be."""

    def judged(d: int) -> Callable[[object], str]:
        def fault(answer: object) -> str:
            wrong = faults_of_tensor(answer, (d,))
            if wrong:
                return wrong
            assert isinstance(answer, Tensor)
            x = answer.double()
            if abs(x.norm().item() - 1) > 1e-3:
                return f"its length is {x.norm().item():.3f}, wanted 1"
            away = (2 - 2 * x.abs().sum().item() / math.sqrt(d)) ** 0.5 if _off(x) else 0.0
            if not _off(x):
                return "that is a code itself: all entries are equally large"
            if away < math.sqrt(2 - 2 / math.sqrt(d)) - 1e-4:
                return f"its nearest code is {away:.3f} away, and there are vectors farther off"
            return ""

        return fault

    cases = [Case((d,), judged(d), f"{d} bits") for d in (4, 9, 24)]
    try_out("exercise 1", function, cases)


def _off(x: Tensor) -> bool:
    """Say whether a vector of length one is not itself a code."""
    return bool((x.abs() - 1 / math.sqrt(len(x))).abs().max() > 1e-3)


def values_of_an_entry(function: Callable) -> None:
    """Try `function(K)` -> the number of values that a sum of K signs can have."""
    counts = (1, 2, 5, 8)
    cases = [
        Case((k,), len({sum(signs) for signs in product((-1, 1), repeat=k)}), f"{k} scales")
        for k in counts
    ]
    mistakes = (
        Mistake(lambda k: 2**k, "that counts rows of signs: many of them have the same sum"),
        Mistake(
            lambda k: 2 * k + 1,
            "every second whole number is missing: one more minus changes the sum by two",
        ),
        Mistake(lambda k: k, "count both ends, from all minus to all plus"),
    )
    try_out("exercise 2", function, cases, mistakes)


def slope(function: Callable) -> None:
    """Try `function(delta, tau, d)` -> the derivative of a relaxed bit by the logit of plus."""
    delta = torch.tensor([0.0, 1.5, -3.0, 6.0])
    cases = [
        Case((delta, tau, d), _slope(delta, tau, d), f"temperature {tau:g}, {d} bits")
        for tau, d in ((2.0, 8), (0.5, 32), (1.0, 1))
    ]
    mistakes = (
        Mistake(
            lambda x, tau, d: 2 * tau * _slope(x, tau, d),
            "the chain rule: what stands inside the tanh gives a factor of 1 / (2 tau)",
        ),
        Mistake(
            lambda x, tau, d: 2 * _slope(x, tau, d),
            "half of that: the logits are divided by 2 tau, not by tau",
        ),
        Mistake(
            lambda x, tau, d: math.sqrt(d) * _slope(x, tau, d), "a code has length one: root d"
        ),
        Mistake(
            lambda x, tau, d: _slope(2 * x, tau, d),
            "inside the tanh the difference is divided by 2 tau",
        ),
        Mistake(
            lambda x, tau, d: torch.tanh(x / (2 * tau)) / math.sqrt(d),
            "that is the relaxed bit itself, not its derivative",
        ),
        Mistake(
            lambda x, tau, d: (1 - torch.tanh(x / (2 * tau))) / (2 * tau * math.sqrt(d)),
            "the derivative of tanh is 1 minus its square",
        ),
    )
    try_out("exercise 3", function, cases, mistakes)


def _slope(delta: Tensor, tau: float, d: int) -> Tensor:
    logit = delta.clone().requires_grad_()
    (torch.tanh(logit / (2 * tau)) / math.sqrt(d)).sum().backward()
    assert logit.grad is not None
    return logit.grad


def log_probability(function: Callable) -> None:
    """Try `function(logits, bits)` -> the log probability of a code under two logits per bit."""
    generator = torch.Generator().manual_seed(3)
    logits = 2 * torch.randn(10, generator=generator)
    rows = [torch.tensor(row) for row in product((True, False), repeat=5)][::5]
    cases = [
        Case((logits, row), _log_probability(logits, row), f"code {_signs(row)}") for row in rows
    ]
    mistakes = (
        Mistake(
            lambda x, b: _chosen(x, b).sum(),
            "the probabilities of all codes do not add up to one: take the log-softmax of each pair",
        ),
        Mistake(
            lambda x, b: _log_probability(x, ~b),
            "that is the opposite code: of each pair, minus comes first",
        ),
        Mistake(
            lambda x, b: _log_probability(x, b).exp(),
            "that is the probability: return its logarithm",
        ),
        Mistake(
            lambda x, b: _log_probability(x, b) / len(b),
            "the sum over the bits, not their mean: probabilities multiply",
        ),
        Mistake(
            lambda x, b: _chosen(x.log_softmax(-1), b).sum(),
            "a softmax for each bit, over its own two logits, not one over all",
        ),
        Mistake(
            lambda x, b: _log_probability(x.view(2, -1).T.flatten(), b),
            "the two logits of a bit stand side by side: view them as (d, 2)",
        ),
    )
    try_out("exercise 4", function, cases, mistakes)


def _chosen(logits: Tensor, bits: Tensor) -> Tensor:
    return logits.view(-1, 2).gather(1, bits.long()[:, None])[:, 0]  # d


def _log_probability(logits: Tensor, bits: Tensor) -> Tensor:
    return _chosen(logits.view(-1, 2).log_softmax(-1).flatten(), bits).sum()


def _signs(bits: Tensor) -> str:
    return "".join("+" if bit else "-" for bit in bits.tolist())


def smallest_alpha(function: Callable) -> None:
    """Try `function(source, target, bound)` -> the smallest alpha with which an entry of the target
    is within reach, None where none is.
    """
    plans = ((0.2, 0.8, 1.0), (-0.5, 0.5, 1.0), (0.6, -0.3, 1.0), (-0.2, -0.7, 2.0), (0.4, 0.4, 1))
    cases = [
        Case((f, g, b), _smallest(f, g, b), f"source {f:g}, target {g:g}, bound {b:g}")
        for f, g, b in (*plans, (0.1, 1.2, 1.0))
    ]
    mistakes = (
        Mistake(
            lambda f, g, b: abs(g - f) / b if abs(g) <= b else None,
            "the range is not free: what is needed starts at the source, not at zero",
        ),
        Mistake(
            lambda f, g, b: abs(g - f) / (b - abs(f)) if abs(g) <= b else None,
            "mind the sign: an entry that moves through zero has more room, not less",
        ),
        Mistake(
            lambda f, g, b: abs(g - f) / (b - f) if abs(g) <= b else None,
            "a falling entry is stopped by the lower end, -bound",
        ),
        Mistake(_unguarded, "alpha is at most 1, and then the target itself must be within reach"),
    )
    try_out("exercise 5", function, cases, mistakes)


def _smallest(source: float, target: float, bound: float) -> float | None:
    return _unguarded(source, target, bound) if abs(target) <= bound else None


def _unguarded(source: float, target: float, bound: float) -> float:
    rising = 1 if target >= source else -1
    return abs(target - source) / (bound - rising * source)
