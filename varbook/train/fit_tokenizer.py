"""Training a tokenizer: L2 + perceptual + hinge GAN with a late discriminator, on one scale (VAR)
or several (FlexVAR eq. 5).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from varbook import processes
from varbook.data.images import to_float
from varbook.device import autocast, step_generator
from varbook.tokenizer.schedule import Schedule, sample_schedule
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.train.keeper import Curve, Keeper
from varbook.train.progress import progress
from varbook.train.stepping import take_step
from varbook.translate.discriminator import PatchDiscriminator, hinge_discriminator

# Makes a float batch (count, 3, H, W) in [-1, 1] out of a uint8 set.
Draw = Callable[[Tensor, int, torch.Generator], Tensor]


@dataclass(frozen=True)
class TokenizerTraining:
    """Everything that shapes the training of a tokenizer."""

    steps: int = 2000
    batch: int = 8
    lr: float = 2e-3  # FlexVAR section 4.1: 1e-4 at batch 128, for a network fifty times as large
    weight_decay: float = 0.05  # FlexVAR section 4.1
    l1: float = 0.5
    l2: float = 4.0
    perceptual: float = (
        0.05  # LlamaGen: 1; on flat drawings a larger weight costs sharpness of the colours
    )
    gan: float = 0.02
    gan_start: float = 0.85  # fraction of the steps before the discriminator joins
    warmup: int = 150  # steps without quantisation; then the codebook starts from real features
    revive_every: int = 50  # steps between cures of dead codes; 0: never (collapse can be watched)
    random_scales: int = (
        3  # K of FlexVAR eq. 5, the full scale among them; unused by a residual pyramid
    )
    single_scale: bool = False  # train the last scale alone: LlamaGen's tokenizer


def learning_rate(step: int, steps: int, warmup: int = 50, hold: float = 0.6) -> float:
    """Return the factor of the learning rate: a short rise, a plateau until `hold`, a linear fall
    to a twentieth.

    With `hold` = 1 it stays where it is.
    """
    rise = min(1.0, (step + 1) / max(warmup, 1))
    fall = max(0.0, (step / max(steps, 1) - hold) / (1 - hold)) if hold < 1 else 0.0
    return rise * (1 - 0.95 * fall)


def draw_batch(images: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Return `count` random images (count, 3, H, W) of a uint8 set as floats in [-1, 1], mirrored
    half of the time.
    """
    rows = torch.randint(len(images), (count,), generator=generator)
    batch = to_float(images[rows])
    mirrored = torch.rand(count, generator=generator) < 0.5
    return torch.where(mirrored[:, None, None, None], batch.flip(-1), batch)


def training_schedule(
    tokenizer: Tokenizer,
    training: TokenizerTraining,
    latent: tuple[int, int],
    generator: torch.Generator,
) -> Schedule:
    """Return the scales of one step: fixed for a residual pyramid, K random ones for ground truth
    (FlexVAR 3.3).
    """
    if training.single_scale:
        return (latent,)
    if tokenizer.config.pyramid == "residual":
        return tokenizer.config.schedule
    return sample_schedule(latent, training.random_scales + 1, drop=0.0, generator=generator)[1:]


def spread_targets(targets: list[Tensor], count: int, generator: torch.Generator) -> Tensor:
    """Return about `count` vectors (N, C), equally many from every scale.

    Drawn in proportion to size, the coarse scales would hardly be seen, and their codes would die
    out.
    """
    rows = []
    for target in targets:
        flat = target.permute(0, 2, 3, 1).flatten(0, 2)  # B*h*w C
        rows.append(
            flat[
                torch.randint(len(flat), (count // len(targets) + 1,), generator=generator).to(
                    flat.device
                )
            ]
        )
    return torch.cat(rows)


def start_codebook(
    tokenizer: Tokenizer, f: Tensor, schedule: Schedule, generator: torch.Generator
) -> None:
    """Fill the codebook with features of a batch, then once more with what the first filling leaves
    over.
    """
    for _ in range(2):
        targets = tokenizer.quantise(f, schedule).targets
        tokenizer.codebook.fill(
            spread_targets(targets, 4 * tokenizer.config.vocab_size, generator), generator
        )


def image_loss(
    picture: Tensor, image: Tensor, training: TokenizerTraining, perceptual: Callable | None
) -> Tensor:
    """Return the reconstruction loss of one scale against the image made as small as the picture."""
    if picture.shape != image.shape:
        image = F.interpolate(image, size=picture.shape[-2:], mode="area")
    loss = training.l2 * F.mse_loss(picture, image) + training.l1 * F.l1_loss(picture, image)
    # Networks for perception see nothing in very small pictures.
    if perceptual is not None and training.perceptual and min(picture.shape[-2:]) >= 32:
        loss = loss + training.perceptual * perceptual(picture, image).mean()
    return loss


def fit_tokenizer(
    tokenizer: Tokenizer,
    images: Tensor,
    training: TokenizerTraining,
    *,
    seed: int,
    device: torch.device,
    perceptual: nn.Module | None = None,
    draw: Draw = draw_batch,
    keeper: Keeper | None = None,
) -> Curve:
    """Train `tokenizer` on uint8 images (N, 3, H, W) and return the curve; resumable through
    `keeper`.

    `draw` makes a float batch out of the set; random crops and mirroring live there.
    """
    tokenizer.to(device, memory_format=torch.channels_last).train()
    discriminator = PatchDiscriminator().to(device)
    optimiser = torch.optim.AdamW(
        tokenizer.parameters(), training.lr, betas=(0.9, 0.95), weight_decay=training.weight_decay
    )
    discriminator_optimiser = torch.optim.AdamW(
        discriminator.parameters(), training.lr / 2, betas=(0.5, 0.95), weight_decay=0.0
    )
    processes.start_alike(tokenizer, discriminator)
    state = {
        "tokenizer": tokenizer,
        "optimiser": optimiser,
        "discriminator": discriminator,
        "discriminator_optimiser": discriminator_optimiser,
    }
    start = keeper.resume(state) if keeper else 0
    curve: Curve = keeper.curve if keeper else []
    for step in progress(range(start, training.steps), "tokenizer"):
        generator = step_generator(seed, step)
        for group in optimiser.param_groups:
            group["lr"] = training.lr * learning_rate(step, training.steps)
        image = processes.share(draw(images, training.batch, generator)).to(
            device, memory_format=torch.channels_last
        )
        schedule = training_schedule(
            tokenizer, training, tokenizer.latent_size(*image.shape[-2:]), generator
        )
        with autocast(device):
            f = tokenizer.encode(image)
            if step == training.warmup:
                start_codebook(tokenizer, processes.gather(f), schedule, generator)
            if step < training.warmup:
                pictures, quantised = [tokenizer.decode(f)], None
            else:
                quantised = tokenizer.quantise(f, schedule)
                # The residual sum is a picture only when it is complete; every ground-truth scale
                # is one (FlexVAR eq. 5).
                scales = (
                    quantised.latents[-1:]
                    if tokenizer.config.pyramid == "residual"
                    else quantised.latents
                )
                pictures = [tokenizer.decode(picture) for picture in scales]
            pictures = [
                picture.float() for picture in pictures
            ]  # losses and discriminator compute in full precision
            losses = [image_loss(picture, image, training, perceptual) for picture in pictures]
        loss = sum(losses) / len(losses) + (quantised.loss if quantised else 0.0)
        adversarial = training.gan > 0 and step >= training.gan_start * training.steps
        if adversarial:
            discriminator.requires_grad_(
                False
            )  # the generator's step leaves no gradient in the discriminator
            loss = loss - training.gan * discriminator(pictures[-1]).mean()
            discriminator.requires_grad_(True)
        take_step(loss, tokenizer, optimiser, 1.0)
        if adversarial:
            discriminator_loss = hinge_discriminator(
                discriminator(image), discriminator(pictures[-1].detach())
            )
            take_step(discriminator_loss, discriminator, discriminator_optimiser)
        if quantised:
            for tokens in quantised.tokens:
                tokenizer.codebook.count(processes.gather(tokens), decay=0.99)
            if (
                training.revive_every
                and step % training.revive_every == 0
                and step < 0.9 * training.steps
            ):
                targets = [
                    processes.gather(target) for target in quantised.targets
                ]  # so that all move the same codes
                features = spread_targets(targets, 2 * tokenizer.config.vocab_size, generator)
                tokenizer.codebook.revive(features, generator)
        if step % 20 == 0 or step == training.steps - 1:
            mse = F.mse_loss(pictures[-1].detach(), image)
            values = {"loss": loss.item(), "image": losses[-1].item(), "mse": mse.item()}
            curve.append({"step": step} | processes.mean(values))
        if keeper:
            keeper.step_done(step, state)
    tokenizer.eval()
    return curve
