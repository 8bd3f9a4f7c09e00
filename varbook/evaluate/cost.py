"""What one call costs: seconds on the clock, and images through a network."""

import statistics
import time
from collections.abc import Callable, Mapping

from torch import nn


def seconds(function: Callable[[], object], repeats: int) -> float:
    """Return the seconds of one call of `function`, the middle of `repeats`, after one to warm up.

    `function` must wait for the device itself: a `.item()` at its end does.
    """
    times = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return statistics.median(times[1:])


def images_through(
    modules: Mapping[str, nn.Module], function: Callable[[], object]
) -> dict[str, int]:
    """Return name -> how many images (rows of a batch) leave each module while `function` runs."""
    counts = dict.fromkeys(modules, 0)

    def counter(name: str):
        def count(module, inputs, outputs) -> None:
            counts[name] += len(outputs)

        return count

    hooks = [part.register_forward_hook(counter(name)) for name, part in modules.items()]
    try:
        function()
    finally:
        for hook in hooks:
            hook.remove()
    return counts
