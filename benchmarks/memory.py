"""Peak memory of one call of a candidate, in a fresh process: python -m benchmarks.memory KEY NAME.

The process first answers the same question at a tiny size, which loads the kernels; then it builds
the real question, gives back what is free, and calls the candidate once. The peak of its resident
memory minus what it held before the call is what the call needed beyond its inputs.
"""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import torch

from benchmarks import settings
from varbook.device import pick_device
from varbook.errors import VarbookError
from varbook.paths import repository


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
    command = [sys.executable, "-m", "benchmarks.memory", key, candidate, str(threads)]
    path = os.pathsep.join([str(repository()), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        command + ["small"] * small,
        cwd=repository(),
        env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": str(threads)},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise VarbookError(
            f'The memory of "{candidate}" in "{key}" was not measured: {done.stderr.strip()[-400:]}'
        )
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure one candidate and print its MiB."""
    from benchmarks.questions import QUESTIONS

    settings.one_arena()
    key, candidate, threads, *small = sys.argv[1:]
    torch.set_num_threads(int(threads))
    make = QUESTIONS[key]
    make(True).candidates[candidate]()
    question = make(bool(small))
    print(json.dumps(peak_of(question.candidates[candidate])))


if __name__ == "__main__":
    main()
