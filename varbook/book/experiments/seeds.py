"""Rows that were trained with several seeds: their mean, their noise, and what exceeds the noise."""

import statistics
from collections.abc import Mapping, Sequence

from varbook.errors import VarbookError
from varbook.evaluate.resampling import DISTANCES, nearer


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


def recorded(rows: Sequence[Mapping], names: Sequence[str]) -> list[str]:
    """Return those of `names` that every one of `rows` has: records of earlier trainings lack some."""
    return [name for name in names if all(name in row for row in rows)]


def surely_higher(a: Sequence[Mapping], b: Sequence[Mapping], names: Sequence[str]) -> bool:
    """Say whether every seed of row `a` is higher than every seed of row `b` in each of `names` that
    both rows have; VarbookError where they have none of them.
    """
    return all(clearly_higher(a, b, name) for name in _compared(a, b, names))


def alike(a: Sequence[Mapping], b: Sequence[Mapping], names: Sequence[str]) -> bool:
    """Say whether two rows are alike in each of `names` that both have: their means differ by no more
    than the larger range over the seeds, and not every seed of one is above every seed of the other.
    """
    return all(
        within_noise(a, b, name)
        and not clearly_higher(a, b, name)
        and not clearly_higher(b, a, name)
        for name in _compared(a, b, names)
    )


def _compared(a: Sequence[Mapping], b: Sequence[Mapping], names: Sequence[str]) -> list[str]:
    known = recorded([*a, *b], names)
    if not known:
        raise VarbookError(
            f"Rows cannot be compared by {' or '.join(names)}: a record has none of it."
        )
    return known


def surely_nearer(a: Sequence[Mapping], b: Sequence[Mapping]) -> bool:
    """Say whether the sets of samples `a` are surely nearer to real pictures than those of `b`, each
    drawn several times: by the Frechet and by the kernel distance the means differ by more than the
    margin over halves of the sets, and by more than the draws of either.

    Each set is what `judge_samples` says of one draw.
    """
    means = [_over_draws([one["distances"] for one in sets]) for sets in (a, b)]
    return nearer(*means) and all(
        means[1][name]["value"] - means[0][name]["value"]
        > max(spread([one["distances"][name] for one in sets], "value")[1] for sets in (a, b))
        for name in DISTANCES
    )


def _over_draws(draws: Sequence[Mapping]) -> dict[str, dict]:
    """Return the means of several draws' distances, and of what they are between halves."""
    return {
        name: {
            "value": statistics.fmean(one[name]["value"] for one in draws),
            "halves": [
                statistics.fmean(values)
                for values in zip(*(one[name]["halves"] for one in draws), strict=True)
            ],
        }
        for name in DISTANCES
    }


def floats(row: Mapping) -> dict[str, float]:
    """Return the measured numbers of a table's row, without its names, counts and switches."""
    return {key: value for key, value in row.items() if isinstance(value, float)}
