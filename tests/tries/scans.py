import math

import torch

from varbook.book.exercises import scans
from varbook.transformer.scan import linear_scan
from varbook.transformer.scan_paths import zigzag


def combined(a, b, neutral=(1.0, 0.0), turned=False):
    while a.shape[1] > 1:
        if a.shape[1] % 2:
            a = torch.cat((a, torch.full_like(a[:, :1], neutral[0])), 1)
            b = torch.cat((b, torch.full_like(b[:, :1], neutral[1])), 1)
        odd, even = a[:, ::2], a[:, 1::2]
        if turned:
            b = odd * b[:, 1::2] + b[:, ::2]
        else:
            b = even * b[:, ::2] + b[:, 1::2]
        a = odd * even
    return b[:, 0]


def opposite(path, height, width):
    order = zigzag((height, width), path).flip(0).tolist()
    return [zigzag((height, width), one).tolist() for one in range(8)].index(order)


def spiral(height, width, corners_twice=False):
    top, left, bottom, right, path = 0, 0, height - 1, width - 1, []
    while top <= bottom and left <= right:
        path += [(top, x) for x in range(left, right + 1)]
        path += [(y, right) for y in range(top + (not corners_twice), bottom + 1)]
        if top < bottom and left < right:
            path += [(bottom, x) for x in range(right - 1, left - 1, -1)]
            path += [(y, left) for y in range(bottom - 1, top, -1)]
        top, left, bottom, right = top + 1, left + 1, bottom - 1, right - 1
    return [y * width + x for y, x in path]


def downwards(height, width):
    turned = spiral(width, height)
    return [place % height * width + place // height for place in turned]


TRIES = {
    "half-life": (
        scans.half_life,
        lambda rate, step: math.ceil(math.log(2) / (rate * step)),
        {
            "round up: one less": lambda r, s: math.floor(math.log(2) / (r * s)),
            "A counts as well": lambda r, s: math.ceil(math.log(2) / s),
            "tokens come whole": lambda r, s: math.log(2) / (r * s),
            "1 / e is left then": lambda r, s: math.ceil(1 / (r * s)),
        },
    ),
    "in pairs": (
        scans.in_pairs,
        combined,
        {
            "erases the state": lambda a, b: combined(a, b, neutral=(0.0, 0.0)),
            "the earlier step comes first": lambda a, b: combined(a, b, turned=True),
            "return the last state alone": lambda a, b: linear_scan(a, b),
            "what came earlier has faded": lambda a, b: b.sum(1),
        },
    ),
    "way back": (
        scans.way_back,
        opposite,
        {
            "odd or even": lambda path, h, w: opposite(path, 8, 8),
            "the opposite corner": lambda path, h, w: (path + 4) % 8,
            "height comes first": lambda path, h, w: opposite(path, w, h),
            "that is the path itself": lambda path, h, w: path,
        },
    ),
    "spiral": (
        scans.spiral,
        spiral,
        {
            "that is the way out": lambda h, w: spiral(h, w)[::-1],
            "that is a zigzag": lambda h, w: zigzag((h, w), 0).tolist(),
            "along the top row first": downwards,
            "a corner belongs to one side only": lambda h, w: spiral(h, w, True)[: h * w],
            "it jumps from place": lambda h, w: list(range(h * w)),
            "misses the places": lambda h, w: spiral(h, w)[:-1],
        },
    ),
}
