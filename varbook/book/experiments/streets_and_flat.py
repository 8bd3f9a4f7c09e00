"""What is kept of chapter 11's translators whose weights do not come with the book: streets by
night, and flat pictures.

Records hold every number and a few held-out translations; the chain behind them is trained only
where a record is missing.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from varbook.book.experiments.translator_reports import FLOORS, REAL
from varbook.book.models import build
from varbook.book.models.profiles import Profile
from varbook.book.models.tasks import FLAT, NIGHT, PROMPTS, STREETS
from varbook.book.show.base64_strip import decode_strip, encode_strip
from varbook.data.crops import centre_crop
from varbook.data.images import evenly_spaced, to_float
from varbook.evaluate.counterparts import edge_agreement, judge_counterpart
from varbook.evaluate.photographs import FEWEST, DomainProbe, domain_report, real_report
from varbook.features import mobilenet
from varbook.features.perceptual import best_at_hand
from varbook.paths import weights_file
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.train.keeper import Curve
from varbook.train.store import Run, experiment, experiment_settings, find_record, run_key
from varbook.translate.apply import render_all, translate_all
from varbook.translate.cyclevar import CycleVAR

DAY_NIGHT = {
    "day to night": ("day", "night"),
    "night to day": ("night", "day"),
}  # direction -> (source, target) of PROMPTS
STYLES = {"photograph to flat": ("day", "flat"), "flat to photograph": ("flat", "day")}
OURS = "CycleVAR w/ Infinity"
ROWS = (
    "source, untouched",
    "before training",
    OURS,
    "hidden, through the tokenizer",
)
STREET_ROWS = (*FLOORS, OURS, REAL)
FLOOR = "real against real"  # the measurement of `measure_floor`
SHOWN, SHOWN_STREETS = 6, 8  # pictures of each direction that are shown
_TESTS = {"day": "testA", "night": "testB"}  # the held-out part of each
QUALITY = 90  # of the photographs in a record


def rendered(tokenizer: Tokenizer, images: Tensor) -> Tensor:
    """Return uint8 images (N, 3, H, W) as the tokenizer renders them, floats in [-1, 1]."""
    return render_all(tokenizer, images).clamp(-1, 1)


def shown_scenes(n: int) -> slice:
    """Return which held-out scenes are shown for direction number `n`: none is chosen, and no two
    directions show the same.
    """
    return slice(n * SHOWN, (n + 1) * SHOWN)


def counterparts(
    profile: Profile, cyclevar: CycleVAR, directions: Mapping[str, tuple[str, str]], attribute: str
) -> dict[str, dict[str, dict]]:
    """Return direction -> row of ROWS -> measures of `judge_counterpart` over all held-out toy
    scenes.
    """
    judge = build.judge(NIGHT, profile).model
    model, _, (codec,) = build.next_scale(NIGHT, profile)
    tokenizer = codec.model
    before = CycleVAR(tokenizer, model, cyclevar.config)  # not trained to translate yet
    held = {name: NIGHT.domain(profile, name, held_out=True) for name in PROMPTS}
    measures = {}
    for name, (start, end) in directions.items():
        source, hidden = held[start], held[end]
        translated = (
            to_float(source.images),
            translate_all(before, source.images, PROMPTS[end]),
            translate_all(cyclevar, source.images, PROMPTS[end]),
            rendered(tokenizer, hidden.images),
        )
        measures[name] = {
            row: judge_counterpart(judge, source, hidden, images, attribute)
            for row, images in zip(ROWS, translated, strict=True)
        }
    return measures


def flat(profile: Profile) -> Run:
    """Return the record of the translator between photographs and flat pictures.

    Its "result" holds counterparts (of `counterparts`), pictures (the first translations of each
    direction: `flat_images`), and core_minutes of the training.
    """
    trained, judge = build.translator(FLAT, profile), build.judge(FLAT, profile)
    settings = {
        "model": build.next_scale(FLAT, profile).key,
        "cyclevar": FLAT.config,
        "training": FLAT.chain_of(profile).cyclevar_training,
        "prompts": PROMPTS,
        "judge": judge.key,
        "held_out": profile.held_out,
    }

    def function() -> tuple[dict, Curve]:
        cyclevar, run, _ = trained
        translated = []
        for n, (start, end) in enumerate(STYLES.values()):
            images = FLAT.domain(profile, start, held_out=True).images[shown_scenes(n)]
            translated.append(translate_all(cyclevar, images, PROMPTS[end]))
        values = {
            "counterparts": counterparts(profile, cyclevar, STYLES, "style"),
            "pictures": encode_strip(torch.cat(translated)),
            "core_minutes": run.core_minutes,
        }
        return values, run.curve

    return experiment(
        "text-flat",
        settings,
        function,
        seed=profile.seed,
        on=FLAT.fingerprint,
        profile=profile.name,
        machine={"run": trained.key},
        parents=(trained.load, judge.load),
    )


def flat_images(values: dict) -> dict[str, Tensor]:
    """Return direction -> the first translations, uint8 (SHOWN, 3, H, W), that the record of `flat`
    keeps.
    """
    return dict(
        zip(STYLES, decode_strip(values["pictures"], len(STYLES) * SHOWN).split(SHOWN), strict=True)
    )


def streets(profile: Profile) -> Run:
    """Return the record of the translator between photographs of streets by day and by night,
    trained on day2night alone.

    Its "result" holds: counts of held-out photographs; measures (direction -> row of STREET_ROWS ->
    brightness, edges, seen as target, frechet, kernel, structure; the last four only where
    pretrained features are at hand); pictures and renderings (the translations shown, and their
    sources through the tokenizer: `street_images`), levels (the brightness of each source shown),
    perceptual (the distance in the losses) and core_minutes of the three trainings. Raises
    VarbookError where there are neither photographs nor a record.
    """

    def function() -> tuple[dict, Curve]:
        trained = build.translator(STREETS, profile)  # here: a record needs no photographs
        data = STREETS.parts(profile) or {}
        cyclevar = trained.model
        probe = street_probe(cyclevar.tokenizer, data)
        sources = street_sources(data)
        translated = [
            translate_all(cyclevar, sources[start], PROMPTS[end])
            for start, end in DAY_NIGHT.values()
        ]
        through = [rendered(cyclevar.tokenizer, images) for images in sources.values()]
        values = {
            "counts": {name: len(images) for name, images in data.items()},
            "measures": {
                name: dict(street_measures(cyclevar, data, probe, *ends))
                for name, ends in DAY_NIGHT.items()
            },
            "pictures": encode_strip(torch.cat(translated), QUALITY),
            "renderings": encode_strip(torch.cat(through), QUALITY),
            "levels": [brightness(image) for images in sources.values() for image in images],
            "perceptual": best_at_hand(),  # what the losses saw with
            "core_minutes": sum(run.core_minutes for run in trained.runs),
        }
        return values, trained.run.curve

    return experiment(
        "streets", street_settings(profile), function, seed=profile.seed, profile=profile.name
    )


def street_settings(profile: Profile) -> dict:
    """Return what stands for the record of `streets` in its key: that of the book's own record
    where no photographs are here.
    """
    settings = {
        "chain": profile.chains["driving"],
        "cyclevar": STREETS.config,
        "prompts": STREETS.domains,
    }
    if STREETS.missing():
        return settings
    machine = {"run": build.translator(STREETS, profile).key}
    settings |= STREETS.fingerprint()
    return experiment_settings("streets", settings, profile.seed, machine)


def known_streets(profile: Profile) -> dict | None:
    """Return the record of `streets` where there is one, and train nothing."""
    key = run_key("streets", street_settings(profile), profile.seed)
    known = find_record(f"streets-{key}")
    return known[0] if known else None


def measure_floor(run: Run, data: Mapping[str, Tensor] | None) -> None:
    """Keep beside the numbers of `streets` how far real photographs of the target are from others
    of it (`real_report`), where it has distances, and the photographs (`data`) are here.
    """
    result = run.result
    if data is None or not all("frechet" in rows[OURS] for rows in result["measures"].values()):
        return

    def distances() -> dict[str, dict]:
        values = {}
        for way, (start, end) in DAY_NIGHT.items():
            test, count = _TESTS[end], len(data[_TESTS[start]])
            training = data[test.replace("test", "train")]
            report = real_report(training, data[test], count, f"test photographs by {end}")
            values[way] = {key: value.as_dict() for key, value in report.items()}
        return values

    run.measure(FLOOR, {"counts": result["counts"]}, distances)


def street_numbers(record: Mapping[str, Any]) -> dict[str, dict[str, dict]]:
    """Return direction -> row of STREET_ROWS -> measures of a record of `streets`; real photographs
    have distances where `measure_floor` has kept them.
    """
    measures = record["measurements"]["result"]["values"]["measures"]
    floor = record["measurements"].get(FLOOR, {}).get("values", {})
    return {
        way: measures[way] | {REAL: measures[way].get(REAL, {}) | floor.get(way, {})}
        for way in DAY_NIGHT
    }


def brightness(images: Tensor) -> float:
    """Return the mean of uint8 images, or of images in [-1, 1], on a scale from 0 to 1."""
    return (to_float(images) if images.dtype == torch.uint8 else images).mean().item() / 2 + 0.5


def street_probe(tokenizer: Tokenizer, data: dict[str, Tensor]) -> DomainProbe | None:
    """Return what tells streets by night from streets by day, fitted to the training photographs;
    None without features at hand.
    """
    if (
        weights_file(mobilenet.FILE) is None
        or min(len(data[part]) for part in _TESTS.values()) < FEWEST
    ):
        return None
    day, night = (centre_crop(data[part], data["testA"].shape[-1]) for part in ("trainA", "trainB"))
    # Also as the tokenizer renders them: its blur is not a sign of either domain.
    both = [torch.cat((to_float(images), rendered(tokenizer, images))) for images in (day, night)]
    return DomainProbe(both[0], both[1])


def street_measures(
    cyclevar: CycleVAR, data: dict[str, Tensor], probe: DomainProbe | None, start: str, end: str
) -> Iterator[tuple[str, dict]]:
    """Yield (row of STREET_ROWS, measures) for all held-out photographs of `start`, translated to
    `end`.
    """
    source, target = data[_TESTS[start]], data[_TESTS[end]]
    translated = (
        to_float(source),
        rendered(cyclevar.tokenizer, source),
        translate_all(cyclevar, source, PROMPTS[end]),
        to_float(target),
    )
    for row, images in zip(STREET_ROWS, translated, strict=True):
        values: dict[str, Any] = {"brightness": brightness(images)}
        if row != REAL:
            values["edges"] = edge_agreement(images, source).mean().item()
        if probe:
            night = probe.seen_as_second(images)
            values["seen as target"] = night if end == "night" else 1 - night
        if probe and row != REAL:
            report = domain_report(source, images, target, f"test photographs by {end}")
            values |= {key: value.as_dict() for key, value in report.items()}
        yield row, values


def street_sources(data: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return "day" and "night" -> the held-out photographs that are shown, evenly spread, none
    chosen.
    """
    return {kind: evenly_spaced(data[part], SHOWN_STREETS) for kind, part in _TESTS.items()}


def street_images(values: dict, data: dict[str, Tensor] | None) -> dict[str, Tensor]:
    """Return the rows of figure 4: for each direction the sources, the sources through the
    tokenizer, the translations.

    The photographs themselves may not be passed on and are in no record: their rows are there where
    `data` holds the very ones.
    """
    count = len(DAY_NIGHT) * SHOWN_STREETS
    translated, through = (
        decode_strip(values[key], count).split(SHOWN_STREETS) for key in ("pictures", "renderings")
    )
    sources = street_sources(data) if data else {}
    levels = [brightness(image) for images in sources.values() for image in images]
    same = (
        len(levels) == count
        and max(abs(a - b) for a, b in zip(levels, values["levels"], strict=True)) < 0.01
    )
    rows: dict[str, Tensor] = {}
    for n, (start, end) in enumerate(DAY_NIGHT.values()):
        rows |= {f"source: {start}": sources[start]} if same else {}
        rows[f"{start}, tokenizer alone"] = through[n]
        rows[f"CycleVAR: to {end}"] = translated[n]
    return rows
