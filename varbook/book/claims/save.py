"""Figures, tables and verdicts, written to figures/<profile>/ under the name that the registry
gives them.
"""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from varbook.book.claims import provenance
from varbook.book.claims.checks import refuse_others
from varbook.book.claims.registry import artefact, published
from varbook.book.claims.saved import load_result as load_result
from varbook.book.claims.saved import profile_name as profile_name
from varbook.book.claims.verdicts import NOT_RUN, explained, verdict
from varbook.book.show.display import (
    show_figure,
    show_table,
    show_text,
)
from varbook.book.show.sheets import INLINE_BYTES, Image
from varbook.book.show.tables import columns_of, markdown_table
from varbook.errors import VarbookError
from varbook.files import peek_json, write_atomically
from varbook.paths import figures

_SUFFIXES = (".png", ".svg", ".pdf", ".csv", ".md")


def folder(profile) -> Path:
    """Return figures/<profile>/, made where it is missing: no profile can overwrite another's
    results.
    """
    path = figures() / profile_name(profile)
    path.mkdir(parents=True, exist_ok=True)
    return path


def _write_picture(stem: Path, picture) -> None:
    if isinstance(picture, Image.Image):
        data = io.BytesIO()
        picture.save(data, "PNG", optimize=True)
        write_atomically(stem.with_suffix(".png"), data.getvalue())
        for suffix in (".svg", ".pdf"):  # of an earlier version that was a plot
            stem.with_suffix(suffix).unlink(missing_ok=True)
        return
    box = _laid_out(picture)
    # Without dates and program names equal figures are equal files.
    for suffix, metadata in (
        (".png", {"Software": None}),
        (".svg", {"Date": None}),
        (".pdf", {"CreationDate": None}),
    ):
        data = io.BytesIO()
        picture.savefig(data, format=suffix[1:], metadata=metadata, bbox_inches=box)
        write_atomically(stem.with_suffix(suffix), data.getvalue())


def _laid_out(figure):
    """Lay a matplotlib figure out as its PNG needs it, once for all its files (each would do so
    twice), and return the box round all that is drawn, in inches.
    """
    from matplotlib import rcParams

    dpi, figure.dpi = figure.dpi, rcParams["savefig.dpi"]
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    box = figure.get_tightbbox().padded(rcParams["savefig.pad_inches"])
    figure.dpi = dpi
    return box


def save_figure(
    artefact_id: str,
    picture,
    profile,
    *,
    alt: str | None = None,
    show: bool = True,
    limit: int = INLINE_BYTES,
) -> None:
    """Save and show one figure of the papers.

    `picture` is a matplotlib figure (PNG, SVG and PDF are written) or a PIL picture such as
    `sheet(...)` makes (PNG). `alt` replaces the registry's words for readers who cannot see it.
    `limit`: about how many bytes the picture may take in the notebook (the files are as large as
    they are). Raises VarbookError for an unknown id.
    """
    row = artefact(artefact_id)
    _write_picture(folder(profile) / row.id, picture)
    if show:
        show_figure(picture, alt or row.alt, limit)


def save_extra(name: str, picture, profile, *, alt: str, show: bool = True) -> None:
    """Save and show a picture that is in neither paper, in figures/<profile>/extra/, apart from the
    papers' figures.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise VarbookError(
            f'"{name}" is not a good file name: use lower-case letters, digits, - and _.'
        )
    place = folder(profile) / "extra"
    place.mkdir(exist_ok=True)
    _write_picture(place / name, picture)
    if show:
        show_figure(picture, alt)


def save_table(
    artefact_id: str,
    rows: Sequence[Mapping],
    profile,
    *,
    columns: Sequence[str] | None = None,
    show: bool = True,
) -> None:
    """Save one table of the papers as CSV (the truth) and Markdown, and show it.

    `rows` are dictionaries; put the paper's numbers and ours into the same rows (see
    `beside_paper`).
    """
    row = artefact(artefact_id)
    names = columns_of(rows, columns)
    text = io.StringIO()
    writer = csv.DictWriter(text, names, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    stem = folder(profile) / row.id
    write_atomically(stem.with_suffix(".csv"), text.getvalue())
    write_atomically(
        stem.with_suffix(".md"), f"**{row.label}**: {row.title}\n\n{markdown_table(rows, names)}"
    )
    if show:
        show_table(rows, names, row.label)


def beside_paper(table_id: str, ours: Sequence[Mapping], source: str = "ours") -> list[dict]:
    """Return the published rows of a table followed by `ours`, with a first column that says whose
    numbers they are.
    """
    paper = [{"source": "paper", **row} for row in published(table_id).as_dicts()]
    return paper + [{"source": source, **row} for row in ours]


_TIMES = ("minutes", "core_minutes")  # of a training


def _run_facts(run) -> object:
    """Return what a result must remember of a trained model: the telling fields of its record, or a
    plain name.
    """
    record = getattr(run, "record", run)
    if not isinstance(record, Mapping):
        return provenance.as_json(record)
    # Not where it was found: a run that was trained now and found later is the same run.
    kept = ("kind", "key", "seed", "profile", "steps", *_TIMES, "hardware", "sha256")
    facts = {"name": run.name} if hasattr(run, "name") else {}
    return provenance.as_json(facts | {field: record[field] for field in kept if field in record})


def _stable(row, profile, known: dict) -> dict:
    files = [folder(profile) / f"{row.id}{suffix}" for suffix in _SUFFIXES]
    # Times shape nothing: the same run trained again on a busier machine has the same hash.
    runs = [
        {name: fact for name, fact in run.items() if name not in _TIMES}
        if isinstance(run, Mapping)
        else run
        for run in known["runs"]
    ]
    shaped_by = {"params": known["params"], "profile": profile, "runs": runs}
    return {
        "id": row.id,
        "chapter": row.chapter,
        "profile": profile_name(profile),
        **known,
        "config_hash": provenance.digest(shaped_by),
        "packages": provenance.package_versions(),
        "files": {path.name: provenance.file_digest(path) for path in files if path.is_file()},
    }


def save_result(
    artefact_id: str,
    profile,
    *,
    checks: Mapping[str, bool] | None,
    ours: str,
    why: str = "",
    numbers: Mapping | None = None,
    metric_card: object = None,
    runs: Sequence = (),
    data: object = None,
    params: Mapping | None = None,
    seed: int | None = None,
) -> None:
    """Save the verdict on one figure or table with everything that led to it, and print it.

    Call it after `save_figure` or `save_table`. `checks` says of each check that the registry's row
    names whether it holds, and the verdict follows from them alone; None: nothing was run, and
    `why` says why. `ours` and `why` are one sentence each for the report. `runs` are the run
    records behind it. The JSON has a stable part and a `volatile` part; the latter is kept as it
    was where the former did not change. VarbookError where the checks are not those of the row.
    """
    row = artefact(artefact_id)
    results = {key: bool(holds) for key, holds in (checks or {}).items()}
    if checks is not None:
        refuse_others(row, results)
    elif not why:
        raise VarbookError(f"Nothing was run for {row.label}: `why` must say why.")
    word = NOT_RUN if checks is None else verdict(results)
    known = {
        "verdict": word,
        "ours": ours,
        "why": why,
        "checks": results,
        "numbers": provenance.as_json(numbers or {}),
        "metric_card": provenance.as_json(metric_card),
        "data": provenance.as_json(data),
        "params": provenance.as_json(params or {}),
        "seed": getattr(profile, "seed", None) if seed is None else seed,
        "runs": [_run_facts(run) for run in runs],
    }
    path = folder(profile) / f"{row.id}.json"
    stable = json.loads(json.dumps(_stable(row, profile, known)))
    before = peek_json(path)
    same = {key: value for key, value in before.items() if key != "volatile"} == stable
    stable["volatile"] = (
        before["volatile"] if same and "volatile" in before else provenance.volatile()
    )
    write_atomically(path, json.dumps(stable, indent=1, ensure_ascii=False) + "\n")
    show_text(f"**{row.label}**: {explained(word, results, why)}. Ours: {ours}")


def say_missed(checks: Mapping[str, bool], profile, strict: bool = False) -> None:
    """Show which of a chapter's targets are missed. Raises AssertionError for them where `strict`,
    but never in the smoke profile, whose trainings take seconds.
    """
    missed = "; ".join(name for name, holds in checks.items() if not holds)
    smoke = profile_name(profile) == "smoke"
    if missed and strict and not smoke:
        raise AssertionError(f"These targets are missed: {missed}")
    excuse = " (The smoke profile trains for seconds; it shows that everything runs.)"
    show_text(f"**Missed:** {missed}.{excuse * smoke}" if missed else "Every target is met.")
