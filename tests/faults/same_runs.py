"""Run the whole book in the smoke profile twice, from empty homes, with one and with two notebooks at
a time, and compare the two bit by bit.

    python tests/faults/same_runs.py                    # both runs and the comparison; docs/faults.md
    python tests/faults/same_runs.py ONE OTHER          # compares two folders and writes nothing

A folder holds home/ (VARBOOK_HOME) and figures/ (VARBOOK_FIGURES) of a run. All must be equal: the
weights of every run, its record, and every figure, table and result. What is left out is time: when
and how long a training ran, measured speeds, and the figures and tables that show them. Runs on
pictures of one's own are left out as well: they are as long as the machine is fast, and known by
when their files were written.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from varbook.book.claims.compare import leaves  # noqa: E402
from varbook.book.claims.registry import REGISTRY  # noqa: E402
from varbook.files import read_json  # noqa: E402

TABLE = ROOT / "docs" / "faults.md"
HEADING, NEXT = "## The whole book twice", "## Trainings that are killed"
INTRODUCTION = """

Every notebook in the smoke profile from an empty home, once with one and once with two notebooks at a time
(`tests/faults/same_runs.py`). Left out is time: when and how long a training ran, measured speeds, and what shows
them. Left out are runs on pictures of one's own, too: they are as long as the machine is fast.

"""
JOBS = (1, 2)
# Keys of what says when, how long and under which load; also kinds of records that hold times alone.
TIME = re.compile(r"seconds|minutes|speed|finished|volatile")
# Of these rows figure, table and sentence show measured times.
TIMED = {row.id: row.timed for row in REGISTRY.values() if row.timed}
# Further files that show measured times: the report (what it says are the results), and FlexVAR table 2,
# which has a column of them.
SHOW_TIMES = ("times", "COMPARISON", "REPORT", "flexible_time", "flexvar-table-2")
OWN = "own-"  # how the names of runs on pictures of one's own begin
# In this profile the toy world's two chains are of one size, so that two tasks share a run: its record
# names the one that has asked first.
ASKED_FIRST = ("task", "name")


@dataclass
class Compared:
    """How many things of one kind are in both folders, and which of them are not the same."""

    count: int = 0
    differ: list[str] = field(default_factory=list)

    def add(self, name: str, fault: str = "") -> None:
        """Count one, and note what differs in it."""
        self.count += 1
        if fault:
            self.differ.append(f"{name}: {fault}")


def numbers(document: dict, timed: tuple[str, ...] = ()) -> dict:
    """Return what a record or result says, flat, without times: keys -> value."""
    left_out = {"files", *timed, *(("ours", "why", "verdict") if timed else ())}
    if TIME.search(str(document.get("kind"))):
        left_out.add("values")
    return {
        path: value
        for path, value in leaves(document)
        if not left_out & set(path)
        and path != ASKED_FIRST
        and not any(TIME.search(key) for key in path)
    }


def first_difference(one: dict, other: dict) -> str:
    """Return which entry of two flat documents differs first, "" where none does."""
    for path in (*one, *other):
        if path not in one or path not in other or one[path] != other[path]:
            return f"{' / '.join(path)}: {one.get(path)!r:.60}, {other.get(path)!r:.60}"
    return ""


def files(folder: Path, pattern: str) -> dict[str, Path]:
    """Return name below `folder` -> file, without runs on pictures of one's own."""
    return {
        str(file.relative_to(folder)): file
        for file in sorted(folder.rglob(pattern))
        if not file.name.startswith(OWN)
    }


def pairs(one: Path, other: Path, pattern: str, into: Compared) -> Iterator[tuple[str, Path, Path]]:
    """Yield (name, file, file) of what both folders hold; what one alone holds differs."""
    here, there = files(one, pattern), files(other, pattern)
    for name in sorted(here.keys() ^ there.keys()):
        into.add(name, "in one alone")
    for name in sorted(here.keys() & there.keys()):
        yield name, here[name], there[name]


def compare(one: Path, other: Path) -> dict[str, Compared]:
    """Return what was compared, and what differs, by its kind."""
    kinds = ("weights of runs", "records of runs", "figures and tables", "results")
    weights, records, drawn, results = (Compared() for _ in kinds)
    runs = (one / "home" / "runs", other / "home" / "runs")
    for name, a, b in pairs(*runs, "*.safetensors", weights):
        weights.add(name, "" if a.read_bytes() == b.read_bytes() else "other bytes")
    for name, a, b in pairs(*runs, "*.json", records):
        records.add(name, first_difference(numbers(read_json(a)), numbers(read_json(b))))
    for name, a, b in pairs(one / "figures", other / "figures", "*.*", drawn):
        if a.suffix == ".json" and a.stem != "times":
            said = (numbers(read_json(file), TIMED.get(a.stem, ())) for file in (a, b))
            results.add(name, first_difference(*said))
        elif a.stem not in {*TIMED, *SHOW_TIMES}:
            drawn.add(name, "" if a.read_bytes() == b.read_bytes() else "other bytes")
    return dict(zip(kinds, (weights, records, drawn, results), strict=True))


def run_book(folder: Path, jobs: int) -> None:
    """Run every notebook into `folder`; SystemExit where one fails."""
    environment = dict(os.environ) | {
        "PYTHONPATH": str(ROOT),
        "VARBOOK_HOME": str(folder / "home"),
        "VARBOOK_FIGURES": str(folder / "figures"),
    }
    command = [sys.executable, "-m", "varbook.runner.run", "--profile", "smoke", "--force"]
    if subprocess.run([*command, "--jobs", str(jobs)], cwd=ROOT, env=environment).returncode:
        raise SystemExit(f"The run with {jobs} notebooks at a time has failed.")


def lines(compared: dict[str, Compared]) -> Iterator[str]:
    """Yield the lines of the table."""
    yield "| what | compared | other bits |"
    yield "|---|---|---|"
    for kind, found in compared.items():
        yield f"| {kind} | {found.count} | {len(found.differ)} |"


def main() -> int:
    """Run from the command line: 0 when both are the same, else 1."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folders", nargs="*", type=Path, help="two folders that are there already")
    chosen = parser.parse_args().folders
    if len(chosen) not in (0, 2):
        parser.error("name two folders, or none")
    with tempfile.TemporaryDirectory() as made:
        folders = chosen or [Path(made) / str(jobs) for jobs in JOBS]
        if not chosen:
            for folder, jobs in zip(folders, JOBS, strict=True):
                run_book(folder, jobs)
        compared = compare(*folders)
    for found in compared.values():
        for difference in found.differ:
            print(difference)
    table = "\n".join(lines(compared)) + "\n"
    print(table)
    if not chosen:
        page = TABLE.read_text(encoding="utf-8")
        above, below = page.split(HEADING)[0].split(NEXT)[0], page.split(NEXT)[1]
        page = f"{above}{HEADING}{INTRODUCTION}{table}\n{NEXT}{below}"
        TABLE.write_text(page, encoding="utf-8")
    return 1 if any(found.differ for found in compared.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
