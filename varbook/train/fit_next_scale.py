"""Training a next-scale model: cross-entropy on every token of every scale, all scales at once."""

from dataclasses import dataclass
from functools import partial
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from varbook import processes
from varbook.config import added
from varbook.data.images import to_float
from varbook.data.shards import Rows
from varbook.device import autocast
from varbook.tokenizer.bits import BinaryCodes, flip
from varbook.tokenizer.codebook import Codebook
from varbook.tokenizer.schedule import Schedule, sample_schedule, scale_slices
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


def step_schedule(
    model: NextScaleModel, training: NextScaleTraining, generator: torch.Generator
) -> Schedule:
    """Return the schedule of one step: always the same (VAR), or drawn anew (FlexVAR)."""
    if not training.step_sampling:
        return model.config.schedule
    return sample_schedule(
        model.config.schedule[-1],
        training.max_steps,
        drop=training.step_drop,
        max_drops=training.max_drops,
        budget=training.token_budget,
        generator=generator,
    )


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
) -> Curve:
    """Train `model` on the tokenizer's features (N, C, h, w)
    with class labels (N,), and return the curve; resumable.

    A model that reads takes word ids (N, T) for labels.

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
    steps = Steps("next-scale model", training.steps, state, [optimiser], rate, seed, keeper)
    for _, generator in steps:
        rows = torch.randint(len(features), (training.batch,), generator=generator)
        schedule = step_schedule(model, training, generator)
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
        steps.log({"loss": loss, "accuracy": accuracy, "scales": len(schedule)})
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
