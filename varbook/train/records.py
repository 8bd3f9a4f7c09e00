"""Run records as they are read from disk: checked once, so that nothing behind has to doubt them."""

import math
from pathlib import Path
from typing import Any

from varbook.errors import VarbookError
from varbook.files import read_json, remedy

# What `varbook.train.store` writes into every record, and of which kind.
FIELDS: dict[str, type | tuple[type, ...]] = {
    "kind": str,
    "key": str,
    "settings": dict,
    "seed": int,
    "profile": str,
    "minutes": (int, float),
    "hardware": str,
    "finished": (int, float),
    "curve": list,
    "measurements": dict,
}


def read_record(path: Path, *, renamed: bool = False) -> dict[str, Any]:
    """Read the record of a run.

    VarbookError where it cannot be read, is damaged, lacks a field, or, unless it may have been
    `renamed`, is the record of another run than its file's name says.
    """
    record = read_json(path)
    fault = _fault(record) or ("" if renamed else _other_run(record, path))
    if fault:
        raise VarbookError(f"{path} is no record of this run ({fault}); {remedy(path)}.")
    return record


def _fault(record: dict) -> str:
    """Return what is wrong with a record, "" for nothing."""
    for name, kind in FIELDS.items():
        value = record.get(name)
        if not isinstance(value, kind) or isinstance(value, bool):
            return f"it lacks {name}" if name not in record else f"its {name} is {value!r:.40}"
    if not math.isfinite(record["minutes"]) or not math.isfinite(record["finished"]):
        return "its times are no numbers"
    if not isinstance(record.get("sha256", ""), str):
        return "its sha256 is no text"
    for name, measured in record["measurements"].items():
        if not isinstance(measured, dict) or not {"key", "values"} <= set(measured):
            return f"its measurement {name!r} is damaged"
    return ""


def _other_run(record: dict, path: Path) -> str:
    name = f"{record['kind']}-{record['key']}"
    return "" if name == path.stem else f"it is that of {name}"
