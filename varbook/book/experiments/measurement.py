"""Measurements that a chapter makes once and keeps beside the trained models."""

from collections.abc import Callable

from varbook.train.store import Run, experiment


def measurement(kind: str, settings, measure: Callable[[], dict], *, seed: int, profile) -> Run:
    """Return the record of numbers that no training stands behind; its `result` is what `measure()`
    returned, now or at an earlier time.

    `kind`, `settings` and `seed` make the record's key, as for a training; `profile` is the
    profile of the book that the record belongs to.
    """
    return experiment(kind, settings, lambda: (measure(), []), seed=seed, profile=profile.name)
