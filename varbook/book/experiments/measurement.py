"""Measurements that a chapter makes once and keeps beside the trained models."""

from collections.abc import Callable

from varbook.book.models.profiles import Profile
from varbook.book.models.tasks import TASKS
from varbook.train.store import Run, experiment


def measurement(
    kind: str, settings: dict, measure: Callable[[], dict], *, seed: int, profile: Profile
) -> Run:
    """Return the record of numbers that no training stands behind; its `result` is what `measure()`
    returned, now or at an earlier time.

    `kind`, `settings` and `seed` make the record's key, as for a training, with the pictures of the
    task that the chapters on generation show; `profile` is the one that the record belongs to.
    """
    task = TASKS[profile.generation]
    return experiment(
        kind,
        settings,
        lambda: (measure(), []),
        seed=seed,
        on=task.fingerprint,
        profile=profile.name,
    )
