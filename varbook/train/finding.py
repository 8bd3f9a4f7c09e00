"""Which runs are there: their records and weights, with the repository or below VARBOOK_HOME."""

import os
import time
from pathlib import Path

from varbook import paths
from varbook.errors import VarbookError, told
from varbook.train.records import read_record
from varbook.train.run_files import record_file, runs, weights_in


def _retrain_since() -> float:
    # VARBOOK_RETRAIN holds the time (seconds since 1970) before which nothing trained counts; "1"
    # stands for this process.
    value = os.environ.get("VARBOOK_RETRAIN", "")
    try:
        return 0.0 if value in ("", "0") else _STARTED if value == "1" else float(value)
    except ValueError:
        raise VarbookError(f"VARBOOK_RETRAIN is {value!r}; use 1, or leave it unset.") from None


_STARTED = time.time()


def find_record(name: str) -> tuple[dict, str] | None:
    """Return the record of run `name` and its source, or None.

    The copy below VARBOOK_HOME wins: it may hold more measurements than the shipped one.
    """
    since = _retrain_since()
    shipped, own = paths.shipped() / "records" / f"{name}.json", record_file(name)
    with told(own, "read"):
        there = own.is_file()
    if there:
        record = read_record(own)
        # A record of measurements on a shipped run counts as long as that run is the one that is
        # shipped.
        outdated = (
            record.get("shipped")
            and shipped.is_file()
            and read_record(shipped)["finished"] != record["finished"]
        )
        if record["finished"] >= int(since) and not outdated:  # records keep whole seconds
            return record, "shipped" if record.get("shipped") else "found"
    if shipped.is_file() and not since:
        return read_record(shipped) | {"shipped": True}, "shipped"
    return None


def comes_with_book(name: str) -> bool:
    """Say whether the weights of run `name` come with the repository, and count."""
    return (
        paths.shipped() / "checkpoints" / f"{name}.safetensors"
    ).is_file() and not _retrain_since()


def record_comes_with_book(name: str) -> bool:
    """Say whether the record of run `name` comes with the repository, and counts."""
    return (paths.shipped() / "records" / f"{name}.json").is_file() and not _retrain_since()


def checkpoint_path(name: str, record: dict | None = None) -> Path:
    """Return where the weights of run `name` are stored, of which `record` speaks (None: the one
    that is found): with the repository where it comes with the book, else below VARBOOK_HOME.
    """
    if record is None:
        found = find_record(name)
        record = found[0] if found else {}
    shipped = paths.shipped() / "checkpoints" / f"{name}.safetensors"
    return shipped if record.get("shipped") else weights_in(runs(), name, record)
