"""The losses of unpaired translation (CycleVAR section 3.4), each one line of mathematics."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from varbook import processes


def reconstruction(
    x: Tensor,
    y: Tensor,
    l1: float,
    perceptual: float,
    distance: Callable[[Tensor, Tensor], Tensor] | None,
) -> Tensor:
    """Return l1 * |x - y| + perceptual * distance(x, y), both means over the batch: the distance of
    CycleVAR eqs. 13 and 15.

    The paper says "L1 and LPIPS" for eq. 15; eq. 13 is not legible and follows CycleGAN-Turbo,
    which uses the same pair.
    """
    loss = l1 * F.l1_loss(x, y)
    if distance is not None and perceptual:
        loss = loss + perceptual * distance(x, y).mean()
    return loss


def keep(translation: Tensor, source: Tensor, up_to: float) -> Tensor:
    """Return the mean of min(|translation - source|, up_to) over images (B, 3, H, W) and pixels
    (ours, not the papers').

    Without it the model can hide information about the source in faint tints of the background
    (steganography), which tell the backward translation which coat to paint. Small differences cost, so the
    background stays; large ones cost no more, so the coat is free to change.
    """
    return (translation - source).abs().mean(1).clamp_max(up_to).mean()


def noisy(images: Tensor, deviation: float, generator: torch.Generator | None = None) -> Tensor:
    """Return `images` (B, 3, H, W) plus Gaussian noise of standard deviation `deviation` (0: as
    they are), in units of [-1, 1].
    """
    if not deviation:
        return images
    return images + deviation * processes.drawn(torch.randn, images.shape, generator).to(
        images.device
    )


@torch.no_grad()
def update_average(average: torch.nn.Module, model: torch.nn.Module, decay: float) -> None:
    """Move the weights of `average` towards those of `model` by 1 - decay."""
    for a, b in zip(average.parameters(), model.parameters(), strict=True):
        a.lerp_(b.to(a.dtype), 1 - decay)
