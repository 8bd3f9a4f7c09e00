"""The exercises of chapter 12."""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from varbook.book.exercises.checking import Case, Mistake, try_out


def without_habit(function: Callable) -> None:
    """Try `function(observed, lazy, methods)` -> the share that a method would have without the
    clicks of voters who do not look, in a shuffled study.
    """
    plans = ((0.5, 0.2, 3), (0.4, 0.5, 5), (0.25, 0.3, 4), (0.7, 0.0, 2))
    cases = [
        Case((s, z, m), (s - z / m) / (1 - z), f"share {s:g}, habit {z:g}, {m} methods")
        for s, z, m in plans
    ]
    mistakes = (
        Mistake(
            lambda s, z, m: (s - z) / (1 - z),
            "that is for a fixed place: shuffled, the clicks of habit fall on all methods alike",
        ),
        Mistake(lambda s, z, m: s - z / m, "of all votes: divide by the share of those who look"),
        Mistake(lambda s, z, m: s / (1 - z), "the clicks of habit count for this method, too"),
        Mistake(
            lambda s, z, m: z / m + (1 - z) * s,
            "that is the observed share from the true one, not turned round",
        ),
    )
    try_out("exercise 1", function, cases, mistakes)


def balanced(function: Callable) -> None:
    """Try `function(methods, count)` -> `count` orders of all methods, in which each stands in each
    place equally often.
    """
    plans = ((("a", "b", "c"), 6), (tuple("abcde"), 10), (("ours", "theirs"), 2))
    cases = [
        Case(plan, _balance(*plan), f"{len(plan[0])} methods, {plan[1]} pictures") for plan in plans
    ]
    try_out("exercise 2", function, cases)


def _balance(methods: Sequence[str], count: int) -> Callable[[object], str]:
    def fault(answer: object) -> str:
        if not isinstance(answer, (list, tuple)):
            return f"got a {type(answer).__name__}, wanted a list of orders"
        if len(answer) != count:
            return f"got {len(answer)} orders, wanted {count}"
        for order in answer:
            if not isinstance(order, (tuple, list)):
                return f"an order is a tuple of methods, not a {type(order).__name__}"
            if sorted(map(str, order)) != sorted(methods):
                return f"{tuple(order)} does not have each method once"
        wanted = count // len(methods)
        for place in range(len(methods)):
            often = Counter(order[place] for order in answer)
            for name in methods:
                if often[name] != wanted:
                    there = f'"{name}" stands {often[name]} times in place {place + 1}'
                    return f"{there}, wanted {wanted}"
        return ""

    return fault


SEEN = {"1.png": ["a", "a", "b"], "2.png": ["a", "a"], "3.png": ["b"]}


def agreement(function: Callable) -> None:
    """Try `function(choices)` -> the chance that two different voters chose the same method."""
    sets = (
        (SEEN, "three pictures"),
        ({"1.png": list("abc"), "2.png": list("aabb")}, "no agreement, and some"),
        ({"1.png": list("aaaab"), "2.png": ["b"], "3.png": list("bb")}, "many voters, and one"),
    )
    cases = [Case((choices,), _agreement(choices), told) for choices, told in sets]
    mistakes = (
        Mistake(
            lambda c: _mean(sum(n * n for n in _counts(v)) / len(v) ** 2 for v in _several(c)),
            "two different voters: nobody is paired with themselves",
        ),
        Mistake(_pooled, "average over the pictures: each counts once, however many voters it had"),
        Mistake(
            lambda c: _mean(_share(v) if len(v) > 1 else 0.0 for v in c.values()),
            "a picture with one voter has no pair: leave it out",
        ),
        Mistake(
            lambda c: _mean(_share(v) if len(v) > 1 else 1.0 for v in c.values()),
            "a picture with one voter has no pair: leave it out",
        ),
        Mistake(
            lambda c: _mean(max(_counts(v)) / len(v) for v in _several(c)),
            "that is the share of the favourite, not of pairs that agree",
        ),
    )
    try_out("exercise 3", function, cases, mistakes)


def _counts(votes: Sequence[str]) -> list[int]:
    return list(Counter(votes).values())


def _several(choices: Mapping[str, Sequence[str]]) -> list[Sequence[str]]:
    return [votes for votes in choices.values() if len(votes) > 1]


def _pairs(votes: Sequence[str]) -> list[bool]:
    return [a == b for a, b in itertools.combinations(votes, 2)]


def _share(votes: Sequence[str]) -> float:
    return sum(_pairs(votes)) / len(_pairs(votes))


def _mean(shares) -> float:
    listed = list(shares)
    return sum(listed) / len(listed)


def _agreement(choices: Mapping[str, Sequence[str]]) -> float:
    return _mean(_share(votes) for votes in _several(choices))


def _pooled(choices: Mapping[str, Sequence[str]]) -> float:
    return _mean(same for votes in choices.values() for same in _pairs(votes))


DUELS = [("a", "b")] * 3 + [("b", "a")] + [("b", "c")] * 3 + [("c", "b")]


def strengths(function: Callable) -> None:
    """Try `function(duels)` -> the strength of each method (Bradley and Terry), adding up to one."""
    chain = [("x", "y")] * 2 + [("y", "x")] + [("y", "z")] * 4 + [("z", "y")] + [("z", "x")]
    cases = [
        Case((DUELS,), _judged(DUELS), "three methods, two of which never met"),
        Case((chain,), _judged(chain), "three methods in a circle"),
    ]
    try_out("exercise 4", function, cases)


def _fitted(duels: Sequence[tuple[str, str]], rounds: int = 500) -> dict[str, float]:
    names = sorted({name for duel in duels for name in duel})
    wins = Counter(winner for winner, _ in duels)
    s = dict.fromkeys(names, 1.0)
    for _ in range(rounds):
        new = {n: wins[n] / sum(1 / (s[a] + s[b]) for a, b in duels if n in (a, b)) for n in names}
        s = {n: value / sum(new.values()) for n, value in new.items()}
    return s


def _judged(duels: Sequence[tuple[str, str]]) -> Callable[[object], str]:
    wanted = _fitted(duels)
    played = Counter(name for duel in duels for name in duel)
    won = Counter(winner for winner, _ in duels)
    shares = {name: won[name] / played[name] for name in wanted}
    one_round = _fitted(duels, rounds=1)

    def close(answer: Mapping, other: Mapping, scale: float = 1.0) -> bool:
        return all(math.isclose(answer[n], scale * other[n], rel_tol=2e-2) for n in wanted)

    def fault(answer: object) -> str:
        if not isinstance(answer, Mapping) or set(answer) != set(wanted):
            return f"got a {type(answer).__name__}, wanted a dictionary of {', '.join(wanted)}"
        if not all(isinstance(value, (int, float)) for value in answer.values()):
            return "each strength is a number"
        total = sum(answer.values())
        if close(answer, shares):
            return "these are shares of duels won: who beats a strong method should gain more"
        if close(answer, one_round):
            return "that is one round of the recipe: repeat it until nothing changes any more"
        if not math.isclose(total, 1, rel_tol=1e-3):
            scaled = close(answer, wanted, total)
            told = "only the scale is off" if scaled else f"they add up to {total:.3g}"
            return f"{told}: divide by the sum, so that they add up to one"
        if not close(answer, wanted):
            name = max(wanted, key=lambda n: abs(answer[n] - wanted[n]))
            return f'the strength of "{name}" is {answer[name]:.3f}, wanted {wanted[name]:.3f}'
        return ""

    return fault
