"""The verdicts of chapter 04: of each figure and table the checks that its row of the registry names,
and what `save_result` is told beside them.

`trained` maps a row of `flexvar_ablations.ROWS` to its runs, one for each seed, and their numbers.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from varbook.book.experiments import ablation_texts, flexvar_ablations, seeds
from varbook.book.experiments.generation_quality import Quality
from varbook.book.experiments.two_predictions import Chains, last_quarter, step_reaching
from varbook.book.models.profiles import Profile
from varbook.train.store import Run

# The checks of an artefact, and the other arguments of `save_result`.
Verdict = tuple[dict[str, bool], dict[str, Any]]
Rows = Mapping[str, tuple[Sequence[Run], Sequence[dict]]]

ACCURACY = "taken for its class"  # as records name it
OTHERS = ("VAR's tokenizer", "LlamaGen's tokenizer")
OURS = "FlexVAR's tokenizer"
SCALABLE = "scalable positions"
# Table 4, in the paper's order from best to worst.
ORDER = (SCALABLE, OURS, "residual", OTHERS[1], OTHERS[0])
# Row of ROWS -> the columns of table 4.
TABLE_4 = {
    "residual": ("residual", "VAR", "fixed length"),
    OTHERS[0]: ("ground truth", "VAR", "fixed length"),
    OTHERS[1]: ("ground truth", "LlamaGen", "fixed length"),
    OURS: ("ground truth", "FlexVAR", "fixed length"),
    SCALABLE: ("ground truth", "FlexVAR", "scalable"),
    "drawn schedules": ("ground truth", "FlexVAR", "scalable, schedules drawn (ours)"),
}
# Row of ROWS -> the columns of table 6.
TABLE_6 = {
    OURS: ("fixed length", "fixed length", True),
    "no step embedding": (None, "fixed length", True),
    "positions not learned": (None, "scalable", False),
    SCALABLE: (None, "scalable", True),
}


def table_4_rows(rows: Rows, ceilings: Mapping[str, Run], distance: str) -> list[dict]:
    """Return our rows of table 4, means over the seeds."""
    columns = ("prediction", "tokenizer", "positions")
    return [
        dict(zip(columns, values, strict=True))
        | flexvar_ablations.measured_row(rows[name][1], ceilings[name], distance)
        for name, values in TABLE_4.items()
    ]


def table_6_rows(rows: Rows, ceilings: Mapping[str, Run], distance: str) -> list[dict]:
    """Return our rows of table 6, means over the seeds, with the range of the loss."""
    columns = ("step embedding", "height and width", "learnable")
    return [
        dict(zip(columns, values, strict=True))
        | flexvar_ablations.measured_row(rows[name][1], ceilings[name], distance)
        | {"range of loss": seeds.spread(rows[name][1], "loss")[1]}
        for name, values in TABLE_6.items()
    ]


def same_budget(rows: Rows) -> dict[str, bool]:
    """Say whether all rows have equally many steps, pictures a step, blocks and seeds."""
    settings = [run.record["settings"] for runs, _ in rows.values() for run in runs]
    budgets = {(one["training"]["steps"], one["training"]["batch"]) for one in settings}
    blocks = {(one["model"]["depth"], one["model"]["width"]) for one in settings}
    of_seeds = {tuple(run.record["seed"] for run in runs) for runs, _ in rows.values()}
    return {
        "all rows have one budget": len(budgets) == 1,
        "every row has every seed": len(of_seeds) == 1,
        "and the same blocks": len(blocks) == 1,
    }


def figure_4(
    chains: Chains,
    summary: Mapping[str, dict],
    quality: Mapping[str, dict],
    protocol: Quality,
) -> Verdict:
    """FlexVAR figure 4: both training losses.

    `summary` and `quality` are those of `two_predictions.over_all_tokens` and `qualities`; `protocol`
    says how one of the models was measured.
    """
    var, flex = (chains[name].run for name in ("residual", "ground truth"))
    high, low, steps = last_quarter(var.curve), last_quarter(flex.curve), var.curve[-1]["step"] + 1
    reached = step_reaching(flex.curve, high)
    checks = {
        "lower training loss at equal steps, last quarter": low < high,
        "reaches VAR's final loss before the last step": reached is not None
        and reached < steps - 1,
    }
    distance = protocol.distance
    drawn = {name: quality[f"{name}: drawn"][distance] for name in ("ground truth", "residual")}
    a, b = summary["residual"], summary["ground truth"]
    why = ablation_texts.two_vocabularies(residual=a, ground_truth=b)
    told = {
        "ours": f"last quarter of {steps} steps: {low:.2f} nats (ground truth) "
        f"against {high:.2f} (residual)",
        "why": f"{why}; {distance} of samples {drawn['ground truth']:.1f} and {drawn['residual']:.1f}",
        "numbers": {
            "last quarter": {"residual (VAR)": high, "ground truth (FlexVAR)": low},
            "reached at step": reached,
            "fair view": summary,
            distance: drawn,
        },
        "metric_card": quality["ground truth: drawn"]["card"],
        "runs": [var, flex, *(chains[name].parents[0].run for name in chains)],
        "params": protocol.settings,
    }
    return checks, told


def figure_16(profile: Profile, rows: Rows, distance: str) -> Verdict:
    """FlexVAR figure 16: ground truth predicted on the maps of three tokenizers."""
    three = (*OTHERS, OURS)
    values = {name: rows[name][1] for name in three}
    fd = {name: seeds.spread(values[name], distance) for name in three}
    checks = {
        "the distance is lowest with the multi-scale tokenizer": min(fd, key=lambda n: fd[n][0])
        == OURS
    }
    checks |= {
        f"with {name} every seed is farther from real images than with FlexVAR's": (
            seeds.clearly_higher(values[name], values[OURS], distance)
        )
        for name in OTHERS
    }
    told = {
        "ours": f"{distance} "
        + ", ".join(
            f"{mean:.2f} ({name}, range {noise:.2f})" for name, (mean, noise) in fd.items()
        ),
        "why": "; ".join(
            f"{name}: accuracy {seeds.mean(values[name], ACCURACY):.0%}" for name in three
        ),
        "numbers": {name: {distance: mean, "range": noise} for name, (mean, noise) in fd.items()},
    }
    return checks, told | _behind(profile, rows, three, OURS)


def table_4(profile: Profile, rows: Rows, table: Sequence[dict], distance: str) -> Verdict:
    """FlexVAR table 4: prediction and tokenizer swapped one at a time; `table` are our rows of it."""
    fd = {name: seeds.spread(rows[name][1], distance) for name in ORDER}
    by_distance = sorted(ORDER, key=lambda name: fd[name][0])
    checks = {
        "ground truth on VAR's tokenizer is the worst row": by_distance[-1] == OTHERS[0],
        "LlamaGen's tokenizer is next": by_distance[-2] == OTHERS[1],
        "ground truth on FlexVAR's tokenizer is better than residuals": fd[OURS][0]
        < fd["residual"][0],
        "ground truth on FlexVAR's tokenizer has the lower held-out loss with every seed": (
            seeds.clearly_higher(rows["residual"][1], rows[OURS][1], "loss")
        ),
        "scalable positions are no worse than fixed ones": fd[SCALABLE][0] <= fd[OURS][0],
    }
    told = {
        "ours": f"{distance}, best first: "
        + ", ".join(f"{name} {fd[name][0]:.2f}" for name in by_distance),
        "why": f"{_effort(profile)}; ranges up to {max(noise for _, noise in fd.values()):.2f}; "
        "none diverges, the failing rows draw badly",
        "numbers": {
            f"{row['prediction']}, {row['tokenizer']}, {row['positions']}": seeds.floats(row)
            for row in table
        },
    }
    return checks, told | _behind(profile, rows, ORDER, "residual")


def table_6(profile: Profile, rows: Rows, table: Sequence[dict], distance: str) -> Verdict:
    """FlexVAR table 6: step embedding and positions; `table` are our rows of it."""
    with_step, without, fixed_waves, learned = (rows[name][1] for name in TABLE_6)
    change = seeds.mean(without, "loss") / seeds.mean(with_step, "loss") - 1
    same = seeds.within_noise
    by = f"{distance} by no more than the seeds do"
    checks = {
        "removing the step embedding changes the loss by less than 5 %": abs(change) < 0.05,
        f"removing it changes {by}": same(with_step, without, distance),
        f"scalable for fixed positions changes {by}": same(without, learned, distance),
        "scalable for fixed positions changes the loss by no more than the seeds do": same(
            without, learned, "loss"
        ),
        f"learning the positions changes {by}": same(fixed_waves, learned, distance),
        f"scalable learned positions have the lowest {distance}": min(
            table, key=lambda row: row[distance]
        )
        is table[3],
    }
    told = {
        "ours": f"{distance}, row by row: "
        + ", ".join(f"{row[distance]:.2f} (range {row['range over seeds']:.2f})" for row in table),
        "why": f"{_effort(profile)}; without the step embedding the loss changes by {change:+.2%}; "
        "the paper has one run per row",
        "numbers": {f"row {n}": seeds.floats(row) for n, row in enumerate(table, start=1)},
    }
    return checks, told | _behind(profile, rows, TABLE_6, SCALABLE)


def _effort(profile: Profile) -> str:
    return f"{profile.ablation.steps} steps, {len(profile.ablation.seeds)} seeds"


def _behind(profile: Profile, rows: Rows, names: Sequence[str] | Mapping, card: str) -> dict:
    """Return what a result remembers of its rows: the metric card of the first seed of the row `card`,
    runs and settings.
    """
    return {
        "metric_card": rows[card][1][0]["card"],
        "runs": [run for name in names for run in rows[name][0]],
        "params": flexvar_ablations.SAMPLING | {"seeds": profile.ablation.seeds},
    }
