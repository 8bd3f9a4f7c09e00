"""How many cores this process may use, how many threads it computes with, and how busy the machine
is; apart from device.py, since it must not import torch.
"""

import os
from collections.abc import Mapping

from varbook.errors import VarbookError

# The reader's own word first, then what launchers and clusters say.
THREADS = ("VARBOOK_THREADS", "OMP_NUM_THREADS")
# Processes for each core from which on times are those of a busy machine: a notebook alone has one.
CROWDED = 1.25


def cores() -> int:
    """Return how many processor cores this process may use."""
    # A container or a cluster's job may own fewer than the machine has.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def thread_count(profile_name: str) -> int:
    """Return the number of threads that numbers of a profile are computed with.

    One for smoke, whose models are too small for more, else all cores; VARBOOK_THREADS, or else
    OMP_NUM_THREADS, overrides (VarbookError where it is not a number above 0). Sums depend on it in
    the last digit, so that it never depends on what else is running.
    """
    for name in THREADS:
        value = os.environ.get(name, "").split(",")[0]  # OpenMP's may be a list, for nested loops
        if value:
            if not value.isascii() or not value.isdigit() or int(value) < 1:
                raise VarbookError(f"{name} is {value!r}; use a whole number above 0, or unset it.")
            return int(value)
    return 1 if profile_name == "smoke" else cores()


def load() -> dict[str, float]:
    """Return how busy the machine is: "load", the processes that ran or waited for a core, this one
    among them, averaged over the last minute, and "cores", those there are; {} where the system
    does not say.
    """
    try:
        return {"load": round(os.getloadavg()[0], 2), "cores": os.cpu_count() or 1}
    except (AttributeError, OSError):
        return {}


def busy(known: Mapping) -> bool:
    """Say whether more than a few processes waited for a core at a `load()`; False where it is not
    known.
    """
    return known.get("load", 0) > CROWDED * known.get("cores", 1)


def may_replace(now: Mapping, before: Mapping) -> bool:
    """Say whether times measured at the load `now` may take the place of those measured at
    `before`: a busy machine's never that of a quiet one's.

    What was measured at a load that nobody noted counts as quiet.
    """
    return not busy(now) or busy(before)
