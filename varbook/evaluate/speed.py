"""How long a function takes, on a machine that others may use at the same time."""

import statistics
import time
from collections.abc import Callable, Mapping

import torch


def middle_seconds(function: Callable[[], object], repeats: int, device: torch.device) -> float:
    """Return the middle of the seconds that `repeats` calls took, after one call to warm up.

    On a CPU the process's own time counts, so that other programs do not; elsewhere the clock.
    """
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    function()
    times = []
    for _ in range(repeats):
        began = clock()
        function()
        times.append(clock() - began)
    return statistics.median(times)


def shortest_seconds(
    functions: Mapping[str, Callable[[], object]], rounds: int, device: torch.device
) -> dict[str, float]:
    """Return name -> the shortest seconds of a call in `rounds` rounds, in each of which all
    functions have their turn: a slow minute of the machine then hits all of them.
    """
    times: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            times[name].append(middle_seconds(function, 1, device))
    return {name: min(values) for name, values in times.items()}
