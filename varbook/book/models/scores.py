"""What a tokenizer or a next-scale model reaches on held-out pictures, kept in its record.

These are the numbers that docs/bars.md names, measured once after a long training; the chapters
measure more.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from varbook.book.models.judges import judge
from varbook.book.models.profiles import Profile
from varbook.book.models.tasks import HELD_OUT_SEED
from varbook.book.models.trained import Trained
from varbook.book.models.unpaired_task import Task
from varbook.data.images import to_float
from varbook.errors import VarbookError
from varbook.evaluate.generation import judge_samples, recognised
from varbook.evaluate.grid import grid
from varbook.evaluate.reconstruction import psnr
from varbook.evaluate.usage import usage
from varbook.generate.loop import generate
from varbook.generate.sampling import Drawing
from varbook.tokenizer.schedule import schedule_for
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.train.fit_next_scale import score_next_scale
from varbook.transformer.model import NextScaleModel

DRAWING = Drawing(guidance=1.5, top_p=0.9)
PER_CLASS = 20  # samples of each class
BATCH = 32


def score(task: Task, profile: Profile, made: Trained[Any]) -> dict:
    """Return the numbers of a task's tokenizer or class-conditional model on the toy world's
    held-out scenes: measured now, or as its record has them.

    VarbookError for another kind of model, or a task whose pictures no judge of the toy world knows.
    """
    model = made.model
    if task.judge != "species" or not isinstance(model, (Tokenizer, NextScaleModel)):
        raise VarbookError(
            f"Only tokenizers and next-scale models of the toy world have such scores, not {made.run.name}."
        )
    settings = {"judge": judge(task, profile).key, "seed": HELD_OUT_SEED}
    settings |= {"images": profile.held_out}
    if isinstance(model, Tokenizer):
        return made.run.measure(
            "held out", settings, lambda: tokenizer_scores(task, profile, model)
        )
    settings |= {"drawing": DRAWING, "per class": PER_CLASS}
    tokenizer = made.parents[0].model
    return made.run.measure(
        "held out", settings, lambda: model_scores(task, profile, model, tokenizer)
    )


@torch.no_grad()
def rebuilt(tokenizer: Tokenizer, images: Tensor) -> list[Tensor]:
    """Return, per scale, what the tokenizer makes of uint8 images (N, 3, H, W), in [-1, 1], on the
    CPU; the schedule is that of the training, continued for other sizes.
    """
    device = next(tokenizer.parameters()).device
    schedule = schedule_for(tokenizer.config.schedule, tokenizer.latent_size(*images.shape[-2:]))
    parts = [
        tokenizer.reconstruct(to_float(rows).to(device), schedule) for rows in images.split(BATCH)
    ]
    return [torch.cat(scale).cpu() for scale in zip(*parts, strict=True)]


def tokenizer_scores(task: Task, profile: Profile, tokenizer: Tokenizer) -> dict:
    """Return PSNR in dB per scale (against the downsampled scene), the grid at this size and twice
    as large, the codes used, and the judge's accuracy on the decoded scenes.
    """
    held, side = task.sample(profile), task.side(profile)
    images, scales = to_float(held.images), rebuilt(tokenizer, held.images)
    numbers: dict = {"psnr": psnr(images, scales[-1]).mean().item()}
    numbers["psnr per scale"] = [
        psnr(F.interpolate(images, size=scale.shape[-2:], mode="area"), scale).mean().item()
        for scale in scales
    ]
    larger = task.sample(profile, size=2 * side).images
    numbers["grid"] = {str(side): grid(scales[-1])}
    numbers["grid"][str(2 * side)] = grid(rebuilt(tokenizer, larger)[-1])
    numbers["grid of scenes"] = {str(side): grid(images), str(2 * side): grid(larger)}
    device = next(tokenizer.parameters()).device
    tokens = [tokenizer.tokens(rows.to(device))[-1] for rows in images.split(BATCH)]
    numbers["codes used"] = usage(torch.cat(tokens), tokenizer.config.vocab_size).used
    seen = recognised(judge(task, profile).model, scales[-1], held.labels)
    return numbers | {"recognised": seen.float().mean().item()}


def model_scores(task: Task, profile: Profile, model: NextScaleModel, tokenizer: Tokenizer) -> dict:
    """Return loss (nats) and accuracy per held-out token, and of samples, equally many of each
    class, what `judge_samples` measures, with the share that is recognised of each class.
    """
    held, judged = task.sample(profile), judge(task, profile).model
    device = next(model.parameters()).device
    with torch.no_grad():
        rows = [tokenizer.encode(to_float(part).to(device)) for part in held.images.split(BATCH)]
    tokens = score_next_scale(model, tokenizer, torch.cat(rows), held.labels, batch=BATCH)
    labels = torch.arange(model.config.classes).repeat_interleave(PER_CLASS)
    generator = torch.Generator().manual_seed(profile.seed)
    samples = [
        generate(model, tokenizer, part.to(device), drawing=DRAWING, generator=generator).images
        for part in labels.split(BATCH)
    ]
    images = torch.cat(samples).cpu()
    reference = task.sample(profile, seed=HELD_OUT_SEED + 100).images
    sampled = judge_samples(
        judged, images, labels, reference, describe=f"held-out {task.noun}, all classes"
    )
    seen = recognised(judged, images, labels).float().view(-1, PER_CLASS).mean(1).tolist()
    by_class = {name: seen[label] for name, label in task.shown.items()}
    return {"tokens": tokens, "samples": sampled, "recognised by class": by_class}
