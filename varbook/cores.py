"""How many cores this process may use, and how many threads it computes with; apart from device.py,
since it must not import torch.
"""

import os

from varbook.errors import VarbookError

# The reader's own word first, then what launchers and clusters say.
THREADS = ("VARBOOK_THREADS", "OMP_NUM_THREADS")


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
