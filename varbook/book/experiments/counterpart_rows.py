"""Rows, checks and sentences of chapter 11, from the measures of its translators that read.

`measured` is direction -> row of `streets_and_flat.ROWS` -> measures of `judge_counterpart`;
`streets` is direction -> row of STREET_ROWS -> measures of photographs, empty without a record.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from varbook.book.experiments.streets_and_flat import OURS, ROWS, STREET_ROWS, shown_scenes
from varbook.book.experiments.translator_reports import FLOORS, REAL
from varbook.data.toy import ToySet

Measured = Mapping[str, Mapping[str, Mapping[str, Any]]]

_COLUMNS = {
    "target": "seen as target",
    "animal": "animal still seen",
    "psnr": "dB to hidden",
    "gain": "gain over untouched, dB",
    "edges": "edges as in source",
}


def ours(measured: Measured) -> dict[str, Mapping[str, Any]]:
    """Return direction -> the measures of the trained translator."""
    return {way: rows[OURS] for way, rows in measured.items()}


def scene_rows(
    held_out: Mapping[str, ToySet],
    ways: Mapping[str, tuple[str, str]],
    translated: Mapping[str, Tensor],
) -> dict[str, Tensor]:
    """Return label -> pictures (SHOWN, 3, H, W) for `sheet`: for each direction the first sources
    (`shown_scenes`), their translations, and their hidden counterparts.
    """
    rows = {}
    for n, (way, (start, end)) in enumerate(ways.items()):
        part = shown_scenes(n)
        rows[f"source: {start}"] = held_out[start].images[part]
        rows[f"CycleVAR: to {end}"] = translated[way]
        rows[f"hidden counterpart: {end}"] = held_out[end].images[part]
    return rows


def counterpart_rows(rows: Mapping[str, Mapping[str, float]]) -> list[dict[str, Any]]:
    """Return a table of one direction: one row for each of ROWS, under readable columns."""
    # Rounded, and no minus before a zero: an untouched source gains nothing.
    return [
        {"": name, **{text: round(rows[name][key], 4) + 0.0 for key, text in _COLUMNS.items()}}
        for name in ROWS
    ]


def toy_rows(measured: Measured) -> list[dict[str, Any]]:
    """Return the trained translator's row for each direction of the toy world."""
    columns = {"target": "seen as target", "gain": "gain, dB", "edges": "edges"}
    return [
        {"direction": way, **{text: values[key] for key, text in columns.items()}}
        for way, values in ours(measured).items()
    ]


def plain_row(values: Mapping[str, Any]) -> dict[str, float]:
    """Return one row of street measures, each distance under the name of the features that measured
    it.
    """
    pairs = (
        (value["name"], value["value"]) if isinstance(value, Mapping) else (key, value)
        for key, value in values.items()
    )
    return dict(pairs)


def street_rows(rows: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a table of one direction between photographs of streets."""
    return [{"": name, **plain_row(rows[name])} for name in STREET_ROWS]


def table_1_rows(streets: Measured) -> list[dict[str, Any]]:
    """Return CycleVAR table 1's part of the street measures: distance and structure of the
    translator, of both floors and of real photographs, both ways.
    """
    table = []
    for name in STREET_ROWS:
        row: dict[str, Any] = {"method": name}
        for way, rows in streets.items():
            measures = [rows[name][key] for key in ("frechet", "structure") if key in rows[name]]
            row |= {f"{measure['name']} {way}": measure["value"] for measure in measures}
        table.append(row)
    return [row for row in table if len(row) > 1]


def figure_4_checks(measured: Measured, streets: Measured) -> dict[str, bool]:
    """Return the checks of CycleVAR fig 4: seen as the target and near to the hidden counterpart in
    the toy world; on streets bright as the target, and nearer to it than the floors.
    """
    checks = {}
    for way, values in ours(measured).items():
        far = f"toy world, {way}: error to the hidden counterpart at least 6 dB below the untranslated"
        checks[f"toy world, {way}: at least 95 % seen as the target"] = values["target"] >= 0.95
        checks[far] = values["gain"] >= 6
    for way, rows in streets.items():
        translated, place = rows[OURS], f"streets, {way}"
        levels = [rows[name]["brightness"] for name in (REAL, FLOORS[0])]
        to_target, to_source = (abs(translated["brightness"] - level) for level in levels)
        brighter = f"{place}: brightness nearer to the target's than to the source's"
        checks[brighter] = to_target < to_source
        if "frechet" not in translated:
            continue
        checks[f"{place}: most are seen as the target"] = translated["seen as target"] > 0.5
        for floor in FLOORS:
            nearer = translated["frechet"]["value"] < rows[floor]["frechet"]["value"]
            checks[f"{place}: nearer to the target than {floor}"] = nearer
    return checks


def figure_4_sentence(measured: Measured, streets: Measured) -> str:
    """Return our numbers behind CycleVAR fig 4 in one line, for the report."""
    toy = ", ".join(
        f"{way} {values['target']:.1%} seen as target, {values['gain']:+.1f} dB"
        for way, values in ours(measured).items()
    )
    told = [f"toy world: {toy}"]
    for way, rows in streets.items():
        values = plain_row(rows[OURS])
        if floor := rows[REAL].get("frechet"):  # beside ours, or ours says nothing
            values |= {f"{floor['name']} of real pictures": floor["value"]}
        numbers = ", ".join(f"{key} {value:.3g}" for key, value in values.items())
        told.append(f"streets, {way}: {numbers}")
    return "; ".join(told)


def kept_edges(measured: Measured) -> dict[str, float]:
    """Return direction -> the agreement of the translations' edges with the sources', over that of
    the hidden counterparts through the tokenizer.
    """
    ceiling = ROWS[-1]
    return {way: rows[OURS]["edges"] / rows[ceiling]["edges"] for way, rows in measured.items()}


def figure_5_checks(measured: Measured) -> dict[str, bool]:
    """Return the checks of CycleVAR fig 5: seen as the target, and edges where the source has them."""
    checks, kept = {}, kept_edges(measured)
    for way, values in ours(measured).items():
        checks[f"{way}: at least 95 % seen as the target"] = values["target"] >= 0.95
        edges = "edges agree with the source's at least 0.9 times as well as the counterpart's"
        checks[f"{way}: {edges}"] = kept[way] >= 0.9
    return checks


def figure_5_sentence(measured: Measured) -> str:
    """Return our numbers behind CycleVAR fig 5 in one line, for the report."""
    kept = kept_edges(measured)
    told = (
        f"{way} {values['target']:.1%} seen as target, edges {kept[way]:.2f} of the counterpart's"
        for way, values in ours(measured).items()
    )
    return "toy world: " + ", ".join(told)
