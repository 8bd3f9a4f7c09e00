"""One training of a next-scale model for a task: what VAR, FlexVAR and a training at several sizes
have in common.
"""

from collections.abc import Callable, Mapping

import torch

from varbook.book.models.profiles import Profile
from varbook.book.models.trained import Trained, begin_with, features_of, train_or_find
from varbook.book.models.unpaired_task import Task
from varbook.data.shards import Rows
from varbook.device import pick_device
from varbook.tokenizer.schedule import Scale
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.train.fit_next_scale import NextScaleTraining, fit_next_scale
from varbook.train.keeper import Curve, Keeper
from varbook.train.sharding import shard_wanted
from varbook.transformer.model import NextScaleConfig, NextScaleModel
from varbook.transformer.text_model import make_next_scale

# What makes the pictures of other sizes for a model: size of the last map -> features and labels.
Others = Callable[[NextScaleModel], Mapping[Scale, tuple[Rows, Rows]]]


def next_scale_run(
    task: Task,
    profile: Profile,
    part: str,
    codec: Trained[Tokenizer],
    config: NextScaleConfig,
    training: NextScaleTraining,
    *,
    start: Trained[NextScaleModel] | None = None,
    others: Others | None = None,
    settings: Mapping = {},
) -> Trained[NextScaleModel]:
    """Return the task's `part`: a model of `config`, trained over the tokenizer `codec`, its
    parent; `settings` stand in its key beside these.

    It begins with the weights of `start`, a parent as well, where there is one; `others` are
    needed where `training` names other sizes.
    """

    def build() -> NextScaleModel:
        torch.manual_seed(profile.seed + 1)
        return make_next_scale(config)

    def fit(model: NextScaleModel, keeper: Keeper) -> Curve:
        if start:
            begin_with(model, start.model)
        features, labels = features_of(task, profile, codec.model, model)
        return fit_next_scale(
            model,
            codec.model,
            features,
            labels,
            training,
            seed=profile.seed,
            device=pick_device(),
            keeper=keeper,
            shard=shard_wanted(),
            others=others(model) if others else None,
        )

    key = {"tokenizer": codec.key, "model": config, "training": training, **settings}
    key |= {"start": start.key} if start else {}
    parents = (codec, start) if start else (codec,)
    return train_or_find(task, profile, part, key, build, fit, parents=parents)
