"""Saved results, read again without torch: a result's verdict, a table's rows."""

import csv
from collections.abc import Sequence
from pathlib import Path

from varbook.book.claims.artefact import Artefact
from varbook.book.claims.registry import REGISTRY, artefact
from varbook.book.claims.verdicts import NOT_RUN
from varbook.files import peek_json
from varbook.paths import figure_places

# Best first. Smoke results say that the code runs, not that a claim holds.
BEST_FIRST = ("paper", "gpu", "laptop")


def profile_name(profile) -> str:
    """Return the name of a profile given as an object with `.name` or as a string."""
    return str(getattr(profile, "name", profile))


def place(artefact_id: str, profile) -> Path:
    """Return the folder that holds the result of one figure or table for a profile, with its
    picture or table: the reader's own where there is one, else what comes with the book.
    """
    name = f"{artefact(artefact_id).id}.json"
    folders = [folder / profile_name(profile) for folder in figure_places()]
    return next((folder for folder in folders if (folder / name).is_file()), folders[0])


def load_result(artefact_id: str, profile) -> dict | None:
    """Return what `save_result` wrote for a profile, or None where there is nothing (or nothing
    readable).
    """
    return peek_json(place(artefact_id, profile) / f"{artefact_id}.json") or None


def best_result(row: Artefact, profiles: Sequence[str] = BEST_FIRST) -> dict | None:
    """Return the result of one figure or table from the first profile that has one, or None."""
    results = (load_result(row.id, name) for name in profiles)
    return next((result for result in results if result and result.get("verdict") != NOT_RUN), None)


def saved_results(profiles: Sequence[str]) -> dict[str, dict]:
    """Return id -> saved result for every figure and table that one of `profiles` has run."""
    results = {name: best_result(row, profiles) for name, row in REGISTRY.items()}
    return {name: result for name, result in results.items() if result}


def saved_table(artefact_id: str, profile: str) -> list[dict]:
    """Return the rows of a saved table as text, empty where there is none."""
    path = place(artefact_id, profile) / f"{artefact_id}.csv"
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: _shown(cell) for name, cell in row.items()} for row in csv.DictReader(file)]


def _shown(cell: str) -> str | float | None:
    try:
        return None if cell == "" else int(cell) if cell.lstrip("-").isdigit() else float(cell)
    except ValueError:
        return {"True": "yes", "False": "no"}.get(cell, cell)
