"""The four verdicts: how one follows from its checks, and the words, signs and colours for it."""

from collections.abc import Mapping

from varbook.errors import VarbookError

HELD, PARTLY, NOT_HELD, NOT_RUN = WORDS = ("held", "partly", "not held", "not run")
SIGNS = {
    HELD: "\N{CHECK MARK}",
    PARTLY: "~",
    NOT_HELD: "\N{MULTIPLICATION SIGN}",
    NOT_RUN: "\N{MIDDLE DOT}",
}
COLOURS = {HELD: "#3f90da", PARTLY: "#92dadd", NOT_HELD: "#e76300", NOT_RUN: "#e4e6e6"}


def verdict(checks: Mapping[str, bool]) -> str:
    """Return "held" where every check is true, "not held" where none is, "partly" between."""
    values = [bool(holds) for holds in checks.values()]
    if not values:
        raise VarbookError("A verdict needs at least one check: a name and whether it is true.")
    return HELD if all(values) else PARTLY if any(values) else NOT_HELD


def sign(holds: bool) -> str:
    """Return the sign of one check."""
    return SIGNS[HELD if holds else NOT_HELD]


def explained(word: str, checks: Mapping[str, bool], why: str = "", named: int = 3) -> str:
    """Return a verdict with the number of checks that hold, at most `named` of those that do not,
    and what the chapter says about it.
    """
    failed = [key for key, holds in checks.items() if not holds]
    text = f"{word} ({len(checks) - len(failed)} of {len(checks)} checks)" if checks else word
    if not failed or not named:
        return f"{text}: {why}" if why else text
    rest = [f"{len(failed) - named} more"] if len(failed) > named else []
    return f"{text}: not so: {'; '.join(failed[:named] + rest)}" + (f" ({why})" if why else "")
