"""Training the rivals of FlexVAR table 2: one loop, and one loss per family."""

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from varbook import processes
from varbook.data.shards import Rows
from varbook.device import autocast
from varbook.generate.rival_sampling import visible
from varbook.tokenizer.schedule import size_of
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.train.fit_next_scale import NextScaleTraining, decay_groups, drop_labels
from varbook.train.keeper import Curve, Keeper, State
from varbook.train.steps import Rate, Steps, adamw, take_step
from varbook.transformer.model import NextScaleModel
from varbook.transformer.rival_generators import DiffusionModel

# (model, tokenizer, features (B, C, h, w), labels (B,), generator) -> loss
Loss = Callable[[Any, Tokenizer, Tensor, Tensor, torch.Generator], Tensor]


def flat_tokens(tokenizer: Tokenizer, features: Tensor) -> Tensor:
    """Return the codes (B, h w) of the full scale, line by line."""
    return tokenizer.quantise(features, (size_of(features),)).tokens[0].flatten(1)


def raster_loss(
    model: NextScaleModel,
    tokenizer: Tokenizer,
    features: Tensor,
    labels: Tensor,
    generator: torch.Generator,
) -> Tensor:
    """Return the cross-entropy of every token given those before it; `generator` is not needed."""
    tokens = flat_tokens(tokenizer, features)  # B L
    codes = tokenizer.codebook.lookup(tokens[:, :-1])[..., None, None]  # B L-1 Cv 1 1
    logits = model([None, *codes.unbind(1)], labels)  # B L V
    return F.cross_entropy(logits.flatten(0, 1), tokens.flatten())


def draw_mask(count: int, places: int, generator: torch.Generator) -> Tensor:
    """Return a mask (count, places), True where a token is hidden: a share cos(pi r / 2) of each
    row, r uniform (MaskGIT).
    """
    share = torch.cos(math.pi / 2 * torch.rand(count, 1, generator=generator))
    rank = torch.rand(count, places, generator=generator).argsort(1).argsort(1)
    return rank < (share * places).ceil().clamp(min=1)


def masked_loss(
    model: NextScaleModel,
    tokenizer: Tokenizer,
    features: Tensor,
    labels: Tensor,
    generator: torch.Generator,
) -> Tensor:
    """Return the cross-entropy of the hidden tokens, given the others."""
    tokens = flat_tokens(tokenizer, features)  # B L
    count, places = tokens.shape
    hidden = draw_mask(count, places, generator).to(tokens.device)
    seen = visible(tokenizer, tokens, ~hidden, size_of(features))  # B Cv h w
    logits = model([seen], labels)  # B L V
    return F.cross_entropy(logits[hidden], tokens[hidden])


def diffusion_loss(
    model: DiffusionModel,
    tokenizer: Tokenizer,
    features: Tensor,
    labels: Tensor,
    generator: torch.Generator,
) -> Tensor:
    """Return the mean square error of v at random times; the tokenizer has done its part before."""
    clean = model.normalise(features)
    t = torch.rand(len(clean), generator=generator).to(clean.device)
    noise = torch.randn(clean.shape, generator=generator).to(clean.device)
    cos = torch.cos(math.pi / 2 * t)[:, None, None, None]
    sin = torch.sin(math.pi / 2 * t)[:, None, None, None]
    v = model(cos * clean + sin * noise, t, labels).float()
    return F.mse_loss(v, cos * noise - sin * clean)


LOSSES: dict[str, Loss] = {
    "raster": raster_loss,
    "masked": masked_loss,
    "diffusion": diffusion_loss,
}


def fit_rival_generator(
    name: str,
    model: NextScaleModel | DiffusionModel,
    tokenizer: Tokenizer,
    features: Rows,
    labels: Rows,
    training: NextScaleTraining,
    *,
    seed: int,
    device: torch.device,
    keeper: Keeper | None = None,
) -> Curve:
    """Train the rival `name` of LOSSES on features (N, C, h, w)
    with labels (N,), and return the curve; resumable.

    Steps, batch, rate and withheld labels are those of a next-scale model, so that budgets are
    equal. Of several processes each works through all of every batch: the masked rival's loss is no
    mean over equal shares.
    """
    model.to(device).train()
    tokenizer.to(device).eval()
    if isinstance(model, DiffusionModel):
        model.measure(features[torch.arange(min(4096, len(features)))])
    processes.start_alike(model)
    optimiser = adamw(decay_groups(model, training.weight_decay), training.lr, (0.9, 0.95))
    state: State = {"model": model, "optimiser": optimiser}
    rate = Rate(training.lr, training.steps, hold=training.hold)
    steps = Steps(name, training.steps, state, [optimiser], rate, seed, keeper)
    for _, generator in steps:
        rows = torch.randint(len(features), (training.batch,), generator=generator)
        condition = drop_labels(
            labels[rows], training.class_drop, model.config.classes, generator
        ).to(device)
        with autocast(device):
            loss = LOSSES[name](model, tokenizer, features[rows].to(device), condition, generator)
        take_step(loss, model, optimiser, clip=2.0)
        steps.log({"loss": loss})
    model.eval()
    return steps.curve
