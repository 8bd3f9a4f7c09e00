"""Files written so that a reader finds the old one or the new one, never half of one; and JSON."""

import contextlib
import json
import math
import os
import re
import secrets
from pathlib import Path

from varbook import locks, paths
from varbook.errors import VarbookError, told

# What a file is called while it is written: its own name, perhaps cut, and a word of its own.
TEMPORARY = re.compile(r"\..*\.[0-9a-f]{12}\.varbook")
LONGEST = 200  # bytes of its own name, since file systems end names at 255


def write_atomically(path: Path, content: bytes | str, *, flush: bool = False) -> None:
    """Write `content` to `path`, text as UTF-8; missing folders are made.

    A failure leaves what was there before. With `flush` it is on the disk when this returns, so
    that a loss of power does not undo it: for what cannot be made again in a moment.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    # Nobody shares it, and its lock says that its owner lives.
    name = os.fsdecode(os.fsencode(path.name)[:LONGEST])
    temporary = path.with_name(f".{name}.{secrets.token_hex(6)}.varbook")
    lock = locks.take(temporary)
    try:
        temporary.write_bytes(data)
        if flush and lock:
            os.fsync(lock.descriptor)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    finally:
        if lock:
            lock.free(remove=False)
    if flush:
        flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Put the names in a folder on the disk, where the file system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_temporaries(folder: Path) -> None:
    """Remove from `folder` and all below it what processes that are dead left half written."""
    files = folder.rglob(".*.varbook") if folder.is_dir() else ()
    locks.remove_dead(file for file in files if TEMPORARY.fullmatch(file.name))


def write_json(path: Path, value: dict) -> None:
    """Write a dictionary as readable JSON, atomically and flushed.

    VarbookError where the system refuses, or a number is infinite or undefined, for which JSON has
    no word.
    """
    odd = odd_value(value)
    if odd:
        raise VarbookError(f"{path} is not written: {odd}, a number that JSON cannot hold.")
    with told(path, "written"):
        text = json.dumps(value, indent=1, sort_keys=True, allow_nan=False)
        write_atomically(path, text + "\n", flush=True)


def odd_value(value: object, name: str = "") -> str:
    """Return which number in plain data (dictionaries, lists, numbers, texts) is infinite or
    undefined, such as "values.FD is nan", or "" where none is.
    """
    if isinstance(value, float) and not math.isfinite(value):
        return f"{name or 'it'} is {value}"
    if isinstance(value, dict):
        parts = list(value.items())
    else:
        parts = list(enumerate(value)) if isinstance(value, list | tuple) else []
    inside = (odd_value(part, f"{name}.{key}".lstrip(".")) for key, part in parts)
    return next(filter(None, inside), "")


def remedy(path: Path, anew: str = "delete it and run again, it will be made anew") -> str:
    """Return what to do about a damaged file: restore what comes with the book, else `anew`."""
    if paths.shipped() in path.parents:
        return "it comes with the book: restore the checkout, or install varbook again"
    return anew


def read_json(path: Path, anew: str = "delete it and run again, it will be made anew") -> dict:
    """Read a JSON file that holds an object.

    VarbookError where the system does not let it be read, and, with `remedy`, where it is damaged.
    """
    with told(path, "read"):
        content = path.read_bytes()
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise VarbookError(f"{path} is damaged (it holds no JSON object); {remedy(path, anew)}.")
    return value


def peek_json(path: Path) -> dict:
    """Return what a JSON file holds that nothing depends on; {} where there is nothing readable."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
