"""The exercises of chapter 02b."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from varbook.book.exercises.checking import Case, Mistake, faults_of_tensor, try_out

LENGTH, CHANNELS = 12, 64  # of the queries and keys of `previous`


def one_by_one(function: Callable) -> None:
    """Try `function(q, keys, values)`: (D,), (L, D), (L, D) -> the answer of attention (D,)."""
    generator = torch.Generator().manual_seed(5)
    q, k, v = torch.randn(8, generator=generator), *torch.randn(2, 9, 8, generator=generator)
    large = q * 1000 / (k @ q / math.sqrt(8)).max()
    cases = [
        Case((x, k, v), F.scaled_dot_product_attention(x[None], k, v)[0], told)
        for x, told in ((q, "nine random keys"), (large, "scores of 1000"))
    ]
    mistakes = (
        Mistake(_overflow, "exp(1000) is infinite: subtract the largest score so far first"),
        Mistake(_not_divided, "the weights must add up to one: divide by their sum at the end"),
        Mistake(_plain_scores, "the scores are divided by the root of D"),
    )
    try_out("exercise 1", function, cases, mistakes)


def _overflow(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    weights = (k @ q / math.sqrt(len(q))).exp()
    return weights @ v / weights.sum()


def _not_divided(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    scores = k @ q / math.sqrt(len(q))
    return (scores - scores.max()).exp() @ v


def _plain_scores(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return (k @ q).softmax(0) @ v


def previous(function: Callable) -> None:
    """Try `function(length)` -> queries and keys (length, 64) with which attention looks at the
    token before.
    """
    try_out("exercise 2", function, [Case((LENGTH,), _looks_left, f"{LENGTH} tokens")])


def _looks_left(answer: object) -> str:
    if not isinstance(answer, (tuple, list)) or len(answer) != 2:
        return "return two things: queries and keys"
    for one in answer:
        fault = faults_of_tensor(one, (LENGTH, CHANNELS))
        if fault:
            return fault
    q, k = (one.double() for one in answer)
    weights = (q @ k.T / math.sqrt(CHANNELS)).softmax(-1)
    found = weights[1:].argmax(1) - torch.arange(1, LENGTH)  # 0: itself, -1: the one before
    if bool((found == 0).all()):
        return (
            "each token looks at itself: which query has its largest score one place further left?"
        )
    if bool((found[:-1] == 1).all()):
        return "each token looks at the one after it: mind the sign"
    if bool((found != -1).any()):
        return "not every token looks at the one before it"
    least = weights.diagonal(-1).min().item()
    if least <= 0.9:
        return f"the right place, but with a weight of {least:.2f} only: make the scores larger"
    return ""


def mirrored(function: Callable, half: int) -> None:
    """Try `function(p)` -> the place of the letter that follows place `p` where `half` letters are
    followed by themselves backwards.
    """
    letters = torch.cat((torch.arange(half), torch.arange(half).flip(0)))
    cases = [
        Case((p,), int((letters[:half] == letters[p + 1]).nonzero()), f"place {p}")
        for p in range(half - 1, 2 * half - 1)
    ]
    mistakes = (
        Mistake(lambda p: 2 * half - 1 - p, "that letter stands at place p itself: name the next"),
        Mistake(lambda p: p - half + 1, "so it is where the letters are repeated, not mirrored"),
    )
    try_out("exercise 3", function, cases, mistakes)
