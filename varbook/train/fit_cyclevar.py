"""Fine-tuning CycleVAR on two unpaired sets of images: cycle, identity and adversarial loss in one
step of the generator.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from varbook import processes
from varbook.config import added, recorded_as
from varbook.device import autocast, laid_out, training_layout
from varbook.errors import VarbookError
from varbook.train.keeper import Curve, Keeper, State
from varbook.train.sharding import sharded, whole_state
from varbook.train.steps import Draw, Rate, Steps, adamw, draw_batch, frozen, take_step, total
from varbook.translate.augment import augment
from varbook.translate.cyclevar import CycleVAR
from varbook.translate.discriminator import (
    make_discriminators,
    sigmoid_discriminator,
    sigmoid_generator,
)
from varbook.translate.losses import keep, noisy, reconstruction, update_average


@dataclass(frozen=True)
class CycleVARTraining:
    """Everything that shapes the fine-tuning. Weights: CycleGAN-Turbo's are 1, 10, 1, 1, 0.5 with
    LPIPS (CycleVAR section 3.4).
    """

    steps: int = 1000
    batch: int = 4  # images per domain and step
    lr: float = 4e-4  # CycleGAN-Turbo: 1e-5 for a model a thousand times as large
    weight_decay: float = 1e-2
    identity_steps: int = 150  # first steps with the identity loss alone (ours): a third of the cost, and copying is learnt first
    warmup: int = 50  # CycleVAR section 4.1: constant rate after a warm-up; here it falls at the end, as sets are small
    cycle_l1: float = 2.0
    cycle_perceptual: float = 0.5
    identity_l1: float = 2.0
    identity_perceptual: float = 0.5
    cycle_noise: float = 0.05  # on the translation before it is translated back, in [-1, 1] (ours): it drowns hidden information
    keep_l1: float = 6.0  # on |translation - source| (ours): what need not change stays, and carries no hidden information back
    # A larger difference, in [-1, 1], costs no more: stripes and fur are free to change
    keep_up_to: float = 0.3
    gan: float = 1.0
    discriminator_lr: float = recorded_as("critic_lr", 4e-4)
    # Real images pass through the tokenizer too (ours): else its blur gives fakes away
    discriminator_on_reconstructions: bool = recorded_as("critic_on_reconstructions", True)
    average: float = 0.995  # decay of the moving average of the weights, which is what is kept
    clip: float = 1.0
    # "clip": frozen CLIP and an MLP (CycleVAR section 4.1), or an error where CLIP cannot be had;
    # "features": the best network at hand, which `Run.say` names; "patch+features": both.
    discriminator: str = recorded_as("critic", "patch", later=True)
    # Of the patch discriminator
    discriminator_channels: tuple[int, ...] = recorded_as("critic_channels", (48, 96, 128))
    # The patch discriminator also judges the picture as a whole (ours)
    discriminator_whole: bool = recorded_as("critic_whole", True)
    # "colour", "translation", "cutout": what discriminators see
    augment: tuple[str, ...] = ("translation",)
    # Share of the steps before the rate falls; 1: constant, CycleVAR section 4.1
    hold: float = added(0.5)
    betas: tuple[float, float] = added((0.5, 0.99))  # of AdamW
    # Or "sgd": the generator's alone, with the first beta as momentum
    optimiser: str = added("adamw")


Pair = tuple[Tensor, Tensor]  # what belongs to domain X, and what belongs to Y
Target = int | Tensor  # what a model translates into: a class, or the word ids (T,) of a prompt


def image_labels(targets: tuple[Target, Target], images: Pair) -> Tensor:
    """Return one label per image: the first target for the first batch, the second for the second."""
    labels = []
    for target, batch in zip(targets, images, strict=True):
        label = torch.as_tensor(target, device=batch.device)
        labels.append(label.expand(len(batch), *label.shape))  # B, or B T
    return torch.cat(labels)


def identity_loss(
    cyclevar: CycleVAR,
    images: Pair,
    targets: tuple[Target, Target],
    training: CycleVARTraining,
    perceptual: Callable | None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return the identity loss alone, G(x, t_x) against
    x and G(y, t_y) against y (CycleVAR eq. 15).
    """
    both = torch.cat(images)
    with torch.no_grad():
        source = cyclevar.source(both)
    out = cyclevar.tokenizer.decode(
        cyclevar.latent(source, image_labels(targets, images), generator)
    )
    return reconstruction(out, both, training.identity_l1, training.identity_perceptual, perceptual)


def generator_loss(
    cyclevar: CycleVAR,
    discriminators: nn.ModuleList,
    images: Pair,
    targets: tuple[Target, Target],
    training: CycleVARTraining,
    perceptual: Callable | None,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Pair, dict[str, float]]:
    """Return the generator's loss (CycleVAR eqs. 13 to 15),
    the two fakes, and the parts of the loss.

    `images` are batches x of domain X and y of domain Y, `targets` the class labels (t_x, t_y);
    discriminators[0] judges X.
    """
    n, both = len(images[0]), torch.cat(images)
    same, swapped = image_labels(targets, images), image_labels(targets[::-1], images)
    with torch.no_grad():
        source = cyclevar.source(both)  # F_1..F_K of the real images: nothing to train there
    twice = [torch.cat((f, f)) for f in source]
    out = cyclevar.tokenizer.decode(cyclevar.latent(twice, torch.cat((swapped, same)), generator))
    fake_y, fake_x, identity = out[:n], out[n : 2 * n], out[2 * n :]
    # back again: G(G(x, t_y), t_x) and G(G(y, t_x), t_y), with gradients through tokenizer and both
    # passes
    again = cyclevar(noisy(out[: 2 * n], training.cycle_noise, generator), same, generator)
    parts = {
        "cycle": reconstruction(
            again, both, training.cycle_l1, training.cycle_perceptual, perceptual
        ),  # eq. 13
        "identity": reconstruction(
            identity, both, training.identity_l1, training.identity_perceptual, perceptual
        ),  # eq. 15
    }
    if training.keep_l1:
        parts["keep"] = training.keep_l1 * keep(out[: 2 * n], both, training.keep_up_to)
    seen_x, seen_y = (augment(fake, training.augment, generator) for fake in (fake_x, fake_y))
    with frozen(discriminators):
        parts["gan"] = training.gan * (
            sigmoid_generator(discriminators[1](seen_y))
            + sigmoid_generator(discriminators[0](seen_x))
        )  # eq. 14
    numbers = {name: part.item() for name, part in parts.items()}
    return total(parts.values()), (fake_x.detach(), fake_y.detach()), numbers


@torch.no_grad()
def reconstructed(cyclevar: CycleVAR, images: Pair) -> Pair:
    """Return real images as the frozen tokenizer renders
    them: what a perfect translation would look like.
    """
    tokenizer = cyclevar.tokenizer
    latents = tokenizer.quantise(tokenizer.encode(torch.cat(images)), cyclevar.schedule).latents
    x, y = tokenizer.decode(latents[-1]).split(len(images[0]))
    return x, y


def discriminator_loss(
    discriminators: nn.ModuleList, images: Sequence[Tensor], fakes: Sequence[Tensor]
) -> Tensor:
    """Return the loss of both discriminators for real images
    and detached fakes of each domain (CycleVAR eq. 16).
    """
    return total(
        sigmoid_discriminator(discriminator(real), discriminator(fake))
        for discriminator, real, fake in zip(discriminators, images, fakes, strict=True)
    )


def judged_images(
    cyclevar: CycleVAR,
    images: Pair,
    fakes: Pair,
    training: CycleVARTraining,
    generator: torch.Generator | None = None,
) -> tuple[list[Tensor], list[Tensor]]:
    """Return the real images and the fakes of each domain as the discriminators are shown them:
    both augmented, the real ones first rendered by the tokenizer where `training` says so.
    """
    real = reconstructed(cyclevar, images) if training.discriminator_on_reconstructions else images
    shown_real, shown_fakes = (
        [augment(batch, training.augment, generator) for batch in side] for side in (real, fakes)
    )
    return shown_real, shown_fakes


def generator_optimiser(model: nn.Module, training: CycleVARTraining) -> torch.optim.Optimizer:
    """Return the optimiser of the generator's weights that
    `training` names; VarbookError for an unknown one.
    """
    weights, decay = model.parameters(), training.weight_decay
    if training.optimiser == "adamw":
        return adamw(weights, training.lr, training.betas, decay)
    if training.optimiser == "sgd":
        return torch.optim.SGD(weights, training.lr, training.betas[0], weight_decay=decay)
    raise VarbookError(f"There is no optimiser {training.optimiser!r}; use adamw or sgd.")


def fit_cyclevar(
    cyclevar: CycleVAR,
    sets: tuple[Tensor, Tensor],
    targets: tuple[Target, Target],
    training: CycleVARTraining,
    *,
    seed: int,
    device: torch.device,
    perceptual: Callable | None = None,
    draw: Draw = draw_batch,
    keeper: Keeper | None = None,
    shard: bool = False,
) -> Curve:
    """Train `cyclevar` on uint8 sets (N, 3, H, W) of domains X and Y with targets (t_x, t_y);
    return the curve; resumable.

    `draw` makes a float batch out of a set (random crops and mirroring live there). At the end the
    model holds the moving average of its weights. `shard` spreads model and optimiser over the
    processes, for models too large for one card.
    """
    layout = training_layout(device)
    laid_out(cyclevar.to(device), layout).train()
    discriminators = make_discriminators(
        training.discriminator,
        len(sets),
        training.discriminator_channels,
        training.discriminator_whole,
    ).to(device)
    processes.start_alike(cyclevar.model, discriminators)
    whole_model, spread = cyclevar.model, sharded if shard else copy.deepcopy
    average = spread(whole_model).requires_grad_(False)
    cyclevar.model = sharded(whole_model) if shard else whole_model
    optimiser = generator_optimiser(cyclevar.model, training)
    discriminator_optimiser = adamw(
        discriminators.parameters(),
        training.discriminator_lr,
        training.betas,
        training.weight_decay,
    )
    state: State = {"model": cyclevar.model, "average": average, "optimiser": optimiser}
    state |= {"discriminators": discriminators, "discriminator_optimiser": discriminator_optimiser}
    rate = Rate(training.lr, training.steps, training.warmup, training.hold)
    steps = Steps("CycleVAR", training.steps, state, [optimiser], rate, seed, keeper)
    for step, generator in steps:
        drawn = [processes.share(draw(images, training.batch, generator)) for images in sets]
        x, y = (batch.to(device, memory_format=layout) for batch in drawn)
        arguments = ((x, y), targets, training, perceptual, generator)
        fakes: Pair | None = None
        parts: dict[str, float] = {}
        # Copying is learnt first, at a third of the cost: no translation, nothing to judge.
        identity_only = step < training.identity_steps
        with autocast(device):
            if identity_only:
                loss = identity_loss(cyclevar, *arguments)
            else:
                loss, fakes, parts = generator_loss(cyclevar, discriminators, *arguments)
        take_step(loss, cyclevar.model, optimiser, training.clip)
        # The average is short at first, so that it soon forgets the weights of the start.
        update_average(average, cyclevar.model, min(training.average, (1 + step) / (10 + step)))
        if fakes is not None:
            with autocast(device):
                shown = judged_images(cyclevar, (x, y), fakes, training, generator)
                judged = discriminator_loss(discriminators, *shown)
            take_step(judged, discriminators, discriminator_optimiser)
            parts["critic"] = judged.item()  # the name of the discriminators' loss in every record
        steps.log({"loss": loss, **parts})
    cyclevar.model = whole_model
    cyclevar.model.load_state_dict(whole_state(average))
    cyclevar.eval()
    return steps.curve
