"""Scale schedules: the sizes of the token maps, coarse to fine, each a pair (height, width).

Everything in the book takes a schedule, so another resolution,
aspect ratio or number of steps is another argument.
"""

import math
from operator import index

import torch
from torch import Tensor

from varbook.config import check_real, check_whole, is_whole
from varbook.errors import VarbookError

Scale = tuple[int, int]
Schedule = tuple[Scale, ...]


def square(*sides: int) -> Schedule:
    """Return the schedule of square token maps with these
    sides: `square(1, 2, 4)` is ((1, 1), (2, 2), (4, 4)).
    """
    return tuple((side, side) for side in sides)


# The ten scales of VAR at 256 px, stride 16; FlexVAR's default too (FlexVAR section 3.4).
VAR_256 = square(1, 2, 3, 4, 5, 6, 8, 10, 13, 16)

# FlexVAR table 7: (resolution in pixels, number of steps) -> schedule.
TABLE_7 = {
    (256, 6): square(1, 2, 4, 6, 10, 16),
    (256, 7): square(1, 2, 3, 5, 8, 11, 16),
    (256, 8): square(1, 2, 3, 4, 6, 10, 13, 16),
    (256, 9): square(1, 2, 3, 4, 5, 7, 10, 13, 16),
    (256, 10): VAR_256,
    (256, 11): square(1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 16),
    (256, 12): square(1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16),
    (256, 13): square(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16),
    (384, 11): square(1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 24),
    (512, 12): square(1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 23, 32),
    (512, 15): square(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 23, 32),
}


def size_of(maps: Tensor) -> Scale:
    """Return the size (h, w) of maps (..., h, w)."""
    height, width = maps.shape[-2:]
    return height, width


def token_count(schedule: Schedule) -> int:
    """Return the length of the token sequence, the sum
    of h * w over the scales (680 for `VAR_256`).
    """
    return sum(height * width for height, width in schedule)


def scale_slices(schedule: Schedule) -> list[slice]:
    """Return, for each scale, the slice of the token sequence that it occupies."""
    slices, start = [], 0
    for height, width in schedule:
        slices.append(slice(start, start + height * width))
        start += height * width
    return slices


def check_schedule(schedule: Schedule, latent: Scale | None = None) -> Schedule:
    """Return `schedule` as pairs of ints where it is valid: it
    grows from scale to scale, and the last one is `latent`.

    Raises VarbookError with a schedule that would work.
    """
    try:
        # `index`, not `int`: a side must be a whole number, and `int` would round it.
        schedule = tuple((index(height), index(width)) for height, width in schedule)
    except (TypeError, ValueError):
        raise VarbookError(
            f"A schedule is a sequence of (height, width) pairs such as {square(1, 2, 4)}, not {schedule!r}."
        ) from None
    if not schedule or min(min(scale) for scale in schedule) < 1:
        raise VarbookError(
            "A schedule needs at least one scale, and every side must be 1 or more; try square(1, 2, 4, 8)."
        )
    grown = [
        a[0] <= b[0] and a[1] <= b[1] and a != b
        for a, b in zip(schedule, schedule[1:], strict=False)
    ]
    if not all(grown):
        k = grown.index(False)
        raise VarbookError(
            f"A schedule must grow from scale to scale, but scale {k + 2} is {schedule[k + 1]} after {schedule[k]}; "
            f"try {nearest_schedule(schedule, latent or max(schedule))}."
        )
    if latent is not None and schedule[-1] != tuple(latent):
        raise VarbookError(
            f"The last scale {schedule[-1]} must be the size of the latent {tuple(latent)}; "
            f"try {nearest_schedule(schedule, latent)}."
        )
    return schedule


def nearest_schedule(schedule: Schedule, latent: Scale) -> Schedule:
    """Return the valid schedule closest to `schedule` that ends at `latent`: sorted, without
    repeats, cut at the latent.
    """
    inside = sorted(
        {(min(h, latent[0]), min(w, latent[1])) for h, w in schedule if h > 0 and w > 0}
        - {(latent[0], latent[1])}
    )
    fitting: list[Scale] = []
    for scale in inside:
        if not fitting or (scale[0] >= fitting[-1][0] and scale[1] >= fitting[-1][1]):
            fitting.append(scale)
    return (*fitting, (latent[0], latent[1]))


def check_latent(latent: Scale) -> Scale:
    """Return the size of a latent as (h, w) where both are whole numbers from 1 on; else
    VarbookError.
    """
    try:
        height, width = latent
    except (TypeError, ValueError):
        raise VarbookError(f"A latent has a height and a width, not {latent!r}.") from None
    return check_whole("A latent's height", height), check_whole("A latent's width", width)


def make_schedule(latent: Scale, steps: int) -> Schedule:
    """Return a sensible schedule of `steps` scales from 1 x 1 to `latent` (h, w), any aspect ratio,
    growing about geometrically.

    Raises VarbookError where the latent is too small for so many steps.
    """
    longest = max(check_latent(latent))
    if not is_whole(steps) or not 1 <= steps <= longest:
        raise VarbookError(f"A latent of {latent} allows 1 to {longest} steps, not {steps}.")
    if steps == 1:
        return ((latent[0], latent[1]),)
    # A geometric ladder of the longer side, pushed apart where rounding makes two rungs equal
    # (VAR's ladder does the same).
    sides = [round(longest ** (k / (steps - 1))) for k in range(steps)]
    for k in range(1, steps):
        sides[k] = max(sides[k], sides[k - 1] + 1)
    for k in range(steps - 1, -1, -1):
        sides[k] = min(sides[k], longest - (steps - 1 - k))
    return tuple(
        (max(1, round(side * latent[0] / longest)), max(1, round(side * latent[1] / longest)))
        for side in sides
    )


def schedule_for(trained: Schedule, latent: Scale) -> Schedule:
    """Return a schedule to `latent` (h, w), any size and aspect ratio, that keeps the scales of
    training as long as they fit.

    Beyond them it grows by at most half from scale to scale: from `VAR_256` to 24 x 24 and 32 x 32
    that gives the rows of FlexVAR table 7. Raises VarbookError where one of the two is not valid.
    """
    trained, longest = check_schedule(trained), max(check_latent(latent))
    sides = [max(scale) for scale in trained if max(scale) < longest] or [1]
    last = sides[-1]
    rungs = math.ceil(math.log(longest / last) / math.log(1.5) - 1e-9)
    sides += [round(last * (longest / last) ** (rung / rungs)) for rung in range(1, rungs)]
    return _scaled(sides, latent)


def sample_schedule(
    latent: Scale,
    max_steps: int,
    *,
    drop: float = 0.05,
    max_drops: int = 4,
    budget: int | None = None,
    generator: torch.Generator,
) -> Schedule:
    """Draw the schedule of one training step (FlexVAR section 3.4, step sampling).

    The first scale is 1 x 1 and the last is `latent`, always; the sides between are drawn at
    random, each is dropped with probability `drop`, at most `max_drops` of them. `budget` (tokens)
    removes the largest middle scales until the sequence fits; the last scale is never dropped (the
    released code does drop it in a third of its steps). Raises VarbookError where a setting is out
    of range.
    """
    longest = max(check_latent(latent))
    check_whole("max_steps", max_steps, 1)
    check_real("drop", drop, 0, 1)
    check_whole("max_drops", max_drops, 0)
    if budget is not None:
        check_whole("budget", budget, 0)
    between = torch.randperm(max(longest - 2, 0), generator=generator)[: max(max_steps - 2, 0)] + 2
    sides = sorted(between.tolist())
    dropped = torch.rand(len(sides), generator=generator) < drop
    sides = [
        side
        for k, side in enumerate(sides)
        if not (dropped[k] and int(dropped[:k].sum()) < max_drops)
    ]
    while budget and sides and token_count(_scaled(sides, latent)) > budget:
        sides.pop()
    return _scaled(sides, latent)


def sample_scales(latent: Scale, count: int, *, generator: torch.Generator) -> Schedule:
    """Draw the scales of one training step of a multi-scale tokenizer (FlexVAR section 3.3):
    `count` different ones, the last is `latent` and the others any smaller, 1 x 1 among them.

    Fewer where the latent has fewer sizes. Raises VarbookError where `latent` or `count` is not
    valid.
    """
    longest = max(check_latent(latent))
    check_whole("The number of scales", count, 1)
    sides = sorted((torch.randperm(longest - 1, generator=generator)[: count - 1] + 1).tolist())
    scales = _scaled(sides, latent)  # begins with 1 x 1, drawn or not
    return scales if sides[:1] == [1] else scales[1:]


def _scaled(sides: list[int], latent: Scale) -> Schedule:
    longest = max(latent)
    middle = [
        (math.ceil(side * latent[0] / longest), math.ceil(side * latent[1] / longest))
        for side in sides
    ]
    return tuple(dict.fromkeys([(1, 1), *middle, (latent[0], latent[1])]))
