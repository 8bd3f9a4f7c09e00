"""Files written so that a reader finds the old one or the new one, never half of one; and JSON."""

import json
import os
from pathlib import Path

from varbook import paths
from varbook.errors import VarbookError, told


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write `content` to `path`, text as UTF-8; missing folders are made.

    A failure leaves what was there before.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")  # processes do not share it
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_json(path: Path, value: dict) -> None:
    """Write a dictionary as readable JSON, atomically; VarbookError where the system refuses."""
    with told(path, "written"):
        write_atomically(path, json.dumps(value, indent=1, sort_keys=True) + "\n")


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
