"""CycleVAR's rivals (its table 1), trained by us on the small chain of chapter 10: same images,
same size, for a comparable time on the clock.

CycleGAN and CUT work in pixels and need nothing else. SDEdit, DDIB and Cycle-Diffusion share one
class-conditional latent diffusion model (the DiT row of FlexVAR table 2), over the ground-truth
tokenizer's features. A profile may have them trained on photographs too; there the diffusion model
lives over the features of CycleVAR's own tokenizer.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from varbook.book.experiments import cyclevar_ablations
from varbook.book.experiments.shared import domain, shared
from varbook.book.models import build
from varbook.book.models.profiles import Profile
from varbook.book.models.tasks import PHOTOGRAPHS, SMALL
from varbook.book.show.base64_strip import decode_strip, encode_strip
from varbook.data.images import evenly_spaced
from varbook.errors import VarbookError
from varbook.evaluate.photographs import photograph_report, real_report
from varbook.train.keeper import Curve
from varbook.train.store import Run, experiment
from varbook.translate.apply import Translator, translate_all
from varbook.translate.diffusion_translators import STRENGTHS

PIXELS = {"CycleGAN": "cyclegan", "CUT": "cut"}
DIFFUSION = {"SDEdit": "sdedit", "DDIB": "ddib", "Cycle-Diffusion": "cyclediffusion"}
RIVALS = PIXELS | DIFFUSION  # name -> method of `build.translator`
OURS = "CycleVAR"
# Directions between photographs: (short name, source, real pictures of the target, its class).
DIRECTIONS = {
    "horse to zebra": ("h2z", "testA", "testB", 1),
    "zebra to horse": ("z2h", "testB", "testA", 0),
}
QUALITY = 85  # of the photographs in a record


def rival(profile: Profile, name: str) -> Run:
    """Return the record of the rival `name`: "result" holds every number of
    `cyclevar_ablations.image_measures`, pictures, and core-minutes.
    """
    judge = shared(build.judge, SMALL, profile)
    trained = build.translator(SMALL, profile, RIVALS[name])
    # The settings name everything without building it: where the record is there, nothing is
    # trained or loaded.
    settings: dict[str, Any] = {
        "study": profile.chains["small"],
        "images": profile.images["small"],
        "judge": judge.key,
        "held_out": profile.held_out,
    }
    if name in PIXELS:
        settings |= {"method": PIXELS[name], "steps": profile.rivals.pixel_steps["small"]}
    else:
        settings |= {
            "method": DIFFUSION[name],
            "strength": STRENGTHS[DIFFUSION[name]],
            "guidance": build.GUIDANCE,
        }

    def function() -> tuple[dict, Curve]:
        values: dict[str, Any] = dict(
            cyclevar_ablations.translator_measures(profile, trained.model, judge.model)
        )
        values |= cyclevar_ablations.first_images(profile, trained.model)
        return values | {"minutes": sum(run.core_minutes for run in trained.runs)}, []

    return experiment(
        "toy-rivals",
        settings,
        function,
        seed=profile.seed,
        on=SMALL.fingerprint,
        profile=profile.name,
        machine={"run": trained.key},
        parents=(judge.load, trained.load),
    )


def runs(profile: Profile) -> list[Run]:
    """Return the records behind `all_numbers`: CycleVAR's with every seed, the references', the
    rivals'.
    """
    own, _ = cyclevar_ablations.results(profile, "default")
    return [
        *own,
        cyclevar_ablations.references(profile),
        *(rival(profile, name) for name in RIVALS),
    ]


def all_numbers(profile: Profile) -> dict[str, dict]:
    """Return name -> numbers of `cyclevar_ablations.image_measures` for the references, CycleVAR
    (the mean of its seeds) and every rival.

    CycleVAR and the rivals also have "minutes" (of processor time, parents included) and
    "pictures".
    """
    numbers_of = dict(cyclevar_ablations.references(profile).result)
    own, each = cyclevar_ablations.results(profile, "default")
    before = sum(run.core_minutes for run in build.next_scale(SMALL, profile).runs)
    numbers = [key for key, value in each[0].items() if isinstance(value, (int, float))]
    ours = {key: statistics.fmean(values[key] for values in each) for key in numbers}
    spent = statistics.fmean(run.core_minutes for run in own)
    numbers_of[OURS] = ours | {"minutes": before + spent, "pictures": each[0]["pictures"]}
    return numbers_of | {name: rival(profile, name).result for name in RIVALS}


def photograph_reports(
    photos: dict[str, Tensor], translate: Callable[[Tensor, int], Tensor]
) -> dict[str, dict]:
    """Return direction -> measures (of `photograph_report`, as plain data) of what `translate`
    makes of the test photographs.

    `translate` takes uint8 images (N, 3, H, W) and the class of the target, and returns images in
    [-1, 1].
    """
    reports = {}
    for direction, (_, source, real, label) in DIRECTIONS.items():
        report = photograph_report(
            photos[source], translate(photos[source], label), photos[real], direction.split()[-1]
        )
        reports[direction] = {key: value.as_dict() for key, value in report.items()}
    return reports


def real_reports(photos: Mapping[str, Tensor]) -> dict[str, dict]:
    """Return direction -> distances (of `real_report`, as plain data) of training photographs of the
    target, as many as are translated, to its test photographs.
    """
    reports = {}
    for direction, (_, source, real, _) in DIRECTIONS.items():
        training = photos[real.replace("test", "train")]
        described = f"test photographs of the target: {direction.split()[-1]}"
        report = real_report(training, photos[real], len(photos[source]), described)
        reports[direction] = {key: value.as_dict() for key, value in report.items()}
    return reports


def photograph_rival(profile: Profile, name: str) -> Run:
    """Return the record of the rival `name` of RIVALS on photographs.

    Its "result" holds report (of `photograph_reports`), pictures (read by `kept_photographs`)
    and minutes of processor time.
    """
    photos, chain = PHOTOGRAPHS.parts(profile), profile.chains["photographs"]
    if photos is None:
        raise VarbookError(PHOTOGRAPHS.missing())
    trained = build.translator(PHOTOGRAPHS, profile, RIVALS[name])
    settings: dict[str, Any] = {
        "size": chain.image_size,
        "images": {part: len(images) for part, images in photos.items()},
    }
    if name in PIXELS:
        settings |= {
            "method": PIXELS[name],
            "steps": profile.rivals.pixel_steps["photographs"],
            "batch": chain.cyclevar_training.batch,
        }
    else:
        method = DIFFUSION[name]
        training = build.rival_training(PHOTOGRAPHS, profile, "diffusion")
        settings |= {
            "method": method,
            "strength": STRENGTHS[method],
            "guidance": build.GUIDANCE,
            "model": chain.model,
            "training": training,
        }
        settings |= {"tokenizer": chain.tokenizer, "tokenizer_training": chain.tokenizer_training}

    def function() -> tuple[dict, Curve]:
        translate = partial(translate_all, trained.model)
        first = [
            translate(evenly_spaced(photos[source], cyclevar_ablations.KEPT), label)
            for _, source, _, label in DIRECTIONS.values()
        ]
        kept = {
            "pictures": encode_strip(torch.cat(first), QUALITY),
            "minutes": sum(run.core_minutes for run in trained.runs),
        }
        return kept | {"report": photograph_reports(photos, translate)}, []

    return experiment(
        "photo-rivals",
        settings,
        function,
        seed=profile.seed,
        on=PHOTOGRAPHS.fingerprint,
        profile=profile.name,
        machine={"run": trained.key},
        parents=(trained.load,),
    )


def kept_photographs(values: dict) -> Tensor:
    """Return the pictures that the record of `photograph_rival` keeps, uint8 (2 KEPT, 3, H, W):
    first zebras, then horses.
    """
    return decode_strip(values["pictures"], 2 * cyclevar_ablations.KEPT)


def photograph_pictures(
    photos: Mapping[str, Tensor], translator: Translator, rivals: Mapping[str, Run]
) -> dict[str, Tensor]:
    """Return row -> pictures (2 KEPT, 3, H, W): sources evenly spread over the test photographs,
    translated by CycleVAR and by each of `rivals` (the records of `photograph_rival`), both ways.
    """
    sources = {
        label: evenly_spaced(photos[part], cyclevar_ablations.KEPT)
        for _, part, _, label in DIRECTIONS.values()
    }
    ours = [translate_all(translator, images, label) for label, images in sources.items()]
    rows = {"source": torch.cat(list(sources.values())), OURS: torch.cat(ours)}
    return rows | {name: kept_photographs(run.result) for name, run in rivals.items()}


def toy_pictures(profile: Profile, numbers: Mapping[str, Mapping]) -> dict[str, Tensor]:
    """Return row -> pictures (2 KEPT, 3, H, W) of the small chain's held-out scenes: the sources,
    and their translations by every method of `all_numbers` that keeps some.
    """
    sources = [
        domain(SMALL, profile, species, held_out=True).images[: cyclevar_ablations.KEPT]
        for species, _ in cyclevar_ablations.DIRECTIONS.values()
    ]
    rows = {"source": torch.cat(sources)}
    for name, values in numbers.items():
        if "pictures" in values:
            rows[name] = torch.cat(list(cyclevar_ablations.kept_images(values).values()))
    return rows


def column_titles() -> list[str]:
    """Return the direction of each column of `photograph_pictures` and `toy_pictures`."""
    ways = [" to ".join(ends) for ends in cyclevar_ablations.DIRECTIONS.values()]
    return [way for way in ways for _ in range(cyclevar_ablations.KEPT)]


def toy_rows(numbers: Mapping[str, Mapping], short: str) -> list[dict]:
    """Return one row per method of `all_numbers` in one direction, with its core-minutes."""
    measures = ("accuracy", "FD", "structure", "IoU", "background")
    return [
        {"": name, **{measure: values[f"{measure} {short}"] for measure in measures}}
        | {"core-minutes": values.get("minutes")}
        for name, values in numbers.items()
    ]


def photograph_numbers(reports: Mapping[str, Mapping]) -> dict[str, float]:
    """Return the numbers of `photograph_reports` under the names that `against_rivals` compares."""
    names = {"FD": "frechet", "structure": "structure"}
    return {
        f"{number} {DIRECTIONS[way][0]}": report[key]["value"]
        for way, report in reports.items()
        for number, key in names.items()
    }


def against_rivals(
    numbers: Mapping[str, Mapping], rivals: Sequence[str] = tuple(RIVALS)
) -> dict[str, bool]:
    """Return the claim of CycleVAR table 1, check by check: nearer to the target than each of
    `rivals`, and as much structure kept as by the middle one of them, both ways.

    `numbers` are those of `all_numbers`: name -> "FD h2z", "structure h2z" .., lower is better.
    """
    checks = {}
    for short, ends in cyclevar_ablations.DIRECTIONS.items():
        way, ours = " to ".join(ends), numbers[OURS]
        for name in rivals:
            nearer = ours[f"FD {short}"] < numbers[name][f"FD {short}"]
            checks[f"{way}: nearer to the target than {name}"] = nearer
        middle = statistics.median(numbers[name][f"structure {short}"] for name in rivals)
        kept = ours[f"structure {short}"] <= middle
        checks[f"{way}: keeps as much structure as the middle rival"] = kept
    return checks
