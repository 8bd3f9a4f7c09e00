"""Where a run's files lie, and how they get there: record and weights together or not at all, one
process at a time, and what a killed process left is cleaned up.

    runs/NAME.json               the record; with its sha256 it names the weights that belong to it
    runs/NAME.safetensors        the weights
    runs/NAME.SHA.safetensors    weights on their way: they count once a record names them
    partial/NAME/                the saved state of a training that is not finished
    partial/NAME.lock            whose holder trains
"""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from torch import Tensor

from varbook import locks, paths, processes
from varbook.errors import VarbookError, refusal, told
from varbook.files import flush_folder, peek_json, remove_temporaries, write_atomically, write_json
from varbook.train.weights import serialised

WEIGHTS = ".safetensors"
PAUSE = 0.5  # seconds between two looks at a lock that another process holds


def runs() -> Path:
    """Return the folder of records and weights below VARBOOK_HOME."""
    return paths.home() / "runs"


def states() -> Path:
    """Return the folder of saved states and locks below VARBOOK_HOME."""
    return paths.home() / "partial"


def state_folder(name: str) -> Path:
    """Return the folder of the saved state of a training."""
    return states() / name


def record_file(name: str) -> Path:
    """Return where the record of a run lies below VARBOOK_HOME."""
    return runs() / f"{name}.json"


def weights_in(folder: Path, name: str, record: dict) -> Path:
    """Return the file of the weights that a record speaks of, in `folder`: where they were put, or,
    where that was cut short, on their way. An empty record speaks of any.
    """
    if "sha256" in record:
        waiting = [_waiting(folder, name, record)]
    else:
        waiting = sorted(folder.glob(f"{name}.*{WEIGHTS}"))
    return next((file for file in waiting if file.is_file()), folder / f"{name}{WEIGHTS}")


def _waiting(folder: Path, name: str, record: dict) -> Path:
    return folder / f"{name}.{record['sha256'][:12]}{WEIGHTS}"


def check_places(name: str) -> None:
    """Raise VarbookError, before any work, where the run `name` could not be kept below
    VARBOOK_HOME; of several processes the first looks, and all raise.
    """
    error = ""
    if processes.first():
        try:
            _check_places(name)
        except VarbookError as found:
            error = str(found)
    error = processes.from_first(error)
    if error:
        raise VarbookError(error)


def _check_places(name: str) -> None:
    advice = "name another folder in VARBOOK_HOME"
    paths.check_writable(runs(), advice)
    paths.check_writable(states(), advice)
    if state_folder(name).exists():
        paths.check_writable(
            state_folder(name), "move it away, and the training starts from the beginning"
        )
    for file in (record_file(name), runs() / f"{name}{WEIGHTS}"):
        with told(file, "written"):
            if file.is_dir():
                raise VarbookError(
                    f"{file} is a folder, and a file of the run belongs there: move it away."
                )


def put(name: str, record: dict, tensors: dict[str, Tensor]) -> dict:
    """Keep a trained run, and return its record with the weights' sha256.

    The weights come first, under a name of their own: until the record names them the earlier run
    counts, and from then on this one, whenever this is cut short. VarbookError where the system
    refuses.
    """
    content, sha256 = serialised(tensors)
    record = record | {"sha256": sha256}
    waiting = _waiting(runs(), name, record)
    with told(waiting, "written"):
        write_atomically(waiting, content, flush=True)
    with record_held(name):
        write_json(record_file(name), record)
    settle(name, record)
    return record


@contextmanager
def record_held(name: str) -> Iterator[None]:
    """Let one process at a time change the record of a run; of several that were launched together
    the first alone calls it.
    """
    path = states() / f"{name}.record.lock"
    lock = _taken(path, f"the record of {name} is written", _try)
    try:
        yield
    finally:
        _free(lock)


def settle(name: str, record: dict) -> None:
    """Move the weights that a record speaks of to their place, and remove others on their way."""
    waiting = _waiting(runs(), name, record)
    with told(waiting, "moved"):
        if waiting.is_file():
            os.replace(waiting, runs() / f"{name}{WEIGHTS}")
            flush_folder(runs())
        for left in runs().glob(f"{name}.*{WEIGHTS}"):
            left.unlink(missing_ok=True)


@contextmanager
def alone(what: str, doing: str) -> Iterator[None]:
    """Let one process of this VARBOOK_HOME at a time within, by a lock partial/`what`.lock that ends
    with its holder; the others wait, and say once for what: `doing`.

    Of processes that were launched together the first holds it for all. VarbookError where the
    system refuses the file.
    """
    lock = _taken(states() / f"{what}.lock", doing, _try_together)
    try:
        yield
    finally:
        _free(lock)


# Whether it is taken, the lock (of the process that has it), and what the system says against it.
Answer = tuple[bool, locks.Lock | None, str]


def _taken(path: Path, doing: str, ask: Callable[[Path], Answer]) -> locks.Lock | None:
    told_once = False
    while True:
        taken, lock, error = ask(path)
        if error:
            raise VarbookError(error)
        if taken:
            return lock
        if processes.first() and not told_once:
            _say(f"{doing} by another process{_holder(path)}; waiting for it.")
            told_once = True
        time.sleep(PAUSE)


def _try_together(path: Path) -> Answer:
    taken, lock, error = _try(path) if processes.first() else (False, None, "")
    taken, error = processes.from_first((taken, error))
    return taken, lock, error


def _try(path: Path) -> Answer:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = locks.take(path)
        if lock:
            os.ftruncate(lock.descriptor, 0)
            os.write(lock.descriptor, f"process {os.getpid()} of {os.uname().nodename}".encode())
            if not lock.sure:
                _say(
                    f"{path.parent} lies on a file system without locks: let no second process train the same."
                )
    except OSError as error:
        return False, None, refusal(error, path, "written")
    return lock is not None, lock, ""


def _free(lock: locks.Lock | None) -> None:
    if lock:
        lock.free()


def _holder(path: Path) -> str:
    with suppress(OSError):
        return f" ({path.read_text(errors='replace')})"
    return ""


def _say(sentence: str) -> None:
    print(f"varbook: {sentence}", file=sys.stderr, flush=True)


def remove_state(name: str) -> None:
    """Remove the saved state of a training."""
    shutil.rmtree(state_folder(name), ignore_errors=True)


def tidy() -> None:
    """Remove what processes that are dead left below VARBOOK_HOME: half-written files, locks,
    weights that no record names, saved states of trainings that were finished afterwards.

    What a living process holds stays, and so does a saved state that a training can resume from.
    """
    if not processes.first():
        return
    names = {file.name for file in states().glob("*") if file.is_dir()}
    names |= {file.stem.rpartition(".")[0] for file in runs().glob(f"*.*{WEIGHTS}")}
    for name in sorted(names):
        with suppress(OSError, VarbookError):
            _tidy_run(name)
    remove_temporaries(runs())
    remove_temporaries(states())
    locks.remove_dead(states().glob("*.lock"))


def _tidy_run(name: str) -> None:
    states().mkdir(parents=True, exist_ok=True)
    lock = locks.take(states() / f"{name}.lock")
    if lock is None or not lock.sure:
        return  # in work
    try:
        record, notes = peek_json(record_file(name)), state_folder(name) / "state.json"
        if isinstance(record.get("sha256"), str):
            settle(name, record)
        else:
            for left in runs().glob(f"{name}.*{WEIGHTS}"):
                left.unlink()
        # A state that is newer belongs to a training that was asked for once more.
        finished = record.get("finished", 0)
        if isinstance(finished, int | float) and notes.is_file():
            if notes.stat().st_mtime < finished + 1:  # records keep whole seconds
                remove_state(name)
    finally:
        lock.free()
