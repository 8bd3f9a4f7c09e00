"""How much of an image a tokenizer keeps: PSNR, and a table over the scales of a pyramid."""

from collections.abc import Sequence

import torch
from torch import Tensor

from varbook.errors import VarbookError
from varbook.evaluate.image_checks import same_shape, to_unit

# Equal images have an infinite PSNR; 8 bits cannot show more than this, and a finite number can be
# averaged.
HIGHEST = 100.0


def psnr(a: Tensor, b: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return the PSNR (N,) in dB, at peak 1, of images (N, 3, H, W), uint8 or in [-1, 1].

    Over the pixels of `mask` (N, H, W) alone where one is given. At most 100 dB; NaN where an
    image's mask is empty.
    """
    a = to_unit(a)
    b = to_unit(b)
    same_shape(a, b)
    error = (a - b).square().mean(dim=1)  # N H W
    if mask is None:
        mean = error.mean(dim=(1, 2))
    else:
        same_shape(error, mask, "error maps and masks")
        inside = mask.to(error.dtype)
        # 0 / 0 is NaN: no pixels, no answer.
        mean = (error * inside).sum(dim=(1, 2)) / inside.sum(dim=(1, 2))
    return -10 * torch.log10(mean.clamp(min=10 ** (-HIGHEST / 10)))


def perceptual(a: Tensor, b: Tensor, distance: torch.nn.Module, batch: int = 32) -> Tensor:
    """Return the perceptual `distance` (N,) between images (N, 3, H, W), uint8 or in [-1, 1]."""
    same_shape(a, b)
    device = next(distance.parameters()).device
    with torch.no_grad():
        pairs = zip(a.split(batch), b.split(batch), strict=True)
        distances = [
            distance(to_unit(x).to(device) * 2 - 1, to_unit(y).to(device) * 2 - 1).cpu()
            for x, y in pairs
        ]
    return torch.cat(distances)


def table_per_scale(
    images: Tensor,
    reconstructions: Sequence[Tensor],
    schedule: Sequence[tuple[int, int]],
    distance: torch.nn.Module | None = None,
) -> list[dict]:
    """Return one row per scale: its size, its tokens, the mean PSNR in dB and the mean `distance`.

    `reconstructions[k]` are images (N, 3, H, W) decoded from scales 1 to k+1, or from scale k+1
    alone,
    as the caller says.
    """
    if len(reconstructions) != len(schedule):
        raise VarbookError(
            f"There are {len(reconstructions)} reconstructions for {len(schedule)} scales; give one each."
        )
    rows = []
    for (height, width), decoded in zip(schedule, reconstructions, strict=True):
        row = {
            "scale": f"{height}x{width}",
            "tokens": height * width,
            "psnr": psnr(images, decoded).mean().item(),
        }
        if distance is not None:
            row[str(distance.name)] = perceptual(images, decoded, distance).mean().item()
        rows.append(row)
    return rows
