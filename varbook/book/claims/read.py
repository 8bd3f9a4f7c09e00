"""What the notebooks saved, read again: verdicts, pictures, tables, metric cards and the runs
behind them.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence

from varbook.book.chapters import CHAPTERS
from varbook.book.claims.provenance import file_digest
from varbook.book.claims.registry import REGISTRY, Artefact
from varbook.book.claims.report import BEST_FIRST, best_result
from varbook.book.claims.save import profile_name
from varbook.book.show.sheets import Image, packed
from varbook.paths import figures, shipped

WORDS = ("held", "partly", "not held", "not run")
SIGNS = {
    "held": "\N{CHECK MARK}",
    "partly": "~",
    "not held": "\N{MULTIPLICATION SIGN}",
    "not run": "\N{MIDDLE DOT}",
}
CARD_FIELDS = (
    "evaluator",
    "features",
    "samples",
    "reference_samples",
    "reference",
    "protocol",
    "seed",
)
_COLOURS = {"held": "#3f90da", "partly": "#92dadd", "not held": "#e76300", "not run": "#e4e6e6"}


def profiles_to_read(profile) -> tuple[str, ...]:
    """Return the profiles whose results a notebook shows, best first: smoke sees its own alone, and
    nobody else sees smoke's.
    """
    return ("smoke",) if profile_name(profile) == "smoke" else BEST_FIRST


def saved_results(profiles: Sequence[str]) -> dict[str, dict]:
    """Return id -> saved result for every figure and table that one of `profiles` has run."""
    found = {name: best_result(row, profiles) for name, row in REGISTRY.items()}
    return {name: result for name, result in found.items() if result}


def saved_table(artefact_id: str, profile: str) -> list[dict]:
    """Return the rows of a saved table as text, empty where there is none."""
    path = figures() / profile / f"{artefact_id}.csv"
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: _shown(cell) for name, cell in row.items()} for row in csv.DictReader(file)]


def _shown(cell: str) -> str | float | None:
    try:
        return None if cell == "" else int(cell) if cell.lstrip("-").isdigit() else float(cell)
    except ValueError:
        return {"True": "yes", "False": "no"}.get(cell, cell)


def saved_picture(artefact_id: str, profile: str) -> Image.Image | None:
    """Return a saved figure, or None where there is none or it cannot be read."""
    path = figures() / profile / f"{artefact_id}.png"
    try:
        with Image.open(path) as picture:
            return picture.convert("RGB")
    except OSError:
        return None


def show_small(picture: Image.Image, alt: str, limit: int = 24_000) -> None:
    """Show a picture in at most about `limit` bytes, smaller where that must be: several of them
    fit into one notebook.
    """
    import base64

    from IPython.display import publish_display_data

    from varbook.book.show.display import in_notebook

    mime, data = packed(picture, limit)
    while len(data) > limit and picture.width > 450:
        size = (round(picture.width * 0.85), round(picture.height * 0.85))
        picture = picture.resize(size, Image.Resampling.LANCZOS)
        mime, data = packed(picture, limit)
    if in_notebook():
        publish_display_data(
            {mime: base64.b64encode(data).decode("ascii"), "text/plain": f"[{alt}]"}
        )


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
        for one in value:
            yield from cards(one)


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


def run_rows(results: Mapping[str, dict]) -> list[dict]:
    """Return the runs behind `results`, each once: what, whether it comes with the book, minutes,
    hardware, seed, used for.
    """
    rows: dict[str, dict] = {}
    for name, result in results.items():
        for run in result.get("runs", []):
            if not isinstance(run, Mapping):
                continue  # a plain name: a chapter's own small run without a record
            label = run.get("name") or f"{run.get('kind')}-{run.get('key')}"
            record = shipped() / "records" / f"{label}.json"
            fields = {field: run.get(field) for field in ("minutes", "hardware", "seed", "profile")}
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
    for result in results.values():
        for name, digest in result.get("files", {}).items():
            path = figures() / result["profile"] / name
            if not path.is_file() or file_digest(path) != digest:
                changed.append(f"{result['profile']}/{name}")
    return changed


def verdict_map(words: Mapping[str, str]):
    """Return a figure with one tile per figure and table of both papers, coloured and signed by its
    verdict.
    """
    import matplotlib.pyplot as plt
    from matplotlib.patches import Patch, Rectangle

    rows = [(paper, kind) for paper in ("CycleVAR", "FlexVAR") for kind in ("fig", "table")]
    figure, axes = plt.subplots(figsize=(9.6, 3.4))
    for height, (paper, kind) in enumerate(rows):
        made = sorted(
            (row for row in REGISTRY.values() if (row.paper, row.kind) == (paper, kind)),
            key=lambda row: row.number,
        )
        y = len(rows) - 1 - height
        axes.text(
            -0.25,
            y + 0.45,
            f"{paper}\n{'figures' if kind == 'fig' else 'tables'}",
            ha="right",
            va="center",
            fontsize=9.5,
        )
        for x, row in enumerate(made):
            _tile(axes, Rectangle, x, y, row, words[row.id])
    handles = [Patch(facecolor=_COLOURS[word], label=f"{SIGNS[word]}  {word}") for word in WORDS]
    axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.45, 0.0), ncols=4)
    axes.set(xlim=(-1.9, 17), ylim=(-0.05, len(rows)), xticks=[], yticks=[])
    axes.axis("off")
    return figure


def _tile(axes, rectangle, x: int, y: int, row: Artefact, word: str) -> None:
    ink = "white" if word in ("held", "not held") else "black"
    axes.add_patch(rectangle((x, y), 0.92, 0.9, facecolor=_COLOURS[word], edgecolor="none"))
    axes.text(
        x + 0.46,
        y + 0.58,
        f"{row.number} {SIGNS[word]}",
        ha="center",
        va="center",
        color=ink,
        fontsize=10,
        weight="bold",
    )
    axes.text(
        x + 0.46, y + 0.22, f"nb {row.notebook}", ha="center", va="center", color=ink, fontsize=8
    )


def missing_rows(results: Mapping[str, dict]) -> list[dict]:
    """Return one row per chapter that still owes results: whether it is written, what it owes, how
    to get it.
    """
    rows = []
    for chapter in CHAPTERS.values():
        owed = [
            row.label
            for row in REGISTRY.values()
            if row.notebook == chapter.number and row.id not in results
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
