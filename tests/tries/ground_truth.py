import itertools

import torch
import torch.nn.functional as F

from varbook.book.exercises import ground_truth

TOKENS = [
    torch.randint(64, (20, side, side), generator=torch.Generator().manual_seed(side))
    for side in (1, 2, 4)
]


def larger(g, like, mode="bicubic"):
    return F.interpolate(g, size=like.shape[-2:], mode=mode)


def built(join):
    def rebuild(parts):
        g = parts[0]
        for r in parts[1:]:
            g = join(g, r)
        return g

    return rebuild


def resize(shift=0.5, back=0.5):
    def read(row, n):
        side = row.shape[1]
        places = ((torch.arange(n) + shift) * side / n - back).clamp(0, side - 1)
        left = places.long().clamp(max=side - 2)
        share = places - left
        return row[:, left] * (1 - share) + row[:, left + 1] * share

    return read


def corners(row, n):
    return F.interpolate(row[None], size=n, mode="linear", align_corners=True)[0]


def drawn(budget=680, goes=lambda dice: dice.randrange(4), start=(1, 2)):
    def sides(dice):
        middle = sorted(dice.sample(range(3, 11), 5)), sorted(dice.sample(range(11, 16), 2))
        found = [*start, *middle[0], *middle[1], 16]
        while sum(side * side for side in found) > budget:
            found.pop(len(found) - 1 - goes(dice))
        return found

    return sides


def share(a, b, far=lambda way, seen: abs(way) >= abs(seen) - 1e-9):
    whole = torch.tensor([*a, *b])
    ways = []
    for pick in itertools.combinations(range(len(whole)), len(a)):
        others = [i for i in range(len(whole)) if i not in pick]
        ways.append(float(whole[list(pick)].mean() - whole[others].mean()))
    return sum(far(way, ways[0]) for way in ways) / len(ways)


TRIES = {
    "rebuild": (
        ground_truth.rebuild,
        built(lambda g, r: r + larger(g, r)),
        {
            "go step by step": lambda parts: sum(larger(one, parts[-1]) for one in parts),
            "to come back it is added": built(lambda g, r: r - larger(g, r)),
            "the same when you add": built(lambda g, r: r + larger(g, r, "nearest")),
            "with bicubic interpolation": built(lambda g, r: r + larger(g, r, "bilinear")),
            "is the last residual": lambda parts: parts[-1],
        },
    ),
    "resized": (
        ground_truth.resized,
        resize(),
        {
            "not at the border": corners,
            "cell i of n has its centre": resize(0, 0),
            "take the half away again": resize(0.5, 0),
            "mix the two neighbours": lambda row, n: F.interpolate(row[None], size=n)[0],
            "mean over areas": lambda row, n: F.adaptive_avg_pool1d(row[None], n)[0],
            "wanted (2, 8)": lambda row, n: row,
        },
    ),
    "released sides": (
        ground_truth.released_sides,
        drawn(),
        {
            "may be removed, too": drawn(goes=lambda dice: 1 + dice.randrange(3)),
            "not always the last": drawn(goes=lambda dice: 0),
            "as likely to go": drawn(goes=lambda dice: dice.choice((0, 1, 1, 1, 1, 1))),
            "every draw begins with 1": drawn(goes=lambda dice: dice.randrange(7)),
            "until at most 680": drawn(budget=10_000),
            "side 2 is often missing": drawn(start=(1,)),
            "between 3 and 10: draw 5": lambda dice: [1, 2, 9, dice.choice((13, 15, 16, 16))],
            "none comes twice": lambda dice: [1, 2, 3, 3, 16],
            "a list of whole numbers": lambda dice: dice,
        },
    ),
    "dream": (
        lambda function: ground_truth.dream(function, TOKENS, 64),
        lambda tokens: [torch.full_like(one, 7) for one in tokens],
        {
            "the given maps": lambda tokens: tokens,
            "renaming codes": lambda tokens: [(one + 1) % 64 for one in tokens],
            "to other places changes nothing": lambda tokens: [one.flip(-1) for one in tokens],
            "still costs": lambda tokens: [one // 2 for one in tokens],
            "are whole": lambda tokens: [one * 0.0 for one in tokens],
            "between 0 and 63": lambda tokens: [one * 0 + 64 for one in tokens],
            "one for each scale": lambda tokens: tokens[0],
            "wanted (20, 1, 1)": lambda tokens: [one[0] for one in tokens],
        },
    ),
    "p value": (
        ground_truth.p_value,
        share,
        {
            "at least as far": lambda a, b: share(a, b, lambda x, y: abs(x) > abs(y) + 1e-9),
            "either direction": lambda a, b: share(
                a, b, lambda x, y: x * (1 if y > 0 else -1) >= abs(y) - 1e-9
            ),
            "the other ways": lambda a, b: 1 - share(a, b),
            "divide by the number": lambda a, b: share(a, b) * len(ground_truth._ways(a, b)),
        },
    ),
}
