"""The exercises of chapter 01."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from varbook.book.exercises.checking import Case, Mistake, try_out
from varbook.evaluate.usage import usage

SIZE = 64  # of the codebook of `lopsided`


class _Dimensions(TorchFunctionMode):
    """Notes the largest number of dimensions among the tensors that are made meanwhile."""

    most = 0

    def __torch_function__(
        self, func: Callable, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        if isinstance(made, Tensor):
            self.most = max(self.most, made.dim())
        return made


def nearest_fast(function: object) -> None:
    """Try `function(x, z)`, (N, C) and (V, C) -> the indices (N,) of the nearest codes, found without
    a tensor of three dimensions.
    """
    generator = torch.Generator().manual_seed(1)
    cases = []
    for size, width in ((40, 3), (7, 16)):
        x = torch.randn(200, width, generator=generator)
        z = torch.randn(size, width, generator=generator)
        z = z * torch.linspace(0.2, 3, size)[:, None]  # codes of very different lengths
        cases.append(Case((x, z), _nearest(x, z), f"{size} codes of {width} numbers"))
    mistakes = (
        Mistake(
            lambda x, z: (x @ z.T).argmax(1),
            "the largest product is not the smallest distance: a long code wins by its length",
        ),
        Mistake(
            lambda x, z: (z.square().sum(1) - 2 * x @ z.T).argmax(1),
            "nearest is argmin, not argmax",
        ),
        Mistake(
            lambda x, z: (z.square().sum(1) - x @ z.T).argmin(1), "the product is subtracted twice"
        ),
        Mistake(
            lambda x, z: (z.square().sum(1) - 2 * x @ z.T).argmin(0),
            "one answer for each feature: look along the codes, dimension 1",
        ),
    )

    def watched(x: Tensor, z: Tensor) -> object:
        with _Dimensions() as seen:
            answer = function(x, z)  # type: ignore[operator]
        if seen.most > 2:
            raise ValueError(f"it made a tensor of {seen.most} dimensions; use one matrix product")
        return answer

    try_out("exercise 1", watched if callable(function) else function, cases, mistakes)


def _nearest(x: Tensor, z: Tensor) -> Tensor:
    return (x[:, None] - z[None]).square().sum(-1).argmin(1)


def move_codes(function: object) -> None:
    """Try `function(z, x, tokens, rate)` -> codes (V, C), each moved towards the mean of the
    features (N, C) that chose it.
    """
    generator = torch.Generator().manual_seed(3)
    x = torch.rand(300, 2, generator=generator) + 0.5
    z = torch.cat((x[:12], torch.full((3, 2), 9.0)))  # the last three are dead
    tokens = _nearest(x, z)
    cases = [
        Case((z, x, tokens, rate), _moved(z, x, tokens, rate), f"rate {rate}")
        for rate in (1.0, 0.5)
    ]
    mistakes = (
        Mistake(
            lambda z, x, t, r: z + r * (_moved(torch.zeros_like(z), x, t, 1.0) - z),
            "a code without features has no mean: leave it where it is",
        ),
        Mistake(lambda z, x, t, r: _moved(z, x, t, 1.0), "go the fraction `rate` of the way only"),
        Mistake(
            lambda z, x, t, r: z + r * (torch.zeros_like(z).index_add(0, t, x) - z),
            "that is the sum of the features in a cell: divide by how many there are",
        ),
        Mistake(
            lambda z, x, t, r: _moved(z, x, t, 1 - r), "at rate 1 a code stands on the mean itself"
        ),
    )
    try_out("exercise 2", function, cases, mistakes)


def _moved(z: Tensor, x: Tensor, tokens: Tensor, rate: float) -> Tensor:
    counts = torch.bincount(tokens, minlength=len(z))[:, None]
    means = torch.zeros_like(z).index_add(0, tokens, x) / counts.clamp_min(1)
    return torch.where(counts > 0, z + rate * (means - z), z)


def resting_place(function: object) -> None:
    """Try `function(code, target, beta)` -> where a feature stops that never leaves the cell of
    `code`, under the straight-through gradient plus commitment.
    """
    code, target = torch.tensor([0.9, 0.3]), torch.tensor([1.1, 0.42])
    cases = [
        Case((code, target, beta), code + (target - code) / beta, f"beta {beta}")
        for beta in (0.25, 0.5, 2.0)
    ]
    mistakes = (
        Mistake(
            lambda q, y, beta: (y + beta * q) / (1 + beta),
            "the loss compares the code with the target, not the feature: its gradient is 2 (q - y)",
        ),
        Mistake(
            lambda q, y, beta: q + beta * (y - q),
            "a stronger commitment must keep it nearer to its code: divide",
        ),
        Mistake(
            lambda q, y, beta: q - (y - q) / beta, "mind the sign: it walks towards the target"
        ),
        Mistake(
            lambda q, y, beta: y,
            "there nothing pulls it to the target, but commitment pulls it back",
        ),
    )
    try_out("exercise 3", function, cases, mistakes)


def lopsided(function: object) -> None:
    """Try `function()` -> tokens, a long tensor in which all of 64 codes occur, with a perplexity
    below 1.1.
    """
    try_out("exercise 4", function, [Case((), _lopsided_fault, f"{SIZE} codes")])


def _lopsided_fault(answer: object) -> str:
    if not isinstance(answer, Tensor) or answer.is_floating_point() or answer.is_complex():
        return "wanted a tensor of whole numbers"
    if not answer.numel():
        return "there are no tokens"
    if answer.min() < 0 or answer.max() >= SIZE:
        return f"tokens are from 0 to {SIZE - 1}, got {int(answer.min())} to {int(answer.max())}"
    found = usage(answer.long(), SIZE)
    if found.used < SIZE:
        return f"{found.used} of {SIZE} codes occur: put each in at least once"
    if found.perplexity >= 1.1:
        more = " (nearly all tokens must be the same code)" if found.perplexity < SIZE - 1 else ""
        return f"all codes occur, but the perplexity is {found.perplexity:.3g}, not below 1.1{more}"
    return ""
