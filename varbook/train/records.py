"""Run records, and the notes of saved trainings, as they are read from disk: checked once, so that
nothing behind has to doubt them.
"""

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
# What `varbook.train.keeper` notes beside the tensors of a training that is not finished.
NOTES: dict[str, type | tuple[type, ...]] = {
    "step": int,
    "file": str,
    "sha256": str,
    "curve": list,
    "seconds": (int, float),
    "core_seconds": (int, float),
}


def read_record(path: Path, *, renamed: bool = False) -> dict[str, Any]:
    """Read the record of a run.

    VarbookError where it cannot be read, is damaged, lacks a field, or, unless it may have been
    `renamed`, is the record of another run than its file's name says.
    """
    record = read_json(path)
    fault = _fault(record) or ("" if renamed else _other_run(record, path))
    if fault:
        raise VarbookError(f"{path} is not a record of this run ({fault}); {remedy(path)}.")
    return record


def read_notes(path: Path, anew: str) -> dict[str, Any]:
    """Read the notes of a saved training; VarbookError, with `anew` as what to do, where they cannot
    be read or are damaged.
    """
    notes = read_json(path, anew)
    fault = _odd_field(notes, NOTES)
    if not fault and (Path(notes["file"]).name != notes["file"] or notes["step"] < 0):
        fault = "they name no saved step beside them"
    if fault:
        raise VarbookError(f"{path} holds no notes of a training ({fault}); {anew}.")
    return notes


def _odd_field(record: dict, fields: dict[str, type | tuple[type, ...]]) -> str:
    """Return which field, or that the curve, is missing or of another kind, "" for none."""
    for name, kind in fields.items():
        value = record.get(name)
        if not isinstance(value, kind) or isinstance(value, bool):
            return f"it lacks {name}" if name not in record else f"its {name} is {value!r:.40}"
    if not all(isinstance(entry, dict) and "step" in entry for entry in record["curve"]):
        return "its curve is damaged"
    return ""


def _fault(record: dict) -> str:
    """Return what is wrong with a record, "" for nothing."""
    odd = _odd_field(record, FIELDS)
    if odd:
        return odd
    if not math.isfinite(record["minutes"]) or not math.isfinite(record["finished"]):
        return "its times are not numbers"
    if not isinstance(record.get("sha256", ""), str):
        return "its sha256 is not a text"
    for name, measured in record["measurements"].items():
        if not isinstance(measured, dict) or not {"key", "values"} <= set(measured):
            return f"its measurement {name!r} is damaged"
    return ""


def _other_run(record: dict, path: Path) -> str:
    name = f"{record['kind']}-{record['key']}"
    return "" if name == path.stem else f"it is that of {name}"
