"""Peak memory of one call of a candidate, in a fresh process.

The process first answers the same question at a tiny size, which loads the kernels; then it builds
the real question, gives back what is free, and calls the candidate once. The peak of its resident
memory minus what it held before the call is what the call needed beyond its inputs.
"""

import resource
from pathlib import Path

import torch

from benchmarks import settings
from benchmarks.fresh import in_fresh_process
from varbook.device import pick_device
from varbook.errors import VarbookError


def status(field: str) -> float:
    """Return a field of this process's status in MiB, for example VmRSS."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise VarbookError(f"The system says nothing of {field}: memory is measured on Linux alone.")


def peak_of(run) -> float:
    """Return by how many MiB a call of `run` raises the highest use of memory."""
    if pick_device().type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        kept = run()
        del kept
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    settings.give_back()
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # forget the peak so far
        before = status("VmRSS")
        kept = run()
        peak = status("VmHWM")
    except OSError:  # no /proc, or not ours to write: the peak of the whole life then has to do
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        kept = run()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    del kept
    return max(peak - before, 0.0)


def measure(key: str, candidate: str, threads: int, small: bool = False) -> float:
    """Return the peak memory in MiB of a candidate of the question `key` in a process of its own.

    VarbookError where that process fails.
    """
    asked = (key, candidate, threads, small)
    return in_fresh_process(_peak, asked, f'The memory of "{candidate}" in "{key}"')


def _peak(key: str, candidate: str, threads: int, small: bool) -> float:
    from benchmarks.questions import QUESTIONS

    settings.one_arena()
    torch.set_num_threads(threads)
    make = QUESTIONS[key]
    make(True).candidates[candidate]()
    return peak_of(make(small).candidates[candidate])
