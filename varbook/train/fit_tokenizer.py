"""Training a tokenizer: L2 + perceptual + hinge GAN with a late discriminator, on one scale (VAR)
or several (FlexVAR eq. 5).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from varbook import processes
from varbook.config import added
from varbook.data.shards import Rows
from varbook.device import autocast, laid_out, training_layout
from varbook.tokenizer.pyramid import Quantised
from varbook.tokenizer.schedule import Schedule, sample_scales, sample_schedule
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.train.keeper import Curve, Keeper, State
from varbook.train.steps import Draw, Rate, Steps, adamw, draw_batch, frozen, take_step, total
from varbook.translate.discriminator import PatchDiscriminator, hinge_discriminator


@dataclass(frozen=True)
class TokenizerTraining:
    """Everything that shapes the training of a tokenizer.

    The loss is the mean over the scales where FlexVAR eq. 5 has the sum, so that K does not
    change the learning rate. Betas of AdamW: 0.9 and 0.95 (FlexVAR section 4.1); of the discriminator's, at
    half the rate, 0.5 and 0.95 (ours).
    """

    steps: int = 2000
    batch: int = 8
    lr: float = 2e-3  # FlexVAR section 4.1: 1e-4 at batch 128, for a network fifty times as large
    weight_decay: float = 0.05  # FlexVAR section 4.1
    l1: float = 0.5
    l2: float = 4.0
    # LlamaGen: 1; on flat drawings a larger weight costs sharpness of the colours
    perceptual: float = 0.05
    # The perceptual network sees both pictures without up to so many of their first rows and
    # columns, drawn anew each time: its strides would else leave a grid at always the same pixels.
    perceptual_offset: int = added(0)
    gan: float = 0.02
    gan_start: float = 0.85  # fraction of the steps before the discriminator joins
    warmup: int = 150  # steps without quantization; then the codebook starts from real features
    revive_every: int = 50  # steps between cures of dead codes; 0: never (collapse can be watched)
    # K of FlexVAR eq. 5, the full scale among them; unused by a residual pyramid
    random_scales: int = 3
    single_scale: bool = False  # train the last scale alone: LlamaGen's tokenizer
    smallest_scale: bool = added(False)  # 1 x 1 may be among the random scales (FlexVAR 3.3)
    # Share of the steps before the rate falls; 1: constant, FlexVAR section 4.1.
    hold: float = added(0.6)
    # The discriminator judges every scale of 32 pixels or more, as FlexVAR eq. 5 has it; else the
    # full one alone.
    gan_every_scale: bool = added(False)
    discriminator_channels: tuple[int, ...] = added((32, 64, 96))  # LlamaGen: from 64 on
    # A published tokenizer whose encoder and decoder it starts from, FlexVAR section 4.1:
    # "llamagen-vq16". Empty: from nothing.
    start: str = added("")


def training_schedule(
    tokenizer: Tokenizer,
    training: TokenizerTraining,
    latent: tuple[int, int],
    generator: torch.Generator,
) -> Schedule:
    """Return the scales of one step: fixed for a residual pyramid, K random ones for ground truth
    (FlexVAR section 3.3).
    """
    if training.single_scale:
        return (latent,)
    if tokenizer.pyramid.cumulative:
        return tokenizer.config.schedule
    if training.smallest_scale:
        return sample_scales(latent, training.random_scales, generator=generator)
    return sample_schedule(latent, training.random_scales + 1, drop=0.0, generator=generator)[1:]


def spread_targets(targets: list[Tensor], count: int, generator: torch.Generator) -> Tensor:
    """Return about `count` vectors (N, C), equally many from every scale.

    Drawn in proportion to size, the coarse scales would
    hardly be seen, and their codes would die out.
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
    """Fill the codebook with features of a batch, then
    once more with what the first filling leaves over.
    """
    for _ in range(2):
        targets = tokenizer.quantise(f, schedule).targets
        tokenizer.codebook.fill(
            spread_targets(targets, 4 * tokenizer.config.vocab_size, generator), generator
        )


SMALLEST_JUDGED = 32  # pixels a side: LPIPS and discriminators are useless on smaller pictures


def without_first(
    pictures: tuple[Tensor, ...], most: int, generator: torch.Generator
) -> tuple[Tensor, ...]:
    """Return pictures (B, 3, H, W) without up to `most` of their first rows and columns, the same
    for all, but never smaller than SMALLEST_JUDGED.
    """
    sizes = pictures[0].shape[-2:]
    rows, columns = (
        int(torch.randint(1 + max(0, min(most, size - SMALLEST_JUDGED)), (), generator=generator))
        for size in sizes
    )
    return tuple(picture[..., rows:, columns:] for picture in pictures)


def image_loss(
    rebuilt: Tensor,
    image: Tensor,
    training: TokenizerTraining,
    perceptual: Callable | None,
    generator: torch.Generator,
) -> Tensor:
    """Return the reconstruction loss of one scale: `rebuilt`
    (B, 3, h, w) against the image (B, 3, H, W), downsampled to their sizes.
    """
    if rebuilt.shape != image.shape:
        image = F.interpolate(image, size=rebuilt.shape[-2:], mode="area")  # B 3 h w
    loss = training.l2 * F.mse_loss(rebuilt, image) + training.l1 * F.l1_loss(rebuilt, image)
    # Perceptual networks halve their input several times: of very small images nothing would be left.
    if (
        perceptual is not None
        and training.perceptual
        and min(rebuilt.shape[-2:]) >= SMALLEST_JUDGED
    ):
        seen: tuple[Tensor, ...] = rebuilt, image
        if training.perceptual_offset:
            seen = without_first(seen, training.perceptual_offset, generator)
        loss = loss + training.perceptual * perceptual(*seen).mean()
    return loss


def judged_scales(rebuilt: list[Tensor], training: TokenizerTraining) -> list[Tensor]:
    """Return those of the decoded scales, coarse to fine, that the discriminator judges."""
    if not training.gan_every_scale:
        return rebuilt[-1:]
    large = [scale for scale in rebuilt[:-1] if min(scale.shape[-2:]) >= SMALLEST_JUDGED]
    return [*large, rebuilt[-1]]


def discriminator_loss(discriminator: nn.Module, judged: list[Tensor], image: Tensor) -> Tensor:
    """Return the hinge loss of the discriminator, a mean over the scales `judged`, each against the
    image (B, 3, H, W), downsampled to their sizes.
    """
    losses = []
    for fake in judged:
        same = fake.shape == image.shape
        real = image if same else F.interpolate(image, size=fake.shape[-2:], mode="area")
        losses.append(hinge_discriminator(discriminator(real), discriminator(fake.detach())))
    return torch.stack(losses).mean()


def care_for_codebook(
    tokenizer: Tokenizer,
    quantised: Quantised,
    training: TokenizerTraining,
    step: int,
    generator: torch.Generator,
) -> None:
    """Count which codes this batch used, and every `revive_every`
    steps move the dead ones onto features of the batch.

    Features and tokens of all processes are gathered first, so
    that all of them move the same codes to the same places.
    """
    for tokens in quantised.tokens:
        tokenizer.codebook.count(processes.gather(tokens), decay=0.99)
    # Codes moved in the last tenth would not have the time to settle.
    if training.revive_every and step % training.revive_every == 0 and step < 0.9 * training.steps:
        targets = [processes.gather(target) for target in quantised.targets]
        features = spread_targets(targets, 2 * tokenizer.config.vocab_size, generator)
        tokenizer.codebook.revive(features, generator)


def fit_tokenizer(
    tokenizer: Tokenizer,
    images: Rows,
    training: TokenizerTraining,
    *,
    seed: int,
    device: torch.device,
    perceptual: nn.Module | None = None,
    draw: Draw = draw_batch,
    keeper: Keeper | None = None,
) -> Curve:
    """Train `tokenizer` in place on uint8 images (N, 3, H, W)
    (FlexVAR eq. 5) and return the curve; resumable through `keeper`.

    `draw` makes a float batch out of the set; random crops and mirroring live there. `Crops` of a
    set on disk serve like images in memory.
    """
    layout = training_layout(device)
    laid_out(tokenizer.to(device), layout).train()
    discriminator = PatchDiscriminator(training.discriminator_channels).to(device)
    optimiser = adamw(tokenizer.parameters(), training.lr, (0.9, 0.95), training.weight_decay)
    discriminator_optimiser = adamw(discriminator.parameters(), training.lr / 2, (0.5, 0.95))
    processes.start_alike(tokenizer, discriminator)
    state: State = {"tokenizer": tokenizer, "optimiser": optimiser}
    state |= {"discriminator": discriminator, "discriminator_optimiser": discriminator_optimiser}
    rate = Rate(training.lr, training.steps, hold=training.hold)
    steps = Steps("tokenizer", training.steps, state, [optimiser], rate, seed, keeper)
    for step, generator in steps:
        image = processes.share(draw(images, training.batch, generator)).to(
            device, memory_format=layout
        )  # B 3 H W
        size = tokenizer.latent_size(*image.shape[-2:])
        schedule = training_schedule(tokenizer, training, size, generator)
        with autocast(device):
            f = tokenizer.encode(image)  # B C h w
            if step == training.warmup:
                start_codebook(tokenizer, processes.gather(f), schedule, generator)
            quantised = tokenizer.quantise(f, schedule) if step >= training.warmup else None
            latents = tokenizer.pyramid.complete(quantised.latents) if quantised else [f]
            # Losses and discriminator compute in full precision.
            rebuilt = [tokenizer.decode(latent).float() for latent in latents]
            losses = [
                image_loss(scale, image, training, perceptual, generator) for scale in rebuilt
            ]
        # The mean over the scales, plus codebook and commitment loss (FlexVAR eq. 5)
        loss = total(losses) / len(losses) + (quantised.loss if quantised else 0.0)
        adversarial = training.gan > 0 and step >= training.gan_start * training.steps
        if adversarial:
            with frozen(discriminator):
                judged = judged_scales(rebuilt, training)
                logits = torch.stack([discriminator(scale).mean() for scale in judged])
                loss = loss - training.gan * logits.mean()
        take_step(loss, tokenizer, optimiser, 1.0)
        if adversarial:
            verdict = discriminator_loss(discriminator, judged, image)
            take_step(verdict, discriminator, discriminator_optimiser)
            steps.watch({"critic": verdict})
        if quantised:
            care_for_codebook(tokenizer, quantised, training, step, generator)
        mse = F.mse_loss(rebuilt[-1].detach(), image)
        steps.log({"loss": loss, "image": losses[-1], "mse": mse})
    tokenizer.eval()
    return steps.curve
