"""How fast this machine trains: seconds a step of each of the three trainings, from a few steps."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from statistics import median

import torch

from varbook import paths
from varbook.book.models.profiles import Chain
from varbook.data.crops import random_crops
from varbook.features import mobilenet
from varbook.features.perceptual import perceptual_distance
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.train.fit_cyclevar import fit_cyclevar
from varbook.train.fit_next_scale import fit_next_scale
from varbook.train.fit_tokenizer import fit_tokenizer
from varbook.train.keeper import Keeper
from varbook.transformer.text_model import make_next_scale
from varbook.translate.cyclevar import CycleVAR


@dataclass(frozen=True)
class Speed:
    """Seconds that one step takes: of the tokenizer, the next-scale model, the translator while it
    learns to copy, and the translator; and that measuring takes for one look at a picture.
    """

    tokenizer: float
    next_scale: float
    copying: float
    translator: float
    measuring: float = 0.0


def measure_speed(chain: Chain, device: torch.device, steps: int = 4) -> Speed:
    """Return how long a step of each training takes on this machine, from a few steps on noise: a
    second or two each.
    """
    size = chain.image_size
    generator = torch.Generator().manual_seed(0)
    margin = round(size * 286 / 256)
    images = torch.randint(0, 256, (32, 3, margin, margin), generator=generator).to(torch.uint8)
    perceptual = perceptual_distance().to(device)
    tokenizer = Tokenizer(chain.tokenizer)
    model = make_next_scale(chain.model)
    codes = chain.tokenizer.code_dim
    features = torch.randn((32, codes, *chain.model.schedule[-1]), generator=generator)
    draw = random_crops(size)

    def tokenizer_steps(count: int, keeper: Keeper) -> None:
        fit_tokenizer(
            tokenizer,
            images,
            replace(chain.tokenizer_training, steps=count, warmup=0),
            seed=0,
            device=device,
            perceptual=perceptual,
            draw=draw,
            keeper=keeper,
        )

    def next_scale_steps(count: int, keeper: Keeper) -> None:
        training = replace(chain.model_training, steps=count)
        labels = torch.zeros(len(features), dtype=torch.long)
        fit_next_scale(
            model, tokenizer, features, labels, training, seed=0, device=device, keeper=keeper
        )

    def translator_steps(count: int, keeper: Keeper, copying: int = 0) -> None:
        fit_cyclevar(
            CycleVAR(tokenizer, model),
            (images, images),
            (0, 1),
            replace(chain.cyclevar_training, steps=count, identity_steps=copying),
            seed=0,
            device=device,
            perceptual=perceptual,
            draw=draw,
            keeper=keeper,
        )

    return Speed(
        _seconds_a_step(tokenizer_steps, steps),
        _seconds_a_step(next_scale_steps, steps),
        _seconds_a_step(partial(translator_steps, copying=steps + 1), steps),
        _seconds_a_step(translator_steps, steps),
        _seconds_a_look(device),
    )


@torch.no_grad()
def _seconds_a_look(device: torch.device, batch: int = 8) -> float:
    """Return the seconds that the network of the distances takes for a picture, 0 without it."""
    if not paths.weights_file(mobilenet.FILE):
        return 0.0
    network = mobilenet.load_mobilenet().to(device)
    images = torch.zeros(batch, 3, mobilenet.SIDE, mobilenet.SIDE, device=device)
    spent = []
    for _ in range(3):
        began = time.perf_counter()
        network(images).sum().item()
        spent.append(time.perf_counter() - began)
    return median(spent) / batch


def _seconds_a_step(train: Callable[[int, Keeper], None], steps: int) -> float:
    # From the end of the first step, which warms up, to that of the last, whose loss is logged and
    # so waits for a card.
    ends: list[float] = []
    keeper = Keeper(paths.home() / "partial" / "timing", seconds=math.inf)  # it never saves
    keeper.watch = lambda step: ends.append(time.perf_counter())
    train(1 + steps, keeper)
    return (ends[-1] - ends[0]) / steps
