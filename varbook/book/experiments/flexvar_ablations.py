"""The rows of FlexVAR's tables 4 to 6: one part swapped at a time, all trained to the same budget,
with several seeds.

Numbers are kept in run records, models are not. A row's pictures are kept as token maps: a few
hundred whole numbers.
"""

import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from varbook.book.experiments.seeds import spread
from varbook.book.experiments.shared import shared
from varbook.book.models import build
from varbook.book.models.profiles import Profile
from varbook.book.models.tasks import HELD_OUT_SEED, TASKS
from varbook.book.models.unpaired_task import Task
from varbook.data.images import to_float
from varbook.data.shards import Rows
from varbook.device import pick_device
from varbook.evaluate.fidelity import frechet
from varbook.evaluate.translation import look
from varbook.evaluate.usage import frequency_loss
from varbook.generate.loop import generate
from varbook.generate.sampling import Drawing
from varbook.tokenizer.pyramid import make_pyramid
from varbook.tokenizer.schedule import Schedule, scale_slices
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.train.encoded import encoded
from varbook.train.fit_next_scale import NextScaleTraining, fit_next_scale, score_next_scale
from varbook.train.keeper import Curve
from varbook.train.store import Run, experiment
from varbook.transformer.model import NextScaleConfig, NextScaleModel

SAMPLING: dict[str, Any] = {"guidance": 1.5, "top_k": 100, "top_p": 0.95}
KEPT = 8  # pictures of a row whose tokens its record keeps


@dataclass(frozen=True)
class Row:
    """One row of an ablation table: what is predicted, on whose tokens, and with which parts. The
    defaults are FlexVAR's.
    """

    prediction: str = "ground_truth"  # the pyramid: "residual" | "ground_truth"
    tokenizer: str = "ground_truth"  # whose encoder, codebook and decoder (see `build.tokenizer`)
    positions: str = "scalable"
    learnable: bool = True
    step_embedding: bool = False
    step_sampling: bool = False  # a schedule drawn for every step
    mixer: str = "attention"


ROWS = {
    "residual": Row("residual", "residual", "fixed", step_embedding=True),  # table 4, row 1: VAR
    "VAR's tokenizer": Row("ground_truth", "residual", "fixed", step_embedding=True),  # row 2
    "LlamaGen's tokenizer": Row("ground_truth", "single", "fixed", step_embedding=True),  # row 3
    "FlexVAR's tokenizer": Row(
        "ground_truth", "ground_truth", "fixed", step_embedding=True
    ),  # row 4; table 6, row 1
    "no step embedding": Row(positions="fixed"),  # table 6, row 2
    "positions not learned": Row(learnable=False),  # table 6, row 3
    "scalable positions": Row(),  # table 4, row 5; table 6, row 4; table 5, attention
    "drawn schedules": Row(step_sampling=True),  # ours: FlexVAR whole
    "Mamba": Row(mixer="mamba"),  # table 5
}


def task_of(profile: Profile) -> Task:
    """Return the task on which the profile's rows are trained."""
    return TASKS[profile.generation]


def distance_of(profile: Profile) -> str:
    """Return what the distance of the rows' judge is called, such as "FD-toy"."""
    return shared(build.judge, task_of(profile), profile).model.distance


def ablation(profile: Profile, name: str, seed: int) -> Run:
    """Return the record of the row `name` of ROWS, trained with `seed`: its "result" holds every
    number of `model_measures`.
    """
    row, task = ROWS[name], task_of(profile)
    judge = shared(build.judge, task, profile)
    tokenizer = shared(build.tokenizer, task, profile, row.tokenizer)
    model, training = settings_of(profile, row)
    settings = {
        "tokenizer": tokenizer.key,
        "pyramid": row.prediction,
        "model": model,
        "training": training,
        "judge": judge.key,
        "images": profile.ablation.images,
        "held_out": profile.held_out,
        "sampling": SAMPLING,
    }
    return experiment(
        f"{task.name}-ablation",
        settings,
        lambda: _train(profile, row, model, training, judge.model, seed),
        seed=seed,
        on=task.fingerprint,
        profile=profile.name,
        parents=(judge.load, tokenizer.load),
    )


def results(profile: Profile, name: str) -> tuple[list[Run], list[dict]]:
    """Return the runs of the row `name` with every seed of the profile, and the numbers of each."""
    runs = [ablation(profile, name, seed) for seed in profile.ablation.seeds]
    return runs, [run.result for run in runs]


def ceiling(profile: Profile, name: str) -> Run:
    """Return the record of what the row's tokenizer makes of real pictures: a model can hardly draw
    better than that.
    """
    row, task = ROWS[name], task_of(profile)
    judge = shared(build.judge, task, profile)
    tokenizer = shared(build.tokenizer, task, profile, row.tokenizer)
    settings = {
        "tokenizer": tokenizer.key,
        "pyramid": row.prediction,
        "judge": judge.key,
        "held_out": profile.held_out,
    }

    def function() -> tuple[dict, Curve]:
        codec, held = tokenizer_of(profile, row), shared(task.sample, profile)
        rebuilt = [
            codec.image(codec.tokens(to_float(rows).to(pick_device())))
            for rows in held.images.split(64)
        ]
        return image_measures(profile, judge.model, torch.cat(rebuilt), held.labels), []

    return experiment(
        f"{task.name}-ablation-ceiling",
        settings,
        function,
        seed=0,
        on=task.fingerprint,
        profile=profile.name,
        parents=(judge.load, tokenizer.load),
    )


def settings_of(profile: Profile, row: Row) -> tuple[NextScaleConfig, NextScaleTraining]:
    """Return the row's model and training: those of the task's chain, smaller and shorter."""
    chain = task_of(profile).chain_of(profile)
    model = replace(
        chain.model,
        depth=profile.ablation.depth,
        width=profile.ablation.width,
        heads=profile.ablation.heads,
        positions=row.positions,
        learnable_positions=row.learnable,
        step_embedding=row.step_embedding,
        mixer=row.mixer,
    )
    training = replace(
        chain.model_training,
        steps=profile.ablation.steps,
        batch=profile.ablation.batch,
        step_sampling=row.step_sampling,
    )
    return model, training


def tokenizer_of(profile: Profile, row: Row) -> Tokenizer:
    """Return the row's tokenizer; ground truth on VAR's tokenizer keeps everything of it but the
    way the scales are made.
    """
    tokenizer = shared(build.tokenizer, task_of(profile), profile, row.tokenizer).model
    if tokenizer.config.pyramid != row.prediction:
        tokenizer = copy.deepcopy(tokenizer)
        tokenizer.pyramid = make_pyramid(row.prediction, tokenizer.codebook)
    return tokenizer.eval()


def kept_images(profile: Profile, name: str, values: dict) -> Tensor:
    """Return the pictures (KEPT, 3, H, W) whose tokens the record of the row `name` keeps, the same
    classes in every row.
    """
    tokens = [torch.tensor(maps, device=pick_device()) for maps in values["tokens"]]
    return tokenizer_of(profile, ROWS[name]).image(tokens).cpu()


def _features(profile: Profile, kind: str) -> tuple[Rows, Rows]:
    # The encoder does not know which pyramid follows, so rows with one tokenizer share its
    # features.
    task = task_of(profile)
    images, labels = task.labelled(profile)
    assert not isinstance(labels, list)  # classes, not captions
    if isinstance(images, Tensor) and isinstance(labels, Tensor):  # in memory, with classes
        images, labels = (rows[: profile.ablation.images] for rows in (images, labels))
    tokenizer = shared(build.tokenizer, task, profile, kind).model
    return encoded(tokenizer, images, labels, pick_device())


def _real_images(profile: Profile) -> Tensor:
    return task_of(profile).sample(profile, seed=HELD_OUT_SEED + 100).images


def image_measures(profile: Profile, judge, pictures: Tensor, labels: Tensor) -> dict:
    """Return the judge's distance to other real pictures, by its name, its metric card, and the
    accuracy of the judge on the pictures.
    """
    task = task_of(profile)
    real = shared(_real_images, profile)
    distance = frechet(pictures, real, judge, describe=f"held-out {task.noun}, all classes")
    right = (look(judge, pictures).species.argmax(-1) == labels).float().mean().item()
    return {
        distance.name: distance.value,
        "card": distance.as_dict()["card"],
        "taken for its class": right,
    }


def _train(profile: Profile, row: Row, config, training, judge, seed: int) -> tuple[dict, Curve]:
    features, labels = shared(_features, profile, row.tokenizer)
    tokenizer = tokenizer_of(profile, row)
    torch.manual_seed(seed + 1)
    model, began = NextScaleModel(config), time.process_time()
    curve = fit_next_scale(
        model, tokenizer, features, labels, training, seed=seed, device=pick_device()
    )
    spent = {"core seconds per step": (time.process_time() - began) / training.steps}
    spent["parameters"] = sum(parameter.numel() for parameter in model.parameters())
    return spent | model_measures(
        profile, model, tokenizer, features, judge.to(pick_device()), seed
    ), curve


@torch.no_grad()
def model_measures(
    profile: Profile,
    model: NextScaleModel,
    tokenizer: Tokenizer,
    features: Rows,
    judge,
    seed: int,
) -> dict:
    """Return every number of a row: held-out loss and what frequencies alone give, samples judged,
    their cost and tokens.
    """
    held, device = shared(task_of(profile).sample, profile), pick_device()
    schedule = model.config.schedule
    asked = torch.cat(
        [tokenizer.encode(to_float(rows).to(device)) for rows in held.images.split(64)]
    )
    score = score_next_scale(model, tokenizer, asked, held.labels, schedule)
    some = torch.arange(0, len(features), max(1, len(features) // 2000))
    known = tokenizer.quantise(features[some].to(device), schedule).tokens
    frequencies = frequency_loss(
        known, tokenizer.quantise(asked, schedule).tokens, tokenizer.config.vocab_size
    )
    pick, began = torch.Generator().manual_seed(seed), time.process_time()
    samples = [
        generate(model, tokenizer, rows.to(device), drawing=Drawing(**SAMPLING), generator=pick)
        for rows in held.labels.split(64)
    ]
    spent = (time.process_time() - began) / len(held)
    pictures = torch.cat([sample.images for sample in samples]).cpu()
    unigram = per_token(frequencies, schedule)
    numbers = {
        "frequencies alone": unigram,
        "gain": unigram - score["loss"],
        "core seconds per image": spent,
    }
    tokens = [maps[:KEPT].tolist() for maps in samples[0].tokens]
    return (
        score
        | numbers
        | {"frequencies per scale": frequencies, "tokens": tokens}
        | image_measures(profile, judge, pictures, held.labels)
    )


def per_token(per_scale: Sequence[float], schedule: Schedule) -> float:
    """Return the mean over all tokens of a number that is known per scale."""
    sizes = [piece.stop - piece.start for piece in scale_slices(schedule)]
    return sum(size * value for size, value in zip(sizes, per_scale, strict=True)) / sum(sizes)


def measured_row(values: Sequence[dict], ceiling_run: Run, distance: str) -> dict:
    """Return what a row of tables 4 and 6 says of its seeds' `values`, means over the seeds, beside
    the `distance`, such as "FD-toy", that `ceiling` found for the row's tokenizer alone.
    """
    fd, noise = spread(values, distance)
    return {
        distance: fd,
        "range over seeds": noise,
        "tokenizer alone": ceiling_run.result[distance],
        "taken for its class": spread(values, "taken for its class")[0],
        "held-out loss": spread(values, "loss")[0],
        "gain over frequencies": spread(values, "gain")[0],
    }
