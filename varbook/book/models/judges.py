"""The classifiers that judge what is drawn and translated: the toy world's are trained, ImageNet's
is a published one.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from varbook.book.models.profiles import CAPTIONED, Profile
from varbook.book.models.sources import World
from varbook.book.models.trained import Trained, Watch, train_or_find
from varbook.book.models.unpaired_task import Task
from varbook.data.toy import ToySet
from varbook.device import pick_device
from varbook.errors import VarbookError
from varbook.evaluate.fidelity import choose_features
from varbook.features.attributes import AttributeConfig, AttributeJudge
from varbook.features.book_weights import other_weights
from varbook.features.imagenet_judge import ImageNetJudge
from varbook.features.judge import Judge, JudgeConfig
from varbook.features.mobilenet import FILE, load_mobilenet
from varbook.train.fit_judge import fit_attributes, fit_judge
from varbook.train.keeper import Curve, Keeper
from varbook.train.store import Run, hardware, run_key
from varbook.world.scene import SPECIES
from varbook.world.species import TABLE

COATS = tuple(
    sorted(
        {coat for name in CAPTIONED if name != "zebra" for coat in TABLE[name].coats} | {"striped"}
    )
)


def judge(task: Task, profile: Profile) -> Trained[Any]:
    """Return the classifier that judges the task's pictures; no loss of a generator ever uses it.

    "species": species and silhouettes of the toy world (`Judge`); "attributes": animal, coat, time
    and style (`AttributeJudge`); "imagenet": MobileNetV2's classes, not trained here
    (`ImageNetJudge`). VarbookError for a task that pretrained features alone judge.
    """
    if task.judge == "imagenet":
        return _published_judge(task)
    world = task.pictures
    if task.judge is None or not isinstance(world, World):
        raise VarbookError(
            f"The task {task.name} has no judge of its own; see varbook.evaluate.photographs."
        )
    sets = partial(world.training_sets, profile, task.side(profile))
    of_this = _species_judge if task.judge == "species" else _attribute_judge
    return of_this(task, profile, sets)


def _published_judge(task: Task) -> Trained[Any]:
    kind, settings = task.kind("judge"), {"network": "mobilenet_v2", "features": choose_features()}
    other = other_weights(FILE)
    settings |= {"weights": other} if other else {}
    key = run_key(kind, settings, 0)
    record = {"kind": kind, "key": key, "settings": settings, "seed": 0, "hardware": hardware()}
    record |= {"curve": [], "measurements": {}, "minutes": 0.0, "core_minutes": 0.0}

    def make(watch: Watch | None) -> tuple[ImageNetJudge, Run]:
        judge = ImageNetJudge(load_mobilenet(), settings["features"])
        return judge.to(pick_device()).eval(), Run(f"{kind}-{key}", record, "published")

    return Trained(key, make)


def _species_judge(
    task: Task, profile: Profile, sets: Callable[[], list[ToySet]]
) -> Trained[Judge]:
    config, steps = JudgeConfig(SPECIES), profile.judges.toy_steps

    def build() -> Judge:
        torch.manual_seed(profile.seed + 77)
        return Judge(config)

    def fit(model: Judge, keeper: Keeper) -> Curve:
        parts = sets()
        return fit_judge(
            model,
            torch.cat([part.images for part in parts]),
            torch.cat([part.labels for part in parts]),
            torch.cat([part.silhouettes for part in parts]),
            steps=steps,
            seed=profile.seed,
            device=pick_device(),
            keeper=keeper,
        )

    settings = task.identity(profile) | {"steps": steps, "judge": config}
    return train_or_find(task, profile, "judge", settings, build, fit)


def _attribute_judge(
    task: Task, profile: Profile, sets: Callable[[], list[ToySet]]
) -> Trained[AttributeJudge]:
    config, steps = AttributeConfig(CAPTIONED, COATS), profile.judges.caption_steps

    def build() -> AttributeJudge:
        torch.manual_seed(profile.seed + 78)
        return AttributeJudge(config)

    def fit(model: AttributeJudge, keeper: Keeper) -> Curve:
        parts = sets()
        labels = [model.labels(part.scenes) for part in parts]
        return fit_attributes(
            model,
            torch.cat([part.images for part in parts]),
            {name: torch.cat([each[name] for each in labels]) for name in labels[0]},
            steps=steps,
            seed=profile.seed,
            device=pick_device(),
            keeper=keeper,
        )

    settings = task.identity(profile) | {"steps": steps, "judge": config}
    return train_or_find(task, profile, "judge", settings, build, fit)
