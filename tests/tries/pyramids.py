import torch

from varbook.book.exercises import pyramids
from varbook.tokenizer.pyramid import down, up
from varbook.tokenizer.schedule import square


def missing(f, schedule, anew=False, replaced=False, power=1.0, share=True):
    total, found = torch.zeros_like(f), []
    for size in schedule:
        step = up(down(f if anew else f - total, size), f.shape[-2:])
        total = step if replaced else total + step
        left = (f - total).square().mean() / (f.square().mean() if share else 1)
        found.append(float(left) ** power)
    return found


def sizes(height, width, count, least=1):
    steps = [k / count for k in range(1, count + 1)]
    return [(max(least, round(height * s)), max(least, round(width * s))) for s in steps]


def inputs(codes, leak=0, early=False, shrink=True):
    full = codes[-1].shape[-2:]
    found = []
    for k in range(1, len(codes)):
        size = codes[k].shape[-2:]
        total = sum(up(c, size if early else full) for c in codes[: k + leak])
        found.append(down(total, size) if shrink else total)
    return found


def scales(low, high, repeat=False, ordered=True, full=True):
    def draw(side, count, generator):
        if repeat:
            below = torch.randint(low, side + high, (count - 1,), generator=generator)
        else:
            below = torch.randperm(side + high - low, generator=generator)[: count - 1] + low
        below = sorted(below.tolist()) if ordered else below.tolist()
        return (
            square(*below, side) if ordered and full else [(h, h) for h in [*below, side]][-count:]
        )

    return draw


def without_the_full_size(side, count, generator):
    return [
        (h, h) for h in sorted((torch.randperm(side - 1, generator=generator)[:count] + 1).tolist())
    ]


TRIES = {
    "still missing": (
        pyramids.still_missing,
        missing,
        {
            "not f anew": lambda f, schedule: missing(f, schedule, anew=True),
            "the sum grows": lambda f, schedule: missing(f, schedule, replaced=True),
            "there is no root": lambda f, schedule: missing(f, schedule, power=0.5),
            "a share has no unit": lambda f, schedule: missing(f, schedule, share=False),
            "got a list of 1": lambda f, schedule: missing(f, schedule)[:1],
        },
    ),
    "a schedule for a shape": (
        pyramids.schedule_for,
        sizes,
        {
            "in this order": lambda h, w, n: sizes(w, h, n, 0),
            "max(1, ...)": lambda h, w, n: sizes(h, w, n, 0),
            "count from 1": lambda h, w, n: [
                (round(h * k / n), round(w * k / n)) for k in range(n)
            ],
            "another aspect ratio": lambda h, w, n: [*[(k, k) for k in range(1, n)], (h, w)],
            "do not grow": lambda h, w, n: [(h, w)] * n,
            "not of pictures in pixels": lambda h, w, n: [
                (8 * h * k // n, 8 * w * k // n) for k in range(1, n + 1)
            ],
        },
    ),
    "what a VAR sees": (
        pyramids.seen_inputs,
        inputs,
        {
            "what FlexVAR shows": lambda codes: [
                up(codes[k], codes[k + 1].shape[-2:]) for k in range(len(codes) - 1)
            ],
            "given away": lambda codes: inputs(codes, leak=1),
            "add at full size": lambda codes: inputs(codes, early=True),
            "downsampled to the next scale's": lambda codes: inputs(codes, shrink=False),
            "got a list of 3, wanted a list of 2": lambda codes: [codes[0], *inputs(codes)],
        },
    ),
    "random scales": (
        pyramids.random_scales,
        scales(1, 0),
        {
            "without putting back": scales(1, 0, repeat=True),
            "coarse to fine": scales(1, 0, ordered=False),
            "belongs to every step": without_the_full_size,
            "the sides [1] are never drawn": scales(2, 0),
            "the sides [15] are never drawn": scales(1, -1),
        },
    ),
}
