"""Rows of CycleVAR's tables 3 to 5 and what follows from them, from the numbers of chapter 10's runs.

The numbers of one row are a list with the values of each of its seeds (`cyclevar_ablations.results`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from varbook.book.experiments.cyclevar_ablations import DIRECTIONS, VARIANTS, Variant, seeds_of
from varbook.book.experiments.seeds import clearly_higher, mean, spread, within_noise
from varbook.book.models.profiles import Profile
from varbook.translate.cyclevar import CycleVARConfig

Values = Sequence[Mapping[str, Any]]
_COLUMNS = {"FD": "FD-toy", "structure": "structure-toy", "accuracy": "accuracy", "IoU": "IoU"}


def changes(variant: Variant) -> dict[str, Any]:
    """Return what a row changes, and to what: nothing for the default."""
    default = CycleVARConfig()
    values = {field.name: getattr(variant.config, field.name) for field in fields(default)}
    changed = {name: value for name, value in values.items() if value != getattr(default, name)}
    if variant.rate != 1:
        changed["learning rate"] = f"x {variant.rate:g}"
    if variant.optimiser == "sgd":
        changed["optimiser"] = "plain descent"
    if variant.vocab_size:
        changed["codes"] = variant.vocab_size
    return changed


def variant_rows(profile: Profile) -> list[dict[str, Any]]:
    """Return one row per row of VARIANTS: what it changes, and with how many seeds it is trained."""
    rows = []
    for name, variant in VARIANTS.items():
        changed = ", ".join(f"{setting} = {value}" for setting, value in changes(variant).items())
        seeds = len(seeds_of(profile, name))
        rows.append({"row": name, "changes": changed or "nothing", "seeds": seeds})
    return rows


def both_ways(*measures: str) -> list[str]:
    """Return the names of these measures in either direction: "FD h2z", "IoU h2z" .. "IoU z2h"."""
    return [f"{measure} {short}" for short in DIRECTIONS for measure in measures]


def table_row(values: Values) -> dict[str, Any]:
    """Return a table's row: mean distance and its range over the seeds (none for a single seed),
    the means of the other measures, and the number of seeds.
    """
    row: dict[str, Any] = {}
    for short in DIRECTIONS:
        distance, extent = spread(values, f"FD {short}")
        row[f"FD-toy {short}"] = distance
        row[f"range {short}"] = extent if len(values) > 1 else None
        row[f"structure-toy {short}"] = mean(values, f"structure {short}")
    for measure in ("accuracy", "IoU"):
        row |= {f"{measure} {short}": mean(values, f"{measure} {short}") for short in DIRECTIONS}
    return row | {"seeds": len(values)}


def floor_row(floor: Mapping[str, float]) -> dict[str, float]:
    """Return the row of one of `cyclevar_ablations.references`, under the same columns."""
    return {
        f"{column} {short}": floor[f"{measure} {short}"]
        for short in DIRECTIONS
        for measure, column in _COLUMNS.items()
    }


def surely_farther(a: Values, b: Values) -> bool:
    """Say whether in both directions every seed of `a` is farther from the target than every seed
    of `b`.
    """
    return all(farther_checks("", a, b).values())


def farther_checks(text: str, a: Values, b: Values) -> dict[str, bool]:
    """Return "text, direction" -> whether every seed of `a` is farther from the target than every
    seed of `b`.
    """
    return {f"{text}, {short}": clearly_higher(a, b, f"FD {short}") for short in DIRECTIONS}


def sweep_of(
    rows: Mapping[float, Values], measure: str
) -> dict[float, dict[str, tuple[float, float]]]:
    """Return setting -> direction -> mean and range over the seeds, for rows of a sweep."""
    return {
        setting: {short: spread(values, f"{measure} {short}") for short in DIRECTIONS}
        for setting, values in rows.items()
    }


def state_rows(rows: Mapping[float, Values]) -> list[dict[str, Any]]:
    """Return one row per temperature: how the trained model mixes its codes there
    (`relaxation.mixture_state`, of the first seed).
    """
    columns = {
        "perplexity": "codes in a mixture (perplexity)",
        "norm_ratio": "length of the mixture, in codes",
        "logit_std": "spread of the logits",
    }
    return [
        {"temperature": f"{tau:g}"}
        | {text: values[0]["state"][key] for key, text in columns.items()}
        for tau, values in rows.items()
    ]


def reach_checks(
    accuracies: Mapping[float, Sequence[float]], least: float = 0.9
) -> dict[str, bool]:
    """Return the checks of CycleVAR fig 6 from the mean accuracies, temperature -> one for each
    direction: `least` is reached at 2, and nowhere else.
    """
    checks = {}
    for tau, means in accuracies.items():
        for short, accuracy in zip(DIRECTIONS, means, strict=True):
            if tau == CycleVARConfig().temperature:
                checks[f"temperature {tau:g} reaches the target, {short}"] = accuracy > least
            else:
                checks[f"temperature {tau:g} does not reach it, {short}"] = accuracy < least
    return checks


def equally_far(a: Values, b: Values) -> dict[str, bool]:
    """Say for each direction whether the mean distances of two rows differ by no more than the
    seeds of one do.
    """
    return {short: within_noise(a, b, f"FD {short}") for short in DIRECTIONS}


def distances(rows: Iterable[Values], ways: Iterable[str] = tuple(DIRECTIONS)) -> str:
    """Return the mean distances of `rows`, in each of these directions, as "0.5 / 12"."""
    directions = list(ways)
    means = [mean(values, f"FD {short}") for values in rows for short in directions]
    return " / ".join(f"{value:.3g}" for value in means)
