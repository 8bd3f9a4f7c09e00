"""The models that several chapters share, each built, trained or loaded in one place.

Every function returns (model, run): the run says where the weights came from and carries curve and
measurements.
"""

import functools
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from varbook.book.models.profiles import Profile
from varbook.book.models.trained import (
    cyclevar_run,
    next_scale_run,
    pixel_rival_run,
    rival_run,
    tokenizer_run,
)
from varbook.data.crops import crop_flip
from varbook.data.folders import unpaired
from varbook.data.images import to_float
from varbook.data.toy import SPECIES, ToySet, toy_images
from varbook.device import pick_device
from varbook.errors import VarbookError
from varbook.evaluate.samples import fingerprint
from varbook.features.judge import Judge, JudgeConfig
from varbook.paths import data_folder
from varbook.pretrained.published_cyclevar import (
    PUBLISHED_LABELS,
    PUBLISHED_TRAINING,
    published_cyclevar,
)
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.train.fit_judge import fit_judge
from varbook.train.fit_rival_translator import RivalTraining
from varbook.train.fit_tokenizer import Draw
from varbook.train.store import Run, train_or_load
from varbook.transformer.model import NextScaleModel, flexvar
from varbook.transformer.rival_generators import DiffusionModel
from varbook.translate.cyclevar import CycleVAR, CycleVARConfig
from varbook.translate.rival_translators import PixelTranslator
from varbook.world.draw import WORLD_VERSION

HORSE, ZEBRA = SPECIES.index("horse"), SPECIES.index("zebra")
# Half of the toy world's pictures show the pair that chapter 09 translates.
WEIGHTS = {name: (len(SPECIES) - 2) / 2 if name in ("horse", "zebra") else 1.0 for name in SPECIES}
# What each kind of CycleVAR translates between: domain -> class label of its next-scale model,
# first X, then Y.
DOMAINS = {
    "toy-cyclevar": {"horse": HORSE, "zebra": ZEBRA},
    "photo-cyclevar": {"horse": 0, "zebra": 1},
    "published-cyclevar": dict(zip(("horse", "zebra"), PUBLISHED_LABELS, strict=False)),
}
TRAIN_SEED, HORSE_SEED, ZEBRA_SEED, HELD_OUT_SEED = 1, 2, 3, 4


def toy_training_set(profile: Profile) -> ToySet:
    """Return the toy world's training images, all species, half of them horses and zebras."""
    return toy_images(profile.images["toy"], profile.image_size, seed=TRAIN_SEED, weights=WEIGHTS)


def toy_domain(profile: Profile, species: str, *, held_out: bool = False) -> ToySet:
    """Return one domain of the unpaired task; the two training sets share no scene, the held-out
    ones are hidden pairs.
    """
    if held_out:
        return toy_images(profile.held_out, profile.image_size, seed=HELD_OUT_SEED, species=species)
    seed = HORSE_SEED if species == "horse" else ZEBRA_SEED
    return toy_images(
        max(profile.images["toy"] // 4, 1), profile.image_size, seed=seed, species=species
    )


def toy_judge(profile: Profile) -> tuple[Judge, Run]:
    """Return the classifier and silhouette finder that judges translations of the toy world; no
    loss ever uses it.
    """
    torch.manual_seed(profile.seed + 77)
    judge, data = Judge(JudgeConfig(SPECIES)), toy_training_set(profile)
    settings = {"world": _world(profile), "steps": profile.judges.toy_steps, "judge": judge.config}
    run = train_or_load(
        "judge",
        judge,
        settings,
        seed=profile.seed,
        profile=profile.name,
        fit=lambda keeper: fit_judge(
            judge,
            data.images,
            data.labels,
            data.silhouettes,
            steps=profile.judges.toy_steps,
            seed=profile.seed,
            device=pick_device(),
            keeper=keeper,
        ),
    )
    return judge.eval(), run


def toy_tokenizer(profile: Profile, kind: str = "residual") -> tuple[Tokenizer, Run]:
    """Return a tokenizer of the toy world: "residual" (VAR), "ground_truth" (FlexVAR) or "single"
    (LlamaGen).

    The main one is "residual"; "ground_truth" and "single" have equal budgets, to be compared.
    """
    chain = profile.chains["toy"]
    config, training = chain.tokenizer, chain.tokenizer_training
    if kind != "residual":
        config = replace(config, pyramid="ground_truth", normalise=True)
        training = replace(training, single_scale=kind == "single")
    images = toy_training_set(profile).images
    chain = replace(chain, tokenizer=config, tokenizer_training=training)
    return tokenizer_run(f"toy-tokenizer-{kind}", chain, images, profile, world=_world(profile))


def toy_next_scale(
    profile: Profile, prediction: str = "residual", depth: int | None = None
) -> tuple[NextScaleModel, Tokenizer, tuple[Run, Run]]:
    """Return a class-conditional model that predicts residuals (VAR) or ground truth (FlexVAR), and
    its tokenizer.

    `depth` replaces the profile's number of blocks; nothing else changes.
    """
    chain, data = profile.chains["toy"], toy_training_set(profile)
    chain = replace(chain, model=replace(chain.model, depth=depth or chain.model.depth))
    tokenizer, parent = toy_tokenizer(profile, prediction)
    if prediction == "ground_truth":
        training = replace(chain.model_training, step_sampling=True)
        chain = replace(chain, model=flexvar(chain.model), model_training=training)
    kind = {"residual": "toy-var", "ground_truth": "toy-flexvar"}[prediction]
    model, run = next_scale_run(
        kind, chain, tokenizer, parent, lambda: data.images, data.labels, profile
    )
    return model, tokenizer, (run, parent)


def toy_rival(
    profile: Profile, name: str
) -> tuple[NextScaleModel | DiffusionModel, Tokenizer, tuple[Run, Run]]:
    """Return a rival of FlexVAR table 2, "raster", "masked" or "diffusion", and its tokenizer:
    FlexVAR's, at its full scale.

    It has the size of the next-scale models and sees as many images. `generate.rivals` draws with
    it.
    """
    chain, data = profile.chains["toy"], toy_training_set(profile)
    tokenizer, parent = toy_tokenizer(profile, "ground_truth")
    model, run = rival_run(
        f"toy-rival-{name}",
        name,
        chain,
        tokenizer,
        parent,
        lambda: data.images,
        data.labels,
        profile,
    )
    return model, tokenizer, (run, parent)


def toy_cyclevar(
    profile: Profile, config: CycleVARConfig | None = None, *, seed: int | None = None
) -> tuple[CycleVAR, Run]:
    """Return CycleVAR between the toy world's horses and zebras."""
    model, tokenizer, (parent, _) = toy_next_scale(profile)
    sets = tuple(toy_domain(profile, species).images for species in ("horse", "zebra"))
    return cyclevar_run(
        "toy-cyclevar",
        profile.chains["toy"],
        tokenizer,
        model,
        parent,
        sets,
        (HORSE, ZEBRA),
        profile,
        config,
        seed,
    )


def toy_rival_translation(profile: Profile, name: str) -> tuple[PixelTranslator, Run]:
    """Return a rival in pixels, "cyclegan" or "cut", between the toy world's horses and zebras; it
    is called as CycleVAR is.
    """
    training = RivalTraining(
        method=name,
        steps=profile.rivals.small_steps,
        batch=profile.chains["toy"].cyclevar_training.batch,
    )
    sets = tuple(toy_domain(profile, species).images for species in ("horse", "zebra"))
    return pixel_rival_run(
        f"toy-{name}", training, sets, (HORSE, ZEBRA), {"world": _world(profile)}, profile
    )


def photographs(profile: Profile) -> dict[str, Tensor] | None:
    """Return horse2zebra as uint8 tensors: trainA, trainB (larger, for crops), testA, testB; None
    where not found.
    """
    folder = data_folder("horse2zebra") if profile.use_photographs else None
    size = profile.chains["photographs"].image_size
    return None if folder is None else _photographs(str(folder), size)


@functools.lru_cache(maxsize=2)
def _photographs(folder: str, size: int) -> dict[str, Tensor]:
    # 286 -> 256 px of CycleVAR section 4.1, in proportion
    train, test = unpaired(folder, round(size * 286 / 256)), unpaired(folder, size)
    return {
        "trainA": train["trainA"],
        "trainB": train["trainB"],
        "testA": test["testA"],
        "testB": test["testB"],
    }


def photograph_tokenizer(profile: Profile) -> tuple[Tokenizer, Run]:
    """Return the residual tokenizer of horse and zebra photographs."""
    data = photographs(profile)
    chain = profile.chains["photographs"]
    return tokenizer_run(
        "photo-tokenizer",
        chain,
        torch.cat((data["trainA"], data["trainB"])),
        profile,
        draw=crops(chain.image_size),
    )


def labelled_photographs(profile: Profile) -> tuple[Callable[[], Tensor], Tensor]:
    """Return what gives the training photographs, uint8 (N, 3, H, W), and their classes (N,): 0
    horse, 1 zebra.
    """
    data = photographs(profile)
    labels = torch.cat((torch.zeros(len(data["trainA"])), torch.ones(len(data["trainB"])))).long()
    return lambda: centre(
        torch.cat((data["trainA"], data["trainB"])), profile.chains["photographs"].image_size
    ), labels


def photograph_next_scale(profile: Profile) -> tuple[NextScaleModel, Tokenizer, tuple[Run, Run]]:
    """Return the class-conditional model of horses (class 0) and zebras (class 1) that predicts
    residuals, and its tokenizer.
    """
    tokenizer, parent = photograph_tokenizer(profile)
    model, run = next_scale_run(
        "photo-var",
        profile.chains["photographs"],
        tokenizer,
        parent,
        *labelled_photographs(profile),
        profile,
    )
    return model, tokenizer, (run, parent)


def photograph_cyclevar(
    profile: Profile, config: CycleVARConfig | None = None
) -> tuple[CycleVAR, Run]:
    """Return CycleVAR between photographs of horses (class 0) and zebras (class 1)."""
    data, chain = photographs(profile), profile.chains["photographs"]
    model, tokenizer, (parent, _) = photograph_next_scale(profile)
    sets = (data["trainA"], data["trainB"])
    return cyclevar_run(
        "photo-cyclevar",
        chain,
        tokenizer,
        model,
        parent,
        sets,
        (0, 1),
        profile,
        config,
        draw=crops(chain.image_size),
    )


def photograph_rival_translation(profile: Profile, name: str) -> tuple[PixelTranslator, Run]:
    """Return a rival in pixels, "cyclegan" or "cut", between photographs of horses (class 0) and
    zebras (class 1).
    """
    data, chain = photographs(profile), profile.chains["photographs"]
    training = RivalTraining(
        method=name, steps=profile.rivals.photograph_steps, batch=chain.cyclevar_training.batch
    )
    sets, size = (data["trainA"], data["trainB"]), chain.image_size
    return pixel_rival_run(
        f"photo-{name}", training, sets, (0, 1), {"size": size}, profile, draw=crops(size)
    )


def photograph_diffusion(profile: Profile) -> tuple[DiffusionModel, Tokenizer, tuple[Run, Run]]:
    """Return the latent diffusion model of horses (class 0) and zebras (class 1), over the features
    of CycleVAR's own tokenizer.
    """
    tokenizer, parent = photograph_tokenizer(profile)
    model, run = rival_run(
        "photo-diffusion",
        "diffusion",
        profile.photograph_diffusion,
        tokenizer,
        parent,
        *labelled_photographs(profile),
        profile,
    )
    return model, tokenizer, (run, parent)


def published_photograph_cyclevar(
    profile: Profile,
    path: str | None = None,
    tokenizer_path: str | None = None,
    config: CycleVARConfig | None = None,
) -> tuple[CycleVAR, Run]:
    """Return CycleVAR fine-tuned from the published VAR-d16 on horses and zebras, as the paper has
    it (section 4.1).

    For a card and the profile "paper"; `path` and `tokenizer_path` name the published files where
    they are not to be fetched. Raises VarbookError where they or the photographs are missing.
    """
    data = photographs(profile)
    if data is None:
        raise VarbookError(
            "The photographs of horse2zebra are not there: fetch them, and name their place in VARBOOK_DATA."
        )
    start = published_cyclevar(path=path, tokenizer_path=tokenizer_path, config=config)
    chain = replace(profile.chains["photographs"], cyclevar_training=PUBLISHED_TRAINING)
    parent = Run("var-d16", {"key": f"var-d16 {fingerprint(start.model)}"}, "published")
    return cyclevar_run(
        "published-cyclevar",
        chain,
        start.tokenizer,
        start.model,
        parent,
        (data["trainA"], data["trainB"]),
        PUBLISHED_LABELS,
        profile,
        config,
        draw=crops(chain.image_size),
    )


@torch.no_grad()
def translate_all(cyclevar: CycleVAR, images: Tensor, target: int | str, batch: int = 32) -> Tensor:
    """Translate uint8 images (N, 3, H, W) into class, or prompt, `target` -> floats (N, 3, H, W) in
    [-1, 1].
    """
    device = next(cyclevar.model.parameters()).device
    label = (
        cyclevar.model.ids([target])[0]
        if isinstance(target, str)
        else torch.tensor(target, device=device)
    )
    out = []
    for rows in images.split(batch):
        labels = label.expand(len(rows), *label.shape)
        out.append(cyclevar(to_float(rows).to(device), labels).clamp(-1, 1).cpu())
    return torch.cat(out)


@torch.no_grad()
def render_all(tokenizer: Tokenizer, images: Tensor, batch: int = 64) -> Tensor:
    """Return uint8 images (N, 3, H, W) as the tokenizer renders them at its full scale, floats that
    may leave [-1, 1] a little.
    """
    return torch.cat(
        [
            tokenizer.reconstruct(to_float(rows).to(pick_device()))[-1].cpu()
            for rows in images.split(batch)
        ]
    )


def _world(profile: Profile) -> dict:
    return {
        "version": WORLD_VERSION,
        "images": profile.images["toy"],
        "size": profile.image_size,
        "weights": WEIGHTS,
    }


def crops(size: int) -> Draw:
    """Return a `draw` that makes float batches of random crops of `size` pixels, mirrored half of
    the time.
    """

    def draw(images: Tensor, count: int, generator: torch.Generator) -> Tensor:
        rows = torch.randint(len(images), (count,), generator=generator)
        return to_float(crop_flip(images[rows], size, generator))

    return draw


def centre(images: Tensor, size: int) -> Tensor:
    """Return the middle `size` x `size` pixels of images (..., H, W)."""
    top, left = (images.shape[-2] - size) // 2, (images.shape[-1] - size) // 2
    return images[..., top : top + size, left : left + size]
