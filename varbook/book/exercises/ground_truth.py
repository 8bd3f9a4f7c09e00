"""The exercises of chapter 04."""

import itertools
import random
from collections.abc import Callable, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from varbook.book.exercises.checking import Case, Mistake, faults_of_tensor, try_out
from varbook.evaluate.usage import frequency_loss

BUDGET, DRAWS = 680, 2000  # tokens of `released_sides`, and how often it is called
LITTLE = 0.1  # share of the logarithm of the vocabulary that `dream` must stay below


def rebuild(function: Callable) -> None:
    """Try `function(parts)` -> g_n (B, C, h, w), for parts [g_1, r_2, ..., r_n] of FlexVAR eq. 1."""
    cases = []
    for sides in ((1, 2, 4), (2, 3, 5, 8)):
        generator = torch.Generator().manual_seed(sides[-1])
        maps = [torch.randn(1, 3, side, side, generator=generator) for side in sides]
        parts = [b - _larger(a, b) for a, b in itertools.pairwise(maps)]
        cases.append(Case(([maps[0], *parts],), maps[-1], f"maps of side {sides}"))
    mistakes = (
        Mistake(
            lambda parts: torch.stack([_larger(one, parts[-1]) for one in parts]).sum(0),
            "go step by step: from 1 to 2 to 4 is not what bicubic makes of 1 to 4 at once",
        ),
        Mistake(
            lambda parts: _built(parts, lambda g, r: r - _larger(g, r)),
            "eq. 1 takes the enlarged map away; to come back it is added",
        ),
        Mistake(
            lambda parts: _built(parts, lambda g, r: r + _larger(g, r, "nearest")),
            "eq. 1 enlarges with bicubic interpolation here: do the same when you add",
        ),
        Mistake(
            lambda parts: _built(parts, lambda g, r: r + _larger(g, r, "bilinear")),
            "eq. 1 enlarges with bicubic interpolation here: do the same when you add",
        ),
        Mistake(
            lambda parts: parts[-1], "that is the last residual: what it is added to is missing"
        ),
    )
    try_out("exercise 1", function, cases, mistakes)


def _larger(small: Tensor, like: Tensor, mode: str = "bicubic") -> Tensor:
    return F.interpolate(small, size=like.shape[-2:], mode=mode)


def _built(parts: Sequence[Tensor], join: Callable) -> Tensor:
    whole = parts[0]
    for part in parts[1:]:
        whole = join(whole, part)
    return whole


def resized(function: Callable) -> None:
    """Try `function(row, n)` -> (C, n): a row of positions (C, s) read at n places, linearly between
    the centres of its cells.
    """
    cases = []
    for side, n in ((4, 8), (5, 8), (4, 4), (3, 7)):
        row = torch.randn(2, side, generator=torch.Generator().manual_seed(side))
        wanted = F.interpolate(row[None], size=n, mode="linear")[0]
        cases.append(Case((row, n), wanted, f"{side} places read at {n}"))
    mistakes = (
        Mistake(
            lambda row, n: F.interpolate(row[None], size=n, mode="linear", align_corners=True)[0],
            "the first of n cells has its centre at half a cell, not at the border",
        ),
        Mistake(
            lambda row, n: _read(row, torch.arange(n) * row.shape[1] / n),
            "cell i of n has its centre at (i + 0.5) / n, and cell j of s its own at (j + 0.5) / s",
        ),
        Mistake(
            lambda row, n: _read(row, (torch.arange(n) + 0.5) * row.shape[1] / n),
            "cell j of the row has its centre at j + 0.5: take the half away again",
        ),
        Mistake(
            lambda row, n: F.interpolate(row[None], size=n, mode="nearest")[0],
            "that is the nearest place: mix the two neighbours by how near they are",
        ),
        Mistake(
            lambda row, n: F.adaptive_avg_pool1d(row[None], n)[0],
            "that is a mean over areas, the released code's way: places repeat where it enlarges",
        ),
    )
    try_out("exercise 2", function, cases, mistakes)


def _read(row: Tensor, places: Tensor) -> Tensor:
    """Return a row (C, s) read at places (n,) between 0 and s - 1, linearly."""
    places = places.clamp(0, row.shape[1] - 1)
    left = places.floor().long().clamp(max=row.shape[1] - 2)
    share = places - left
    return row[:, left] * (1 - share) + row[:, left + 1] * share


def released_sides(function: Callable) -> None:
    """Try `function(source)` -> the sides of one training step's scales, as FlexVAR's released code
    draws them; `source` is a `random.Random`.
    """
    case = Case((partial(_drawn, function),), _fault_of_draws, f"{DRAWS} draws")
    try_out("exercise 3", _all_draws if callable(function) else function, [case])


def _drawn(function: Callable) -> list[object]:
    source = random.Random(0)  # noqa: S311
    first = function(source)
    # Not written yet: not asked again.
    return [first, *[function(source) for _ in range(DRAWS - 1)]] if first is not None else []


def _all_draws(draw: Callable) -> object:
    return draw() or None


def _fault_of_draws(answer: object) -> str:
    if not isinstance(answer, list):
        return "the function returns nothing"
    draws = answer
    for sides in draws:
        fault = _fault_of_sides(sides)
        if fault:
            return fault
    if sum(2 in sides for sides in draws) < 0.98 * len(draws):
        return "side 2 is often missing, though only one of the last four may be removed"
    share = sum(16 in sides for sides in draws) / len(draws)
    if share == 1:
        return "side 16 is always there: it is one of the last four, and may be removed, too"
    if share < 0.4:
        return (
            f"side 16 is there in {share:.0%} of the draws, too seldom: a random one of the last "
            "four goes, not always the last"
        )
    if share > 0.75:
        return (
            f"side 16 is there in {share:.0%} of the draws, too often: each of the last four is as "
            "likely to go as the others, again in every round"
        )
    for low, high, wanted in ((3, 10, 5), (11, 15, 2)):
        most = max(sum(low <= side <= high for side in sides) for sides in draws)
        if most != wanted:
            return f"up to {most} sides lie between {low} and {high}: draw {wanted} there"
    return ""


def _fault_of_sides(sides: object) -> str:
    if not isinstance(sides, (list, tuple)) or not all(isinstance(one, int) for one in sides):
        return f"got {type(sides).__name__}, wanted a list of whole numbers, the sides"
    if list(sides[:1]) != [1]:
        return f"got {list(sides)}: every draw begins with 1"
    if list(sides) != sorted(set(sides)):
        return f"got {list(sides)}: sides grow, and none comes twice"
    tokens = sum(side * side for side in sides)
    if tokens > BUDGET:
        return f"got {list(sides)}, {tokens} tokens: remove scales until at most {BUDGET} are left"
    return ""


def dream(function: Callable, tokens: Sequence[Tensor], codes: int) -> None:
    """Try `function(tokens)` -> token maps of the same shapes, of codes below `codes`, that nobody
    can fail to predict.
    """
    given = [one.cpu() for one in tokens]

    def fault(answer: object) -> str:
        if not isinstance(answer, (list, tuple)) or len(answer) != len(given):
            return f"return a list of {len(given)} maps, one for each scale"
        for one, like in zip(answer, given, strict=True):
            wrong = faults_of_tensor(one, tuple(like.shape))
            if wrong:
                return wrong
            if one.is_floating_point() or int(one.min()) < 0 or int(one.max()) >= codes:
                return f"code numbers are whole and lie between 0 and {codes - 1}"
        maps = [one.cpu().long() for one in answer]
        if any(one.unique().numel() > 1 for one in maps):
            return _of_frequencies(maps, given, codes)
        return ""

    mistakes = (
        Mistake(lambda maps: maps, "those are the given maps: what would make them easy to guess?"),
    )
    try_out("exercise 4", function, [Case((given,), fault, "the given token maps")], mistakes)


def _of_frequencies(maps: Sequence[Tensor], given: Sequence[Tensor], codes: int) -> str:
    """Return "" where frequencies alone guess `maps`, else what they cost, and what that says."""
    cost, before = (frequency_loss(one, one, codes)[-1] for one in (list(maps), list(given)))
    limit = LITTLE * torch.tensor(float(codes)).log().item()
    if cost < limit:
        return ""
    if abs(cost - before) < 1e-4:
        return (
            "frequencies cost as much as before: renaming codes or moving them to other places "
            "changes nothing"
        )
    return f"guessing by frequencies still costs {cost:.2f} nats at the last scale"


def p_value(function: Callable) -> None:
    """Try `function(a, b)` -> the share of all ways to deal the numbers of both rows out again that
    set the means at least as far apart as they are.
    """
    plans = [
        ((1.0, 2.0, 3.0), (7.0, 8.0, 9.5)),
        ((5.0, 7.5, 6.0), (6.5, 7.0, 9.0)),
        ((3.0, 4.0), (1.0, 2.5, 0.5)),
        ((9.0, 8.0, 9.5, 8.5), (1.0, 2.0, 3.0, 2.5)),
    ]
    cases = [Case((list(a), list(b)), _share(a, b), f"{a} and {b}") for a, b in plans]
    mistakes = (
        Mistake(
            lambda a, b: _share(a, b, strict=True),
            "the way that was dealt in truth counts, too: at least as far apart",
        ),
        Mistake(
            lambda a, b: _share(a, b, sign=True),
            "apart in either direction: take the absolute difference",
        ),
        Mistake(lambda a, b: 1 - _share(a, b), "that is the share of the other ways"),
        Mistake(
            lambda a, b: float(len(_ways(a, b)) * _share(a, b)),
            "that is their number: divide by the number of all ways",
        ),
    )
    try_out("exercise 5", function, cases, mistakes)


def _ways(a: Sequence[float], b: Sequence[float]) -> list[float]:
    """Return mean minus mean for every choice of len(a) of all numbers against the rest."""
    whole = [*a, *b]
    picks = itertools.combinations(range(len(whole)), len(a))
    sums = [sum(whole[i] for i in pick) for pick in picks]
    return [one / len(a) - (sum(whole) - one) / len(b) for one in sums]


def _share(
    a: Sequence[float], b: Sequence[float], strict: bool = False, sign: bool = False
) -> float:
    apart = sum(a) / len(a) - sum(b) / len(b)
    turned = [(way * (1 if apart > 0 else -1) if sign else abs(way)) for way in _ways(a, b)]
    slack = 1e-9 if strict else -1e-9
    return sum(way >= abs(apart) + slack for way in turned) / len(turned)
