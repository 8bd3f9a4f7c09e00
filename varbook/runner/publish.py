"""What `make publish` does beyond a run: outputs are kept in the notebooks, and times of a busy
machine never take the place of those of a quiet one.
"""

import json
import os
from collections.abc import Iterable, Sequence

from varbook.book.claims import compare
from varbook.book.claims.registry import REGISTRY, of_chapter
from varbook.cores import may_replace
from varbook.files import peek_json, write_atomically
from varbook.paths import published
from varbook.runner import plan

# Shows the results of all the others.
RESULTS = "13"


def timed_results(profile: str, chosen: Sequence[plan.Node]) -> dict[str, dict[str, bytes]]:
    """Return id -> {file name: content} of the published figures and tables that hold measured
    times and that the chosen notebooks will write.
    """
    folder = published() / profile
    rows = [row.id for node in chosen for row in of_chapter(node.name) if row.timed]
    kept = {}
    for name in rows:
        files = {path.name: path.read_bytes() for path in sorted(folder.glob(f"{name}.*"))}
        if f"{name}.json" in files:
            kept[name] = files
    return kept


def keep_quiet_times(profile: str, before: dict[str, dict[str, bytes]]) -> list[str]:
    """Put back what `timed_results` returned where its times were measured on a quiet machine and
    those of now on a busy one; return the chapters that wrote these.
    """
    folder = published() / profile
    chapters = []
    for name, files in before.items():
        row, old = REGISTRY[name], json.loads(files[f"{name}.json"])
        new = peek_json(folder / f"{name}.json")
        loads = (result.get("volatile", {}) for result in (new, old))
        if compare.times(row, new, old) and not may_replace(*loads):
            for path in folder.glob(f"{name}.*"):
                path.unlink()
            for file, content in files.items():
                write_atomically(folder / file, content)
            chapters.append(row.chapter)
    return sorted(set(chapters))


def write_back(profile: str, chosen: Sequence[plan.Node], held: Iterable[str] = ()) -> None:
    """Put the executed copies that succeeded, cleaned, in place of the notebooks themselves, but
    for the chapters that are `held` back: these will run again.
    """
    from varbook.runner.clean import normalise_file

    waiting = {*held, RESULTS} if held else set()
    plan.forget("publish", profile, [node for node in chosen if node.name in waiting], False)
    for node in chosen:
        if plan.outcome("publish", profile, node):
            normalise_file(plan.executed("publish", profile, node), node.path)
            # The notebook is newer than its outcome now, and Snakemake would run it again.
            os.utime(plan.state_file("publish", profile, node))


def told(held: Sequence[str]) -> str:
    """Return what to do about chapters that were held back."""
    return (
        f"Not published: chapter {', '.join(held)}. Times were measured on a busy machine, and the "
        "published ones are of a quiet one; when nothing else runs, run "
        f"`make publish ONLY={','.join([*held, RESULTS])}`."
    )
