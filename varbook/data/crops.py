"""Random crops and mirroring for photographs (CycleVAR section 4.1: 286 pixels, crops of 256)."""

import torch
from torch import Tensor

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
