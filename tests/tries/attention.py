import math

import torch

from varbook.book.exercises import attention

HALF = 8


def clock(places):
    angles = places[:, None] * 10_000 ** (-torch.arange(32) / 32)
    return torch.cat((angles.sin(), angles.cos()), 1)


def looks(away, loud):
    def queries_and_keys(length):
        places = torch.arange(float(length))
        return loud * clock(places + away), clock(places)

    return queries_and_keys


def weighted(divide=True, root=True, safe=True):
    def attend(q, keys, values):
        total, mixed, largest = 0.0, torch.zeros_like(values[0]), 0.0
        scores = keys @ q / (math.sqrt(len(q)) if root else 1)
        largest = scores.max() if safe else 0.0
        for score, value in zip(scores, values, strict=True):
            weight = (score - largest).exp()
            total, mixed = total + weight, mixed + weight * value
        return mixed / total if divide else mixed

    return attend


TRIES = {
    "one by one": (
        attention.one_by_one,
        weighted(),
        {
            "exp(1000) is infinite": weighted(safe=False),
            "divide by their sum": weighted(divide=False),
            "root of D": weighted(root=False),
            "got shape (9,), wanted (8,)": lambda q, k, v: k @ q,
        },
    ),
    "the one before": (
        attention.previous,
        looks(-1, 50),
        {
            "looks at itself": looks(0, 50),
            "mind the sign": looks(1, 50),
            "make the scores larger": looks(-1, 1),
            "return two things": lambda length: clock(torch.arange(12.0)),
            "wanted (12, 64)": lambda length: (torch.zeros(64, 12), torch.zeros(64, 12)),
        },
    ),
    "mirrored": (
        lambda function: attention.mirrored(function, HALF),
        lambda p: 2 * HALF - 2 - p,
        {
            "name the next": lambda p: 2 * HALF - 1 - p,
            "not mirrored": lambda p: p - HALF + 1,
        },
    ),
}
