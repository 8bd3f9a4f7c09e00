"""The shape of the registry's rows: one figure or table of a paper, and a table as printed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Check(NamedTuple):
    """One thing that must be true of our version of a figure or table."""

    key: str  # what must be true; "{places}" in it are filled by the chapter: "depth {depth}: .."
    measured: str  # how it is decided, with its bound
    where: str  # "" where it always counts, else the condition under which it does


@dataclass(frozen=True)
class Artefact:
    """One figure or table of a paper, and the checks on which its verdict rests.

    `checks` maps the key of a check to how it is decided. A key is a phrase that is true or false.
    A place in braces stands for what depends on the profile (a size, a depth): the chapter saves at
    least one check for each such key. `checks_where` holds, under a condition such as "horse2zebra
    is there", the checks that count only then: all of them or none.

    For a comparison of two runs: `timed` names the measured times, checks that rest on them and
    keys of the saved numbers; `spread` says under which key a number's spread over seeds or random draws is
    saved, beside it or above.
    """

    paper: str  # "CycleVAR" or "FlexVAR"
    kind: str  # "fig" or "table"
    number: int  # as printed in the paper
    chapter: str  # the chapter that writes it, "00" to "13"
    title: str  # what it shows, in a few words
    claim: str  # what the paper says it shows, in our words
    published: str  # the paper's number, or "picture only"
    alt: str  # what a reader who cannot see our version should know about it
    checks: Mapping[str, str]
    checks_where: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    timed: tuple[str, ...] = ()
    spread: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Return the name of its files: "cyclevar-fig-3"."""
        return f"{self.paper.lower()}-{self.kind}-{self.number}"

    @property
    def label(self) -> str:
        """Return the name that a reader uses: "CycleVAR fig 3"."""
        return f"{self.paper} {self.kind} {self.number}"

    def all_checks(self) -> Iterator[Check]:
        """Yield every check, those without a condition first."""
        for where, checks in {"": self.checks, **self.checks_where}.items():
            for key, measured in checks.items():
                yield Check(key, measured, where)


@dataclass(frozen=True)
class Published:
    """A table as printed in a paper: the cells are the paper's, never ours."""

    columns: tuple[str, ...]
    rows: tuple[tuple, ...]  # None where the paper leaves the cell empty
    note: str = ""  # how we read a cell that is not clear in print

    def as_dicts(self) -> list[dict]:
        """Return the rows as dictionaries, column name -> cell."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def for_each(place: str, values: Sequence[str], checks: Mapping[str, str]) -> dict[str, str]:
    """Return `checks` once for each of `values`, which takes the place of `place` ("<way>") in the
    keys.
    """
    return {
        key.replace(place, value): measured for value in values for key, measured in checks.items()
    }
