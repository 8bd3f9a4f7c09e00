"""Resumable trainings: the whole state of a loop, saved now and then, restored to the same bits."""

import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from varbook import processes
from varbook.errors import VarbookError, told
from varbook.files import write_json
from varbook.signals import tell
from varbook.train.records import read_notes
from varbook.train.sharding import fill, spread_like, whole, whole_state
from varbook.train.weights import check_sound, load_tensors, save_tensors

State = dict[str, nn.Module | torch.optim.Optimizer]
Curve = list[dict[str, float]]
ANEW = "delete that file, and it starts from the beginning"


def state_tensors(state: State) -> dict[str, Tensor]:
    """Return every tensor of the named modules and optimisers, flat: `name.parameter` and
    `name/parameter number/field`.

    Sharded tensors are gathered, so that the state says nothing about the number of processes.
    """
    tensors: dict[str, Tensor] = {}
    for name, part in state.items():
        if isinstance(part, nn.Module):
            tensors |= {f"{name}.{key}": value for key, value in whole_state(part).items()}
            continue
        for number, fields in part.state_dict()["state"].items():
            tensors |= {
                f"{name}/{number}/{field}": whole(torch.as_tensor(value))
                for field, value in fields.items()
            }
    return tensors


def restore(state: State, tensors: dict[str, Tensor]) -> None:
    """Put the tensors of `state_tensors` back into the same modules and optimisers."""
    for name, part in state.items():
        if isinstance(part, nn.Module):
            fill(
                part,
                {
                    key[len(name) + 1 :]: value
                    for key, value in tensors.items()
                    if key.startswith(f"{name}.")
                },
            )
            continue
        saved = part.state_dict()
        parameters = [p for group in part.param_groups for p in group["params"]]
        saved["state"] = {}
        for key, value in tensors.items():
            if key.startswith(f"{name}/"):
                _, number, field = key.split("/")
                saved["state"].setdefault(int(number), {})[field] = spread_like(
                    value, parameters[int(number)]
                )
        part.load_state_dict(saved)


class Keeper:
    """Saves a running training every `seconds` below
    `folder`, and lets the next run resume from there.

    A loop that draws all randomness of a step from `step_generator(seed, step)`
    resumes to the same bits. Of several processes the first alone writes; all
    read, so that `folder` must be one that all of them see.
    """

    def __init__(self, folder: Path, seconds: float = 60.0):
        self.tensors = folder / "state.safetensors"
        self.notes = folder / "state.json"
        self.seconds = seconds
        self.curve: Curve = []
        # Of earlier runs, and when this one began: seconds on the clock, and of processor time.
        self.spent = 0.0
        self.began = self.saved = time.monotonic()
        self.core_spent = 0.0
        self.core_began = time.process_time()
        self.watch: Callable[[int], None] | None = None  # called after each step: estimates, sheets

    def resume(self, state: State) -> int:
        """Restore the last save into `state` where there is one, and return the step to resume with
        (0 where there is none). Another number of threads than at the save is told.
        """
        self.began = self.saved = time.monotonic()
        self.core_began = time.process_time()
        with told(self.notes, "read"):
            saved = self.notes.exists()
        if processes.from_first(saved) and not saved:
            raise VarbookError(
                f"{self.notes} is there for the first process only; put VARBOOK_HOME where all processes see it."
            )
        if not saved:
            return 0
        notes = read_notes(self.notes, ANEW)
        file = self.tensors.with_name(notes["file"])
        if file.exists():
            with told(file, "read"):
                file.open("rb").close()  # what may not be read is not damaged
        try:
            restore(state, load_tensors(file, notes["sha256"]))
        except (ValueError, LookupError, RuntimeError):
            raise VarbookError(
                f"The training saved in {self.notes} is damaged or of another model; {ANEW}."
            ) from None
        self.curve = notes["curve"]
        self.spent = notes["seconds"]
        self.core_spent = notes["core_seconds"]
        _tell_of_other_threads(notes.get("threads"), torch.get_num_threads())
        return notes["step"]

    def step_done(self, step: int, state: State) -> None:
        """Save after step `step` (from 0) if the last save is long enough ago."""
        if processes.from_first(time.monotonic() - self.saved >= self.seconds):
            self.save(step + 1, state)
        if self.watch and processes.first():
            self.watch(step)

    def save(self, next_step: int, state: State) -> None:
        """Save now. The tensors go to a file of their own name
        first, so that a kill in between loses nothing.
        """
        file = self.tensors.with_name(f"state-{next_step}.safetensors")
        tensors = state_tensors(state)
        # A damaged state never replaces a good one.
        check_sound(tensors, f"The training, after step {next_step},")
        core_seconds = self.core_seconds()
        if not processes.first():
            return
        sha256 = save_tensors(file, tensors)
        notes = {
            "step": next_step,
            "file": file.name,
            "sha256": sha256,
            "curve": self.curve,
            "seconds": self.elapsed(),
            "threads": torch.get_num_threads(),
            "core_seconds": core_seconds,
        }
        write_json(self.notes, notes)
        for old in self.tensors.parent.glob("state-*.safetensors"):
            if old.name != file.name:
                old.unlink()
        self.saved = time.monotonic()

    def elapsed(self) -> float:
        """Return the seconds of training so far, earlier runs included."""
        return self.spent + time.monotonic() - self.began

    def core_seconds(self) -> float:
        """Return the processor time of all threads of all processes so far, on every process; all wait
        for it. On a shared machine it says more than the clock.
        """
        return self.core_spent + processes.total(time.process_time() - self.core_began)


def _tell_of_other_threads(before: object, now: int) -> None:
    # Notes of an earlier version name no number.
    if before in (None, now):
        return
    tell(
        f"this training was saved with {before} and resumes with {now} threads, which changes the "
        f"last digits of what it computes; with VARBOOK_THREADS={before} it would have the same bits "
        "as one that nobody stopped."
    )
