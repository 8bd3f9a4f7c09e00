"""How many cores this process may use; apart from device.py, since it must not import torch."""

import os


def cores() -> int:
    """Return how many processor cores this process may use."""
    # A container or a cluster's job may own fewer than the machine has.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
