"""Times of candidates that took turns, as rows of a table."""

import statistics
from collections.abc import Sequence


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    """Return the lower and the upper quartile of one or more values."""
    if len(values) == 1:
        return values[0], values[0]
    lower, _, upper = statistics.quantiles(values, n=4, method="inclusive")
    return lower, upper


def compare(times: dict[str, Sequence[float]]) -> dict[str, dict]:
    """Return, for each candidate's seconds by round, `median`, `fastest`, `rounds` and how many times
    as fast as the first candidate it is: `ratio` of the medians, and `ratio_low`, `ratio_high`,
    the quartiles of the ratio within a round.

    All candidates must have been timed in the same rounds. Within a round they ran one after the
    other, so that load from elsewhere slows all of them alike and the ratio's spread stays small.
    """
    first = next(iter(times.values()))
    rows = {}
    for name, spent in times.items():
        by_round = [base / own for base, own in zip(first, spent, strict=True)]
        low, high = quartiles(by_round)
        rows[name] = {
            "median": statistics.median(spent),
            "fastest": min(spent),
            "rounds": len(spent),
            "ratio": statistics.median(first) / statistics.median(spent),
            "ratio_low": low,
            "ratio_high": high,
        }
    return rows
