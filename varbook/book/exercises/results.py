"""The exercises of chapter 13."""

import math
from collections.abc import Callable, Mapping, Sequence

from varbook.book.exercises.checking import Case, try_out

WORDS = ("held", "nearly held", "partly", "not held")
Point = tuple[str, float, float]  # a method, its FID, its structure distance


def nearly(function: Callable) -> None:
    """Try `function(checks)` -> one of four verdicts: "nearly held" from two thirds on."""
    wholes = ((1, 1, 1), (1, 1, 0), (1, 0, 0), (0, 0, 0), (1, 1, 1, 1, 0, 0), (1, 1, 0, 0), (1,))
    cases = []
    for values in wholes:
        checks = {f"check {n}": bool(value) for n, value in enumerate(values)}
        told = f"{sum(values)} of {len(values)} checks true"
        cases.append(Case((checks,), _word_is(_verdict(checks)), told))
    try_out("exercise 1", function, cases)


def _verdict(checks: Mapping[str, bool]) -> str:
    true = sum(checks.values())
    if true in (0, len(checks)):
        return WORDS[0] if true else WORDS[3]
    return WORDS[1] if 3 * true >= 2 * len(checks) else WORDS[2]


def _word_is(right: str) -> Callable[[object], str]:
    def fault(answer: object) -> str:
        if not isinstance(answer, str):
            return f"got a {type(answer).__name__}, wanted one of {', '.join(WORDS)}"
        if answer == right:
            return ""
        told = f'got "{answer}", wanted "{right}"'
        if (answer, right) == (WORDS[2], WORDS[1]):
            return f"{told}: two thirds count, too, and so does more"
        if (answer, right) == (WORDS[1], WORDS[0]):
            return f"{told}: ask for all of them first"
        if (answer, right) == (WORDS[1], WORDS[2]):
            return f"{told}: fewer than two thirds are true"
        return told

    return fault


def by_luck(function: Callable) -> None:
    """Try `function(count, chance)` -> the probabilities of "held", "partly" and "not held" for
    independent checks of which each is true with that chance.
    """
    plans = ((1, 0.5), (3, 0.5), (5, 0.8), (10, 0.3))
    cases = [Case(plan, _chances(*plan), f"{plan[0]} checks, chance {plan[1]:g}") for plan in plans]
    try_out("exercise 2", function, cases)


def _chances(count: int, chance: float) -> Callable[[object], str]:
    held, lost = chance**count, (1 - chance) ** count
    wanted = {"held": held, "partly": 1 - held - lost, "not held": lost}

    def fault(answer: object) -> str:
        if not isinstance(answer, Mapping) or set(answer) != set(wanted):
            return f"got a {type(answer).__name__}, wanted a dictionary of {', '.join(wanted)}"
        for word, right in wanted.items():
            got = answer[word]
            if not isinstance(got, (int, float)):
                return f'the probability of "{word}" is a number'
            if not math.isclose(got, right, abs_tol=1e-6):
                return (
                    f'"{word}": got {got:.4g}, wanted {right:.4g}{_why(word, got, count, chance)}'
                )
        return ""

    return fault


def _why(word: str, got: float, count: int, chance: float) -> str:
    if word == "held" and math.isclose(got, chance):
        return "; all checks must be true, not one"
    if word == "not held" and math.isclose(got, 1 - chance**count):
        return "; not held means that none is true, not that one is missing"
    if word == "partly" and math.isclose(got, count * chance * (1 - chance) ** (count - 1)):
        return "; any number of true checks between none and all, not one alone"
    return ""


def advantage(function: Callable, rows: Sequence[Mapping]) -> None:
    """Try `function(rows)` -> by how much FlexVAR's FID is below VAR's at depths 16, 20 and 24, from
    the rows of FlexVAR table 2.
    """
    moved = [
        row | {"FID": row["FID"] + 1 if row["model"].startswith("VAR-d") else row["FID"]}
        for row in reversed(rows)
    ]
    cases = [
        Case((rows,), _three(_differences(rows)), "the table as printed"),
        Case((moved,), _three(_differences(moved)), "a table with other numbers"),
    ]
    try_out("exercise 3", function, cases)


def _differences(rows: Sequence[Mapping]) -> list[float]:
    fid = {row["model"]: row["FID"] for row in rows if row["steps"] == 10}
    return [fid[f"VAR-d{depth}"] - fid[f"FlexVAR-d{depth}"] for depth in (16, 20, 24)]


def _three(wanted: Sequence[float]) -> Callable[[object], str]:
    def fault(answer: object) -> str:
        if not isinstance(answer, (list, tuple)) or len(answer) != 3:
            return f"got a {type(answer).__name__}, wanted a list of three numbers"
        if not all(isinstance(one, (int, float)) for one in answer):
            return "each of the three is a number"
        if all(abs(a - b) < 0.006 for a, b in zip(answer, wanted, strict=True)):
            return ""
        if all(abs(a + b) < 0.006 for a, b in zip(answer, wanted, strict=True)):
            return "the other way round: how far is FlexVAR below VAR?"
        got = ", ".join(f"{one:.2f}" for one in answer)
        told = ": look for model and ten steps, not for places in the list"
        return f"got {got}{told}"

    return fault


def both_fronts(function: Callable, table: Sequence[Mapping]) -> None:
    """Try `function(first, second)` -> the methods that are on the front of both tasks; each is a
    list of (method, FID, structure distance), here from the rows of CycleVAR table 1.
    """
    pairs = [("day to night", "night to day"), ("horse to zebra", "zebra to horse")]
    cases = []
    for pair in pairs:
        tasks = tuple(_points(table, task) for task in pair)
        cases.append(Case(tasks, _named(_front(tasks[0]), _front(tasks[1])), " and ".join(pair)))
    level = [("a", 1.0, 5.0), ("b", 1.0, 6.0), ("c", 2.0, 4.0), ("d", 3.0, 4.0), ("e", 1.0, 5.0)]
    other = [("a", 2.0, 2.0), ("b", 1.0, 1.0), ("c", 1.0, 1.0), ("d", 0.5, 9.0), ("e", 9.0, 0.5)]
    cases.append(Case((level, other), _named(_front(level), _front(other)), "a table with ties"))
    try_out("exercise 4", function, cases)


def _points(table: Sequence[Mapping], task: str) -> list[Point]:
    rows = [(row["method"], row[f"FID {task}"], row[f"structure {task}"]) for row in table]
    return [row for row in rows if row[1] is not None]


def _front(points: Sequence[Point]) -> set[str]:
    return {
        name
        for name, *point in points
        if not any(
            all(a <= b for a, b in zip(other, point, strict=True)) and other != point
            for _, *other in points
        )
    }


def _named(first: set[str], second: set[str]) -> Callable[[object], str]:
    def fault(answer: object) -> str:
        if not isinstance(answer, (set, frozenset, list, tuple)):
            return f"got a {type(answer).__name__}, wanted a set of names"
        if not all(isinstance(name, str) for name in answer):
            return "wanted names of methods"
        got = set(answer)
        if got == first & second:
            return ""
        if got == first | second:
            return "these are on one front or the other: on both, please"
        if got in (first, second):
            return "that is the front of one task alone"
        extra, missing = sorted(got - (first & second)), sorted((first & second) - got)
        if extra:
            return f"{extra[0]} is beaten in one of the tasks"
        return f"{missing[0]} is on both fronts: a tie beats nobody"

    return fault
