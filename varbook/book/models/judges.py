"""The classifiers that judge what is drawn and translated in the toy world."""

import torch
from torch import nn

from varbook.book.models.profiles import CAPTIONED, Profile
from varbook.book.models.sources import World
from varbook.book.models.tasks import Task
from varbook.book.models.trained import Trained, train_or_find
from varbook.device import pick_device
from varbook.errors import VarbookError
from varbook.features.attributes import AttributeConfig, AttributeJudge
from varbook.features.judge import Judge, JudgeConfig
from varbook.train.fit_judge import fit_attributes, fit_judge
from varbook.train.keeper import Curve, Keeper
from varbook.world.scene import SPECIES
from varbook.world.species import TABLE

COATS = tuple(
    sorted(
        {coat for name in CAPTIONED if name != "zebra" for coat in TABLE[name].coats} | {"striped"}
    )
)


def judge(task: Task, profile: Profile) -> Trained:
    """Return the classifier that judges the task's pictures; no loss of a generator ever uses it.

    "species": species and silhouettes of the toy world (`Judge`); "attributes": animal, coat, time
    and style (`AttributeJudge`). VarbookError for a task that pretrained features judge.
    """
    world = task.pictures
    if task.judge is None or not isinstance(world, World):
        raise VarbookError(
            f"The task {task.name} has no judge of its own; see varbook.evaluate.photographs."
        )
    by_species = task.judge == "species"
    steps = profile.judges.toy_steps if by_species else profile.judges.caption_steps
    config = JudgeConfig(SPECIES) if by_species else AttributeConfig(CAPTIONED, COATS)

    def build() -> nn.Module:
        torch.manual_seed(profile.seed + (77 if by_species else 78))
        return Judge(config) if by_species else AttributeJudge(config)

    def fit(model: nn.Module, keeper: Keeper) -> Curve:
        sets = world.training_sets(profile, task.side(profile))
        images = torch.cat([part.images for part in sets])
        seed, device = profile.seed, pick_device()
        if by_species:
            labels = torch.cat([part.labels for part in sets])
            masks = torch.cat([part.silhouettes for part in sets])
            return fit_judge(
                model, images, labels, masks, steps=steps, seed=seed, device=device, keeper=keeper
            )
        each = [model.labels(part.scenes) for part in sets]
        words = {name: torch.cat([labels[name] for labels in each]) for name in each[0]}
        return fit_attributes(
            model, images, words, steps=steps, seed=seed, device=device, keeper=keeper
        )

    settings = task.identity(profile) | {"steps": steps, "judge": config}
    return train_or_find(task, profile, "judge", settings, build, fit)
