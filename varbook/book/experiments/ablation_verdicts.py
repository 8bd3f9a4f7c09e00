"""What chapter 10 makes of its rows for the papers' table and figure rows: our rows of CycleVAR's
tables 3 to 5, the checks of the registry, and what `save_result` keeps beside them.

`numbers` maps a row of VARIANTS to the values of each of its seeds, `runs` to their records.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from varbook.book.experiments.ablation_rows import (
    Values,
    both_ways,
    distances,
    equally_far,
    farther_checks,
    floor_row,
    reach_checks,
    surely_farther,
    table_row,
)
from varbook.book.experiments.cyclevar_ablations import (
    DIRECTIONS,
    TEMPERATURES,
    at_temperature,
    kept_images,
)
from varbook.book.experiments.seeds import mean
from varbook.book.models.profiles import Profile
from varbook.train.store import Run

Numbers = Mapping[str, Values]
Runs = Mapping[str, Sequence[Run]]
Report = dict[str, Any]  # keyword arguments of `save_result`

ENDS = (0.01, 2.0, 10_000.0)  # the temperatures that figure 6 and table 5 are judged at
SERIAL = "serial multi-step"
# Mode as table 3 calls it -> our row.
MODES = {
    f"{SERIAL}, as printed": "serial, as printed",
    f"{SERIAL}, sum kept apart": "serial",
    "parallel one-step": "default",
}
# Row of table 4 -> multi-scale context, multi-scale output.
PARTS = {
    "default": (True, True),
    "last scale alone": (True, False),
    "last scale alone, no context": (False, False),
}
NOISE = ("temperature 0.7", "temperature 0.7, noise")
_CARD = "FD-toy and structure-toy, features of the toy world's judge at the size of the study"


def at_temperatures(numbers: Numbers) -> dict[float, Values]:
    """Return the values of the rows that were trained at TEMPERATURES."""
    return {tau: numbers[at_temperature(tau)] for tau in TEMPERATURES}


def accuracies(numbers: Numbers) -> dict[float, list[float]]:
    """Return the mean accuracy in each direction at ENDS."""
    return {
        tau: [mean(numbers[at_temperature(tau)], f"accuracy {short}") for short in DIRECTIONS]
        for tau in ENDS
    }


def figure_6_parts(
    numbers: Numbers, chosen: Sequence[float], sources: Mapping[str, Tensor]
) -> tuple[list[list], list[str], list[list[float]]]:
    """Return what `charts.pictures_over_weights` draws: rows of pictures (two horses and a zebra,
    then their translations at the chosen temperatures), titles, and the weights of one token.

    `sources` maps "h2z" and "z2h" to the held-out pictures, uint8 (N, 3, H, W).
    """
    at = at_temperatures(numbers)
    kept = [kept_images(at[tau][0]) for tau in chosen]
    rows = [
        [sources[way][n], *(both[way][n] for both in kept)]
        for way, n in (("h2z", 0), ("h2z", 1), ("z2h", 0))
    ]
    weights = [[count / 1e5 for count in at[tau][0]["token"]] for tau in chosen]
    return rows, ["source", *(f"temperature {tau:g}" for tau in chosen)], weights


def table_5_rows(numbers: Numbers, floors: Mapping[str, Mapping[str, float]]) -> list[dict]:
    """Return our rows of table 5: the temperatures, Gumbel noise, and the untouched source."""
    rows: list[dict] = [
        {"temperature": f"{tau:.2f}", **table_row(values)}
        for tau, values in at_temperatures(numbers).items()
    ]
    rows.append({"temperature": "0.70 with Gumbel noise", **table_row(numbers[NOISE[1]])})
    untouched = floor_row(floors["source, untouched"])
    return [*rows, {"temperature": "(source, untouched)", **untouched}]


def table_3_rows(numbers: Numbers, seconds: Mapping[str, float]) -> list[dict]:
    """Return our rows of table 3; `seconds` of one picture are those of "parallel" and "serial"."""
    return [
        {"mode": mode, "seconds": seconds[mode.split()[0]], **table_row(numbers[row])}
        for mode, row in MODES.items()
    ]


def table_4_rows(numbers: Numbers) -> list[dict]:
    """Return our rows of table 4."""
    columns = ("multi-scale context", "multi-scale output")
    return [
        {**dict(zip(columns, ticks, strict=True)), **table_row(numbers[name])}
        for name, ticks in PARTS.items()
    ]


def noise_makes_no_difference(numbers: Numbers) -> dict[str, bool]:
    """Say for each direction whether Gumbel noise moves the distance by no more than seeds do."""
    return equally_far(*(numbers[name] for name in NOISE))


def figure_6(profile: Profile, numbers: Numbers, runs: Runs) -> tuple[dict[str, bool], Report]:
    """Return the checks of figure 6, and the rest of its result."""
    reached = accuracies(numbers)
    told = [
        f"temperature {tau:g}: {there:.0%} and {back:.0%} classified as the target"
        for tau, (there, back) in reached.items()
    ]
    state = {f"{tau:g}": values[0]["state"] for tau, values in at_temperatures(numbers).items()}
    return reach_checks(reached), {
        "ours": "; ".join(told),
        "numbers": {"accuracy": reached, "state": state},
        "runs": [runs[at_temperature(tau)][0] for tau in TEMPERATURES],
        "data": f"toy world at {_pixels(profile)} px, held-out scenes",
    }


def table_5(
    profile: Profile, numbers: Numbers, runs: Runs, rows: Sequence[Mapping]
) -> tuple[dict[str, bool], Report]:
    """Return the checks of table 5, and the rest of its result; `rows` are `table_5_rows`."""
    at, names = at_temperatures(numbers), both_ways("structure")
    structures = {tau: sum(mean(values, name) for name in names) for tau, values in at.items()}
    plateau = [equally_far(at[2.0], at[tau]) for tau in (0.7, 10.0)]
    no_difference = noise_makes_no_difference(numbers)
    lowest = min(structures, key=lambda tau: structures[tau])
    checks = {
        "0.01 hardly translates (accuracy below one half both ways)": max(accuracies(numbers)[0.01])
        < 0.5,
        "0.01 keeps the most structure of all": lowest == 0.01,
        "0.7 to 10 differ by no more than seeds do": all(all(same.values()) for same in plateau),
        "Gumbel noise makes no difference beyond the seeds": all(no_difference.values()),
    }
    for tau in (0.01, 10_000.0):
        text = f"farther from the target at {tau:g} than at 2, every seed"
        checks |= farther_checks(text, at[tau], at[2.0])
    there, back = (distances([at[tau] for tau in ENDS], [short]) for short in DIRECTIONS)
    return checks, {
        "ours": f"FD-toy at 0.01 / 2 / 10000: {there} (horse to zebra), {back} (back)",
        "numbers": {row["temperature"]: row for row in rows},
        "runs": [run for tau in TEMPERATURES for run in runs[at_temperature(tau)]],
        **_common(profile),
    }


def table_3(
    profile: Profile, numbers: Numbers, runs: Runs, rows: Sequence[Mapping], speed: Mapping
) -> tuple[dict[str, bool], Report]:
    """Return the checks of table 3, and the rest of its result; `rows` are `table_3_rows`, `speed`
    maps "study" and "main" to the seconds of each mode.
    """
    parallel, serial = speed["study"]["parallel"], speed["study"]["serial"]
    checks = {"parallel is faster": parallel < serial}
    for mode, row in MODES.items():
        if row != "default":
            text = f"nearer to the target than {mode}, every seed"
            checks |= farther_checks(text, numbers[row], numbers["default"])
    printed, apart, default = (distances([numbers[row]]) for row in MODES.values())
    told = f"parallel FD-toy {default} in {parallel:.2g} s; serial as printed {printed}"
    return checks, {
        "ours": f"{told}, sum kept apart {apart}, in {serial:.2g} s",
        "numbers": {"speed": dict(speed), **{row["mode"]: row for row in rows}},
        "runs": [run for row in MODES.values() for run in runs[row]],
        **_common(profile),
    }


def table_4(
    profile: Profile, numbers: Numbers, runs: Runs, rows: Sequence[Mapping]
) -> tuple[dict[str, bool], Report]:
    """Return the checks of table 4, and the rest of its result; `rows` are `table_4_rows`."""
    order = list(PARTS)
    checks: dict[str, bool] = {}
    for better, worse in zip(order, order[1:], strict=False):
        text = f"every seed of '{worse}' is farther than every seed of '{better}'"
        checks |= farther_checks(text, numbers[worse], numbers[better])
    there, back = (distances([numbers[name] for name in PARTS], [short]) for short in DIRECTIONS)
    return checks, {
        "ours": f"FD-toy both / context only / neither: {there} (h2z); {back} (z2h)",
        "numbers": dict(zip(PARTS, rows, strict=True)),
        "runs": [run for name in PARTS for run in runs[name]],
        **_common(profile),
    }


def claims(numbers: Numbers, checks: Mapping[str, bool]) -> dict[str, bool]:
    """Return what the paper says of its ablations -> whether our rows say the same; `checks` are
    those of tables 3 and 5.
    """
    default, alone, blind = (numbers[name] for name in PARTS)
    reached, serial = accuracies(numbers), (numbers["serial, as printed"], numbers["serial"])
    return {
        "(2) temperature 0.01 hardly translates": max(reached[0.01]) < 0.5,
        "(2) 0.01 keeps structure best": checks["0.01 keeps the most structure of all"],
        "(2) 10000 does not reach the target": max(reached[10_000.0]) < 0.9,
        "(2) 0.7 to 10 is a plateau": checks["0.7 to 10 differ by no more than seeds do"],
        "(3) Gumbel noise makes no difference": all(noise_makes_no_difference(numbers).values()),
        "(4) parallel is faster": checks["parallel is faster"],
        "(4) parallel is better than serial as printed": surely_farther(serial[0], default),
        "(4) parallel is better than serial with the sum kept apart": surely_farther(
            serial[1], default
        ),
        "(5) dropping the multi-scale output hurts": surely_farther(alone, default),
        "(5) dropping the context too hurts further": surely_farther(blind, alone),
    }


def _pixels(profile: Profile) -> int:
    return profile.chains["small"].image_size


def _common(profile: Profile) -> Report:
    scenes = f"{profile.held_out} held-out scenes"
    return {"metric_card": _CARD, "data": f"toy world at {_pixels(profile)} px, {scenes}"}
