"""Files written so that a reader finds the old one or the new one, never half of one; and JSON."""

import json
import os
from pathlib import Path

from varbook.errors import VarbookError


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
    """Write a dictionary as readable JSON, atomically."""
    write_atomically(path, json.dumps(value, indent=1, sort_keys=True) + "\n")


def read_json(path: Path) -> dict:
    """Read a JSON file; VarbookError where it is damaged."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        raise VarbookError(
            f"{path} cannot be read as JSON; delete it and run again, it will be made anew."
        ) from None
