"""A new process for each measurement."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from varbook.errors import VarbookError


def in_fresh_process(function: Callable[..., Any], arguments: tuple, what: str) -> Any:
    """Return what a function (of a module, with arguments that can be pickled) gives in a new
    process; VarbookError, that `what` was not measured, where it fails.

    What one measurement leaves in memory makes the plain forms of the next one faster or slower, by
    a factor of up to two, and a peak of memory is that of a process's whole life.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        try:
            return process.submit(function, *arguments).result()
        except VarbookError:
            raise
        except Exception as error:  # whatever fails there, or ends the process
            raise VarbookError(f"{what} was not measured: {error!r}.") from error
