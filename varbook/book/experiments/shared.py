"""What the rows of one experiment stand on, such as judge, tokenizer and held-out scenes: made once
for all of them.

Nobody changes what is shared: a row that trains a model, or swaps a part of it, takes a copy.
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from varbook import paths
from varbook.book.models.profiles import Profile
from varbook.book.models.unpaired_task import Task

Made = TypeVar("Made")
# Models and sets together: a chapter's rows stand on few, and others must not fill the memory.
AT_MOST = 16


def shared(make: Callable[..., Made], *arguments: Any) -> Made:
    """Return `make(*arguments)`, made when it is first asked for and kept for later rows.

    Everything that shapes it stands in the (hashable) arguments, and in VARBOOK_HOME.
    """
    return _made(make, paths.home(), *arguments)


@functools.lru_cache(maxsize=AT_MOST)
def _made(make: Callable[..., Made], home: Path, *arguments: Any) -> Made:
    return make(*arguments)


def domain(task: Task, profile: Profile, name: str, *, held_out: bool = False) -> Any:
    """Return the pictures of one domain as `Task.domain` does, read once."""
    return shared(_domain, task, profile, name, held_out)


def _domain(task: Task, profile: Profile, name: str, held_out: bool) -> Any:
    return task.domain(profile, name, held_out=held_out)
