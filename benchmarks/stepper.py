"""A training loop of the package as a candidate: one step for each call."""

import contextlib
import math
import threading
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from varbook.paths import home
from varbook.train.keeper import Keeper, State

FIRST_STEP = 20  # a step that logs its loss, and at which no code is revived


class _Over(Exception):
    """Ends a loop that is not needed any more."""


class _OneStep(Keeper):
    def resume(self, state: State) -> int:
        return FIRST_STEP

    def step_done(self, step: int, state: State) -> None:
        raise _Over


def one_step(fit: Callable[[Keeper], object]) -> None:
    """Run the first step of a `fit_*` in this thread: torch counts operations thread by thread."""
    with contextlib.suppress(_Over):
        fit(_OneStep(Path(home()) / "partial" / "benchmark", seconds=math.inf))


class Stepper(Keeper):
    """Runs a `fit_*` in a thread of its own, which waits after each step until it is called again.

    The loop is the package's own, with everything that it does between two steps. Its randomness
    before the first step comes from seed 1.
    """

    def __init__(self, fit: Callable[[Keeper], object]):
        super().__init__(Path(home()) / "partial" / "benchmark", seconds=math.inf)
        self.fit = fit
        self.go, self.done = threading.Semaphore(0), threading.Semaphore(0)
        self.error: BaseException | None = None
        self.thread: threading.Thread | None = None
        self.over = False

    def __call__(self) -> Tensor:
        """Train one step and return the loss that was logged last."""
        if self.thread is None:
            torch.manual_seed(1)
            self.thread = threading.Thread(target=self._run, daemon=True)
            self.thread.start()
        self.go.release()
        self.done.acquire()
        if self.error is not None:
            raise self.error
        return torch.tensor(self.curve[-1]["loss"])

    def close(self) -> None:
        """End the loop and its thread."""
        self.over = True
        self.go.release()
        if self.thread is not None:
            self.thread.join()

    def resume(self, state: State) -> int:
        """Begin at the first step, once that is asked for."""
        self._wait()
        return FIRST_STEP

    def step_done(self, step: int, state: State) -> None:
        """Say that a step is done, and wait for the next."""
        self.done.release()
        self._wait()

    def _wait(self) -> None:
        self.go.acquire()
        if self.over:
            raise _Over

    def _run(self) -> None:
        try:
            self.fit(self)
        except _Over:
            pass
        except BaseException as error:  # noqa: BLE001 the caller's thread raises it
            self.error = error
            self.done.release()
