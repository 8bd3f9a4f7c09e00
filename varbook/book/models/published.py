"""Where a fine-tuning of CycleVAR begins: with the task's own next-scale model, or with a published
checkpoint as in the paper (CycleVAR sections 4.1 and 4.2).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from varbook.book.models.profiles import Profile
from varbook.book.models.trained import Trained
from varbook.book.models.unpaired_task import Task
from varbook.errors import VarbookError
from varbook.evaluate.samples import fingerprint
from varbook.pretrained.published_cyclevar import PUBLISHED_TRAINING, published_cyclevar
from varbook.train.fit_cyclevar import CycleVARTraining
from varbook.transformer.model import NextScaleModel
from varbook.transformer.text_model import make_next_scale
from varbook.translate.cyclevar import CycleVAR, CycleVARConfig


@dataclass(frozen=True)
class Start:
    """What a fine-tuning begins with, and how it is done."""

    key: str  # of the next-scale model, in the key of the run
    build: Callable[[], CycleVAR]
    config: CycleVARConfig
    training: CycleVARTraining
    side: int  # of the pictures, in pixels
    parents: tuple[Trained, ...] = ()


def own_start(
    task: Task, profile: Profile, parent: Trained[NextScaleModel], config: CycleVARConfig
) -> Start:
    """Return the task's own next-scale model, `parent`, with the settings of its chain."""
    chain = task.chain_of(profile)

    def build() -> CycleVAR:
        weights = parent.model.state_dict()
        torch.manual_seed(profile.seed + 1)  # of the discriminators, which are drawn afterwards
        model = make_next_scale(chain.model)
        model.load_state_dict(weights)  # a copy: the parent stays as it is
        return CycleVAR(parent.parents[0].model, model, config)

    side = chain.image_size
    return Start(parent.key, build, config, chain.cyclevar_training, side, (parent,))


def published_start(
    task: Task, config: CycleVARConfig, files: tuple[Path | str | None, Path | str | None]
) -> Start:
    """Return the task's published model, with the settings of the paper: for a card, or several,
    and the profile "paper".

    `files` are those of model and tokenizer, None where they are to be fetched. The model is loaded
    at once, as its weights are its key. Raises VarbookError where the task names no checkpoint, or
    where files, photographs or the text encoder are missing.
    """
    if task.published is None:
        raise VarbookError(f"The task {task.name} names no published model to start from.")
    if task.missing():
        raise VarbookError(task.missing())
    name = task.published.checkpoint
    cyclevar = published_cyclevar(name, *files, config, classes=task.published.classes)
    # The records say "infinity-2b": the paper's only size of it is 512 pixels.
    kept = "".join(f" {number}" for number in task.published.classes or ())
    weights = f"{fingerprint(cyclevar.model)} {fingerprint(cyclevar.tokenizer)}"
    key = f"{name.removesuffix('-512')} {weights}{kept}"
    side = cyclevar.schedule[-1][0] * cyclevar.tokenizer.stride
    return Start(key, lambda: cyclevar, config, PUBLISHED_TRAINING, side)
