"""Where a body is decided: samples of chapter 05's model whose coarse maps are those of real pictures.

All tokens of one scale are drawn at once, each without knowing what its neighbours become. If the maps
before it leave open on which side the head is, two places may both draw one, or neither.
"""

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor

from varbook.book.experiments.flexible import AT_ONCE
from varbook.book.experiments.flexible_steps import Steps
from varbook.book.models import build
from varbook.book.models.tasks import HELD_OUT_SEED
from varbook.data.bodies import KINDS
from varbook.data.images import to_float
from varbook.device import pick_device
from varbook.evaluate.translation import look
from varbook.generate.loop import Forced, generate
from varbook.generate.sampling import Drawing
from varbook.train.store import Run

WHOLE = KINDS.index("whole")
FORCED = 5  # the coarsest maps, at most, that are taken from real pictures


def has_bodies(steps: Steps) -> bool:
    """Say whether there is a judge of the bodies of the pictures: of animals of the toy world."""
    return steps.flex.task.judge == "species"


@torch.no_grad()
def continued(steps: Steps, pictures: Tensor, labels: Tensor, scales: int) -> Tensor:
    """Return samples (N, 3, H, W) of classes `labels` (N,) that begin with the first `scales` maps of
    pictures, uint8 (N, 3, H, W), and go on as the model draws them.
    """
    flex, drawn = steps.flex, []
    pairs = zip(pictures.split(AT_ONCE), labels.split(AT_ONCE), strict=True)
    for part, (rows, known) in enumerate(pairs):
        codec, device = flex.tokenizer, pick_device()
        maps = codec.tokens(to_float(rows).to(device), flex.trained)[:scales]
        forced = Forced(maps, [torch.ones_like(one, dtype=torch.bool) for one in maps])
        pick = torch.Generator().manual_seed(1000 * flex.seed + part)
        choices = {"forced": forced, "generator": pick}
        drawing = Drawing(**flex.drawing)
        made = generate(flex.model, codec, known.to(device), flex.trained, drawing, **choices)
        drawn.append(made.images.cpu())
    return torch.cat(drawn)


def measure_decided(steps: Steps) -> dict[str, float]:
    """Return number of maps that are real pictures', as text, -> the share of samples whose animal is
    whole.
    """
    flex = steps.flex
    judge = build.judge_of_bodies(flex.task, flex.profile).model
    real = flex.task.sample(flex.profile, len(steps.labels), seed=HELD_OUT_SEED + 600)
    shares = {}
    for scales in range(min(FORCED, len(flex.trained) - 1) + 1):
        pictures = continued(steps, real.images, real.labels, scales)
        shares[str(scales)] = (
            (look(judge, pictures).species.argmax(-1) == WHOLE).float().mean().item()
        )
    return shares


def decided(steps: Steps) -> Run:
    """Return the record of `measure_decided`."""
    flex = steps.flex
    bodies = build.judge_of_bodies(flex.task, flex.profile).key
    settings = flex.behind | {"images": len(steps.labels), "bodies": bodies}
    return flex.measured("flexible-bodies", settings, partial(measure_decided, steps))


def rows_of_decided(steps: Steps, shares: Mapping[str, float]) -> list[dict]:
    """Return a row for each number of maps that are real pictures'."""
    sides = ["none"] + [f"1 x 1 to {h} x {w}" for h, w in steps.flex.trained]
    return [
        {"maps of a real picture": sides[int(scales)], "whole animals": share}
        for scales, share in shares.items()
    ]
