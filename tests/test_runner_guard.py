"""A run that ends in whatever way leaves no process behind, and its lock is held until then."""

import fcntl
import os
import signal
import subprocess
import sys
import time

import pytest

from varbook.runner import guard, run

PATIENCE = 60  # seconds until a test gives up what it waits for
pytestmark = [
    pytest.mark.usefixtures("usual_signals"),
    pytest.mark.skipif(not guard.PROCESSES.is_dir(), reason="needs /proc to look"),
]
# The run: a command behind a guard, under a lock.
RUN = """
import os, sys
from pathlib import Path
from varbook.runner import guard
folder, command = Path(sys.argv[1]), sys.argv[2:]
lock = (folder / "lock").open("w")
import fcntl
fcntl.flock(lock, fcntl.LOCK_EX)
with (folder / "messages").open("w") as messages:
    code = guard.run([sys.executable, "-c", *command], str(folder), env=os.environ, cwd=folder,
                     stdout=messages, stderr=messages, lock=lock.fileno())
(folder / "code").write_text(str(code))
"""
# The command: like papermill it starts something that leads a session of its own, and waits for it.
COMMAND = """
import subprocess, sys
kernel = subprocess.Popen([sys.executable, "-c", sys.argv[1]], start_new_session=True)
sys.exit(kernel.wait())
"""
KERNEL = """
import os, time
open("kernel.tmp", "w").write(str(os.getpid()))
os.rename("kernel.tmp", "kernel")
time.sleep(600)
"""
# It saves before it ends, which takes a moment.
SAVING = """
import signal, sys, time
def save(*_):
    time.sleep(0.3)
    open("saved", "w").close()
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
"""
DEAF = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"


def until(found):
    """Wait until `found()` is true, and return it."""
    end = time.monotonic() + PATIENCE
    while not (value := found()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
    return value


def lives(number: int) -> bool:
    """Say whether a process is there and no zombie, which nobody may have waited for."""
    try:
        with open(f"/proc/{number}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def begun(tmp_path):
    """Begin a run whose kernel does `text`; return it and the number of the kernel's process."""
    running = []

    def begin(text: str = "") -> tuple[subprocess.Popen, int]:
        process = subprocess.Popen(
            [sys.executable, "-c", RUN, str(tmp_path), COMMAND, text + KERNEL], cwd=tmp_path
        )
        running.append(process)
        until((tmp_path / "kernel").exists)
        return process, int((tmp_path / "kernel").read_text())

    yield begin
    for process in running:
        process.kill()
        process.wait()
    guard.end_all(str(tmp_path), 0)


def is_free(folder) -> bool:
    """Say whether another run could begin."""
    with (folder / "lock").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT, signal.SIGHUP])
def test_a_run_that_is_ended_takes_its_kernels_along_once_they_have_saved(tmp_path, begun, how):
    process, kernel = begun(SAVING)
    assert not is_free(tmp_path) and len(guard.marked(str(tmp_path))) == 2
    process.send_signal(how)
    until(lambda: is_free(tmp_path))
    assert not lives(kernel) and (tmp_path / "saved").exists()
    assert guard.marked(str(tmp_path)) == []


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_guard_that_is_ended_leaves_nobody(tmp_path, begun, how):
    """It may be ended by a word to it, or be killed: then the run ends the others."""
    process, kernel = begun()
    (guarding,) = (
        int(number)
        for number in open(f"/proc/{process.pid}/task/{process.pid}/children").read().split()
    )
    os.kill(guarding, how)
    process.wait(PATIENCE)
    assert not lives(kernel) and is_free(tmp_path)


def test_what_a_run_left_that_was_killed_with_its_guard_is_ended_by_the_next(
    tmp_path, begun, monkeypatch, capsys
):
    process, kernel = begun()
    children = open(f"/proc/{process.pid}/task/{process.pid}/children").read().split()
    for number in (*map(int, children), process.pid):
        os.kill(number, signal.SIGKILL)
    process.wait()
    assert lives(kernel)
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(run.plan, "build", lambda: tmp_path)
    monkeypatch.setattr(run, "figures", lambda: tmp_path / "figures")
    (tmp_path / ".half.png.0123456789ab.varbook").write_text("half")
    (tmp_path / ".mine").write_text("not ours")
    run.clean_up()
    assert not lives(kernel) and "an earlier run had left" in capsys.readouterr().err
    assert not (tmp_path / ".half.png.0123456789ab.varbook").exists()
    assert (tmp_path / ".mine").exists()


def test_who_does_not_listen_is_killed_and_who_has_another_mark_is_not(tmp_path, begun):
    _, kernel = begun(DEAF)
    other = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"],
        env=os.environ | {guard.MARK: f"{tmp_path}-other"},
    )
    until(lambda: guard.marked(f"{tmp_path}-other"))
    assert guard.end_all(str(tmp_path), patience=0.5) == 2
    assert not lives(kernel) and other.poll() is None
    other.kill()
    other.wait()


@pytest.mark.parametrize(("ends", "code"), [("import sys; sys.exit(3)", 3), ("", 0)])
def test_a_command_that_ends_by_itself_gives_its_code(tmp_path, ends, code):
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(tmp_path), ends], cwd=tmp_path, timeout=PATIENCE
    )
    assert done.returncode == 0 and (tmp_path / "code").read_text() == str(code)


def test_where_there_is_no_proc_the_list_of_processes_tells(monkeypatch, tmp_path):
    monkeypatch.setattr(guard, "PROCESSES", tmp_path)
    listed = b"   12 python x VARBOOK_RUN=/a HOME=/b\n   13 python VARBOOK_RUN=/ab\n"
    monkeypatch.setattr(
        guard.subprocess,
        "run",
        lambda *_, **__: subprocess.CompletedProcess([], 0, stdout=listed),
    )
    assert guard.marked("/a") == [12]
