"""The exercises of chapter 09."""

from collections.abc import Callable

import torch
from torch import Tensor

from varbook.book.exercises.checking import Case, Mistake, faults_of_tensor, try_out


def needed_sum(function: Callable) -> None:
    """Try `function(wanted, source, alpha)` -> the generated sum with which eq. 9 gives the latent
    `wanted`; all are (C, h, w).
    """
    wanted, source = torch.randn(2, 4, 3, 3, generator=torch.Generator().manual_seed(21))
    cases = [
        Case((wanted, source, a), (wanted - (1 - a) * source) / a, f"alpha {a:g}")
        for a in (0.5, 0.25, 1.0)
    ]
    mistakes = (
        Mistake(lambda w, s, a: a * w + (1 - a) * s, "that is eq. 9 itself: solve it for the sum"),
        Mistake(lambda w, s, a: w - (1 - a) * s, "the sum enters with weight alpha: divide by it"),
        Mistake(
            lambda w, s, a: (w - a * s) / (1 - a), "alpha weighs the sum, 1 - alpha the source"
        ),
        Mistake(lambda w, s, a: 2 * w - s, "right for alpha = 1/2 alone"),
        Mistake(lambda w, s, a: (w + (1 - a) * s) / a, "mind the sign of the source"),
    )
    try_out("exercise 1", function, cases, mistakes)


def source_weight(function: Callable) -> None:
    """Try `function(j, K, alpha)` -> the weight of F_j in H_K, in eq. 6 as printed."""
    plans = [(2, 5, 0.3), (5, 5, 0.3), (1, 7, 0.5), (3, 10, 0.75)]
    cases = [Case(p, _by_recursion(*p), f"j = {p[0]}, K = {p[1]}, alpha {p[2]:g}") for p in plans]
    mistakes = (
        Mistake(
            lambda j, K, a: a ** (K - j + 1), "that is the weight of R_j: F_j enters with 1 - a"
        ),
        Mistake(lambda j, K, a: (1 - a) * a ** (K - j + 1), "how many steps come after step j?"),
        Mistake(lambda j, K, a: (1 - a) * a ** (K - j - 1), "how many steps come after step j?"),
        Mistake(lambda j, K, a: (1 - a) * a**j, "later steps multiply by alpha, not earlier ones"),
        Mistake(lambda j, K, a: 1 - a, "so it is at step j; each later step multiplies by alpha"),
        Mistake(lambda j, K, a: (1 - a) ** (K - j + 1), "later steps multiply by alpha"),
    )
    try_out("exercise 2", function, cases, mistakes)


def _by_recursion(j: int, K: int, alpha: float) -> float:
    value = 0.0
    for k in range(1, K + 1):
        value = alpha * value + (1 - alpha) * (k == j)
    return value


def two_slopes(function: Callable) -> None:
    """Try `function(a)` -> the derivatives of log(1 - C) and of -log C with respect to the logit
    `a` (N,) of C = sigmoid(a), as a pair.
    """

    def fault(a: Tensor) -> Callable[[object], str]:
        c = torch.sigmoid(a)
        right = {"log(1 - C)": -c, "-log C": c - 1}
        with_respect_to_c = {"log(1 - C)": -1 / (1 - c), "-log C": -1 / c}

        def told(answer: object) -> str:
            if not isinstance(answer, (tuple, list)) or len(answer) != 2:
                return "return two things: the derivative of log(1 - C), and that of -log C"
            for (name, wanted), got in zip(right.items(), answer, strict=True):
                wrong = faults_of_tensor(got, tuple(a.shape))
                if wrong:
                    return f"the derivative of {name}: {wrong}"
                got = got.detach()
                if torch.allclose(got, wanted, atol=1e-4):
                    continue
                off = f"the derivative of {name} is off by {float((got - wanted).abs().max()):.3g}"
                if torch.allclose(got, -wanted, atol=1e-4):
                    return f"{off}: mind the sign"
                if torch.allclose(got, with_respect_to_c[name], rtol=1e-3, atol=1e-4):
                    return f"{off}: with respect to the logit, not to C; dC/da = C (1 - C)"
                return off
            return ""

        return told

    logits = torch.tensor([-5.0, -1.0, 0.0, 0.5, 4.0])
    try_out("exercise 3", function, [Case((logits,), fault(logits), "five logits")])


def hidden_signal(function: Callable) -> None:
    """Try `function(there, back, images, noise)` -> how much larger the mean absolute error of the
    cycle becomes where `noise` is added to the translation.

    One toy translator hides the source in its translation, one forgets a part of it honestly.
    """
    images, noise = torch.randn(2, 3, 3, 8, 8, generator=torch.Generator().manual_seed(22)) / 4
    noise = noise / 5

    def hide(x: Tensor) -> Tensor:
        return 0.5 + x / 100

    def find(y: Tensor) -> Tensor:
        return 100 * (y - 0.5)

    def smooth(x: Tensor) -> Tensor:
        return x.mean((2, 3), keepdim=True).expand_as(x)

    toys = {
        "a translator that hides the source": (hide, find),
        "an honest one": (smooth, lambda y: y),
    }
    cases = [
        Case((there, back, images, noise), _rise(there, back, images, noise), told)
        for told, (there, back) in toys.items()
    ]
    mistakes = (
        Mistake(
            lambda t, b, x, e: (b(t(x) + e) - x).abs().mean(),
            "subtract the error without noise: how much *larger* does it become?",
        ),
        Mistake(
            lambda t, b, x, e: (b(t(x + e)) - x).abs().mean() - (b(t(x)) - x).abs().mean(),
            "add the noise to the translation, not to the source",
        ),
        Mistake(
            lambda t, b, x, e: (b(t(x) + e) - t(x)).abs().mean() - (b(t(x)) - t(x)).abs().mean(),
            "compare with the source, not with its translation",
        ),
        Mistake(
            lambda t, b, x, e: (b(t(x) + e) - b(t(x))).abs().mean(),
            "compare both with the source: where the cycle was wrong before, noise may not matter",
        ),
        Mistake(lambda *given: -_rise(*given), "with noise less without, not the other way round"),
        Mistake(
            lambda t, b, x, e: (b(t(x) + e) - x).square().mean() - (b(t(x)) - x).square().mean(),
            "absolute differences, as in the cycle loss, not squares",
        ),
    )
    try_out("exercise 4", function, cases, mistakes)


def _rise(there: Callable, back: Callable, images: Tensor, noise: Tensor) -> Tensor:
    translated = there(images)
    disturbed, clean = ((back(y) - images).abs().mean() for y in (translated + noise, translated))
    return disturbed - clean
