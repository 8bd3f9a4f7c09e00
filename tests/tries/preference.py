"""What readers may try in chapter 12."""

import itertools
from collections import Counter

from varbook.book.exercises import preference


def turned(methods, count):
    size = len(methods)
    return [tuple(methods[(place + n) % size] for place in range(size)) for n in range(count)]


def pairs_of(votes):
    return [a == b for a, b in itertools.combinations(votes, 2)]


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def agreement(choices, alone=None):
    shares = [mean(pairs_of(v)) if len(v) > 1 else alone for v in choices.values()]
    return mean(share for share in shares if share is not None)


def strengths(duels, rounds=300, scaled=True):
    names = sorted({name for duel in duels for name in duel})
    wins = Counter(winner for winner, _ in duels)
    s = dict.fromkeys(names, 1.0)
    for _ in range(rounds):
        s = {n: wins[n] / sum(1 / (s[a] + s[b]) for a, b in duels if n in (a, b)) for n in names}
        if scaled:
            s = {n: value / sum(s.values()) for n, value in s.items()}
    return s


def shares_won(duels):
    played = Counter(name for duel in duels for name in duel)
    return {name: Counter(w for w, _ in duels)[name] / count for name, count in played.items()}


TRIES = {
    "without habit": (
        preference.without_habit,
        lambda share, lazy, methods: (share - lazy / methods) / (1 - lazy),
        {
            "for a fixed place": lambda s, z, m: (s - z) / (1 - z),
            "divide by the share": lambda s, z, m: s - z / m,
            "count for this method": lambda s, z, m: s / (1 - z),
            "not turned round": lambda s, z, m: z / m + (1 - z) * s,
        },
    ),
    "balanced": (
        preference.balanced,
        turned,
        {
            "stands 6 times in place 1, wanted 2": lambda methods, count: [methods] * count,
            "orders, wanted 6": lambda methods, count: turned(methods, len(methods)),
            "each method once": lambda methods, count: [(methods[0],) * len(methods)] * count,
            "not a str": lambda methods, count: ["".join(methods)] * count,
        },
    ),
    "agreement": (
        preference.agreement,
        agreement,
        {
            "paired with themselves": lambda choices: mean(
                sum(n * n for n in Counter(v).values()) / len(v) ** 2
                for v in choices.values()
                if len(v) > 1
            ),
            "each counts once": lambda c: mean(same for v in c.values() for same in pairs_of(v)),
            "leave it out": lambda choices: agreement(choices, alone=0.0),
            "has no pair": lambda choices: agreement(choices, alone=1.0),
            "share of the favourite": lambda choices: mean(
                max(Counter(v).values()) / len(v) for v in choices.values() if len(v) > 1
            ),
        },
    ),
    "strengths": (
        preference.strengths,
        strengths,
        {
            "shares of duels won": shares_won,
            "one round": lambda duels: strengths(duels, rounds=1),
            "only the scale is off": lambda duels: {
                name: 10 * value for name, value in strengths(duels).items()
            },
            'the strength of "': lambda duels: {
                name: 1 / len(strengths(duels)) for name in strengths(duels)
            },
            "wanted a dictionary of a, b, c": lambda duels: list(strengths(duels).values()),
        },
    ),
}
