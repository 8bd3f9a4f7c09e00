"""The one kind of error that a reader of the book should see, and how commands end with it."""

import sys
from collections.abc import Callable


class VarbookError(ValueError):
    """Says in one sentence what is wrong with the input and what to do about it."""


def ended(command: Callable[[], int]) -> int:
    """Run a command and return its exit code.

    2 after the sentence of a VarbookError, 130 after an interrupt, else the command's own.
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
