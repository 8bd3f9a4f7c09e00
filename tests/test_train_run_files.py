"""Several processes and one run: one trains, the others wait and load; whatever is killed when, the
earlier run or the new one is there whole; and what the dead left is cleaned up.
"""

import errno
import fcntl
import os
import signal
import time
from pathlib import Path

import pytest
import torch
from at_work import FORKS
from torch import nn

from varbook import locks, paths
from varbook.errors import VarbookError
from varbook.files import read_json, write_atomically
from varbook.train import run_files
from varbook.train.keeper import Keeper
from varbook.train.store import Run, experiment, find_run, run_key, train_or_load

NAME = f"toy-{run_key('toy', {}, 0)}"
PATIENCE = 60  # seconds until a test gives up what it waits for


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Give every test a VARBOOK_HOME and a folder of shipped runs of its own."""
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("VARBOOK_RETRAIN", raising=False)
    monkeypatch.setattr(paths, "shipped", lambda: tmp_path / "shipped")
    return tmp_path / "home"


def trained(value: float, fit=lambda keeper: []) -> tuple[float, Run]:
    """Return the weight of the toy's model, `value` where it is trained now, and its run."""
    model = nn.Linear(1, 1, bias=False)

    def fill(keeper: Keeper):
        nn.init.constant_(model.weight, value)
        return fit(keeper)

    run = train_or_load("toy", model, {}, fill, seed=0)
    return model.weight.item(), run


def until(found) -> None:
    """Wait until `found()` is true."""
    end = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def _within(folder: Path, name: str, work, arguments) -> None:
    os.environ.update(VARBOOK_HOME=str(folder / "home"), VARBOOK_DEVICE="cpu", VARBOOK_BATCH="1")
    paths.shipped = lambda: folder / "shipped"
    torch.set_num_threads(1)
    said = os.open(folder / f"{name}.said", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(said, 2)
    result = work(folder, *arguments)
    (folder / f"{name}.result").write_text(str(result))


def started(folder: Path, name: str, work, *arguments):
    """Start a process that does `work(folder, *arguments)` with the home below `folder`."""
    process = FORKS.Process(target=_within, args=(folder, name, work, arguments), daemon=True)
    process.start()
    return process


def text(file: Path) -> str:
    """Return what a file holds, "" where it is not there."""
    return file.read_text() if file.is_file() else ""


def slow(folder: Path, value: float) -> str:
    """Train, and wait in the middle until the file `go` is there."""

    def fit(keeper):
        (folder / f"training-{value}").touch()
        until((folder / "go").exists)
        return []

    weight, run = trained(value, fit)
    return f"{weight} {run.source}"


def test_one_process_trains_and_the_other_waits_and_loads(tmp_path, home):
    first = started(tmp_path, "first", slow, 1.0)
    until((tmp_path / "training-1.0").exists)
    second = started(tmp_path, "second", slow, 2.0)
    until(lambda: "waiting for it" in text(tmp_path / "second.said"))
    assert f"{NAME} is trained by another process (process {first.pid} of" in text(
        tmp_path / "second.said"
    )
    (tmp_path / "go").touch()
    first.join(PATIENCE)
    second.join(PATIENCE)
    assert text(tmp_path / "first.result") == "1.0 trained"
    assert text(tmp_path / "second.result") == "1.0 found"
    assert not (tmp_path / "training-2.0").exists() and not list((home / "partial").iterdir())


def test_the_lock_of_a_killed_process_holds_nobody_up(tmp_path):
    first = started(tmp_path, "first", slow, 1.0)
    until((tmp_path / "training-1.0").exists)
    second = started(tmp_path, "second", slow, 2.0)
    until(lambda: "waiting for it" in text(tmp_path / "second.said"))
    os.kill(first.pid, signal.SIGKILL)
    until((tmp_path / "training-2.0").exists)
    (tmp_path / "go").touch()
    second.join(PATIENCE)
    assert text(tmp_path / "second.result") == "2.0 trained"


def measuring(folder: Path, name: str, wait: bool) -> dict:
    """Measure on the toy's run; the numbers say how often that was done."""

    def measure():
        mark = folder / f"measured-{name}"
        mark.write_text(text(mark) + "x")
        if wait:
            until((folder / "go").exists)
        return {"times": len(mark.read_text())}

    return find_run(NAME).measure(name, {}, measure)


def test_a_number_is_measured_by_one_process_and_none_is_lost(tmp_path, home):
    trained(1.0)
    first = started(tmp_path, "first", measuring, "fd", True)
    until((tmp_path / "measured-fd").exists)
    second = started(tmp_path, "second", measuring, "fd", False)
    until(lambda: "waiting for it" in text(tmp_path / "second.said"))
    other = started(tmp_path, "other", measuring, "kid", False)  # waits for nobody
    other.join(PATIENCE)
    assert text(tmp_path / "other.result") == "{'times': 1}"
    (tmp_path / "go").touch()
    for process, name in ((first, "first"), (second, "second")):
        process.join(PATIENCE)
        assert text(tmp_path / f"{name}.result") == "{'times': 1}"
    assert set(read_json(home / "runs" / f"{NAME}.json")["measurements"]) == {"fd", "kid"}


def test_a_number_of_earlier_weights_is_not_written_into_the_record_of_new_ones(home, monkeypatch):
    _, run = trained(1.0)
    monkeypatch.setenv("VARBOOK_RETRAIN", str(time.time() + 5))

    def meanwhile():
        trained(2.0)
        return {"value": 1}

    assert run.measure("fd", {}, meanwhile) == {"value": 1}
    monkeypatch.delenv("VARBOOK_RETRAIN")
    weight, new = trained(3.0)
    assert weight == 2.0 and new.record["measurements"] == {}


def dying(folder: Path, moment: int) -> None:
    """Train anew; die by SIGKILL before the file operation number `moment`."""
    calls = [0]

    def counted(function):
        def call(*arguments, **options):
            calls[0] += 1
            if calls[0] > moment:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **options)

        return call

    os.environ["VARBOOK_RETRAIN"] = str(time.time() + 5)

    def fit(keeper):
        keeper.save(1, {"model": nn.Linear(1, 1)})
        for name in ("replace", "unlink", "rmdir", "fsync", "open"):
            setattr(os, name, counted(getattr(os, name)))
        Path.unlink = counted(Path.unlink)
        Path.write_bytes = counted(Path.write_bytes)
        return []

    trained(2.0, fit)


def test_a_training_anew_that_is_killed_leaves_the_earlier_run_or_its_own(tmp_path, home):
    """Before each file operation of its end, in turn, until it lives to the end."""
    trained(1.0)
    seen = []
    for moment in range(200):
        process = started(tmp_path, f"dying-{moment}", dying, moment)
        process.join(PATIENCE)
        weight, run = trained(3.0)
        assert run.source == "found"
        seen.append(weight)
        if process.exitcode == 0:
            break
        run_files.tidy()
        assert trained(3.0)[0] == weight
        names = {file.name for file in (home / "runs").iterdir()}
        assert names == {f"{NAME}.json", f"{NAME}.safetensors"}
        # Back to the earlier run.
        for file in (home / "runs").iterdir():
            file.unlink()
        trained(1.0)
    assert process.exitcode == 0 and len(seen) > 10
    assert seen == sorted(seen) and set(seen) == {1.0, 2.0}  # from one moment on it counts


def test_the_first_end_that_is_cut_short_counts_once_the_record_is_there(home, monkeypatch):
    """Nothing was there before, so that the weights on their way are the only ones."""
    monkeypatch.setattr(run_files, "settle", lambda *_: None)
    trained(1.0)
    monkeypatch.undo()
    assert not (home / "runs" / f"{NAME}.safetensors").exists()
    monkeypatch.setenv("VARBOOK_HOME", str(home))
    assert trained(2.0)[0] == 1.0
    run_files.tidy()
    assert (home / "runs" / f"{NAME}.safetensors").is_file() and trained(2.0)[0] == 1.0


def half_written(folder: Path, name: str) -> None:
    """Die, or live on, in the middle of a write below `folder`."""
    original = os.replace

    def in_the_middle(source, target):
        (folder / "written").touch()
        until((folder / name).exists)
        original(source, target)

    os.replace = in_the_middle
    write_atomically(folder / "home" / "runs" / "half.json", "half")


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path, home):
    process = started(tmp_path, "writer", half_written, "go")
    until((tmp_path / "written").exists)
    (home / "partial" / "other").mkdir(parents=True)
    (home / "partial" / "other" / "state.json").write_text("{}")  # of a training that goes on
    (home / "partial" / "dead.lock").write_text("process 1 of nowhere")
    (home / "runs" / f"other.0123456789ab{run_files.WEIGHTS}").write_bytes(b"without a record")
    (home / "runs" / ".note.varbook").write_text("not ours")
    run_files.tidy()
    left = sorted(path.name for path in home.rglob("*") if path.is_file())
    (temporary,) = [name for name in left if name.startswith(".half.json.")]
    assert left == sorted([temporary, ".note.varbook", "state.json"])
    os.kill(process.pid, signal.SIGKILL)
    process.join(PATIENCE)
    run_files.tidy()
    assert temporary not in os.listdir(home / "runs")


def test_the_state_of_a_finished_training_is_removed_and_that_of_a_later_one_is_not(home):
    _, run = trained(1.0)
    state, finished = {"model": nn.Linear(1, 1)}, run.record["finished"]
    Keeper(home / "partial" / NAME).save(3, state)
    notes = home / "partial" / NAME / "state.json"
    os.utime(notes, (finished + 60, finished + 60))
    run_files.tidy()
    assert notes.is_file()
    os.utime(notes, (finished - 1, finished - 1))
    run_files.tidy()
    assert not notes.parent.exists()


def test_a_file_system_without_locks_is_told_and_trained_on(home, monkeypatch, capsys):
    def none(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    assert trained(1.0)[1].source == "trained" and trained(2.0)[0] == 1.0
    assert "a file system without locks" in capsys.readouterr().err
    # Nobody can know whether their owners live.
    left = (home / "partial" / "dead.lock", home / "runs" / f"other.0123{run_files.WEIGHTS}")
    for file in left:
        file.write_text("?")
    run_files.tidy()
    assert all(file.is_file() for file in left)


def test_a_lock_that_its_holder_removed_is_taken_anew(tmp_path, monkeypatch):
    """Who opened the file before it was removed must not take what nobody else can see."""
    path = tmp_path / "lock"
    first = locks.take(path)
    original = fcntl.flock

    def after_the_other(descriptor, how):
        monkeypatch.setattr(fcntl, "flock", original)
        first.free()
        original(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", after_the_other)
    second = locks.take(path)
    assert second.sure and path.exists() and locks.take(path) is None
    second.free()
    assert not path.exists() and locks.take(path, make=False) is None


def _file(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("?")


PLACES = {
    "home is a file": lambda home: _file(home),
    "runs is a file": lambda home: _file(home / "runs"),
    "partial is a file": lambda home: _file(home / "partial"),
    "the saved state is a file": lambda home: _file(home / "partial" / NAME),
    "the record is a folder": lambda home: (home / "runs" / f"{NAME}.json").mkdir(parents=True),
    "the weights are a folder": lambda home: (home / "runs" / f"{NAME}.safetensors").mkdir(
        parents=True
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_what_could_not_be_kept_is_told_before_any_training(home, place):
    PLACES[place](home)
    before = sorted(path for path in home.rglob("*"))
    for work in (
        lambda: trained(1.0, lambda _: pytest.fail("it trained")),
        lambda: experiment("toy", {}, lambda: pytest.fail("it tried"), seed=0),
    ):
        with pytest.raises(VarbookError, match="cannot be written|belongs there") as error:
            work()
        assert "\n" not in str(error.value)
    assert set(before) <= set(home.rglob("*"))


@pytest.mark.parametrize("method", ["is_file", "read_bytes"])
def test_a_record_that_may_not_be_read_is_told_and_not_to_be_deleted(home, monkeypatch, method):
    trained(1.0)

    def closed(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, method, closed)
    with pytest.raises(VarbookError, match="no right") as error:
        trained(2.0, lambda _: pytest.fail("it trained"))
    assert "delete" not in str(error.value)


@pytest.mark.parametrize("missing", ["sha256", "finished", "measurements"])
def test_a_record_that_lacks_something_is_told(home, missing):
    trained(1.0)
    file = home / "runs" / f"{NAME}.json"
    record = read_json(file)
    del record[missing]
    run_files.write_json(file, record)
    with pytest.raises(VarbookError, match=f"{missing}.*delete it"):
        trained(2.0, lambda _: pytest.fail("it trained"))


def test_an_experiment_without_its_result_is_told(home):
    made = experiment("row", {}, lambda: ({"loss": 1.0}, []), seed=0)
    file = home / "runs" / f"{made.name}.json"
    run_files.write_json(file, read_json(file) | {"measurements": {}})
    with pytest.raises(VarbookError, match="lacks its result"):
        _ = experiment("row", {}, lambda: pytest.fail("again"), seed=0).result
