"""A command whose processes end with the one who asked for it, however that ends.

    run.py -> this guard -> Snakemake -> shells -> papermill or nbval -> kernels

The guard holds the reading end of a pipe whose other end `run.py` alone holds: when that one is
killed the pipe ends, and the guard ends all that the command started. These carry a mark in their
environment, so that they are found although kernels lead sessions of their own, and although those
between may be gone. Where the guard was killed too, the next run finds them by the same mark.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

MARK = "VARBOOK_RUN"
PATIENCE = 20.0  # seconds that processes have to save what they are at, before they are killed
PAUSE = 0.1
PROCESSES = Path("/proc")


def run(
    command: Sequence[str],
    mark: str,
    *,
    env: Mapping[str, str],
    cwd: Path,
    stdout: IO,
    stderr: IO,
    lock: int,
) -> int:
    """Run a command behind a guard and return its exit code; `lock` is the descriptor of an open
    file that the guard keeps open, with its lock, until the last process has ended.
    """
    guard = subprocess.Popen(
        [sys.executable, "-m", "varbook.runner.guard", mark, *command],
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=stderr,
        pass_fds=(lock,),
    )
    assert guard.stdin is not None
    try:
        return guard.wait()
    finally:  # after an interrupt, or where the guard was killed
        guard.stdin.close()
        guard.wait()
        end_all(mark)


def end_all(mark: str, patience: float = PATIENCE) -> int:
    """End every process with this mark, and return how many there were: they are asked (SIGTERM),
    and after `patience` seconds killed.
    """
    asked: set[int] = set()
    deadline = time.monotonic() + patience
    while living := marked(mark):
        late = time.monotonic() > deadline
        for process in living:
            if late or process not in asked:
                with contextlib.suppress(OSError):
                    os.kill(process, signal.SIGKILL if late else signal.SIGTERM)
        asked.update(living)
        time.sleep(PAUSE)
    return len(asked)


def marked(mark: str) -> list[int]:
    """Return the numbers of all other processes of this user that carry the mark."""
    wanted = f"{MARK}={mark}".encode()
    own = (os.getpid(), os.getppid())
    return [number for number, words in _environments() if wanted in words and number not in own]


def _environments() -> Iterator[tuple[int, list[bytes]]]:
    """Yield (number, environment) of every process that this user may look into."""
    if (PROCESSES / "self" / "environ").exists():
        for folder in PROCESSES.iterdir():
            if folder.name.isdigit():
                with contextlib.suppress(OSError):
                    yield int(folder.name), (folder / "environ").read_bytes().split(b"\0")
        return
    listed = subprocess.run(["ps", "-axEww", "-o", "pid=,command="], capture_output=True)
    for line in listed.stdout.splitlines():
        number, *words = line.split()
        yield int(number), words


def _watch(mark: str) -> None:
    """End all, and this process, when the pipe at standard input ends."""
    while os.read(0, 1):
        pass
    end_all(mark)
    os._exit(128 + signal.SIGTERM)


def main(arguments: Sequence[str]) -> int:
    """Run a command (mark, program, its arguments) and return its exit code once all that it
    started has ended.
    """
    mark, *command = arguments

    def stop(*_) -> None:
        end_all(mark)
        os._exit(128 + signal.SIGTERM)

    # Handlers of our own: what is ignored would be ignored in the command as well. An interrupt
    # from the keyboard reaches the command without us, and run.py then ends the pipe.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)
    environment = os.environ | {MARK: mark}
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=environment)
    threading.Thread(target=_watch, args=(mark,), daemon=True).start()
    code = child.wait()
    end_all(mark)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
