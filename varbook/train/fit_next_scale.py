"""Training a next-scale model: cross-entropy on every token of every scale, all scales at once."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from varbook import processes
from varbook.config import added, check_real
from varbook.data.images import to_float
from varbook.data.shards import Rows
from varbook.device import autocast
from varbook.errors import VarbookError
from varbook.tokenizer.bits import BinaryCodes, flip
from varbook.tokenizer.codebook import Codebook
from varbook.tokenizer.schedule import (
    Scale,
    Schedule,
    sample_schedule,
    scale_slices,
    schedule_for,
    token_count,
)
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.train.keeper import Curve, Keeper, State
from varbook.train.sharding import sharded, whole_state
from varbook.train.steps import Rate, Steps, adamw, take_step
from varbook.transformer.model import NextScaleModel


@dataclass(frozen=True)
class NextScaleTraining:
    """Everything that shapes the training of a next-scale model. Betas of AdamW: 0.9 and 0.95
    (FlexVAR section 4.1).
    """

    steps: int = 1000
    batch: int = 32
    lr: float = 1e-3  # FlexVAR section 4.1: 1e-4 at batch 256 for a model of 310 M parameters
    weight_decay: float = 0.05  # FlexVAR section 4.1
    # How often the label is withheld, so that guidance has something to compare with (VAR)
    class_drop: float = 0.1
    step_sampling: bool = False  # draw another schedule each step: FlexVAR section 3.4
    max_steps: int = 7  # of a drawn schedule; 10 in FlexVAR
    step_drop: float = 0.05  # FlexVAR section 3.4
    max_drops: int = 4  # FlexVAR section 3.4
    # A drawn schedule loses middle scales until it fits: FlexVAR's code; the last scale always stays.
    # At 16 x 16 that leaves 7.8 scales on average; with 0, no budget, 9.6 (the paper: 6 to 10).
    token_budget: int = 680
    # Share of bits flipped, at most: bitwise self-correction (Infinity: 0.3)
    flips: float = added(0.0)
    # Share of the steps before the rate falls; 1: constant, as FlexVAR section 4.1 names one rate.
    hold: float = added(0.6)
    # Sizes (h, w) of the last map beside the model's own: ours, FlexVAR trains on one. A step has
    # pictures of one size, the model's own in the share `own_size` of the steps.
    latents: tuple[Scale, ...] = added(())
    own_size: float = added(0.5)


@torch.no_grad()
def encode_all(
    tokenizer: Tokenizer, images: Tensor, device: torch.device, batch: int = 64
) -> Tensor:
    """Return the features (2N, C, h, w) of uint8 images (N, 3, H, W), then of their mirror images."""
    tokenizer.to(device).eval()
    features = []
    for flipped in (False, True):
        for rows in images.split(batch):
            image = to_float(rows).to(device, memory_format=torch.channels_last)
            features.append(tokenizer.encode(image.flip(-1) if flipped else image).float().cpu())
    return torch.cat(features)


def drop_labels(
    labels: Tensor, probability: float, no_condition: int | Tensor, generator: torch.Generator
) -> Tensor:
    """Return labels (B,), or texts (B, T), of which a random part is replaced by `no_condition`: "no
    class", or withheld words.
    """
    dropped = torch.rand(len(labels), generator=generator) < probability
    dropped = dropped.view(-1, *[1] * (labels.ndim - 1)).to(labels.device)
    return torch.where(dropped, torch.as_tensor(no_condition, dtype=labels.dtype), labels)


def true_choices(tokens: list[Tensor], codebook: Codebook | BinaryCodes) -> Tensor:
    """Return what a model must choose for token maps, each (B, h_k, w_k): (B, L, D), one choice of
    V per token, or d of two.
    """
    return codebook.choices(torch.cat([scale.flatten(1) for scale in tokens], 1))


def token_loss(
    logits: Tensor, tokens: list[Tensor], codebook: Codebook | BinaryCodes
) -> tuple[Tensor, Tensor]:
    """Return the cross-entropy and the accuracy per token (B, L) for logits (B, L, V) and the true
    token maps, each (B, h_k, w_k).

    Of sign bits both are means over the bits of a token, whose logits are (B, L, 2 d).
    """
    target = true_choices(tokens, codebook)  # B L D: D = 1 choice of V, or d choices of 2
    logits = codebook.split(logits)  # B L D V
    loss = F.cross_entropy(logits.flatten(0, -2), target.flatten(), reduction="none")
    right = (logits.argmax(-1) == target).float()
    return loss.view(target.shape).mean(-1), right.mean(-1)


def step_latent(
    model: NextScaleModel, training: NextScaleTraining, generator: torch.Generator
) -> Scale:
    """Return the size (h, w) of the last map in one step: the model's own, or one of
    `training.latents`, each as often.
    """
    own = model.config.schedule[-1]
    if not training.latents:  # nothing is drawn: what follows is the same as without sizes
        return own
    if torch.rand((), generator=generator) < training.own_size:
        return own
    return training.latents[int(torch.randint(len(training.latents), (), generator=generator))]


def step_schedule(
    model: NextScaleModel,
    training: NextScaleTraining,
    generator: torch.Generator,
    latent: Scale | None = None,
) -> Schedule:
    """Return the schedule of one step: always the same (VAR), or drawn anew (FlexVAR).

    To another `latent` than the model's own it is continued as in sampling (`schedule_for`).
    """
    schedule, own = model.config.schedule, model.config.schedule[-1]
    if training.step_sampling:
        schedule = sample_schedule(
            own,
            training.max_steps,
            drop=training.step_drop,
            max_drops=training.max_drops,
            budget=training.token_budget,
            generator=generator,
        )
    return schedule if latent in (None, own) else schedule_for(schedule, latent)


def pictures_of_step(model: NextScaleModel, training: NextScaleTraining, schedule: Schedule) -> int:
    """Return how many pictures a step along `schedule` has: the whole batch at the own size; at
    another, the batch halved until it has no more tokens than a batch along the own schedule.
    """
    pictures, most = training.batch, training.batch * model.tokens_per_image()
    if schedule[-1] == model.config.schedule[-1]:
        return pictures
    # Halved, so that two, four or eight processes can still share it.
    while pictures > 1 and pictures * token_count(schedule) > most:
        pictures //= 2
    return pictures


def check_sizes(
    training: NextScaleTraining, own: Scale, others: Mapping[Scale, tuple[Rows, Rows]]
) -> None:
    """Raise VarbookError where `others` are not pictures of the sizes `training.latents`, or the
    share of the own size is not one.
    """
    if set(training.latents) != set(others) or own in others:
        raise VarbookError(
            f"A training at the sizes {list(training.latents)} beside {own} needs pictures of just "
            f"those, not of {list(others)}."
        )
    check_real("own_size", training.own_size, 0, 1)


def decay_groups(model: nn.Module, decay: float) -> list[dict]:
    """Return the parameters as an optimiser's two groups: matrices, which decay,
    and biases, positions, step embeddings and scales, which do not (VAR).
    """
    matrices: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        is_matrix = (
            parameter.ndim >= 2 and parameter.shape[0] > 1 and not name.startswith("lvl_embed")
        )
        (matrices if is_matrix else others).append(parameter)
    return [
        {"params": matrices, "weight_decay": decay},
        {"params": others, "weight_decay": 0.0},
    ]


def fit_next_scale(
    model: NextScaleModel,
    tokenizer: Tokenizer,
    features: Rows,
    labels: Rows,
    training: NextScaleTraining,
    *,
    seed: int,
    device: torch.device,
    keeper: Keeper | None = None,
    shard: bool = False,
    others: Mapping[Scale, tuple[Rows, Rows]] | None = None,
) -> Curve:
    """Train `model` on the tokenizer's features (N, C, h, w)
    with class labels (N,), and return the curve; resumable.

    A model that reads takes word ids (N, T) for labels. `others` are features and labels of
    pictures of each size in `training.latents`.

    `shard` spreads weights and optimiser over the processes, for models too large for one card.
    """
    whole_model = model.to(device).train()
    tokenizer.to(device).eval()
    processes.start_alike(model)
    if shard:
        model = sharded(model)
    # FlexVAR section 4.1
    optimiser = adamw(decay_groups(model, training.weight_decay), training.lr, (0.9, 0.95))
    disturb = None
    if training.flips:
        codes = cast(BinaryCodes, tokenizer.codebook)  # only bits can be flipped
        disturb = partial(flip, codes, strength=training.flips)
    state: State = {"model": model, "optimiser": optimiser}
    rate = Rate(training.lr, training.steps, hold=training.hold)
    own = whole_model.config.schedule[-1]
    check_sizes(training, own, others or {})
    sets = {own: (features, labels), **(others or {})}
    steps = Steps("next-scale model", training.steps, state, [optimiser], rate, seed, keeper)
    for _, generator in steps:
        latent = step_latent(whole_model, training, generator)
        features, labels = sets[latent]
        rows = torch.randint(len(features), (training.batch,), generator=generator)
        schedule = step_schedule(whole_model, training, generator, latent)
        rows = rows[: pictures_of_step(whole_model, training, schedule)]
        no_condition = whole_model.no_condition(labels[rows])
        condition = drop_labels(labels[rows], training.class_drop, no_condition, generator)
        rows, condition = processes.share(rows), processes.share(condition).to(device)
        with torch.no_grad():
            quantised = tokenizer.quantise(
                features[rows].to(device),
                schedule,
                disturb and partial(disturb, generator=generator),
            )
            # Teacher forcing: scale k sees the true maps of the scales before it, the first one none.
            seen = [None, *tokenizer.pyramid.teacher_inputs(quantised.used)]  # K maps, B C h w
            targets = true_choices(quantised.tokens, tokenizer.codebook)  # B L D
        with autocast(device):
            loss, accuracy = model(seen, condition, schedule, targets)
        take_step(loss, model, optimiser, 2.0)
        size = {"cells": math.prod(latent)} if training.latents else {}
        steps.log({"loss": loss, "accuracy": accuracy, "scales": len(schedule)} | size)
    if shard:
        whole_model.load_state_dict(whole_state(model))
    whole_model.eval()
    return steps.curve


@torch.no_grad()
def score_next_scale(
    model: NextScaleModel,
    tokenizer: Tokenizer,
    features: Tensor,
    labels: Tensor,
    schedule: Schedule | None = None,
    batch: int = 64,
) -> dict:
    """Return held-out cross-entropy (nats per token), token accuracy, both also per scale, for
    features (N, C, h, w).
    """
    device = next(model.parameters()).device
    schedule = schedule or model.config.schedule
    losses, rights = [], []
    for rows, conditions in zip(features.split(batch), labels.split(batch), strict=True):
        tokens = tokenizer.quantise(rows.to(device), schedule).tokens
        logits = model(
            [None, *tokenizer.pyramid.teacher_inputs(tokens)], conditions.to(device), schedule
        )
        loss, right = token_loss(logits, tokens, tokenizer.codebook)
        losses.append(loss.cpu())
        rights.append(right.cpu())
    loss, right = torch.cat(losses), torch.cat(rights)  # N L
    per_scale = [
        (loss[:, s].mean().item(), right[:, s].mean().item()) for s in scale_slices(schedule)
    ]
    return {
        "loss": loss.mean().item(),
        "accuracy": right.mean().item(),
        "loss_per_scale": [a for a, _ in per_scale],
        "accuracy_per_scale": [b for _, b in per_scale],
        "images": len(features),
    }
