"""CycleVAR taken apart (its tables 3 to 5): one part replaced at a time, all trained to the same
budget, with several seeds.

Everything happens on the profile's chain "small". Numbers and a few small pictures are kept
in run records, models are not.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from varbook.book.experiments.shared import domain, shared
from varbook.book.models import build
from varbook.book.models.profiles import Profile
from varbook.book.models.tasks import SMALL
from varbook.book.show.base64_strip import decode_strip, encode_strip
from varbook.data.images import to_float
from varbook.device import pick_device
from varbook.evaluate.fidelity import frechet
from varbook.evaluate.structure import structure_distance
from varbook.evaluate.translation import (
    background_psnr,
    domain_accuracy,
    look,
    silhouette_iou,
    stripe_contrast,
)
from varbook.features.judge import Judge
from varbook.train import store
from varbook.train.fit_cyclevar import CycleVARTraining, fit_cyclevar
from varbook.train.keeper import Curve
from varbook.train.store import Run
from varbook.translate.apply import Translator, render_all, translate_all
from varbook.translate.cyclevar import CycleVAR, CycleVARConfig
from varbook.translate.relaxation import mixture_state

KEPT = 4  # held-out scenes of each domain whose translations a record keeps
TEMPERATURES = (0.01, 0.1, 0.7, 1.0, 2.0, 10.0, 10_000.0)  # CycleVAR table 5
ALPHAS = (0.25, 0.5, 0.75, 1.0)  # the paper gives no value
# Learning rate of plain descent, in units of AdamW's; half of it gives like rows.
DESCENT_RATE = 250.0
# Short name -> (source, target).
DIRECTIONS = {"h2z": ("horse", "zebra"), "z2h": ("zebra", "horse")}
# Every record here rests on the small chain's scenes.
experiment = partial(store.experiment, on=SMALL.fingerprint)


@dataclass(frozen=True)
class Variant:
    """One row: what differs from the default, and how it is trained."""

    config: CycleVARConfig = CycleVARConfig()
    repeated: bool = False  # trained with every seed of the profile, where rows lie close together; else with the first alone
    rate: float = 1.0  # factor of the learning rate
    optimiser: str = "adamw"
    # Size of the codebook, of a tokenizer and a next-scale model of its own; None: the profile's
    vocab_size: int | None = None
    # Measure the weights of the first seed once more under each setting of AT_EVALUATION
    remeasured: bool = False


AT_EVALUATION: dict[str, dict[str, Any]] = {
    "one code per token": {"relaxation": "argmax"},
    "temperature 0.5": {"temperature": 0.5},
    "temperature 1": {"temperature": 1.0},
    "temperature 4": {"temperature": 4.0},
    "alpha 0.25": {"alpha": 0.25},
    "alpha 1": {"alpha": 1.0},
}  # changed at evaluation only

VARIANTS = {
    "default": Variant(
        repeated=True, remeasured=True
    ),  # temperature 2, alpha 0.5, parallel, full context, no noise
    "temperature 0.01": Variant(CycleVARConfig(temperature=0.01), repeated=True),  # table 5
    "temperature 10000": Variant(CycleVARConfig(temperature=10_000.0), repeated=True),
    "serial": Variant(CycleVARConfig(mode="serial"), repeated=True),  # table 3
    "serial, as printed": Variant(CycleVARConfig(mode="serial", fusion="paper"), repeated=True),
    "last scale alone": Variant(
        CycleVARConfig(multi_scale_output=False), repeated=True
    ),  # table 4, row 2
    "last scale alone, no context": Variant(
        CycleVARConfig(multi_scale_output=False, multi_scale_context=False), repeated=True
    ),  # row 3
    "temperature 0.7": Variant(CycleVARConfig(temperature=0.7), repeated=True),
    "temperature 0.7, noise": Variant(
        CycleVARConfig(temperature=0.7, noise=True), repeated=True
    ),  # table 5: all its rows but the last
    "temperature 10": Variant(CycleVARConfig(temperature=10.0), repeated=True),
    "temperature 0.1": Variant(CycleVARConfig(temperature=0.1)),
    "temperature 1": Variant(CycleVARConfig(temperature=1.0)),
    "alpha 0.25": Variant(CycleVARConfig(alpha=0.25), repeated=True),
    "alpha 0.75": Variant(CycleVARConfig(alpha=0.75), repeated=True),
    "alpha 1": Variant(CycleVARConfig(alpha=1.0), repeated=True),
    "shifted context": Variant(CycleVARConfig(context="shifted")),
    # Why: rows of no table of the paper
    "temperature 0.01, quarter rate": Variant(CycleVARConfig(temperature=0.01), rate=0.25),
    "default, quarter rate": Variant(rate=0.25),
    "temperature 0.01, plain descent": Variant(
        CycleVARConfig(temperature=0.01), rate=DESCENT_RATE, optimiser="sgd"
    ),
    "default, plain descent": Variant(rate=DESCENT_RATE, optimiser="sgd"),
    "temperature 0.01, 64 codes": Variant(CycleVARConfig(temperature=0.01), vocab_size=64),
    "default, 64 codes": Variant(vocab_size=64),
    "temperature 0.01, 2048 codes": Variant(CycleVARConfig(temperature=0.01), vocab_size=2048),
    "default, 2048 codes": Variant(vocab_size=2048),
    "temperature 10000, alpha 1": Variant(CycleVARConfig(temperature=10_000.0, alpha=1.0)),
    "serial, as printed, alpha 0.75": Variant(
        CycleVARConfig(mode="serial", fusion="paper", alpha=0.75)
    ),
}


def at_temperature(tau: float) -> str:
    """Return the name of the row that was trained at temperature `tau` of TEMPERATURES."""
    return "default" if tau == CycleVARConfig().temperature else f"temperature {tau:g}"


def at_alpha(alpha: float) -> str:
    """Return the name of the row that was trained with `alpha` of ALPHAS."""
    return "default" if alpha == CycleVARConfig().alpha else f"alpha {alpha:g}"


def with_codes(profile: Profile, vocab_size: int | None) -> Profile:
    """Return the profile with `vocab_size` codes in its chain "small"; None: as it is."""
    if vocab_size is None:
        return profile
    chain = profile.chains["small"]
    chain = replace(
        chain,
        tokenizer=replace(chain.tokenizer, vocab_size=vocab_size),
        model=replace(chain.model, vocab_size=vocab_size),
    )
    return replace(profile, chains=profile.chains | {"small": chain})


def training_of(profile: Profile, variant: Variant) -> CycleVARTraining:
    """Return how a row is trained: as all others, but for the factor that it names."""
    training = profile.chains["small"].cyclevar_training
    return replace(training, lr=variant.rate * training.lr, optimiser=variant.optimiser)


def ablation(profile: Profile, name: str, seed: int) -> Run:
    """Return the record of the row `name` of VARIANTS, trained with `seed`: its "result" holds
    every number of `translator_measures`.
    """
    variant = VARIANTS[name]
    judge = shared(build.judge, SMALL, profile)
    training = training_of(profile, variant)
    settings_after = AT_EVALUATION if variant.remeasured and seed == profile.small_seeds[0] else {}
    settings = {
        "model": shared(build.next_scale, SMALL, profile).key,
        "cyclevar": variant.config,
        "training": training,
        "judge": judge.key,
        "turned": settings_after,
        "held_out": profile.held_out,
    }
    # Enough for the key: the row's own chain is built only where its record is missing.
    settings |= {"codes": variant.vocab_size} if variant.vocab_size else {}
    parent = shared(build.next_scale, SMALL, with_codes(profile, variant.vocab_size))

    def function() -> tuple[dict, Curve]:
        model, _, (tokenizer,) = parent
        cyclevar = CycleVAR(tokenizer.model, copy.deepcopy(model), variant.config)
        x, y = (domain(SMALL, profile, name).images for name in SMALL.domains)
        torch.manual_seed(seed + 5)  # of the discriminators
        curve = fit_cyclevar(
            cyclevar, (x, y), SMALL.classes, training, seed=seed, device=pick_device()
        )
        values = translator_measures(profile, cyclevar, judge.model) | shown_values(
            profile, cyclevar
        )
        for name_after, changes in settings_after.items():
            other = CycleVAR(
                tokenizer.model, cyclevar.model, replace(variant.config, **changes)
            ).eval()
            values[name_after] = translator_measures(profile, other, judge.model)
        return values, curve

    return experiment(
        "toy-taken-apart",
        settings,
        function,
        seed=seed,
        profile=profile.name,
        parents=(judge.load, parent.load),
    )


def seeds_of(profile: Profile, name: str) -> tuple[int, ...]:
    """Return the seeds with which the row `name` is trained."""
    return profile.small_seeds if VARIANTS[name].repeated else profile.small_seeds[:1]


def results(profile: Profile, name: str) -> tuple[list[Run], list[dict]]:
    """Return the runs of the row `name` with every seed, and the numbers of each."""
    runs = [ablation(profile, name, seed) for seed in seeds_of(profile, name)]
    return runs, [run.result for run in runs]


def references(profile: Profile) -> Run:
    """Return the record of what the measures say of the source itself, the tokenizer alone, and the
    hidden counterpart.
    """
    judge = shared(build.judge, SMALL, profile)
    tokenizer = shared(build.tokenizer, SMALL, profile)
    settings = {"tokenizer": tokenizer.key, "judge": judge.key, "held_out": profile.held_out}

    def function() -> tuple[dict, Curve]:
        sets = {name: domain(SMALL, profile, name, held_out=True).images for name in SMALL.domains}
        through = {name: render_all(tokenizer.model, images) for name, images in sets.items()}
        compared = {
            "source, untouched": (sets, 0),
            "tokenizer alone": (through, 0),
            "hidden counterpart": (sets, 1),
        }
        values = {}
        for name, (images, end) in compared.items():
            pairs = {short: images[ends[end]] for short, ends in DIRECTIONS.items()}
            values[name] = image_measures(
                profile,
                judge.model,
                {short: to_float(x) if x.dtype == torch.uint8 else x for short, x in pairs.items()},
            )
        return values, []

    return experiment(
        "toy-taken-apart-yardsticks",
        settings,
        function,
        seed=0,
        profile=profile.name,
        parents=(judge.load, tokenizer.load),
    )


def translations(
    profile: Profile, translator: Translator, count: int | None = None
) -> dict[str, Tensor]:
    """Return the translations (N, 3, H, W) in [-1, 1] of the (first `count`) held-out scenes in
    each direction.
    """
    sources = {
        short: domain(SMALL, profile, start, held_out=True).images[:count]
        for short, (start, _) in DIRECTIONS.items()
    }
    return {
        short: translate_all(translator, sources[short], SMALL.domains[end])
        for short, (_, end) in DIRECTIONS.items()
    }


def translator_measures(profile: Profile, translator: Translator, judge: Judge) -> dict[str, float]:
    """Return every number of `image_measures` for the translations of all held-out scenes."""
    return image_measures(profile, judge, translations(profile, translator))


def image_measures(
    profile: Profile, judge: Judge, translated: dict[str, Tensor]
) -> dict[str, float]:
    """Return the measures of chapter 09 for translations (N, 3, H, W) in [-1, 1] of the held-out
    scenes, one set a direction.

    Names end in the direction: FD (FD-toy to training images of the target), structure
    (structure-toy), accuracy, IoU, background (dB), contrast (of stripes, inside the silhouette).
    """
    values: dict[str, float] = {}
    for short, (species, target) in DIRECTIONS.items():
        source, images = domain(SMALL, profile, species, held_out=True), translated[short]
        real = domain(SMALL, profile, target).images[:1000]
        verdict, truth = look(judge, images), source.silhouettes
        numbers = {
            "FD": frechet(
                images, real, judge, describe=f"training images of the toy world's {target}s"
            ).value,
            "structure": structure_distance(images, to_float(source.images), judge).value,
            "accuracy": domain_accuracy(judge, verdict, target),
            "IoU": silhouette_iou(verdict.silhouette > 0, truth).mean().item(),
            "background": background_psnr(images, source.images, truth).mean().item(),
            "contrast": stripe_contrast(images, truth).mean().item(),
        }
        values |= {f"{key} {short}": value for key, value in numbers.items()}
    return values


def first_images(profile: Profile, translator: Translator) -> dict[str, str]:
    """Return {"pictures": the strip} of the first translations in both directions, which
    `kept_images` reads again.
    """
    return {
        "pictures": encode_strip(torch.cat(list(translations(profile, translator, KEPT).values())))
    }


@torch.no_grad()
def shown_values(profile: Profile, cyclevar: CycleVAR) -> dict:
    """Return what a record keeps to be shown: the first translations as one small PNG, and how its
    codes are mixed.

    "state" is `mixture_state` over the first held-out horses, "token" the probabilities of all
    codes at the place in the middle of the first horse, at the last scale, in units of 1e-5. Serial
    passes and lone scales have neither.
    """
    values = first_images(profile, cyclevar)
    config = cyclevar.config
    if config.mode == "serial" or not config.multi_scale_context:
        return values
    images, place = shown_token(profile, cyclevar)
    context = cyclevar.source(images)[: len(cyclevar.schedule)]
    to_zebra = torch.full((len(images),), SMALL.classes[1], device=images.device)
    logits = cyclevar.model(context, to_zebra)
    mixed = (logits[0, place].float() / config.temperature).softmax(-1)
    state = mixture_state(logits, cyclevar.tokenizer.codebook.vectors(), config.temperature)
    return values | {"state": state, "token": (mixed * 1e5).round().int().tolist()}


def shown_token(profile: Profile, cyclevar: CycleVAR) -> tuple[Tensor, int]:
    """Return held-out horses (16, 3, H, W) and the index of one token: the last scale's, in the
    middle of the first horse.
    """
    held = domain(SMALL, profile, "horse", held_out=True)
    rows, columns = held.silhouettes[0].nonzero(as_tuple=True)
    height, width = cyclevar.schedule[-1]
    stride = cyclevar.tokenizer.stride
    place = int(rows.float().mean()) // stride * width + int(columns.float().mean()) // stride
    first = sum(h * w for h, w in cyclevar.schedule[:-1])
    return to_float(held.images[:16]).to(pick_device()), first + place


def kept_images(values: Mapping) -> dict[str, Tensor]:
    """Return the pictures that a record keeps, direction -> uint8 (KEPT, 3, H, W)."""
    rows = decode_strip(values["pictures"], 2 * KEPT)
    return dict(zip(DIRECTIONS, rows.split(KEPT), strict=False))
