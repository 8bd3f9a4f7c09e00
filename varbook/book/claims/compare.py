"""A run beside what comes with the book: of each figure and table, whether it came out as
published, and if not, by how much its numbers differ beside their noise. Measured times are
compared apart.
"""

import math
import statistics
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeGuard

from varbook.book.claims.artefact import Artefact
from varbook.book.claims.registry import REGISTRY
from varbook.book.show.tables import cell_text
from varbook.cores import busy
from varbook.files import peek_json

# How a figure or table came out, beside the published one.
OUTCOMES = ("as published", "within noise", "in part", "other numbers", "other checks")
AS_PUBLISHED, WITHIN, IN_PART, NUMBERS, CHECKS = OUTCOMES
_MEANING = {
    AS_PUBLISHED: "equal checks, equal numbers to the three digits that are published",
    WITHIN: "equal checks, numbers no farther apart than seeds or random draws set them",
    IN_PART: "what both have is equal, but one has measured something that the other has not",
    NUMBERS: "equal checks, other numbers",
    CHECKS: "a check holds in one and not in the other",
}
# Another processor rounds otherwise; three digits are published.
RELATIVE, ABSOLUTE = 1e-3, 1e-6

Path_ = tuple[str, ...]  # the keys that lead to a number of a result


class Difference(NamedTuple):
    """A number that is not as published."""

    name: str
    theirs: object
    ours: object
    noise: (
        float | None
    )  # how far seeds or random draws set it apart, None where nobody has measured that

    @property
    def size(self) -> float:
        """Return how far the two are apart: in units of the noise, else of the published number."""
        if not (_is_number(self.ours) and _is_number(self.theirs)):
            return math.inf
        apart = abs(self.ours - self.theirs)
        return apart / (self.noise or abs(self.theirs) or ABSOLUTE)

    def told(self) -> str:
        """Return both numbers, and how far they are apart: in their noise, else as a share."""
        pair = f"{self.name}: {cell_text(self.theirs)} published, {cell_text(self.ours)} here"
        if not math.isfinite(self.size):
            return pair
        if self.noise:
            return f"{pair}, {self.size:.2g} times its noise ({cell_text(self.noise)})"
        return f"{pair}, {self.size:.1%} apart, noise not measured"


class Times(NamedTuple):
    """The measured times of one figure or table, beside the published ones."""

    label: str
    ratios: list[float]  # ours over theirs
    checks: list[str]  # that rest on times, and came out otherwise here
    theirs: Mapping  # how busy the machines were: `cores.load()`
    ours: Mapping

    def told(self) -> str:
        """Return how many times as long it took, and on how busy a machine."""
        middle = statistics.median(self.ratios) if self.ratios else 1.0
        many = f"median of {len(self.ratios)}" if len(self.ratios) > 1 else "one time"
        otherwise = f"; otherwise here: {'; '.join(self.checks)}" if self.checks else ""
        loads = f"load {_load(self.theirs)}, here {_load(self.ours)}"
        return f"{self.label}: {middle:.3g} times as long ({many}); {loads}{otherwise}"


class Compared(NamedTuple):
    """One figure or table of a run beside the published one."""

    row: Artefact
    outcome: str
    told: str  # what differs, "" where nothing does
    times: Times | None  # where times differ


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _load(known: Mapping) -> str:
    if "load" not in known:
        return "not noted"
    return f"{known['load']:g} on {known['cores']} cores{', busy' * busy(known)}"


def leaves(value: object, path: Path_ = ()) -> Iterator[tuple[Path_, object]]:
    """Yield (keys, value) for all that is neither a dictionary nor a list inside saved numbers."""
    if isinstance(value, Mapping):
        parts = [(str(key), part) for key, part in value.items()]
    elif isinstance(value, list):
        parts = [(str(place), part) for place, part in enumerate(value)]
    else:
        yield path, value
        return
    for key, part in parts:
        yield from leaves(part, (*path, key))


def is_time(row: Artefact, path: Path_, value: object) -> bool:
    """Say whether a saved number is a measured time: the row names one of the keys that lead to it
    (what is counted, whole numbers, is not a time).
    """
    return isinstance(value, float) and any(key in row.timed for key in path)


def noise_of(row: Artefact, path: Path_, numbers: Mapping[Path_, object]) -> float | None:
    """Return how far seeds or random draws set a number apart, or None where nobody has measured that.

    It is saved beside the number, or above it for several; a spread's noise is the spread itself.
    """
    if any(key in row.spread.values() for key in path):
        value = numbers.get(path)
        return float(value) if _is_number(value) else None
    spread = tuple(row.spread.get(key, key) for key in path)
    if spread == path:
        return None
    above = (numbers.get(spread[:length]) for length in range(len(spread), 0, -1))
    return next((float(value) for value in above if _is_number(value)), None)


def _equal(ours: object, theirs: object) -> bool:
    if _is_number(ours) and _is_number(theirs):
        return math.isclose(ours, theirs, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    return ours == theirs


def differences(row: Artefact, ours: Mapping, theirs: Mapping) -> list[Difference]:
    """Return every number (or word) that both results have and that is not the same, times left
    out; the farthest apart first.
    """
    here, there = (dict(leaves(result.get("numbers", {}))) for result in (ours, theirs))
    found = [
        Difference(" / ".join(path), there[path], value, noise_of(row, path, there))
        for path, value in here.items()
        if path in there and not is_time(row, path, value) and not _equal(value, there[path])
    ]
    return sorted(found, key=lambda one: -one.size)


def times(row: Artefact, ours: Mapping, theirs: Mapping) -> Times | None:
    """Return the measured times of a row where they, or checks that rest on them, are not the
    published ones; None where they are the same, or there are none.
    """
    here, there = (dict(leaves(result.get("numbers", {}))) for result in (ours, theirs))
    pairs = []
    for path, value in here.items():
        other = there.get(path)
        if is_time(row, path, value) and _is_number(value) and _is_number(other):
            pairs.append((value, other))
    checks = [key for key in _changed(ours, theirs) if key in row.timed]
    if not checks and all(mine == other for mine, other in pairs):
        return None
    ratios = [mine / other for mine, other in pairs if other]
    loads = (result.get("volatile", {}) for result in (theirs, ours))
    return Times(row.label, ratios, checks, *loads)


def _changed(ours: Mapping, theirs: Mapping) -> list[str]:
    before, now = theirs.get("checks", {}), ours.get("checks", {})
    return [key for key, holds in now.items() if key in before and holds != before[key]]


def _one_sided(row: Artefact, ours: Mapping, theirs: Mapping) -> str:
    """Return what one result has and the other has not: checks, and the first keys of numbers."""
    here, there = (
        [
            *result.get("checks", {}),
            *dict.fromkeys(path[0] for path, _ in leaves(result.get("numbers", {})) if path),
        ]
        for result in (ours, theirs)
    )
    parts = []
    for words, mine, other in (("only here", here, there), ("not here", there, here)):
        alone = [name for name in mine if name not in other]
        parts += [f"{words}: {_some(alone)}"] if alone else []
    return "; ".join(parts)


def _some(names: Sequence[str], most: int = 2) -> str:
    more = [f"{len(names) - most} more"] if len(names) > most else []
    return ", ".join([*names[:most], *more])


def _settings(ours: Mapping, theirs: Mapping) -> str:
    """Return which settings and pictures of two results are not the same."""
    params = [dict(result.get("params") or {}) for result in (ours, theirs)]
    for one in params:
        one.pop("hardware", None)
    names = [key for key in {**params[0], **params[1]} if params[0].get(key) != params[1].get(key)]
    names += ["seed"] * (ours.get("seed") != theirs.get("seed"))
    parts = [f"other settings ({_some(names)})"] if names else []
    parts += ["other pictures"] if ours.get("data") != theirs.get("data") else []
    return "; ".join(parts)


def compared(row: Artefact, ours: Mapping, theirs: Mapping) -> Compared:
    """Return how a saved result came out beside the published one."""
    checks = [key for key in _changed(ours, theirs) if key not in row.timed]
    numbers = differences(row, ours, theirs)
    alone = _one_sided(row, ours, theirs)
    beyond = [one for one in numbers if not one.noise or one.size > 1]
    outcome = AS_PUBLISHED
    for word, reached in (
        (WITHIN, numbers),
        (IN_PART, alone),
        (NUMBERS, beyond),
        (CHECKS, checks),
    ):
        outcome = word if reached else outcome
    parts = [_settings(ours, theirs)] if outcome != AS_PUBLISHED else []
    parts += [f"holds {_where(ours, key)}: {key}" for key in checks[:2]]
    parts += [f"{len(checks) - 2} more checks"] if len(checks) > 2 else []
    first = beyond or numbers
    if first:
        count = sum(1 for _ in leaves(ours.get("numbers", {})))
        parts.append(f"{len(numbers)} of {count} numbers, farthest {first[0].told()}")
    parts.append(alone)
    return Compared(row, outcome, "; ".join(filter(None, parts)), times(row, ours, theirs))


def _where(ours: Mapping, key: str) -> str:
    return "here alone" if ours["checks"][key] else "there alone"


def comparison(ours: Path, theirs: Path, failed: Collection[str] = ()) -> list[Compared]:
    """Return one entry for each figure and table whose result lies in both folders (of one profile
    each), in the registry's order; what `failed` chapters left of an earlier run does not count.
    """
    found = []
    for name, row in REGISTRY.items():
        mine, other = (peek_json(folder / f"{name}.json") for folder in (ours, theirs))
        if mine and other and row.chapter not in failed:
            found.append(compared(row, mine, other))
    return found


def summary(rows: Sequence[Compared]) -> str:
    """Return how many figures and tables came out in which way, and how many were not made."""
    number = Counter(one.outcome for one in rows)
    parts = [f"{number[word]} {word}" for word in OUTCOMES if number[word]]
    parts += [f"{len(REGISTRY) - len(rows)} not made here"] if len(rows) < len(REGISTRY) else []
    return f"Of {len(REGISTRY)} figures and tables: {', '.join(parts)}; times apart."


def text(rows: Sequence[Compared]) -> str:
    """Return the comparison as a table in plain text, the times below it, the count last."""
    cells = [("figure or table", "chapter", "came out", "what differs")] * bool(rows)
    cells += [(one.row.label, one.row.chapter, one.outcome, one.told) for one in rows]
    wide = [max(len(row[column]) for row in cells) for column in range(3)] if rows else []
    lines = ["  ".join([*map(str.ljust, row[:3], wide), row[3]]).rstrip() for row in cells]
    words = [word for word in OUTCOMES[1:] if any(one.outcome == word for one in rows)]
    lines += [""] * bool(words) + [f"{word}: {_MEANING[word]}" for word in words]
    timed = [one.times for one in rows if one.times]
    lines += ["", "Times, which differ from machine to machine:"] * bool(timed)
    lines += [f"  {one.told()}" for one in timed]
    return "\n".join([*lines, "", summary(rows)])
