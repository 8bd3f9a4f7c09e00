"""The exercises of chapter 02."""

from collections.abc import Callable

import torch
from torch import Tensor

from varbook.book.exercises.checking import Case, Mistake, try_out
from varbook.tokenizer.pyramid import down, up
from varbook.tokenizer.schedule import Schedule, square

SIDE, COUNT = 16, 5  # of `random_scales`
DRAWS = 200


def still_missing(function: Callable) -> None:
    """Try `function(f, schedule)` -> the share of f (B, C, h, w) that a residual pyramid without a
    codebook and without phi lacks after each scale, a list of numbers.
    """
    generator = torch.Generator().manual_seed(2)
    maps = torch.randn(2, 4, 8, 8, generator=generator)
    smooth = up(torch.randn(2, 4, 3, 3, generator=generator), (8, 8)) + 2
    plans = ((maps, square(1, 2, 4, 8), "noise"), (smooth, square(1, 2, 3, 6), "a smooth map"))
    cases = [Case((f, plan), _missing(f, plan), told) for f, plan, told in plans]
    mistakes = (
        Mistake(
            lambda f, plan: _missing(f, plan, anew=True),
            "each scale encodes f minus the sum so far, not f anew",
        ),
        Mistake(
            lambda f, plan: _missing(f, plan, replaced=True),
            "the sum grows: add each enlarged map to what is there already",
        ),
        Mistake(
            lambda f, plan: [share**0.5 for share in _missing(f, plan)],
            "the share is one of mean squares: there is no root",
        ),
        Mistake(
            lambda f, plan: [share * f.square().mean().item() for share in _missing(f, plan)],
            "divide by the mean square of f: a share has no unit",
        ),
    )
    try_out("exercise 1", function, cases, mistakes)


def _missing(
    f: Tensor, schedule: Schedule, anew: bool = False, replaced: bool = False
) -> list[float]:
    total, shares = torch.zeros_like(f), []
    for size in schedule:
        step = up(down(f if anew else f - total, size), (f.shape[-2], f.shape[-1]))  # B C h w
        total = step if replaced else total + step
        shares.append(((f - total).square().mean() / f.square().mean()).item())
    return shares


def schedule_for(function: Callable) -> None:
    """Try `function(height, width, count)` -> `count` sizes that grow to the latent's (height,
    width), each of its aspect ratio but for rounding.
    """
    plans = [(8, 16, 3), (4, 4, 4), (12, 8, 4), (2, 16, 4)]
    cases = [Case(plan, _fits(*plan), f"a latent of {plan[0]} x {plan[1]}") for plan in plans]
    mistakes = (
        Mistake(
            lambda h, w, n: [(round(w * k / n), round(h * k / n)) for k in range(1, n + 1)],
            "a size is (height, width), in this order",
        ),
        Mistake(
            lambda h, w, n: [(round(h * k / n), round(w * k / n)) for k in range(1, n + 1)],
            "a side that is rounded to nothing has at least one row: max(1, ...)",
        ),
        Mistake(
            lambda h, w, n: [(round(h * k / n), round(w * k / n)) for k in range(n)],
            "count from 1 to `count`, so that the last size is the whole latent",
        ),
        Mistake(
            lambda h, w, n: [(8 * h * k // n, 8 * w * k // n) for k in range(1, n + 1)],
            "the sizes are those of token maps, not of pictures in pixels",
        ),
    )
    try_out("exercise 2", function, cases, mistakes)


def _fits(height: int, width: int, count: int) -> Callable[[object], str]:
    """Return what says whether a schedule leads to a latent of this size."""

    def fault(answer: object) -> str:
        if not _are_sizes(answer):
            return f"got {answer!r}, wanted {count} pairs of whole numbers (height, width)"
        sizes = [tuple(size) for size in answer]  # type: ignore[attr-defined]
        if len(sizes) != count:
            return f"got {len(sizes)} sizes, wanted {count}"
        if sizes[-1] != (height, width):
            return f"the last size is {sizes[-1]}, wanted {(height, width)}"
        for h, w in sizes:
            # Is there one factor that rounds to both sides? A side of one may be any that is less.
            least = max((h - 0.5) / height if h > 1 else 0, (w - 0.5) / width if w > 1 else 0)
            if h < 1 or w < 1:
                return f"{(h, w)} has no cells"
            if least > min((h + 0.5) / height, (w + 0.5) / width) + 1e-9:
                return f"{(h, w)} has another aspect ratio than {(height, width)}"
        areas = [h * w for h, w in sizes]
        if any(b <= a for a, b in zip(areas, areas[1:], strict=False)):
            return f"the sizes {sizes} do not grow"
        return ""

    return fault


def _are_sizes(answer: object) -> bool:
    """Say whether an answer is a list of pairs of whole numbers."""
    if not isinstance(answer, (list, tuple)) or not answer:
        return False
    return all(
        isinstance(size, (list, tuple))
        and len(size) == 2
        and all(isinstance(side, int) for side in size)
        for size in answer
    )


def seen_inputs(function: Callable) -> None:
    """Try `function(codes)`, code maps (B, C, h_k, w_k) -> what a VAR without phi sees before each
    scale from the second on, a list of maps.
    """
    generator = torch.Generator().manual_seed(4)
    cases = []
    for schedule in (square(1, 2, 4), square(1, 2, 3, 5, 8)):
        codes = [torch.randn(2, 3, h, w, generator=generator) for h, w in schedule]
        told = "scales " + " ".join(str(h) for h, _ in schedule)
        cases.append(Case((codes,), _inputs(codes), told))
    mistakes = (
        Mistake(
            lambda codes: [up(codes[k], _size(codes[k + 1])) for k in range(len(codes) - 1)],
            "that is what FlexVAR shows: VAR shows the sum of all scales so far",
        ),
        Mistake(
            lambda codes: [down(t, _size(codes[k])) for k, t in enumerate(_sums(codes))][1:],
            "scale k is already part of what you show before scale k: its answer is given away",
        ),
        Mistake(
            lambda codes: [
                torch.stack([up(c, _size(codes[k + 1])) for c in codes[: k + 1]]).sum(0)
                for k in range(len(codes) - 1)
            ],
            "add at full size, then downsample the sum: enlarged and averaged is not the same",
        ),
        Mistake(
            lambda codes: _sums(codes)[:-1],
            "these are the sums at full size: each must be downsampled to the next scale's",
        ),
    )
    try_out("exercise 3", function, cases, mistakes)


def _size(codes: Tensor) -> tuple[int, int]:
    return codes.shape[-2], codes.shape[-1]


def _sums(codes: list[Tensor]) -> list[Tensor]:
    """Return the sum of the enlarged code maps after each scale."""
    large = [up(one, _size(codes[-1])) for one in codes]
    return [torch.stack(large[: k + 1]).sum(0) for k in range(len(large))]


def _inputs(codes: list[Tensor]) -> list[Tensor]:
    return [down(t, _size(codes[k + 1])) for k, t in enumerate(_sums(codes)[:-1])]


def random_scales(function: Callable) -> None:
    """Try `function(side, count, generator)` -> `count` different squares, growing, the last of
    them the whole latent.
    """
    seen: set[int] = set()

    def fault(answer: object) -> str:
        if not _are_sizes(answer):
            return f"got {answer!r}, wanted {COUNT} pairs such as ({SIDE}, {SIDE})"
        heights = [size[0] for size in answer]  # type: ignore[attr-defined]
        if any(h != w for h, w in answer):  # type: ignore[attr-defined]
            return "the sizes are squares here"
        if len(heights) != COUNT:
            return f"got {len(heights)} sizes, wanted {COUNT}"
        if heights[-1] != SIDE:
            return f"the last side is {heights[-1]}: the full size, {SIDE}, belongs to every step"
        if len(set(heights)) < COUNT:
            return f"the sides {heights} are not all different: draw without putting back"
        if heights != sorted(heights):
            return f"the sides {heights} are not in order: coarse to fine"
        seen.update(heights)
        return ""

    def all_seen(answer: object) -> str:
        wrong = fault(answer)
        missed = sorted(set(range(1, SIDE + 1)) - seen)
        return wrong or (missed and f"in {DRAWS} steps the sides {missed} are never drawn") or ""

    cases = [
        Case(
            (SIDE, COUNT, torch.Generator().manual_seed(draw)),
            all_seen if draw == DRAWS - 1 else fault,
            f"{COUNT} scales up to {SIDE}",
        )
        for draw in range(DRAWS)
    ]
    try_out("exercise 4", function, cases)
