"""The translators of CycleVAR table 1 that work in pixels, CycleGAN and CUT, trained for a task."""

import torch

from varbook.book.models.profiles import Profile
from varbook.book.models.trained import Trained, domains_of_training, train_or_find
from varbook.book.models.unpaired_task import Task
from varbook.device import pick_device
from varbook.train.fit_rival_translator import RivalTraining, fit_rival_translator
from varbook.train.keeper import Curve, Keeper
from varbook.translate.rival_translators import PixelTranslator


def pixel_translator(task: Task, profile: Profile, method: str) -> Trained[PixelTranslator]:
    """Return "cyclegan" or "cut"; its steps are the profile's for the chain, else CycleVAR's."""
    side = task.side(profile)
    cyclevar = task.chain_of(profile).cyclevar_training
    classes = task.classes
    steps = profile.rivals.pixel_steps.get(task.chain, cyclevar.steps)
    training = RivalTraining(method=method, steps=steps, batch=cyclevar.batch)

    def build() -> PixelTranslator:
        torch.manual_seed(profile.seed + 3)
        return PixelTranslator(classes, method, training.channels, training.blocks)

    def fit(model: PixelTranslator, keeper: Keeper) -> Curve:
        return fit_rival_translator(
            model,
            domains_of_training(task, profile, side),
            training,
            seed=profile.seed,
            device=pick_device(),
            draw=task.draw(profile),
            keeper=keeper,
        )

    settings = {"training": training} | task.identity(profile) | task.pair()
    settings |= {"images": task.counts(profile)}
    return train_or_find(task, profile, method, settings, build, fit)
