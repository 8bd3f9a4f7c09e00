"""Reports on a translator: what is measured beside it, and how its measures become rows.

A report is direction -> measure -> `Measured.as_dict()`, as `photograph_reports` returns it; a
comparison is method -> report. A *floor* is what a translation has to be better than.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from varbook.book.experiments.cyclevar_ablations import DIRECTIONS
from varbook.book.models.profiles import Profile
from varbook.book.models.tasks import TOY
from varbook.data.images import to_float
from varbook.evaluate.fidelity import fidelity
from varbook.evaluate.structure import structure_distance
from varbook.features.judge import Judge
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.translate.apply import render_all

# uint8 images (N, 3, H, W) and the class of the target -> images, uint8 or in [-1, 1]
Translate = Callable[[Tensor, int], Tensor]
Report = Mapping[str, Mapping[str, Mapping[str, Any]]]

FLOORS = ("source, untouched", "tokenizer alone")
REAL = "real target"  # other photographs of it: how near a perfect translation comes
OURS = "CycleVAR w/ VAR"  # the name of our row in CycleVAR table 1
WAYS = {" to ".join(ends): ends for ends in DIRECTIONS.values()}  # horse to zebra, and back
COLUMNS = {
    "domain_accuracy": "accuracy",
    "silhouette_iou": "silhouette IoU",
    "background_psnr": "background dB",
    "nearest_coat_psnr": "coat dB",
    "stripe_ratio": "stripe contrast",
}  # measure of `judge_translation` -> column of a table

# What the book asks of the toy world's translator in the laptop profile: measure -> least value.
TARGETS = {
    "horse to zebra": {
        "domain_accuracy": 0.98,
        "silhouette_iou": 0.74,
        "background_psnr": 24.0,
        "stripe_ratio": 0.9,
    },
    "zebra to horse": {
        "domain_accuracy": 0.98,
        "silhouette_iou": 0.78,
        "background_psnr": 26.0,
        "nearest_coat_psnr": 18.5,
    },
}


def floors(tokenizer: Tokenizer) -> dict[str, Translate]:
    """Return name -> translation that changes nothing: the source as it is, and the source through
    the tokenizer.
    """
    untouched, alone = FLOORS
    return {
        untouched: lambda images, _: to_float(images),
        alone: lambda images, _: render_all(tokenizer, images),
    }


def toy_report(profile: Profile, judge: Judge, translate: Translate) -> dict[str, dict]:
    """Return the report on `translate` over all held-out scenes of the toy world: FD-toy and its
    kernel distance to training images of the target, and structure-toy to the source.
    """
    classes, report = dict(zip(TOY.domains, TOY.classes, strict=True)), {}
    for way, (species, target) in WAYS.items():
        source = TOY.domain(profile, species, held_out=True).images
        translated = translate(source, classes[target])
        if translated.dtype == torch.uint8:
            translated = to_float(translated)
        reference = TOY.domain(profile, target).images[:1000]  # training scenes: none is held out
        described = f"training images of the toy world's {target}s"
        measured = fidelity(translated, reference, judge, describe=described)
        measured["structure"] = structure_distance(translated, to_float(source), judge)
        report[way] = {name: value.as_dict() for name, value in measured.items()}
    return report


def judged_rows(measured: Mapping[str, Mapping[str, Mapping]], way: str) -> list[dict]:
    """Return one row per method of the measures of `judge_translation` in one direction; `measured`
    is method -> direction -> measures.
    """
    return [
        {"": method, **{text: both[way][key] for key, text in COLUMNS.items() if key in both[way]}}
        for method, both in measured.items()
    ]


def target_rows(
    measures: Mapping[str, Mapping[str, float]], targets: Mapping[str, Mapping[str, float]]
) -> list[dict]:
    """Return one row per target (direction -> measure -> least value): what was measured, and
    whether it is reached.
    """
    return [
        {
            "direction": way,
            "measure": COLUMNS[key],
            "at least": least,
            "measured": measures[way][key],
            "held": measures[way][key] >= least,
        }
        for way, least_of in targets.items()
        for key, least in least_of.items()
    ]


def report_rows(comparison: Mapping[str, Report], way: str) -> list[dict]:
    """Return one row per method in one direction, each number under the name of the features that
    measured it.
    """
    return [
        {"": method, **{measure["name"]: measure["value"] for measure in report[way].values()}}
        for method, report in comparison.items()
    ]


def figure_3_checks(
    targets: Iterable[Mapping[str, Any]], seen: Mapping[str, float]
) -> dict[str, bool]:
    """Return the checks of CycleVAR figure 3: each of `target_rows`, and that more than half of the
    photographs translated in each direction of `seen` are seen as the target.
    """
    checks = {
        f"{row['direction']}: {row['measure']} at least {row['at least']:g}": row["held"]
        for row in targets
    }
    return checks | {
        f"photographs, {way}: seen as the target": share > 0.5 for way, share in seen.items()
    }


def figure_3_sentence(
    measures: Mapping[str, Mapping[str, float]], seen: Mapping[str, float]
) -> str:
    """Return the numbers of CycleVAR figure 3 in one line, for the report: direction -> measures of
    `judge_translation` in the toy world, and shares of photographs seen as the target.
    """
    there, back = (measures[way] for way in WAYS)
    told = [
        f"toy world: accuracy {there['domain_accuracy']:.1%} and {back['domain_accuracy']:.1%}, "
        f"IoU {there['silhouette_iou']:.3f} and {back['silhouette_iou']:.3f}, "
        f"background {there['background_psnr']:.1f} and {back['background_psnr']:.1f} dB"
    ]
    told += [f"photographs, {way}: {share:.0%} seen as the target" for way, share in seen.items()]
    return "; ".join(told)
