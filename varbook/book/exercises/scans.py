"""The exercises of chapter 07."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from varbook.book.exercises.checking import Case, Mistake, faults_of_tensor, try_out
from varbook.transformer.scan import linear_scan
from varbook.transformer.scan_paths import PATHS, zigzag


def half_life(function: Callable) -> None:
    """Try `function(rate, step)` -> the smallest number of tokens after which at most half is left of
    what a token wrote, where A = -rate and every step is `step`.
    """
    plans = [(1.0, 0.02), (4.0, 0.02), (1.0, 0.1), (2.0, 0.5), (1.0, 0.001)]
    cases = [
        Case((rate, step), _half(rate * step), f"A = -{rate:g}, steps of {step:g}")
        for rate, step in plans
    ]
    mistakes = (
        Mistake(lambda r, s: math.floor(math.log(2) / (r * s)), "round up: one less is too few"),
        Mistake(lambda r, s: _half(s), "the decay is exp(step * A): A counts as well"),
        Mistake(lambda r, s: math.log(2) / (r * s), "tokens come whole: round up"),
        Mistake(lambda r, s: math.ceil(1 / (r * s)), "1 / e is left then, not a half"),
        Mistake(lambda r, s: math.ceil(0.5 / (r * s)), "what is left shrinks by a factor"),
    )
    try_out("exercise 1", function, cases, mistakes)


def _half(decay: float) -> int:
    return math.ceil(math.log(2) / decay)


def in_pairs(function: Callable) -> None:
    """Try `function(a, b)` -> the state (B, D) after all L steps h -> a h + b from h = 0, for a and b
    (B, L, D), in rounds that halve the length.
    """
    generator = torch.Generator().manual_seed(7)
    cases = []
    for length in (8, 7, 1, 13):
        a = torch.rand(2, length, 3, generator=generator)
        b = torch.randn(2, length, 3, generator=generator)
        cases.append(Case((a, b), linear_scan(a, b)[:, -1], f"{length} steps"))
    mistakes = (
        Mistake(lambda a, b: _tree(a, b, (0.0, 0.0)), "a step with a = 0 erases the state"),
        Mistake(
            lambda a, b: _tree(a, b, (1.0, 0.0), swapped=True),
            "the earlier step comes first: its inflow fades by the later step's decay",
        ),
        Mistake(
            lambda a, b: _tree(a[:, : len(a[0]) // 2 * 2], b[:, : len(a[0]) // 2 * 2]),
            "with an odd number of steps the last one must not be dropped",
        ),
        Mistake(lambda a, b: linear_scan(a, b), "return the last state alone, (B, D)"),
        Mistake(lambda a, b: b.sum(1), "what came earlier has faded: that is what a is for"),
    )
    try_out("exercise 2", function, cases, mistakes)


def _tree(
    a: Tensor, b: Tensor, filled: tuple[float, float] = (1.0, 0.0), swapped: bool = False
) -> Tensor:
    while a.shape[1] > 1:
        if a.shape[1] % 2:
            a, b = (
                torch.cat((x, torch.full_like(x[:, :1], value)), 1)
                for x, value in zip((a, b), filled, strict=True)
            )
        first, second = (slice(0, None, 2), slice(1, None, 2))
        if swapped:
            first, second = second, first
        a, b = a[:, first] * a[:, second], a[:, second] * b[:, first] + b[:, second]
    return b[:, 0]


def way_back(function: Callable) -> None:
    """Try `function(path, height, width)` -> the number (0 to 7) of the zigzag that visits the map in
    the opposite order.
    """
    maps = ((8, 8), (5, 5), (4, 5), (5, 4))
    cases = [
        Case((path, h, w), _opposite(path, h, w), f"path {path} over {h} x {w}")
        for h, w in maps
        for path in range(PATHS)
    ]
    mistakes = (
        Mistake(
            lambda path, h, w: _opposite(path, 8, 8),
            "where it ends depends on the number of lines: odd or even",
        ),
        Mistake(
            lambda path, h, w: (path + 4) % PATHS,
            "it does not always end in the opposite corner: count the lines",
        ),
        Mistake(
            lambda path, h, w: _opposite(path, w, h),
            "height comes first: mind which of the two are the lines",
        ),
        Mistake(lambda path, h, w: path, "that is the path itself: its reverse starts at its end"),
        Mistake(
            lambda path, h, w: zigzag((h, w), path).flip(0),
            "that is the order; which of the eight paths is it?",
        ),
    )
    try_out("exercise 3", function, cases, mistakes)


def _opposite(path: int, height: int, width: int) -> int:
    size = (height, width)
    back = zigzag(size, path).flip(0)
    return next(other for other in range(PATHS) if torch.equal(zigzag(size, other), back))


def spiral(function: Callable) -> None:
    """Try `function(height, width)` -> the places y * width + x of a map, clockwise from the top left
    corner inwards.
    """
    sizes = ((5, 4), (4, 4), (3, 6), (1, 5), (5, 1), (2, 2))
    cases = [Case(size, _fault(size), f"{size[0]} x {size[1]}") for size in sizes]
    try_out("exercise 4", function, cases)


def _spiral(height: int, width: int) -> list[int]:
    grid, path = torch.arange(height * width).view(height, width), []
    while grid.numel():
        path += grid[0].tolist()
        grid = grid[1:].T.flip(0)
    return path


def _fault(size: tuple[int, int]) -> Callable[[object], str]:
    height, width = size
    right = _spiral(height, width)

    def fault(answer: object) -> str:
        if torch.is_tensor(answer):
            wrong = faults_of_tensor(answer, (height * width,))
            answer = [] if wrong else answer.tolist()
            if wrong:
                return wrong
        if not isinstance(answer, (list, tuple)) or not all(isinstance(p, int) for p in answer):
            return "return a list of places, whole numbers y * width + x"
        if sorted(answer) != list(range(height * width)):
            missing = sorted(set(range(height * width)) - set(answer))
            more = "a corner belongs to one side only" if len(set(answer)) < len(answer) else ""
            told = (
                f"misses the places {missing[:4]}" if missing else "has places twice, or too many"
            )
            return f"it {told}" + (f": {more}" if more else "")
        return "" if list(answer) == right else _order_fault(list(answer), right, size)

    return fault


def _order_fault(answer: list[int], right: list[int], size: tuple[int, int]) -> str:
    height, width = size
    points = [divmod(place, width) for place in answer]
    apart = [abs(p[0] - q[0]) + abs(p[1] - q[1]) for p, q in zip(points, points[1:], strict=False)]
    if answer == right[::-1]:
        return "that is the way out: start at the corner and go inwards"
    if any(step != 1 for step in apart):
        k = next(i for i, step in enumerate(apart) if step != 1)
        return f"it jumps from place {answer[k]} to place {answer[k + 1]}"
    if answer == zigzag(size, 0).tolist():
        return "that is a zigzag: a spiral goes round the rim before it goes inside"
    if answer[0] == 0 and width > 1 and answer[1] != 1:
        return "clockwise: from the corner along the top row first"
    k = next(i for i, pair in enumerate(zip(answer, right, strict=True)) if pair[0] != pair[1])
    return f"after place {answer[k - 1]} comes {right[k]}, not {answer[k]}" if k else "start at 0"
