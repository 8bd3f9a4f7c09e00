"""Samples of every species at the training size, beside real pictures and decoded ones: are they good,
and as varied (FlexVAR figure 17)?
"""

from functools import partial
from typing import Any

import torch

from varbook.book.experiments import flexible_bars as bars
from varbook.book.experiments.flexible_bodies import WHOLE, has_bodies
from varbook.book.experiments.flexible_steps import Steps
from varbook.book.experiments.flexible_texts import TAKEN
from varbook.book.experiments.flexible_verdicts import Verdict
from varbook.book.models import build
from varbook.book.models.tasks import HELD_OUT_SEED
from varbook.data.bodies import bodies
from varbook.evaluate.generation import recognised
from varbook.evaluate.resampling import DISTANCES, below, margin
from varbook.evaluate.translation import look
from varbook.train.store import Run

PER_SPECIES = 20  # samples, in a profile of 256 held-out pictures
HELD_OUT_BODIES = 91  # seed of damaged animals that the judge of bodies has not seen
AT_MOST = 5000  # samples of all classes together


def count(steps: Steps) -> int:
    """Return how many samples are measured: as many of each class."""
    each = max(1, PER_SPECIES * steps.flex.profile.held_out // 256)
    return max(16, min(each * steps.flex.model.config.classes, AT_MOST))


def measure_sheet(steps: Steps) -> dict:
    """Return the judge's measures of samples, equally many of each class, of as many decoded real
    pictures and of as many real ones, all against the same reference; "by class": the share of
    samples of each shown class that is recognised.

    Of the toy world also "whole", the share of each whose animals a judge of bodies takes for whole,
    and "damaged, found", the share of decoded pictures of damaged animals in which it finds that.
    """
    flex = steps.flex
    labels = torch.arange(count(steps)) % flex.model.config.classes
    drawn = flex.draw(labels, schedule=steps.schedules[steps.told[1]])
    others = flex.task.sample(flex.profile, len(labels), seed=HELD_OUT_SEED + 500)
    decoded = steps.rebuilt(flex.tokenizer, others.images)
    seen = recognised(flex.judge, drawn, labels).float()
    values: dict[str, Any] = {
        "drawn": steps.rated(drawn, labels),
        "decoded": steps.rated(decoded, others.labels),
        "real": steps.rated(others.images, others.labels),
        "by class": {
            name: seen[labels == label].mean().item() for name, label in flex.task.shown.items()
        },
    }
    if not has_bodies(steps):
        return values
    judge = build.judge_of_bodies(flex.task, flex.profile).model
    side = flex.task.side(flex.profile)
    shown, kinds, _ = bodies(2 * len(labels), side, seed=HELD_OUT_BODIES)
    found = look(judge, steps.rebuilt(flex.tokenizer, shown)).species.argmax(-1)
    whole = {"drawn": drawn, "decoded": decoded, "real": others.images}
    return values | {
        "whole": {
            kind: (look(judge, pictures).species.argmax(-1) == WHOLE).float().mean().item()
            for kind, pictures in whole.items()
        },
        "damaged, found": (found != WHOLE)[kinds != WHOLE].float().mean().item(),
    }


def sheet(steps: Steps) -> Run:
    """Return the record of `measure_sheet`."""
    flex = steps.flex
    settings = flex.behind | {"images": count(steps), "schedule": steps.schedules[steps.told[1]]}
    if has_bodies(steps):
        settings |= {"bodies": build.judge_of_bodies(flex.task, flex.profile).key}
    return flex.measured("flexible-sheet", settings, partial(measure_sheet, steps))


def sheet_of_samples(steps: Steps, run: Run) -> Verdict:
    """FlexVAR figure 17: a sheet of samples at the training size; `run` is the record of `sheet`."""
    flex, values = steps.flex, run.result
    drawn, decoded, real = (values[kind] for kind in ("drawn", "decoded", "real"))
    name, worst = flex.judge.distance, min(values["by class"], key=values["by class"].get)
    of_drawn, of_decoded = (kind["distances"]["frechet"] for kind in (drawn, decoded))
    checks = {
        f"recognised in at least {100 * bars.RECOGNISED:g} %": drawn[TAKEN] >= bars.RECOGNISED,
        f"the worst species in at least {100 * bars.WORST:g} %": (
            values["by class"][worst] >= bars.WORST
        ),
        "no farther from real pictures than decoded ones": not any(
            below(decoded["distances"][key], drawn["distances"][key]) for key in DISTANCES
        ),
    }
    for key, word in (("precision", "as good"), ("recall", "as varied")):
        text = f"{word}: {key} at least {bars.OF_DECODED:g} times that of decoded real pictures"
        # Nothing is as good as what is not there at all.
        checks[text] = drawn[key] >= bars.OF_DECODED * decoded[key] > 0
    bodies_told = ""
    if "whole" in values:
        whole = values["whole"]
        text = f"whole at least {bars.OF_DECODED:g} times as often as decoded real pictures"
        checks[text] = whole["drawn"] >= bars.OF_DECODED * whole["decoded"]
        bodies_told = (
            f"; whole animals {whole['drawn']:.0%} ({whole['decoded']:.0%}; of damaged ones "
            f"{values['damaged, found']:.0%} are found)"
        )
    floors = f"decoded real pictures {decoded[name]:.2f}, real {real[name]:.2f}"
    unsure = margin(of_drawn["halves"], of_decoded["halves"]) or 0.0
    told = {
        "ours": f"recognised {drawn[TAKEN]:.0%} (decoded real pictures {decoded[TAKEN]:.0%}, real "
        f"{real[TAKEN]:.0%}), the worst, {worst}, in {values['by class'][worst]:.0%}; {name} "
        f"{drawn[name]:.2f} ({floors}; margin {unsure:.2f}); precision {drawn['precision']:.2f} "
        f"({decoded['precision']:.2f}), recall {drawn['recall']:.2f} ({decoded['recall']:.2f})"
        + bodies_told,
        "numbers": {TAKEN: drawn[TAKEN], "by class": values["by class"], "margin": unsure}
        | {key: values[key] for key in ("whole", "damaged, found") if key in values}
        | {
            kind: {key: values[kind][key] for key in (name, "precision", "recall", TAKEN)}
            for kind in ("drawn", "decoded", "real")
        },
        "metric_card": drawn["card"],
        "runs": [*flex.runs, run],
        "params": dict(flex.drawing),
        "counts": {
            "samples": drawn["card"]["samples"],
            "real pictures": drawn["card"]["reference_samples"],
        },
    }
    return checks, told
