"""The models of chapter 11: sign bits for codes, captions for classes, day and night, photographs
and flat drawings.

Every function returns (model, run) as those of `varbook.book.models.build` do.
"""

from dataclasses import replace
from functools import cache

import torch
from torch import Tensor

from varbook.book.models.build import centre, crops
from varbook.book.models.profiles import CAPTIONED, Chain, Profile
from varbook.book.models.trained import cyclevar_run, next_scale_run, tokenizer_run
from varbook.data.folders import unpaired
from varbook.data.toy import ToySet, toy_images
from varbook.device import pick_device
from varbook.errors import VarbookError
from varbook.evaluate.samples import fingerprint
from varbook.features.attributes import AttributeConfig, AttributeJudge
from varbook.paths import data_folder
from varbook.pretrained.published_cyclevar import PUBLISHED_TRAINING, published_cyclevar
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.train.fit_judge import fit_attributes
from varbook.train.store import Run, train_or_load
from varbook.transformer.text_model import TextNextScaleModel
from varbook.translate.cyclevar import CycleVAR, CycleVARConfig
from varbook.world.draw import WORLD_VERSION
from varbook.world.species import TABLE

# Kinds of pictures -> (by night, flat); the fixed prompts that ask for three of them.
KINDS = {
    "day": (False, False),
    "night": (True, False),
    "flat": (False, True),
    "flat night": (True, True),
}
PROMPTS = {"day": "by day", "night": "by night", "flat": "by day, anime style"}
# What each kind of translator translates between: domain -> prompt.
_STREETS = {kind: PROMPTS[kind] for kind in ("day", "night")}
DOMAINS = {
    "text-cyclevar-night": _STREETS,
    "text-cyclevar-flat": {"photograph": PROMPTS["day"], "flat": PROMPTS["flat"]},
    "driving-cyclevar": _STREETS,
}
# The sum of sign bits is bounded: with alpha = 1/2 it could not reach 2 F_target - F_source where
# the two differ everywhere.
CONFIG = CycleVARConfig(alpha=0.75)
TRAIN_SEED, HELD_OUT_SEED = 20, 30
COATS = tuple(
    sorted(
        {coat for name in CAPTIONED if name != "zebra" for coat in TABLE[name].coats} | {"striped"}
    )
)


def captioned_set(profile: Profile, kind: str, *, held_out: bool = False) -> ToySet:
    """Return toy pictures of one of KINDS: training sets share no scene, held-out ones show the
    same scenes (hidden pairs).
    """
    night, flat = KINDS[kind]
    count = profile.held_out if held_out else profile.images["captions"] // len(KINDS)
    seed = HELD_OUT_SEED if held_out else TRAIN_SEED + list(KINDS).index(kind)
    return toy_images(
        count,
        profile.chains["captions"].image_size,
        seed=seed,
        species=CAPTIONED,
        night=night,
        flat=flat,
    )


@cache
def _training_sets(profile: Profile) -> dict[str, ToySet]:
    return {kind: captioned_set(profile, kind) for kind in KINDS}


def _images(profile: Profile) -> Tensor:
    return torch.cat([one.images for one in _training_sets(profile).values()])


def _world(profile: Profile) -> dict:
    return {
        "version": WORLD_VERSION,
        "images": profile.images["captions"],
        "size": profile.chains["captions"].image_size,
        "species": CAPTIONED,
    }


def attribute_judge(profile: Profile) -> tuple[AttributeJudge, Run]:
    """Return the classifier of animal, coat, time and style that judges chapter 11; no loss of a
    generator ever uses it.
    """
    torch.manual_seed(profile.seed + 78)
    judge, steps = AttributeJudge(AttributeConfig(CAPTIONED, COATS)), profile.judges.caption_steps

    def fit(keeper):
        parts = [judge.labels(one.scenes) for one in _training_sets(profile).values()]
        labels = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
        return fit_attributes(
            judge,
            _images(profile),
            labels,
            steps=steps,
            seed=profile.seed,
            device=pick_device(),
            keeper=keeper,
        )

    settings = {"world": _world(profile), "steps": steps, "judge": judge.config}
    run = train_or_load(
        "attribute-judge", judge, settings, fit, seed=profile.seed, profile=profile.name
    )
    return judge.to(pick_device()).eval(), run


def bit_tokenizer(profile: Profile) -> tuple[Tokenizer, Run]:
    """Return the bitwise tokenizer of the captioned toy world."""
    return tokenizer_run(
        "bit-tokenizer",
        profile.chains["captions"],
        _images(profile),
        profile,
        world=_world(profile),
    )


def caption_model(profile: Profile) -> tuple[TextNextScaleModel, Tokenizer, tuple[Run, Run]]:
    """Return the model that draws the toy world from captions, and its tokenizer."""
    tokenizer, parent = bit_tokenizer(profile)
    captions = [caption for one in _training_sets(profile).values() for caption in one.captions]
    model, run = next_scale_run(
        "text-var",
        profile.chains["captions"],
        tokenizer,
        parent,
        lambda: _images(profile),
        captions,
        profile,
    )
    return model, tokenizer, (run, parent)


def caption_cyclevar(
    profile: Profile, to: str = "night", config: CycleVARConfig = CONFIG
) -> tuple[CycleVAR, Run]:
    """Return CycleVAR between the toy world by day and `to`, "night" or "flat"."""
    model, tokenizer, (parent, _) = caption_model(profile)
    chain = flat_chain(profile) if to == "flat" else profile.chains["captions"]
    sets = tuple(captioned_set(profile, kind).images for kind in ("day", to))
    prompts = PROMPTS["day"], PROMPTS[to]
    return cyclevar_run(
        f"text-cyclevar-{to}", chain, tokenizer, model, parent, sets, prompts, profile, config
    )


def flat_chain(profile: Profile) -> Chain:
    """Return the chain of the translator between photographs and flat pictures: that of day and
    night, trained for longer.
    """
    steps = profile.flat.steps
    longer = {
        "steps": steps,
        "batch": profile.flat.batch,
        "warmup": min(50, steps // 4),
        "identity_steps": min(100, steps // 3),
    }
    return replace(
        profile.chains["captions"],
        cyclevar_training=replace(profile.chains["captions"].cyclevar_training, **longer),
    )


def driving_photographs(profile: Profile) -> dict[str, Tensor] | None:
    """Return day2night as uint8 tensors: trainA, trainB (larger, for crops), testA, testB; None
    where not found.
    """
    folder = data_folder("day2night")
    if folder is None:
        return None
    size = profile.chains["driving"].image_size
    train, test = unpaired(folder, round(size * 286 / 256)), unpaired(folder, size)
    return {
        "trainA": train["trainA"],
        "trainB": train["trainB"],
        "testA": test["testA"],
        "testB": test["testB"],
    }


def published_driving_cyclevar(
    profile: Profile,
    path: str | None = None,
    tokenizer_path: str | None = None,
    config: CycleVARConfig = CONFIG,
) -> tuple[CycleVAR, Run]:
    """Return CycleVAR fine-tuned from the published Infinity-2B on streets by day and by night, as
    the paper has it (section 4.2).

    For several cards (`--shard`) and the profile "paper", 512 pixels; `path` and `tokenizer_path`
    name the published files where they are not to be fetched. Raises VarbookError where they, the
    photographs or Flan-T5 are missing.
    """
    data = driving_photographs(profile)
    if data is None:
        raise VarbookError(
            "The photographs of day2night are not there: see data_scripts/prepare_bdd100k.py, and name their place."
        )
    start = published_cyclevar("infinity-2b-512", path, tokenizer_path, config)
    chain = replace(profile.chains["driving"], cyclevar_training=PUBLISHED_TRAINING)
    parent = Run("infinity-2b", {"key": f"infinity-2b {fingerprint(start.model)}"}, "published")
    return cyclevar_run(
        "published-infinity",
        chain,
        start.tokenizer,
        start.model,
        parent,
        (data["trainA"], data["trainB"]),
        (PROMPTS["day"], PROMPTS["night"]),
        profile,
        config,
        draw=crops(start.schedule[-1][0] * start.tokenizer.stride),
    )


def driving_chain(
    profile: Profile, config: CycleVARConfig = CONFIG
) -> tuple[CycleVAR, tuple[Run, Run, Run]]:
    """Return CycleVAR between photographs of streets by day and by night, and its runs: its own,
    its model's, its tokenizer's.
    """
    data, chain = driving_photographs(profile), profile.chains["driving"]
    both, draw = torch.cat((data["trainA"], data["trainB"])), crops(chain.image_size)
    tokenizer, parent = tokenizer_run("driving-tokenizer", chain, both, profile, draw=draw)
    prompts = [PROMPTS["day"]] * len(data["trainA"]) + [PROMPTS["night"]] * len(data["trainB"])
    images = lambda: centre(both, chain.image_size)  # noqa: E731
    model, model_run = next_scale_run(
        "driving-var", chain, tokenizer, parent, images, prompts, profile
    )
    sets, targets = (data["trainA"], data["trainB"]), (PROMPTS["day"], PROMPTS["night"])
    cyclevar, run = cyclevar_run(
        "driving-cyclevar",
        chain,
        tokenizer,
        model,
        model_run,
        sets,
        targets,
        profile,
        config,
        draw=draw,
    )
    return cyclevar, (run, model_run, parent)


def driving_cyclevar(profile: Profile, config: CycleVARConfig = CONFIG) -> tuple[CycleVAR, Run]:
    """Return CycleVAR between photographs of streets by day and by night, with tokenizer and model
    of its own.
    """
    cyclevar, runs = driving_chain(profile, config)
    return cyclevar, runs[0]
