"""What readers may try in chapter 13."""

from varbook.book.claims.registry import published
from varbook.book.exercises import results

TABLE_1, TABLE_2 = (published(name).as_dicts() for name in ("cyclevar-table-1", "flexvar-table-2"))


def verdict(checks, third=2 / 3):
    share = sum(checks.values()) / len(checks)
    if share == 1:
        return "held"
    return "nearly held" if share >= third else "partly" if share else "not held"


def chances(count, chance):
    held, lost = chance**count, (1 - chance) ** count
    return {"held": held, "partly": 1 - held - lost, "not held": lost}


def advantage(rows, sign=1):
    fid = {row["model"]: row["FID"] for row in rows if row["steps"] == 10}
    return [sign * (fid[f"VAR-d{d}"] - fid[f"FlexVAR-d{d}"]) for d in (16, 20, 24)]


def front(points, strictly=False):
    def beats(a, b):
        if strictly:  # a tie counts as being beaten
            return a != b and a[1] <= b[1] and a[2] <= b[2]
        return a[1] <= b[1] and a[2] <= b[2] and a[1:] != b[1:]

    return {b[0] for b in points if not any(beats(a, b) for a in points)}


def best(points):
    return {min(points, key=lambda point: point[1])[0]}


TRIES = {
    "nearly held": (
        results.nearly,
        verdict,
        {
            "two thirds count, too": lambda checks: verdict(checks, 0.7),
            "ask for all of them first": lambda checks: (
                "nearly held" if sum(checks.values()) / len(checks) >= 2 / 3 else verdict(checks)
            ),
            "fewer than two thirds": lambda checks: verdict(checks, 0.5),
            "wanted one of held": lambda checks: sum(checks.values()),
        },
    ),
    "by luck": (
        results.by_luck,
        chances,
        {
            "not one": lambda n, p: chances(n, p) | {"held": p},
            "that none is true": lambda n, p: chances(n, p) | {"not held": 1 - p**n},
            "any number of true checks": lambda n, p: (
                chances(n, p) | {"partly": n * p * (1 - p) ** (n - 1)}
            ),
            "wanted a dictionary": lambda n, p: p**n,
        },
    ),
    "a referee's habit": (
        lambda function: results.advantage(function, TABLE_2),
        advantage,
        {
            "how far is FlexVAR below VAR": lambda rows: advantage(rows, -1),
            "not for places in the list": lambda rows: [0.5, 0.54, 0.12],
            "wanted a list of three": lambda rows: advantage(rows)[0],
        },
    ),
    "both fronts": (
        lambda function: results.both_fronts(function, TABLE_1),
        lambda first, second: front(first) & front(second),
        {
            "on both, please": lambda first, second: front(first) | front(second),
            "of one task alone": lambda first, second: front(second),
            "a tie beats nobody": lambda first, second: front(first, True) & front(second, True),
            "is beaten in one": lambda first, second: {point[0] for point in first},
        },
    ),
}
