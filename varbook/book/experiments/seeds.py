"""Rows that were trained with several seeds: their mean, their noise, and what exceeds the noise."""

from collections.abc import Mapping, Sequence


def spread(values: Sequence[Mapping], name: str) -> tuple[float, float]:
    """Return mean and range (largest minus smallest) of the number `name` over the seeds: the range
    is the noise.
    """
    numbers = [row[name] for row in values]
    return sum(numbers) / len(numbers), max(numbers) - min(numbers)


def mean(values: Sequence[Mapping], name: str) -> float:
    """Return the mean of the number `name` over the seeds."""
    return spread(values, name)[0]


def within_noise(a: Sequence[Mapping], b: Sequence[Mapping], name: str) -> bool:
    """Say whether two rows differ in `name` by no more than the larger of their ranges over the
    seeds.
    """
    mean_a, range_a = spread(a, name)
    mean_b, range_b = spread(b, name)
    return abs(mean_a - mean_b) <= max(range_a, range_b)


def clearly_higher(a: Sequence[Mapping], b: Sequence[Mapping], name: str) -> bool:
    """Say whether every seed of row `a` has a higher `name` than every seed of row `b`."""
    return min(row[name] for row in a) > max(row[name] for row in b)


def floats(row: Mapping) -> dict[str, float]:
    """Return the measured numbers of a table's row, without its names, counts and switches."""
    return {key: value for key, value in row.items() if isinstance(value, float)}
