"""The one kind of error that a reader of the book should see, and how commands end with it."""

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Iterator


class VarbookError(ValueError):
    """Says in one sentence what is wrong with the input and what to do about it."""


# What the system refuses, and what helps; any other refusal is told in the system's own words.
REMEDIES = {
    errno.ENOSPC: "no space is left there; make room, or name another place",
    errno.EDQUOT: "the quota is used up; make room, or name another place",
    errno.EACCES: "there is no right to do so; name another place, or change its rights",
    errno.EPERM: "there is no right to do so; name another place, or change its rights",
    errno.EROFS: "the disk is read-only; name another place",
    errno.ENOTDIR: "a file stands where a folder is needed; name another place",
    errno.EEXIST: "a file stands where a folder is needed; name another place",
    errno.EISDIR: "a folder stands where a file is needed; name another place",
    errno.ENOENT: "it is not there; check the path",
}


def refusal(error: OSError, path: object = None, verb: str = "used") -> str:
    """Return one sentence about what the system refused at `path` (None: the one that the error
    names), and what helps.
    """
    place = path or error.filename or "A file"
    reason = REMEDIES.get(error.errno or 0, error.strerror or str(error))
    return f"{place} cannot be {verb}: {reason.rstrip('.')}."


@contextlib.contextmanager
def told(path: object = None, verb: str = "used") -> Iterator[None]:
    """Turn what the system refuses inside of it into a VarbookError with `refusal`'s sentence."""
    try:
        yield
    except OSError as error:
        raise VarbookError(refusal(error, path, verb)) from None


def _tell(sentence: str) -> None:
    if os.environ.get("RANK", "0") == "0":  # of processes that torchrun started, one is enough
        print(f"varbook: {sentence}", file=sys.stderr)


def ended(command: Callable[[], int]) -> int:
    """Run a command and return its exit code.

    2 after the sentence of a VarbookError or of what the system refused, 130 after an interrupt,
    else the command's own.
    """
    try:
        return command()
    except VarbookError as error:
        _tell(str(error))
        return 2
    except BrokenPipeError:  # the reader of a pipe has seen enough: `varbook train --list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the end flushes once more
        return 0
    except OSError as error:
        if error.errno is None:
            raise  # not of the system's making: a fault of the program, which needs its traceback
        _tell(refusal(error))
        return 2
    except KeyboardInterrupt:
        _tell("stopped; what was finished is kept, the next run goes on from there.")
        return 130
