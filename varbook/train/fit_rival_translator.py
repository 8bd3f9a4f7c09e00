"""Training the rivals on the same two unpaired sets as CycleVAR:
one loop, and one loss for each of CycleGAN and CUT.
"""

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from varbook.device import autocast, step_generator, training_layout
from varbook.errors import VarbookError
from varbook.train.keeper import Curve, Keeper, State
from varbook.train.steps import Draw, Rate, Steps, draw_batch, frozen, take_step, total
from varbook.translate.discriminator import make_discriminators
from varbook.translate.rival_translators import (
    ImagePool,
    PixelGenerator,
    PixelTranslator,
    least_squares_discriminator,
    least_squares_generator,
    patch_nce,
)

Pair = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class RivalTraining:
    """Everything that shapes the training of a rival; weights and rates are the two papers'."""

    method: str = "cyclegan"  # or "cut"
    steps: int = 1200
    batch: int = 4  # images per domain and step; one in both papers
    lr: float = 2e-4  # Adam, beta_1 = 0.5; constant, then falling
    channels: int = 32  # 64 in both papers, at 256 pixels
    blocks: int = 4  # 9 in both papers, 6 for 128 pixels
    cycle: float = 10.0  # CycleGAN: lambda
    identity: float = 5.0  # CycleGAN: half of lambda; CUT compares patches of the identity instead
    pool: int = 50  # CycleGAN: old fakes for the discriminators; CUT has none
    nce: float = 1.0  # CUT: lambda_X = lambda_Y
    # CUT: places per map; 256 in the paper, where maps are sixteen times as large
    patches: int = 64
    temperature: float = 0.07  # CUT: tau


def adversarial(discriminators: nn.ModuleList, fakes: Pair) -> Tensor:
    """Return the generators' adversarial loss for (fake_x, fake_y);
    discriminators[0] judges X. No gradient stays in the discriminators.
    """
    with frozen(discriminators):
        judged = zip(discriminators, fakes, strict=True)
        return total(least_squares_generator(discriminator(fake)) for discriminator, fake in judged)


def cyclegan_loss(
    translator: PixelTranslator,
    discriminators: nn.ModuleList,
    images: Pair,
    training: RivalTraining,
    generator: torch.Generator | None,
) -> tuple[dict[str, Tensor], Pair]:
    """Return the parts of CycleGAN's loss and the fakes (x, y): adversarial, cycle, and what
    is there already stays.
    """
    (to_x, to_y), (x, y) = translator.model, images
    fake_y, same_y = to_y(torch.cat((x, y))).split((len(x), len(y)))
    fake_x, same_x = to_x(torch.cat((y, x))).split((len(y), len(x)))
    parts = {
        "gan": adversarial(discriminators, (fake_x, fake_y)),
        "cycle": training.cycle * (F.l1_loss(to_x(fake_y), x) + F.l1_loss(to_y(fake_x), y)),
        "identity": training.identity * (F.l1_loss(same_x, x) + F.l1_loss(same_y, y)),
    }
    return parts, (fake_x, fake_y)


def content_loss(
    translator: PixelTranslator,
    way: int,
    source: Tensor,
    out: Tensor,
    training: RivalTraining,
    generator: torch.Generator | None,
) -> Tensor:
    """Return CUT's contrastive loss of one generator (0: into X, 1: into Y): patches of `out`
    against those of `source`.
    """
    network = cast(PixelGenerator, translator.model[way])
    heads = translator.heads[way]
    keys = network.maps(source)
    queries = network.maps(out)
    counts = [key[0, 0].numel() for key in keys]
    # The same places in source and translation: a patch must find its own among the others.
    places = [
        torch.randperm(n, generator=generator)[: training.patches].to(source.device) for n in counts
    ]
    pairs = zip(heads(queries, places), heads(keys, places), strict=True)
    losses = [patch_nce(query, key, training.temperature) for query, key in pairs]
    return total(losses) / len(keys)


def cut_loss(
    translator: PixelTranslator,
    discriminators: nn.ModuleList,
    images: Pair,
    training: RivalTraining,
    generator: torch.Generator | None,
) -> tuple[dict[str, Tensor], Pair]:
    """Return the parts of CUT's loss and the fakes (x, y), for
    both directions; the two share nothing but the step.
    """
    fakes = []
    contents = []
    for way, (source, own) in enumerate((images[::-1], images)):  # into X from Y, into Y from X
        both = torch.cat((source, own))
        out = translator.model[way](both)
        # the translation against its source, and the identity against itself, half each
        contents.append(content_loss(translator, way, both, out, training, generator))
        fakes.append(out[: len(source)])
    fake_x, fake_y = fakes
    parts = {
        "gan": adversarial(discriminators, (fake_x, fake_y)),
        "content": training.nce * total(contents),
    }
    return parts, (fake_x, fake_y)


LOSSES = {"cyclegan": cyclegan_loss, "cut": cut_loss}


def fit_rival_translator(
    translator: PixelTranslator,
    sets: Pair,
    training: RivalTraining,
    *,
    seed: int,
    device: torch.device,
    draw: Draw = draw_batch,
    keeper: Keeper | None = None,
) -> Curve:
    """Train `translator` on uint8 sets (N, 3, H, W) of domains
    X and Y; return the curve; resumable through `keeper`.

    Raises VarbookError where the translator was built for another method.
    """
    if training.method != translator.method:
        raise VarbookError(
            f"A translator for {translator.method!r} cannot be trained as {training.method!r}: build it anew."
        )
    translator.to(device).train()
    discriminators = make_discriminators("patch", len(sets)).to(device)
    sample = draw(sets[0], 1, step_generator(seed, 0))
    size = training.pool if training.method == "cyclegan" else 0
    _, channels, height, width = sample.shape
    pools = nn.ModuleList(ImagePool(size, (channels, height, width)) for _ in sets).to(device)
    optimiser = torch.optim.Adam(translator.parameters(), training.lr, betas=(0.5, 0.999))
    discriminator_optimiser = torch.optim.Adam(
        discriminators.parameters(), training.lr, betas=(0.5, 0.999)
    )
    state: State = {"translator": translator, "pools": pools, "optimiser": optimiser}
    state |= {"discriminators": discriminators, "discriminator_optimiser": discriminator_optimiser}
    rate = Rate(training.lr, training.steps, warmup=1, hold=0.5)
    steps = Steps(
        training.method,
        training.steps,
        state,
        [optimiser, discriminator_optimiser],
        rate,
        seed,
        keeper,
    )
    for _, generator in steps:
        x, y = (
            draw(images, training.batch, generator).to(
                device, memory_format=training_layout(device)
            )
            for images in sets
        )
        with autocast(device):
            parts, fakes = LOSSES[training.method](
                translator, discriminators, (x, y), training, generator
            )
        take_step(total(parts.values()), translator, optimiser)
        with autocast(device):
            shown = [
                cast(ImagePool, pool).exchange(fake, generator)
                for pool, fake in zip(pools, fakes, strict=True)
            ]
            judged = total(
                least_squares_discriminator(discriminator(real), discriminator(fake))
                for discriminator, real, fake in zip(discriminators, (x, y), shown, strict=True)
            )
        take_step(judged, discriminators, discriminator_optimiser)
        steps.log({**parts, "critic": judged})
    translator.eval()
    return steps.curve
