"""Differentiable augmentation: a discriminator that sees real and fake images changed alike cannot
learn few images by heart.
"""

import functools

import torch
import torch.nn.functional as F
from torch import Tensor

from varbook import processes
from varbook.errors import VarbookError

SHIFT = 1 / 8  # largest translation as a share of the side
HOLE = 1 / 2  # side of the cut-out square as a share of the side


def uniform(like: Tensor, generator: torch.Generator | None) -> Tensor:
    """Return one random number in [0, 1) per image (B, 1, 1, 1),
    drawn on the CPU so that every device sees the same.
    """
    return processes.drawn(torch.rand, (len(like), 1, 1, 1), generator).to(like.device)


def colour(images: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Change brightness (by up to 0.5), saturation (0 to 2 times) and contrast (0.5 to 1.5 times)
    of each image (B, 3, H, W).
    """
    images = images + uniform(images, generator) - 0.5
    grey = images.mean(1, keepdim=True)  # B 1 H W
    images = grey + (images - grey) * 2 * uniform(images, generator)
    mean = images.mean((1, 2, 3), keepdim=True)  # B 1 1 1
    return mean + (images - mean) * (0.5 + uniform(images, generator))


def translation(images: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Move each image (B, 3, H, W) by up to an eighth of
    its sides; what comes in from outside is grey (0).
    """
    height, width = images.shape[-2:]
    most = round(height * SHIFT), round(width * SHIFT)
    padded = F.pad(images, (most[1], most[1], most[0], most[0]))
    draws = [functools.partial(torch.randint, 2 * n + 1) for n in most]
    corners = [processes.drawn(draw, (len(images),), generator).tolist() for draw in draws]
    moved = [
        image[:, top : top + height, left : left + width]
        for image, top, left in zip(padded, *corners, strict=True)
    ]
    return torch.stack(moved)


def cutout(images: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Blank a square of half the sides, centred anywhere, in each image (B, 3, H, W)."""
    inside = torch.ones_like(images[:, :1], dtype=torch.bool)  # B 1 H W
    for axis in (2, 3):
        side = images.shape[axis]
        places = torch.arange(side, device=images.device).view(-1, *[1] * (3 - axis))
        centre = (uniform(images, generator) * side).floor()
        inside = inside & ((places - centre).abs() < side * HOLE / 2)
    return images.masked_fill(inside, 0.0)


KINDS = {"colour": colour, "translation": translation, "cutout": cutout}


def augment(
    images: Tensor, kinds: tuple[str, ...] = tuple(KINDS), generator: torch.Generator | None = None
) -> Tensor:
    """Change images (B, 3, H, W) in [-1, 1] at random, each in its own way, with gradients to every
    pixel that is still seen.

    `kinds` are names from KINDS, applied in that order; all three are what CycleGAN-Turbo's
    discriminators use. Values may leave [-1, 1] a little. Raises VarbookError for an unknown name.
    """
    unknown = set(kinds) - set(KINDS)
    if unknown:
        raise VarbookError(
            f"There is no augmentation {min(unknown)!r}; choose from {', '.join(KINDS)}."
        )
    for kind in KINDS:
        if kind in kinds:
            images = KINDS[kind](images, generator)
    return images
