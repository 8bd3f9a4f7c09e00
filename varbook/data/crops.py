"""Random crops and mirroring for photographs (CycleVAR section 4.1: 286 pixels, crops of 256)."""

from collections.abc import Callable

import torch
from torch import Tensor

from varbook.data.images import to_float
from varbook.errors import VarbookError


def crop_flip(images: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Return a random square of each image (B, 3, H, W), mirrored half of the time.

    The result is (B, 3, size, size). Raises VarbookError where the images are smaller than the
    square.
    """
    height, width = images.shape[-2:]
    if min(height, width) < size:
        raise VarbookError(
            f"Images of {height} x {width} pixels are too small for crops of {size}; load them larger."
        )
    out = []
    for image in images:
        top = int(torch.randint(height - size + 1, (), generator=generator))
        left = int(torch.randint(width - size + 1, (), generator=generator))
        square = image[:, top : top + size, left : left + size]  # 3 size size
        out.append(square.flip(-1) if torch.rand((), generator=generator) < 0.5 else square)
    return torch.stack(out)


def random_crops(size: int) -> Callable[[Tensor, int, torch.Generator], Tensor]:
    """Return what draws (images, count, generator) -> random crops of `size` pixels of a uint8 set,
    mirrored half of the time, as floats (count, 3, size, size) in [-1, 1].
    """

    def draw(images: Tensor, count: int, generator: torch.Generator) -> Tensor:
        rows = torch.randint(len(images), (count,), generator=generator)
        return to_float(crop_flip(images[rows], size, generator))

    return draw


def centre_crop(images: Tensor, size: int) -> Tensor:
    """Return the middle `size` x `size` pixels of images (..., H, W)."""
    top = (images.shape[-2] - size) // 2
    left = (images.shape[-1] - size) // 2
    return images[..., top : top + size, left : left + size]
