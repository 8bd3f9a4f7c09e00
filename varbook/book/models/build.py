"""The book's models: each is trained, or found, by one function of (task, profile).

    cyclevar = build.translator(TOY, profile)  # cyclevar.key, .model, .run, .parents

Nothing is built, rendered or loaded before the model or the run is asked for: the key is known from
the settings, which hold everything that shapes a run.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from varbook.book.models.judges import judge
from varbook.book.models.next_scale_run import next_scale_run
from varbook.book.models.other_sizes import trained_at_sizes
from varbook.book.models.pixel_translator import pixel_translator
from varbook.book.models.profiles import Profile
from varbook.book.models.published import Start, own_start, published_start
from varbook.book.models.trained import (
    Trained,
    Watch,
    begin_with,
    domains_of_training,
    features_of,
    network_settings,
    train_or_find,
)
from varbook.book.models.unpaired_task import TRAINED, Task
from varbook.device import pick_device
from varbook.errors import VarbookError
from varbook.features.perceptual import perceptual_distance
from varbook.pretrained.start import start_tokenizer
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.train.fit_cyclevar import fit_cyclevar
from varbook.train.fit_next_scale import NextScaleTraining
from varbook.train.fit_rival_generator import LOSSES, fit_rival_generator
from varbook.train.fit_tokenizer import fit_tokenizer
from varbook.train.keeper import Curve, Keeper
from varbook.train.sharding import shard_wanted
from varbook.train.store import Run
from varbook.transformer.model import NextScaleModel, flexvar, of_depth
from varbook.transformer.rival_generators import DiffusionModel, make_rival
from varbook.translate.cyclevar import CycleVAR, CycleVARConfig
from varbook.translate.diffusion_translators import STRENGTHS, DiffusionTranslator
from varbook.translate.rival_translators import METHODS

GUIDANCE = 1.5  # of the diffusion translators towards the target


def tokenizer(
    task: Task,
    profile: Profile,
    pyramid: str = "residual",
    *,
    start: Trained[Tokenizer] | None = None,
) -> Trained[Tokenizer]:
    """Return a tokenizer of the task's pictures, of any pyramid of `make_pyramid`, "residual" (VAR)
    and "ground_truth" (FlexVAR) among them, or "single" (LlamaGen: the last scale alone).

    `start` is another tokenizer of the same configuration, whose weights this one begins with.
    """
    task = task.of_tokenizer()
    chain = task.chain_of(profile)
    config, training = chain.tokenizer, chain.tokenizer_training
    if pyramid in ("ground_truth", "single"):
        config = replace(config, pyramid="ground_truth", normalise=True)
        training = replace(training, single_scale=pyramid == "single")
    else:
        config = replace(config, pyramid=pyramid)

    def build() -> Tokenizer:
        torch.manual_seed(profile.seed)
        return Tokenizer(config)

    def fit(model: Tokenizer, keeper: Keeper) -> Curve:
        if start:
            begin_with(model, start.model)
        if training.start:
            start_tokenizer(model, training.start)
        return fit_tokenizer(
            model,
            task.images(profile),
            training,
            seed=profile.seed,
            device=pick_device(),
            perceptual=perceptual_distance().to(pick_device()),
            draw=task.draw(profile),
            keeper=keeper,
        )

    part = {"residual": "tokenizer"}.get(pyramid, f"tokenizer-{pyramid.replace('_', '-')}")
    settings = {"tokenizer": config, "training": training, "size": chain.image_size}
    settings |= task.identity(profile) | ({"start": start.key} if start else {})
    seen = network_settings(training.perceptual)
    parents = (start,) if start else ()
    return train_or_find(task, profile, part, settings, build, fit, machine=seen, parents=parents)


def next_scale(
    task: Task,
    profile: Profile,
    prediction: str = "residual",
    *,
    depth: int | None = None,
    over: Trained[Tokenizer] | None = None,
    start: Trained[NextScaleModel] | None = None,
) -> Trained[NextScaleModel]:
    """Return a next-scale model that predicts residuals (VAR) or ground truth (FlexVAR) over the
    tokenizer of that pyramid, its parent; its labels are classes, or captions.

    `depth` replaces the chain's number of blocks, `over` the tokenizer; `start` is another model,
    whose weights this one begins with.
    """
    chain = task.chain_of(profile)
    parent = over or tokenizer(task, profile, prediction)
    config = of_depth(chain.model, depth or chain.model.depth)
    training = chain.model_training
    if prediction == "ground_truth":
        config, training = flexvar(config), replace(training, step_sampling=True)

    part = {"residual": "var", "ground_truth": "flexvar"}.get(prediction, f"var-{prediction}")
    # The key of the task's own tokenizer says already which pictures these are.
    settings = task.identity(profile) if over or task.tokenizer_pictures else {}
    return next_scale_run(
        task, profile, part, parent, config, training, start=start, settings=settings
    )


def next_scale_at_sizes(task: Task, profile: Profile) -> Trained[NextScaleModel]:
    """Return the task's FlexVAR, trained further at several sizes (see `other_sizes`)."""
    return trained_at_sizes(task, profile, next_scale(task, profile, "ground_truth"))


def rival_training(task: Task, profile: Profile, method: str) -> NextScaleTraining:
    """Return how a rival generator is trained: as the next-scale model, but for the steps of
    "diffusion" where the profile names them.
    """
    training = profile.chain(task.chain).model_training
    if method != "diffusion":
        return training
    return replace(training, steps=profile.rivals.diffusion_steps.get(task.chain, training.steps))


def generator_rival(task: Task, profile: Profile, method: str) -> Trained[Any]:
    """Return a rival of FlexVAR table 2, "raster", "masked" or "diffusion", over the tokenizer of
    the task's pyramid for rivals, its parent, at its full scale.

    It has the size of the next-scale models. `varbook.generate.rival_sampling` draws with it.
    """
    if method not in LOSSES or task.reads:
        raise VarbookError(
            f"There is no rival generator {method!r} for the task {task.name}; use one of "
            f"{', '.join(LOSSES)}, for a task whose domains are classes."
        )
    chain = task.chain_of(profile)
    parent = tokenizer(task, profile, task.rivals_over)
    training = rival_training(task, profile, method)

    def build() -> NextScaleModel | DiffusionModel:
        torch.manual_seed(profile.seed + 2)
        return make_rival(method, chain.model)

    def fit(model: NextScaleModel | DiffusionModel, keeper: Keeper) -> Curve:
        features, labels = features_of(task, profile, parent.model, model)
        return fit_rival_generator(
            method,
            model,
            parent.model,
            features,
            labels,
            training,
            seed=profile.seed,
            device=pick_device(),
            keeper=keeper,
        )

    settings = {"tokenizer": parent.key, "model": chain.model, "training": training}
    settings |= task.identity(profile) if task.tokenizer_pictures else {}
    return train_or_find(task, profile, f"rival-{method}", settings, build, fit, parents=(parent,))


def translator(
    task: Task,
    profile: Profile,
    method: str = "cyclevar",
    *,
    config: CycleVARConfig | None = None,
    seed: int | None = None,
    over: Trained[NextScaleModel] | None = None,
    files: tuple[Path | str | None, Path | str | None] = (None, None),
) -> Trained[Any]:
    """Return what translates between the task's domains, called as CycleVAR is.

    `method` is "cyclevar", over the task's own next-scale model; "published", CycleVAR fine-tuned
    from the task's published checkpoint as in the paper, which the profile "paper" takes for both
    (`files` of model and tokenizer, where they are not to be fetched); or a rival of CycleVAR table
    1: "cyclegan" and "cut" work in pixels, "sdedit", "ddib" and "cyclediffusion" share one
    diffusion model, whose run is theirs. `config` and `seed` of CycleVAR are by default the task's
    and the profile's; `over` is another next-scale model than the task's own.
    """
    config = config or task.config
    if method == "published" or (
        method == "cyclevar" and over is None and task.starts_published(profile)
    ):
        return _cyclevar(task, profile, "published", published_start(task, config, files), seed)
    if method == "cyclevar":
        start = own_start(task, profile, over or next_scale(task, profile), config)
        return _cyclevar(task, profile, method, start, seed)
    if method not in (*METHODS, *STRENGTHS):
        raise VarbookError(
            f"There is no translator {method!r}; use cyclevar, published, "
            f"{', '.join((*METHODS, *STRENGTHS))}."
        )
    if method in METHODS:
        return pixel_translator(task, profile, method)
    classes = task.classes
    diffusion = generator_rival(task, profile, "diffusion")

    def make(watch: Watch | None) -> tuple[nn.Module, Run]:
        diffusion.load(watch)
        codec = diffusion.parents[0].model
        rival = DiffusionTranslator(diffusion.model, codec, classes, method, guidance=GUIDANCE)
        return rival, diffusion.run

    return Trained(diffusion.key, make, diffusion.parents)


def _cyclevar(
    task: Task, profile: Profile, method: str, start: Start, seed: int | None
) -> Trained[CycleVAR]:
    """Return CycleVAR between the task's domains, fine-tuned from `start`."""
    training = start.training
    seed = profile.seed if seed is None else seed
    prompts = [target for target in task.targets if isinstance(target, str)]

    def fit(cyclevar: CycleVAR, keeper: Keeper) -> Curve:
        model: Any = cyclevar.model  # one that reads has `ids`
        labels: Any = tuple(model.ids(prompts) if prompts else task.targets)
        return fit_cyclevar(
            cyclevar,
            domains_of_training(task, profile, start.side),
            labels,
            training,
            seed=seed,
            device=pick_device(),
            shard=shard_wanted(),
            perceptual=perceptual_distance().to(pick_device()),
            draw=task.pictures.draw(start.side),
            keeper=keeper,
        )

    settings = {"model": start.key, "cyclevar": start.config, "training": training}
    settings |= {"images": task.counts(profile)} | task.trained_on() | task.pair()
    settings |= {"prompts": prompts} if prompts else {}
    perceptual = max(training.cycle_perceptual, training.identity_perceptual)
    return train_or_find(
        task,
        profile,
        method,
        settings,
        start.build,
        fit,
        seed=seed,
        machine=network_settings(perceptual, training.discriminator),
        parents=start.parents,
        weights=lambda cyclevar: cyclevar.model,
    )


def models_of(tasks: Iterable[Task]) -> dict[str, Callable[[Profile], Trained]]:
    """Return every model of the tasks by the name of its runs, such as "photo-cyclevar"."""
    models: dict[str, Callable[[Profile], Trained]] = {}
    for task in tasks:
        parts: dict[str, Callable] = {"judge": judge} if task.judge in TRAINED else {}
        parts |= {"tokenizer": tokenizer, "var": next_scale, "cyclevar": translator}
        if task.published:
            parts["published"] = partial(translator, method="published")
        if not task.reads:
            parts["tokenizer-ground-truth"] = partial(tokenizer, pyramid="ground_truth")
            parts["tokenizer-single"] = partial(tokenizer, pyramid="single")
            parts["flexvar"] = partial(next_scale, prediction="ground_truth")
            parts |= {"flexvar-sizes": next_scale_at_sizes} if task.pictures.rendered else {}
            parts |= {f"rival-{name}": partial(generator_rival, method=name) for name in LOSSES}
            parts |= {name: partial(translator, method=name) for name in METHODS}
        for part, make in parts.items():
            models.setdefault(task.run_name(part), partial(make, task))
    return models
