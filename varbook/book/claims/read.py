"""What the notebooks saved, read again: verdicts, pictures, tables, metric cards and the runs
behind them.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from varbook.book.chapters import CHAPTERS
from varbook.book.claims.provenance import file_digest
from varbook.book.claims.registry import REGISTRY
from varbook.book.claims.saved import BEST_FIRST, place, profile_name
from varbook.book.claims.saved import best_result as best_result
from varbook.book.claims.saved import saved_results as saved_results
from varbook.book.claims.saved import saved_table as saved_table
from varbook.book.show.sheets import Image
from varbook.files import peek_json
from varbook.paths import figure_places, repository, shipped

CARD_FIELDS = (
    "evaluator",
    "features",
    "samples",
    "reference_samples",
    "reference",
    "protocol",
    "seed",
)


def profiles_to_read(profile) -> tuple[str, ...]:
    """Return the profiles whose results a notebook shows, best first: in smoke only
    smoke's own, elsewhere never smoke's.
    """
    return ("smoke",) if profile_name(profile) == "smoke" else BEST_FIRST


def saved_picture(artefact_id: str, profile: str) -> Image.Image | None:
    """Return a saved figure, or None where there is none or it cannot be read."""
    path = place(artefact_id, profile) / f"{artefact_id}.png"
    try:
        with Image.open(path) as picture:
            return picture.convert("RGB")
    except OSError:
        return None


def link_to(file: Path, text: str) -> str:
    """Return a Markdown link from a notebook to a file: to where it lies, be it among what comes with
    the book or in the folder of a reader's run.
    """
    way = os.path.relpath(file, repository() / "notebooks")
    return f"[{text}]({Path(way).as_posix()})"


def figure_links(names: Sequence[str], results: Mapping[str, dict]) -> list[str]:
    """Return a link for each of these figures, to the picture that its result is about."""
    places = {name: place(name, results[name]["profile"]) for name in names}
    return [link_to(at / f"{name}.png", REGISTRY[name].label) for name, at in places.items()]


def extra_links(profiles: Sequence[str]) -> list[str]:
    """Return a link for each picture that is in neither paper: the reader's own where there is one,
    else what comes with the book.
    """
    found: dict[tuple[str, str], Path] = {}
    for profile in profiles:
        for folder in figure_places():
            for file in sorted((folder / profile / "extra").glob("*.png")):
                found.setdefault((profile, file.stem), file)
    return [link_to(file, name) for (_, name), file in sorted(found.items())]


def cards(value: object) -> Iterator[dict]:
    """Yield every metric card inside a saved result's `metric_card`, however the chapter nested
    them.
    """
    if isinstance(value, Mapping):
        if "evaluator" in value:
            yield dict(value)
            return
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from cards(item)


def card_rows(results: Mapping[str, dict]) -> list[dict]:
    """Return the metric cards behind `results`, each once, with the figures and tables that it
    serves.
    """
    rows: dict[tuple, dict] = {}
    for name, result in results.items():
        for card in cards(result.get("metric_card")):
            shown = {field: card.get(field) for field in CARD_FIELDS}
            row = rows.setdefault(tuple(map(str, shown.values())), shown | {"used for": []})
            if REGISTRY[name].label not in row["used for"]:
                row["used for"].append(REGISTRY[name].label)
    return [row | {"used for": ", ".join(row["used for"])} for row in rows.values()]


def _core_minutes(run: Mapping, record: Path) -> float | None:
    # Results saved before they held it have it in the record; the clock's time is the last resort.
    kept = {} if "core_minutes" in run else peek_json(record)
    return (kept | dict(run)).get("core_minutes", run.get("minutes"))


def run_rows(results: Mapping[str, dict]) -> list[dict]:
    """Return the runs behind `results`, each once: what, whether it comes with the book,
    core-minutes, hardware, seed, used for.
    """
    rows: dict[str, dict] = {}
    for name, result in results.items():
        for run in result.get("runs", []):
            if not isinstance(run, Mapping):
                continue  # a plain name: a chapter's own small run without a record
            label = run.get("name") or f"{run.get('kind')}-{run.get('key')}"
            record = shipped() / "records" / f"{label}.json"
            fields = {"core-minutes": _core_minutes(run, record)}
            fields |= {field: run.get(field) for field in ("hardware", "seed", "profile")}
            row = rows.setdefault(
                label, {"run": label, "with the book": record.is_file(), **fields, "used for": []}
            )
            row["used for"].append(REGISTRY[name].label)
    return [
        row | {"used for": ", ".join(dict.fromkeys(row["used for"]))}
        for row in sorted(rows.values(), key=lambda r: r["run"])
    ]


def stale(results: Mapping[str, dict]) -> list[str]:
    """Return the files that are no longer those that the verdicts were about: changed, or gone."""
    changed = []
    for artefact_id, result in results.items():
        folder = place(artefact_id, result["profile"])
        for name, digest in result.get("files", {}).items():
            path = folder / name
            if not path.is_file() or file_digest(path) != digest:
                changed.append(f"{result['profile']}/{name}")
    return changed


def missing_rows(results: Mapping[str, dict]) -> list[dict]:
    """Return one row per chapter that still owes results: whether it is written, what it owes, how
    to get it.
    """
    rows = []
    for chapter in CHAPTERS.values():
        owed = [
            row.label
            for row in REGISTRY.values()
            if row.chapter == chapter.number and row.id not in results
        ]
        if owed:
            todo = (
                f"make figures ONLY={chapter.number}"
                if chapter.path.is_file()
                else "the chapter is not written yet"
            )
            rows.append(
                {
                    "chapter": f"{chapter.number} {chapter.title}",
                    "owes": ", ".join(owed),
                    "what to do": todo,
                }
            )
    return rows
