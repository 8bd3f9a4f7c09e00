"""The exercises of chapter 08."""

import math
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from varbook.book.exercises.checking import Case, Mistake, try_out
from varbook.translate.relaxation import mixture_state, relax_bits


def bits(function: Callable) -> None:
    """Try `function(delta, tau)` -> the expected code (..., d) of sign bits, for the difference
    `delta` (..., d) of each bit's two logits.
    """
    generator = torch.Generator().manual_seed(11)
    cases = []
    for shape, tau in (((3, 8), 2.0), ((2, 5, 4), 0.5)):
        delta = 3 * torch.randn(shape, generator=generator)
        logits = torch.stack((torch.zeros_like(delta), delta), -1).flatten(-2)
        wanted = relax_bits(logits, temperature=tau)
        told = f"{shape[-1]} bits at temperature {tau:g}"
        cases.append(Case((delta, tau), wanted, told))

    def scaled(x: Tensor) -> Tensor:
        return x / math.sqrt(x.shape[-1])

    mistakes = (
        Mistake(
            lambda x, tau: scaled((x / tau).sigmoid()), "a bit is +1 or -1, not 1 or 0: 2p - 1"
        ),
        Mistake(lambda x, tau: scaled((x / tau).tanh()), "2 sigmoid(x) - 1 is tanh(x / 2)"),
        Mistake(
            lambda x, tau: (x / tau / 2).tanh(), "the entries of a code are 1 / root of d long"
        ),
        Mistake(lambda x, tau: scaled((x / 2).tanh()), "where is the temperature?"),
        Mistake(
            lambda x, tau: -scaled((x / tau / 2).tanh()), "delta is the logit of + less that of -"
        ),
        Mistake(
            lambda x, tau: F.normalize((x / tau / 2).tanh(), dim=-1),
            "not of length one: how short the mixture is says how undecided the bits are",
        ),
    )
    try_out("exercise 1", function, cases, mistakes)


def temperature_gradient(function: Callable) -> None:
    """Try `function(logits, codes, tau, g)` -> the derivative of the loss with respect to the
    temperature, for logits (V,), codes (V, C), and the gradient `g` (C,) at the mixture.
    """
    generator = torch.Generator().manual_seed(12)
    cases = []
    for tau in (2.0, 0.5):
        logits = 1 + torch.randn(6, generator=generator)
        codes, g = torch.randn(6, 3, generator=generator), torch.randn(3, generator=generator)
        leaf = torch.tensor(tau, requires_grad=True)
        ((logits / leaf).softmax(-1) @ codes @ g).backward()
        cases.append(Case((logits, codes, tau, g), leaf.grad, f"six codes at temperature {tau:g}"))

    def right(logits: Tensor, codes: Tensor, tau: float, g: Tensor, power: int = 2) -> Tensor:
        q = (logits / tau).softmax(-1)
        return -(q * logits * ((codes - q @ codes) @ g)).sum() / tau**power

    def not_centred(logits: Tensor, codes: Tensor, tau: float, g: Tensor) -> Tensor:
        return -((logits / tau).softmax(-1) * logits * (codes @ g)).sum() / tau**2

    def without_logits(logits: Tensor, codes: Tensor, tau: float, g: Tensor) -> Tensor:
        q = (logits / tau).softmax(-1)
        return -(q / tau * ((codes - q @ codes) @ g)).sum()

    mistakes = (
        Mistake(lambda *given: -right(*given), "a larger temperature makes logits / tau smaller"),
        Mistake(partial(right, power=1), "the derivative of 1 / tau is -1 / tau^2"),
        Mistake(not_centred, "the weights change too: subtract the mixture from each code"),
        Mistake(without_logits, "weigh each logit's gradient with the logit itself"),
    )
    try_out("exercise 2", function, cases, mistakes)


def score_function(function: Callable) -> None:
    """Try `function(q, drawn, losses)` -> an estimate (V,) of the exact gradient at the logits, for
    probabilities `q` (V,), codes `drawn` (N,) from them, and the loss (N,) of each.
    """
    generator = torch.Generator().manual_seed(13)
    cases = []
    for count in (1, 50):
        q = torch.randn(5, generator=generator).softmax(-1)
        drawn = torch.multinomial(q, count, replacement=True, generator=generator)
        losses = torch.rand(count, generator=generator)
        told = "one draw" if count == 1 else f"{count} draws"
        cases.append(Case((q, drawn, losses), _scores(q, drawn) @ losses / count, told))

    def uncentred(q: Tensor, drawn: Tensor, losses: Tensor) -> Tensor:
        return F.one_hot(drawn, len(q)).float().T @ losses / len(drawn)

    def weighted(q: Tensor, drawn: Tensor, losses: Tensor) -> Tensor:
        return q * (_scores(q, drawn) @ losses) / len(drawn)

    def divided(q: Tensor, drawn: Tensor, losses: Tensor) -> Tensor:
        return uncentred(q, drawn, losses) / q

    def summed(q: Tensor, drawn: Tensor, losses: Tensor) -> Tensor:
        return _scores(q, drawn) @ losses

    def swapped(q: Tensor, drawn: Tensor, losses: Tensor) -> Tensor:
        return -summed(q, drawn, losses) / len(drawn)

    mistakes = (
        Mistake(uncentred, "log q_v falls when another logit rises: subtract q from the one-hot"),
        Mistake(weighted, "the draws come from q already: do not weigh with q again"),
        Mistake(divided, "that is the derivative with respect to q_v, not to its logit"),
        Mistake(summed, "the mean over the draws, not the sum"),
        Mistake(swapped, "the gradient, not the step against it: mind the sign"),
    )
    try_out("exercise 3", function, cases, mistakes)


def _scores(q: Tensor, drawn: Tensor) -> Tensor:
    """Return the derivative (V, N) of log q_v at each logit for each drawn v."""
    return (F.one_hot(drawn, len(q)) - q).T


def wanted_perplexity(function: Callable) -> None:
    """Try `function(logits, perplexity)` -> the temperature at which mixtures of logits (N, V) have
    that mean perplexity.
    """
    noise = torch.randn(64, 512, generator=torch.Generator().manual_seed(14))
    plans = ((3.0, 64.0), (1.5, 64.0), (6.0, 8.0))
    cases = [
        Case((size * noise, wanted), _temperature_fault(size * noise, wanted), told)
        for size, wanted in plans
        for told in (f"logits of standard deviation {size:g}, perplexity {wanted:g}",)
    ]
    try_out("exercise 5", function, cases)


def _temperature_fault(logits: Tensor, wanted: float) -> Callable[[object], str]:
    """Return what says whether a temperature gives mixtures of the wanted perplexity."""

    def perplexity(tau: float, scale: float = 1.0) -> float:
        return mixture_state(logits / scale, torch.eye(logits.shape[-1]), tau)["perplexity"]

    def fault(answer: object) -> str:
        if torch.is_tensor(answer) and answer.numel() == 1:
            answer = answer.item()
        if not isinstance(answer, (int, float)) or not 0 < answer < math.inf:
            return f"got {answer!r}, wanted a temperature above zero"
        found = perplexity(answer)
        if abs(found / wanted - 1) < 0.02:
            return ""
        told = f"temperature {answer:.3g} gives perplexity {found:.3g}, wanted {wanted:g}"
        mean = (logits / answer).softmax(-1).mean(0)
        if abs(torch.special.entr(mean).sum().exp().item() / wanted - 1) < 0.02:
            return f"{told}; so it is for the tokens' mean probabilities: wanted each token's, then the mean"
        if abs(perplexity(answer, float(logits.std())) / wanted - 1) < 0.02:
            return f"{told}; right for logits of standard deviation 1: only logits / tau counts"
        if found < 1.01 or found > 0.99 * logits.shape[-1]:
            return f"{told}; does your search keep the right half? Perplexity rises with tau"
        return told

    return fault
