"""Training steps of several versions of the package in turns: one process each, one at work at a
time.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.timing import compare
from varbook import paths
from varbook.errors import VarbookError
from varbook.features import squeezenet

WORKER = Path(__file__).with_name("worker.py")


@dataclass(frozen=True)
class Version:
    """A checkout, and how its steps are to be computed."""

    name: str
    folder: Path  # that holds varbook/
    threads: int
    precision: str  # "float32" or "bfloat16"


class Worker:
    """A process that trains `case` with `version`, one step at a time: see worker.py."""

    def __init__(self, version: Version, case: dict):
        self.version = version
        environment = os.environ | {
            "PYTHONPATH": str(version.folder),
            "VARBOOK_PRECISION": version.precision,
            "VARBOOK_BATCH": "1",
            "OMP_NUM_THREADS": str(version.threads),
        }
        # Two checkouts may look in different places; the perceptual network must be the same.
        weights = paths.weights_file(squeezenet.FILE)
        if weights:
            environment["VARBOOK_WEIGHTS"] = str(weights.parent)
        self.process = subprocess.Popen(
            [sys.executable, str(WORKER), str(version.threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=version.folder,
            env=environment,
            text=True,
        )
        found = self._answer()["varbook"]
        if Path(found) != version.folder.resolve():
            raise VarbookError(
                f"The steps of {version.name} would come from {found}, not from {version.folder}."
            )
        self._say(json.dumps(case))

    def step(self) -> dict[str, float]:
        """Train one step and return its `seconds`, its `core_seconds` (processor time of all
        threads) and the process's `peak` memory in MiB; the first step also has its `loss`.
        """
        self._say("step")
        return self._answer()

    def close(self) -> None:
        """End the process and wait for its end."""
        self.process.communicate()

    def _say(self, line: str) -> None:
        assert self.process.stdin is not None
        try:
            print(line, file=self.process.stdin, flush=True)
        except BrokenPipeError:
            self._answer()  # says what is wrong

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise VarbookError(
                f"The training of {self.version.name} has failed; its own message stands above."
            )
        return json.loads(line)


def take_turns(
    versions: Sequence[Version], case: dict, seconds: float, least: int = 3, most: int = 30
) -> list[dict]:
    """Return a row for each version: steps of `case` are taken in turns for about `seconds`, in
    `least` rounds or more and at most `most`. Ratios are to the first version.

    A row has `median` and the other entries of `compare`, `core_ratio` (the same ratio in processor
    time), `peak` (MiB) and `loss`, that of the first step, which two versions that do the same share.
    """
    workers: list[Worker] = []
    try:
        workers += [Worker(version, case) for version in versions]
        answers: dict[str, list[dict]] = {version.name: [] for version in versions}
        first = [worker.step() for worker in workers]
        for worker in workers:
            worker.step()  # caches and memory are as they will be
        began = time.perf_counter()
        for done in range(most):
            if done >= least and time.perf_counter() - began > seconds:
                break
            # Every other round backwards, so that none always comes after the same one.
            for worker in workers if done % 2 == 0 else reversed(workers):
                answers[worker.version.name].append(worker.step())
    finally:
        for worker in workers:
            worker.close()
    compared = compare({name: [a["seconds"] for a in all_] for name, all_ in answers.items()})
    core = {name: statistics.median(a["core_seconds"] for a in s) for name, s in answers.items()}
    base = core[versions[0].name]
    return [
        {"case": case["name"], "version": version.name, "precision": version.precision}
        | {"threads": version.threads}
        | compared[version.name]
        | {"core_ratio": base / max(core[version.name], 1e-9)}
        | {"peak": answers[version.name][-1]["peak"], "loss": start["loss"]}
        for version, start in zip(versions, first, strict=True)
    ]
