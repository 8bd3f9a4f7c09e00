"""The notebooks to run, their order and their outcomes: shared by the Snakefile and run.py."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from varbook.book.chapters import CHAPTERS, chapter, written
from varbook.errors import VarbookError
from varbook.files import peek_json
from varbook.paths import repository


@dataclass(frozen=True)
class Node:
    """One notebook to run: a chapter, or the solutions of its exercises."""

    name: str  # "09" or "01b", with an "s" for its solutions
    path: Path
    needs: tuple[str, ...]  # nodes that run before this one where they run at all

    @property
    def chapter(self) -> str:
        """Return the number of its chapter."""
        return self.name.removesuffix("s")

    @property
    def solutions(self) -> bool:
        """Return whether it is the solutions of a chapter's exercises."""
        return self.name.endswith("s")


def build() -> Path:
    """Return the folder for everything that running makes (never committed)."""
    return repository() / "build"


def chosen(only: str | Sequence[str] | None) -> list[str]:
    """Return chapter numbers from "9,12", ("09",) or None (all that are written).

    Raises VarbookError for a number that the book does not have, or whose notebook is not written
    yet.
    """
    ready = [row.number for row in written()]
    parts = only.replace(",", " ").split() if isinstance(only, str) else list(only or [])
    numbers = sorted({chapter(part).number for part in parts}) if parts else ready
    missing = [number for number in numbers if number not in ready]
    if missing:
        raise VarbookError(
            f"The notebook of chapter {missing[0]} ({CHAPTERS[missing[0]].title}) is not written yet; "
            f"written are: {', '.join(ready) or 'none'}."
        )
    return numbers


def nodes(only: str | Sequence[str] | None = None, solutions: bool = False) -> list[Node]:
    """Return the notebooks to run, chapters first, in order.

    `solutions` adds those of the exercises.
    """
    numbers = chosen(only)
    plan = [Node(number, CHAPTERS[number].path, CHAPTERS[number].needs) for number in numbers]
    if solutions:
        for number in numbers:
            row = CHAPTERS[number]
            if row.solutions.is_file():
                plan.append(Node(f"{number}s", row.solutions, (number, *row.needs)))
    return plan


def state_file(mode: str, profile: str, node: Node) -> Path:
    """Return where the outcome of running a notebook is noted; `mode` is "figures", "publish" or
    "check".
    """
    return build() / profile / mode / "state" / f"{node.name}.json"


def executed(mode: str, profile: str, node: Node) -> Path:
    """Return where papermill puts the executed copy of a notebook."""
    return build() / profile / mode / "notebooks" / node.path.name


def log_file(mode: str, profile: str, node: Node) -> Path:
    """Return where the messages of papermill or nbval go."""
    return build() / profile / mode / "logs" / f"{node.path.stem}.log"


def outcome(mode: str, profile: str, node: Node) -> bool | None:
    """Return whether a notebook ran without error, None where it has not run."""
    code = peek_json(state_file(mode, profile, node)).get("exit")
    return None if code is None else code == 0


def forget(mode: str, profile: str, plan: Sequence[Node], failed_only: bool = True) -> None:
    """Remove noted outcomes, so that the notebooks run again: of failures, or of all."""
    for node in plan:
        if not failed_only or outcome(mode, profile, node) is False:
            state_file(mode, profile, node).unlink(missing_ok=True)


def log_tail(mode: str, profile: str, node: Node, lines: int | None = 25) -> list[str]:
    """Return the last lines of a notebook's log that are not empty (None: all of them)."""
    try:
        text = log_file(mode, profile, node).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()][-(lines or 0) :]


def last_error(mode: str, profile: str, node: Node) -> str:
    """Return the last line of what stopped a notebook: its error output, else the end of its log."""
    if mode != "check":
        for cell in peek_json(executed(mode, profile, node)).get("cells", []):
            for output in cell.get("outputs", []):
                if output.get("output_type") == "error":
                    return f"{output.get('ename')}: {output.get('evalue')}".strip().splitlines()[0]
    telling = log_tail(mode, profile, node, None)
    named = [line for line in telling if line.startswith(("FAILED", "ERROR"))]
    return (named or telling or ["nothing was written to its log"])[-1].strip()


def summary(mode: str, profile: str, plan: Sequence[Node]) -> tuple[int, str]:
    """Return (exit code, text): how many notebooks ran, and name and error of each that failed."""
    states = {node: outcome(mode, profile, node) for node in plan}
    bad = [node for node, good in states.items() if not good]
    lines = [
        f"{len(plan) - len(bad)} of {len(plan)} notebooks ended well ({mode}, profile {profile})."
    ]
    for node in bad:
        told = "has not run" if states[node] is None else last_error(mode, profile, node)
        where = (log_file if mode == "check" else executed)(mode, profile, node)
        if mode == "check":
            # What nbval says is read in the log of a CI job, whose files are gone by then.
            lines += [f"    | {line}" for line in log_tail(mode, profile, node)]
        lines.append(
            f"FAILED {node.path.name}: {told}\n       see {where.relative_to(repository())}"
        )
    return (1 if bad else 0), "\n".join(lines)
