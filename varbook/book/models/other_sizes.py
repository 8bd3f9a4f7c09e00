"""FlexVAR's model, trained further on scenes of several sizes and shapes: a remedy in training,
ours, for what no way of sampling mended (chapter 05).

Whole scenes, not crops of larger ones: what is drawn at twice the size is a whole scene, whose
coarse maps stand for all of it, and those of a crop are another picture's. The toy world draws
every scene at every size, and the sizes of `NextScaleTraining.latents` fit a step's tokens.
"""

from dataclasses import replace

from varbook.book.models.next_scale_run import next_scale_run
from varbook.book.models.profiles import Profile
from varbook.book.models.trained import Trained, features_of
from varbook.book.models.unpaired_task import Task
from varbook.data.shards import Rows
from varbook.errors import VarbookError
from varbook.tokenizer.schedule import Scale
from varbook.transformer.model import NextScaleModel, flexvar


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

    def others(model: NextScaleModel) -> dict[Scale, tuple[Rows, Rows]]:
        return {
            (h, w): features_of(
                task, profile, codec.model, model, (stride * h, stride * w), sizes.scenes
            )
            for h, w in training.latents
        }

    return next_scale_run(
        task,
        profile,
        "flexvar-sizes",
        codec,
        config,
        training,
        start=start,
        others=others,
        settings={"scenes": sizes.scenes},
    )
