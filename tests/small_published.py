"""The published models at the size of the golden vectors: the same configurations, smaller, filled
through the adapters.
"""

from dataclasses import replace
from pathlib import Path

import torch
from golden_weights import golden_state
from torch import nn

from varbook.pretrained.catalogue import PUBLISHED
from varbook.pretrained.load import fill
from varbook.tokenizer.schedule import square
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.transformer.model import NextScaleModel

SCHEDULE = square(1, 2, 3, 4)
_MODEL = {
    "schedule": SCHEDULE,
    "vocab_size": 512,
    "classes": 10,
    "depth": 2,
    "width": 128,
    "heads": 2,
}
CONFIGS = {
    "var-tokenizer": replace(
        PUBLISHED["var-tokenizer"].config,
        schedule=SCHEDULE,
        vocab_size=512,
        channels=(32, 32, 64, 64, 128),
    ),
    "flexvar-tokenizer": replace(
        PUBLISHED["flexvar-tokenizer"].config, schedule=SCHEDULE, vocab_size=512
    ),
    "var-d16": replace(PUBLISHED["var-d16"].config, **_MODEL),
    "var-d36": replace(PUBLISHED["var-d36"].config, **_MODEL),
    # The released table is 32 x 32, twice a latent of 16 x 16, whatever the schedule.
    "flexvar-d16": replace(
        PUBLISHED["flexvar-d16"].config, **_MODEL | {"schedule": square(1, 2, 3, 16)}
    ),
}


def small(name: str) -> nn.Module:
    """Return the small model of a published name with weights drawn from seed 0."""
    torch.manual_seed(0)
    return Tokenizer(CONFIGS[name]) if "tokenizer" in name else NextScaleModel(CONFIGS[name])


def published(name: str, folder: Path) -> nn.Module:
    """Return the small model of a published name with the golden weights, read from a .pth file in
    the published layout.
    """
    path = folder / PUBLISHED[name].file
    torch.save(golden_state(name), path)
    return fill(small(name), path, PUBLISHED[name].layout)
