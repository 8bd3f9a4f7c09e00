"""FlexVAR's model, trained further on scenes of several sizes and shapes: a remedy in training,
ours, for what no way of sampling mended (chapter 05).

Whole scenes, not crops of larger ones: what is drawn at twice the size is a whole scene, whose
coarse maps stand for all of it, and those of a crop are another picture's. The toy world draws
every scene at every size, and the sizes of `NextScaleTraining.latents` fit a step's tokens.
"""

from dataclasses import replace

import torch

from varbook.book.models.profiles import Profile
from varbook.book.models.trained import Trained, begin_with, features_of, train_or_find
from varbook.book.models.unpaired_task import Task
from varbook.device import pick_device
from varbook.errors import VarbookError
from varbook.train.fit_next_scale import fit_next_scale
from varbook.train.keeper import Curve, Keeper
from varbook.transformer.model import NextScaleModel, flexvar
from varbook.transformer.text_model import make_next_scale


def trained_at_sizes(
    task: Task, profile: Profile, start: Trained[NextScaleModel]
) -> Trained[NextScaleModel]:
    """Return the model that begins with the weights of `start`, the task's FlexVAR, and is trained
    on scenes of the sizes that its chain names.

    VarbookError where the chain names none.
    """
    chain = task.chain_of(profile)
    sizes, stride = chain.other_sizes, chain.image_size // chain.model.schedule[-1][0]
    if sizes is None:
        raise VarbookError(
            f"The profile {profile.name} trains no model of the task {task.name} at several sizes: "
            "use the task toy, and the profile smoke or gpu, or laptop with VARBOOK_FINE=1."
        )
    codec = start.parents[0]
    config = replace(flexvar(chain.model), size_told=sizes.told)
    training = replace(sizes.training, step_sampling=True)

    def build() -> NextScaleModel:
        torch.manual_seed(profile.seed + 1)
        return make_next_scale(config)

    def fit(model: NextScaleModel, keeper: Keeper) -> Curve:
        begin_with(model, start.model)
        features, labels = features_of(task, profile, codec.model, model)
        others = {
            (h, w): features_of(
                task, profile, codec.model, model, (stride * h, stride * w), sizes.scenes
            )
            for h, w in training.latents
        }
        return fit_next_scale(
            model,
            codec.model,
            features,
            labels,
            training,
            seed=profile.seed,
            device=pick_device(),
            keeper=keeper,
            others=others,
        )

    settings = {"tokenizer": codec.key, "model": config, "training": training}
    settings |= {"scenes": sizes.scenes, "start": start.key}
    parents = (codec, start)
    return train_or_find(task, profile, "flexvar-sizes", settings, build, fit, parents=parents)
