"""Locks that end with the process that holds them, however it ends: the system frees them.

A lock is a file. What it stands for (a training, a half-written file) belongs to whoever holds it;
where nobody does, its owner is dead, and what it left may be cleaned up.
"""

import errno
import fcntl
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

# What the system answers where somebody else holds the lock; any other answer says that this file
# system knows no locks.
HELD = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)


@dataclass
class Lock:
    """A lock that this process holds; `sure` is false where the file system knows no locks, so that
    others may hold it as well.
    """

    path: Path
    descriptor: int
    sure: bool

    def free(self, *, remove: bool = True) -> None:
        """Let others have it; the file is removed unless it has become something else."""
        if remove and self.sure:
            self.path.unlink(missing_ok=True)  # before it is closed: nobody else may hold it yet
        os.close(self.descriptor)


def take(path: Path, *, make: bool = True) -> Lock | None:
    """Return the lock at `path`, or None where another one holds it, or, unless the file may be made
    (`make`), where there is none. OSError where the system refuses the file.
    """
    while True:
        try:
            flags = os.O_RDWR | (os.O_CREAT if make else 0)
            descriptor = os.open(path, flags, 0o666)
        except FileNotFoundError:
            if make:
                raise
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in HELD:
                return Lock(path, descriptor, sure=False)
            os.close(descriptor)
            return None
        if _same(path, descriptor):
            return Lock(path, descriptor, sure=True)
        os.close(descriptor)  # removed by who held it, between our two calls: once more


def _same(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def remove_dead(files: Iterable[Path]) -> None:
    """Remove those files whose lock nobody holds; what the system refuses stays."""
    for file in files:
        try:
            lock = take(file, make=False)
        except OSError:
            continue
        if lock:
            lock.free()
