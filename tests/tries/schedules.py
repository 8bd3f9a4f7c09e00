import math

import torch

from varbook.book.exercises import schedules
from varbook.evaluate.generation import detail, resized
from varbook.generate.sampling import guidance_at
from varbook.tokenizer.schedule import token_count


def nearest(ratio, cells, far=0, sign=1):
    pairs = [(h, w) for h in range(1, cells + 1) for w in range(1, cells // h + 1)]
    off = [(round(abs(w / h - ratio), 9), -sign * h * w, (h, w)) for h, w in pairs]
    return sorted(off)[far][2]


def shared(small, large, ramp_to):
    equal = 0
    for k, (a, b) in enumerate(zip(small, large)):
        ramps = [guidance_at(1.5, k, len(scales), ramp_to) for scales in (small, large)]
        if a != b or ramps[0] != ramps[1]:
            break
        equal += 1
    return equal


def blurred(x):
    return resized(resized(x, x.shape[-1] // 2), x.shape[-1])


def wave(side):
    return torch.cos(torch.arange(side) * math.pi / 2)


def rippled(x, goal=1.0, start=blurred, noise=False):
    one = wave(x.shape[-1])
    added = (one[None] + one[:, None]) / 2
    if noise:
        added = torch.randn(x.shape[-2:], generator=torch.Generator().manual_seed(0))
    for step in range(1000):
        made = (start(x) + step / 500 * added).clamp(-1, 1)
        if detail(made).mean() >= goal * detail(x).mean():
            return made
    return made


def fitted(schedule, timed):
    x = torch.tensor([[token_count(s), 1.0] for s in timed], dtype=torch.float64)
    y = torch.tensor(list(timed.values()), dtype=torch.float64)
    slope, start = torch.linalg.lstsq(x, y[:, None]).solution.flatten()
    return (start + slope * token_count(schedule)).item()


TRIES = {
    "keep the area": (
        schedules.keep_the_area,
        nearest,
        {
            "(height, width), in this order": lambda r, c: nearest(r, c)[::-1],
            "where several are as near, the largest": lambda r, c: nearest(r, c, sign=-1),
            "try all pairs": lambda r, c: (round((c / r) ** 0.5), round((c * r) ** 0.5)),
        },
    ),
    "shared scales": (
        schedules.shared_scales,
        shared,
        {
            "the ramps differ": lambda a, b, r: shared(a, b, 6),
            "equal sizes as well": lambda a, b, r: (
                1 if r is None and len(a) != len(b) else min(len(a), len(b))
            ),
            "not the number of the last": lambda a, b, r: shared(a, b, r) - 1,
            "all later scales differ too": lambda a, b, r: sum(x == y for x, y in zip(a, b)),
        },
    ),
    "ripples": (
        schedules.ripples,
        rippled,
        {
            "blur the pictures first": lambda x: rippled(x, 1.3, start=lambda x: x),
            "these are blurred, without a wave": blurred,
            "these are the given pictures": lambda x: x,
            "noise has all frequencies": lambda x: rippled(x, noise=True),
            "raise the amplitude": lambda x: rippled(x, 0.8),
            "lower the amplitude": lambda x: rippled(x, 1.3),
        },
    ),
    "price": (
        schedules.price,
        fitted,
        {
            "through zero": lambda s, t: (
                token_count(s)
                * sum(token_count(a) * y for a, y in t.items())
                / sum(token_count(a) ** 2 for a in t)
            ),
            "over tokens, not over steps": lambda s, t: fitted_to_steps(s, t),
            "add where the line starts": lambda s, t: fitted(s, t) - fitted([(0, 0)], t),
        },
    ),
}


def fitted_to_steps(schedule, timed):
    x = torch.tensor([[len(s), 1.0] for s in timed], dtype=torch.float64)
    y = torch.tensor(list(timed.values()), dtype=torch.float64)
    slope, start = torch.linalg.lstsq(x, y[:, None]).solution.flatten()
    return (start + slope * len(schedule)).item()
