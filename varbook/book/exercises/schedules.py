"""The exercises of chapter 05."""

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from varbook.book.exercises.checking import Case, Mistake, faults_of_tensor, try_out
from varbook.data.images import to_float
from varbook.data.toy import toy_images
from varbook.evaluate.generation import detail, resized, spectrum
from varbook.generate.sampling import guidance_at
from varbook.tokenizer.schedule import (
    TABLE_7,
    VAR_256,
    Scale,
    Schedule,
    schedule_for,
    square,
    token_count,
)

PICTURES = 8  # of the exercise on ripples


def keep_the_area(function: Callable) -> None:
    """Try `function(ratio, cells)` -> the latent (h, w) with w / h nearest to `ratio` among those of at
    most `cells` cells, the largest where several are equally near.
    """
    plans = [(16 / 9, 64), (1.0, 64), (0.5, 64), (2.0, 100), (0.75, 60)]
    cases = [
        Case((ratio, cells), _latent(ratio, cells), f"ratio {ratio:.3g}, {cells} cells")
        for ratio, cells in plans
    ]
    mistakes = (
        Mistake(lambda r, c: _latent(r, c)[::-1], "a latent is (height, width), in this order"),
        Mistake(lambda r, c: _latent(r, c, larger=-1), "where several are as near, the largest"),
        Mistake(_rounded, "try all pairs: rounding the root lands beside the nearest ratio"),
    )
    try_out("exercise 1", function, cases, mistakes)


def _latent(ratio: float, cells: int, larger: int = 1) -> Scale:
    pairs = [(h, w) for h in range(1, cells + 1) for w in range(1, cells // h + 1)]

    def worse(pair: Scale) -> tuple[float, int]:
        return round(abs(pair[1] / pair[0] - ratio), 9), -larger * pair[0] * pair[1]

    return min(pairs, key=worse)


def _rounded(ratio: float, cells: int) -> Scale:
    return round(math.sqrt(cells / ratio)), round(math.sqrt(cells * ratio))


def shared_scales(function: Callable) -> None:
    """Try `function(small, large, ramp_to)` -> how many scales of two schedules get equal codes, drawn
    with one seed and a guidance that reaches full strength at the scale `ramp_to`, or at the last.
    """
    seven = square(1, 2, 3, 4, 5, 6, 8)
    pairs = {
        "seven scales and nine, ramp to the seventh": (seven, (*seven, (11, 11), (16, 16)), 6),
        "seven scales and nine, ramp to the last": (seven, (*seven, (11, 11), (16, 16)), None),
        "one schedule twice": (seven, seven, None),
        "a square and a wide picture": (seven, schedule_for(seven, (8, 16)), 6),
        "another third scale": (seven, square(1, 2, 4, 5, 6, 7, 8), None),
    }
    cases = [Case(given, _shared(*given), told) for told, given in pairs.items()]
    mistakes = (
        Mistake(lambda a, b, r: _shared(a, b, 6), "without `ramp_to` the ramps differ: compare"),
        Mistake(
            lambda a, b, r: _shared(a, b, r, sizes=False),
            "the maps must have equal sizes as well",
        ),
        Mistake(lambda a, b, r: _shared(a, b, r) - 1, "how many, not the number of the last one"),
        Mistake(
            lambda a, b, r: sum(x == y for x, y in zip(a, b, strict=False)),
            "once a scale differs, the model sees other pictures: all later scales differ too",
        ),
    )
    try_out("exercise 2", function, cases, mistakes)


def _shared(a: Schedule, b: Schedule, ramp_to: int | None, sizes: bool = True) -> int:
    for k in range(min(len(a), len(b))):
        strengths = {guidance_at(1.5, k, len(scales), ramp_to) for scales in (a, b)}
        if len(strengths) > 1 or (sizes and a[k] != b[k]):
            return k
    return min(len(a), len(b))


def ripples(function: Callable) -> None:
    """Try `function(pictures)` -> pictures (N, 3, S, S) that were blurred and then given a wave, so
    that their `detail` is that of the given ones again.
    """
    given = to_float(toy_images(PICTURES, 64, seed=4).images)
    mistakes = (
        Mistake(lambda x: x, "these are the given pictures: blur them first"),
        Mistake(_blurred, "these are blurred, without a wave"),
    )
    case = Case((given,), lambda answer: _ripple_fault(answer, given), "pictures of 64 x 64")
    try_out("exercise 3", function, [case], mistakes)


def _blurred(pictures: Tensor) -> Tensor:
    side = pictures.shape[-1]
    return resized(resized(pictures, side // 2), side)


def _ripple_fault(answer: object, given: Tensor) -> str:
    fault = faults_of_tensor(answer, tuple(given.shape))
    if fault:
        return fault
    assert isinstance(answer, Tensor)
    answer = answer.float()
    ratio = (detail(answer).mean() / detail(given).mean()).item()
    power = spectrum(answer) / spectrum(given)
    bump = power / (power.roll(1) + power.roll(-1)).clamp_min(1e-9)  # of its two neighbours' sum
    fine = power[-power.numel() // 4 :].median().item()
    if fine > 0.7:
        power_of = f"the finest frequencies have {fine:.2f} times the power of the given ones"
        return f"{power_of}: blur the pictures first"
    if abs(ratio - 1) > 0.05:
        advice = "raise" if ratio < 1 else "lower"
        return f"their detail is {ratio:.2f} times that of the given ones: {advice} the amplitude"
    if bump[1:-1].max().item() < 1:
        return "the spectrum shows no bump: noise has all frequencies, add a wave of one"
    return ""


def price(function: Callable) -> None:
    """Try `function(schedule, timed)` -> the seconds of an image along a schedule, by the straight line
    through the tokens and seconds of `timed` (schedule -> seconds).
    """
    poster = schedule_for(VAR_256, (64, 64))
    costs = [(0.02, 1e-4), (0.5, 2e-4)]
    cases = []
    for start, slope in costs:
        timed = {s: start + slope * token_count(s) for s in TABLE_7.values()}
        asked = ((poster, "1024 pixels"), (square(1, 2, 3), "three small scales"))
        for schedule, told in asked:
            seconds = start + slope * token_count(schedule)
            cases.append(Case((schedule, timed), seconds, f"{told}, {start} s for no token"))
    mistakes = (
        Mistake(_through_zero, "the line need not go through zero: each call costs time as well"),
        Mistake(_by_steps, "the line is over tokens, not over steps"),
        Mistake(_slope_alone, "add where the line starts"),
    )
    try_out("exercise 4", function, cases, mistakes)


def _fit(x: list[float], y: list[float]) -> tuple[float, float]:
    columns = torch.tensor([x, [1.0] * len(x)], dtype=torch.float64).T
    answer = torch.linalg.lstsq(columns, torch.tensor(y, dtype=torch.float64)[:, None]).solution
    return answer[1].item(), answer[0].item()


def _through_zero(schedule: Schedule, timed: Mapping[Schedule, float]) -> float:
    x = torch.tensor([float(token_count(s)) for s in timed])
    y = torch.tensor(list(timed.values()))
    return token_count(schedule) * (x @ y / (x @ x)).item()


def _by_steps(schedule: Schedule, timed: Mapping[Schedule, float]) -> float:
    start, slope = _fit([float(len(s)) for s in timed], list(timed.values()))
    return start + slope * len(schedule)


def _slope_alone(schedule: Schedule, timed: Mapping[Schedule, float]) -> float:
    _, slope = _fit([float(token_count(s)) for s in timed], list(timed.values()))
    return slope * token_count(schedule)
