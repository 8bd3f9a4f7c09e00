"""The one kind of error that a reader of the book should ever see, and how a command ends with it."""

import sys
from collections.abc import Callable


class VarbookError(ValueError):
    """Says in one sentence what is wrong with the input and what to do about it."""


def ended(command: Callable[[], int]) -> int:
    """Run a command and return its exit code: its own, 2 after the sentence of a VarbookError, 130
    where someone stopped it.
    """
    try:
        return command()
    except VarbookError as error:
        print(f"varbook: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            "varbook: stopped; what was finished is kept, the next run goes on from there.",
            file=sys.stderr,
        )
        return 130
