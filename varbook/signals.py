"""The signals that ask a program to end, and how it does: a command says so in a sentence, and a
training ends after the step at work, saved.

Needs nothing but Python, as every command begins with it.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

# Ctrl-C; what `kill`, a cluster or a machine that shuts down sends; a terminal that was closed.
ENDING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
Handler = Callable[[int, FrameType | None], object]


class Stopped(KeyboardInterrupt):
    """Raised where the program was asked to end by the signal `number`."""

    def __init__(self, number: int, sentence: str = ""):
        super().__init__(sentence)
        self.number = number


def stop(number: int, frame: FrameType | None = None) -> None:
    """Raise Stopped: the handler of every command."""
    raise Stopped(number)


# Handlers that end the program. A program's own handler is left where it is: it has its own plans.
OURS = (signal.SIG_DFL, signal.default_int_handler, stop)


def exit_code(interrupt: KeyboardInterrupt) -> int:
    """Return the exit code of a program that was asked to end: 130, 143 or 129, as a shell has it."""
    return 128 + getattr(interrupt, "number", signal.SIGINT)


def tell(sentence: str) -> None:
    """Print a sentence to standard error; of processes that torchrun started the first alone does."""
    if _first():
        print(f"varbook: {sentence}", file=sys.stderr)


def _first() -> bool:
    return os.environ.get("RANK", "0") == "0"


def _install(handler: Handler, numbers: tuple[int, ...], over: tuple) -> dict[int, Any]:
    """Let `handler` answer those of the signals `numbers` that one of `over` answers, and return
    what did before; one that is ignored (nohup) stays ignored.

    Python lets the main thread alone do so: in another nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        return {}
    before = {number: signal.getsignal(number) for number in numbers}
    before = {number: old for number, old in before.items() if old in over}
    for number in before:
        signal.signal(number, handler)
    return before


def _restore(before: dict[int, Any]) -> None:
    for number, old in before.items():
        signal.signal(number, old)


@contextmanager
def stoppable() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise Stopped inside of this context, as Ctrl-C raises
    KeyboardInterrupt: what is open is closed, and a command can say a sentence.
    """
    before = _install(stop, ENDING[1:], (signal.SIG_DFL,))
    try:
        yield
    finally:
        _restore(before)


class Postponed:
    """Notes the first signal that asks to end, so that a loop inside of this context ends when it
    is ready; a second signal ends at once. Where it is not `wanted`, it does nothing.

    Of `several` processes a second one changes nothing: their launcher passes on what they have got
    already.
    """

    def __init__(self, wanted: bool = True, several: bool = False):
        self.wanted, self.several = wanted, several
        self.number = 0  # of the signal that was noted, 0: none
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Postponed":
        if self.wanted:
            self._before = _install(self._note, ENDING, OURS)
        return self

    def __exit__(self, *error: object) -> None:
        _restore(self._before)
        self._before = {}

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.number and not self.several:
            self.__exit__()
            end(number)
        self.number = self.number or number
        once_more = "" if self.several else "; a second signal ends at once"
        if _first():
            with suppress(OSError):
                # Not print: the signal may have come in the middle of one.
                os.write(2, f"varbook: it ends after this step, saved{once_more}.\n".encode())


def end(number: int, sentence: str = "") -> None:
    """End the program as its handler of the signal `number` does: KeyboardInterrupt with the
    sentence where that can be caught, else the signal's own end, once the sentence is said.
    """
    handler = signal.getsignal(number)
    try:
        if handler == signal.SIG_DFL:
            if sentence:
                tell(sentence)
            signal.raise_signal(number)
        elif callable(handler):
            handler(number, None)
        raise Stopped(number)
    except KeyboardInterrupt as interrupt:
        interrupt.args = (sentence,)
        raise
