"""The one kind of error that a reader of the book should see, and how commands end with it."""

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Iterator

from varbook.signals import exit_code, stoppable, tell


class VarbookError(ValueError):
    """Says in one sentence what is wrong with the input and what to do about it."""


STOPPED = "stopped; what was finished is kept, and the next run resumes from there."


# What the system refuses, and what helps where it stands; any other refusal is told in the system's
# own words.
REASONS = {
    errno.ENOSPC: ("no space is left there", "make room"),
    errno.EDQUOT: ("the quota is used up", "make room"),
    errno.EACCES: ("there is no right to do so", "change its rights"),
    errno.EPERM: ("there is no right to do so", "change its rights"),
    errno.EROFS: ("the disk is read-only", ""),
    errno.ENOTDIR: ("a file stands where a folder is needed", ""),
    errno.EEXIST: ("a file stands where a folder is needed", ""),
    errno.EISDIR: ("a folder stands where a file is needed", ""),
    errno.ENOENT: ("it is not there", "check the path"),
    errno.ENOMEM: ("the memory does not suffice", "end other programs"),
}
# What else helps where the caller has no better advice.
ELSEWHERE = {errno.ENOENT: "", errno.ENOMEM: "ask for less at a time"}
# How torch, which has no one kind of error for it on all devices, says that memory does not suffice.
NO_MEMORY = ("out of memory", "allocate memory", "not enough memory", "bad_alloc", "ALLOC_FAILED")


def refusal(error: OSError, path: object = None, verb: str = "used", elsewhere: str = "") -> str:
    """Return one sentence about what the system refused at `path` (None: the one that the error
    names), and what helps: there, or `elsewhere` (by default another place).
    """
    place, number = path or error.filename or "A file", error.errno or 0
    reason, there = REASONS.get(number, (error.strerror or str(error), ""))
    if number in REASONS:
        elsewhere = elsewhere or ELSEWHERE.get(number, "name another place")
    helps = ", or ".join(advice for advice in (there, elsewhere) if advice)
    return f"{place} cannot be {verb}: {reason.rstrip('.')}{helps and '; ' + helps}."


@contextlib.contextmanager
def told(path: object = None, verb: str = "used") -> Iterator[None]:
    """Turn what the system refuses inside of it into a VarbookError with `refusal`'s sentence."""
    try:
        yield
    except OSError as error:
        raise VarbookError(refusal(error, path, verb)) from None


def lacks_memory(error: BaseException) -> bool:
    """Say whether an error means that memory, of the machine or of a card, does not suffice."""
    if isinstance(error, RuntimeError):
        return any(words in str(error) for words in NO_MEMORY)
    return isinstance(error, MemoryError)


@contextlib.contextmanager
def within_memory(work: str, advice: str) -> Iterator[None]:
    """Turn too little memory inside of it into a VarbookError, which says that `work` needs more
    and what to do: `advice`, which setting to lower.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not lacks_memory(error):
            raise
        raise VarbookError(f"{work} needs more memory than there is: {advice}.") from None


def ended(command: Callable[[], int], lighter: str = "end other programs") -> int:
    """Run a command and return its exit code; `lighter` says what makes it need less memory.

    2 after the sentence of a VarbookError, of what the system refused, or of too little memory;
    130, 143 or 129 after the one of an interrupt, SIGTERM or SIGHUP; else the command's own.
    """
    with stoppable():
        try:
            with within_memory("This", lighter):
                return command()
        except VarbookError as error:
            tell(str(error))
            return 2
        except BrokenPipeError:
            # The reader of a pipe has seen enough: `varbook train --list | head`. The end flushes
            # once more.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except OSError as error:
            if error.errno is None:
                raise  # not of the system's making: a fault of the program, which needs its traceback
            tell(refusal(error))
            return 2
        except KeyboardInterrupt as interrupt:
            tell(str(interrupt) or STOPPED)
            return exit_code(interrupt)
