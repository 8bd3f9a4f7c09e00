"""What readers may try in chapter 10."""

import math

from varbook.book.exercises import ablations


def share(alpha, scales):
    return sum(alpha**k for k in range(scales)) / scales


def pictures(cosine, wanted):
    return wanted * (1 - cosine) / (cosine * (1 - wanted))


TRIES = {
    "false alarm": (
        ablations.false_alarm,
        lambda n: math.factorial(n) ** 2 / math.factorial(2 * n),
        {
            "only the first is called farther": lambda n: 2 / math.comb(2 * n, n),
            "pairs the seeds off": lambda n: 0.5**n,
            "comparisons are not independent": lambda n: 0.5 ** (n * n),
            "within a row the order": lambda n: 1 / math.factorial(2 * n),
        },
    ),
    "same noise": (
        ablations.same_noise,
        lambda s, tau, other: s / other * tau,
        {
            "wrong way round": lambda s, tau, other: other / s * tau,
            "the density p(0) depends": lambda s, tau, other: tau,
            "the root is taken": lambda s, tau, other: math.sqrt(s / other) * tau,
            "not one over s squared": lambda s, tau, other: (s / other) ** 2 * tau,
        },
    ),
    "pictures for a direction": (
        ablations.pictures_needed,
        lambda c, w: math.ceil(pictures(c, w)),
        {
            "length of a mean shrinks": lambda c, w: math.ceil(w / c),
            "no root here": lambda c, w: math.ceil((w / c) ** 2),
            "round up": pictures,
            "one picture more": lambda c, w: int(pictures(c, w)),
        },
    ),
    "share as printed": (
        ablations.share_as_printed,
        share,
        {
            "divide by it": lambda a, n: a * share(a, n),
            "divide by K": lambda a, n: n * share(a, n),
            "the first scale alone": lambda a, n: a ** (n - 1),
            "stops with ZeroDivisionError": lambda a, n: (1 - a**n) / (n * (1 - a)),
        },
    ),
}
