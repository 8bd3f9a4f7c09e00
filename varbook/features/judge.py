"""The toy world's judge: sees which animal an image shows, horse or zebra, and where it is.

It only measures. Were it part of a generator's training loss, its verdict would prove nothing.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from varbook.errors import VarbookError

VERSION = 1


@dataclass(frozen=True)
class JudgeConfig:
    """Size of the judge; `species` are its classes in label order and include both `domains`."""

    species: tuple[str, ...]
    domains: tuple[str, ...] = ("horse", "zebra")
    # Channels at a half, a quarter and an eighth of the image's size.
    widths: tuple[int, int, int] = (24, 48, 96)
    neck: int = 24  # channels of the silhouette's path back up


@dataclass(frozen=True)
class Verdict:
    """Logits of the judge for B images: species (B, S), domain (B, D), silhouette (B, H, W)."""

    species: Tensor
    domain: Tensor
    silhouette: Tensor


def stage(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """Return a convolution with norm and ReLU."""
    # Batch norm rather than group norm: it costs half as much on a CPU, and nothing once the judge
    # is frozen.
    convolution = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class Judge(nn.Module):
    """Small CNN with three heads; input (B, 3, H, W) in [-1, 1] with H, W >= 16, output a Verdict."""

    distance, score = "FD-toy", "IS-toy"  # what measures on its features are called
    outlines = True  # does it see where the animal is?

    def __init__(self, config: JudgeConfig):
        super().__init__()
        missing = [name for name in config.domains if name not in config.species]
        if missing:
            raise VarbookError(
                f"The judge's species lack {', '.join(missing)}; every domain has to be a species."
            )
        self.config = config
        half, quarter, eighth = config.widths
        self.down2 = stage(3, half, 2)
        self.down4 = nn.Sequential(stage(half, quarter, 2), stage(quarter, quarter))
        self.down8 = nn.Sequential(stage(quarter, eighth, 2), stage(eighth, eighth))
        self.lateral8 = nn.Conv2d(eighth, config.neck, 1)
        self.lateral4 = nn.Conv2d(quarter, config.neck, 1)
        self.lateral2 = nn.Conv2d(half, config.neck, 1)
        self.smooth4 = stage(config.neck, config.neck)
        self.smooth2 = stage(config.neck, config.neck)
        # Four logits a place, spread over 2 x 2 pixels: a sharp silhouette without any work at full
        # resolution.
        self.silhouette = nn.Conv2d(config.neck, 4, 3, padding=1)
        self.species = nn.Linear(2 * eighth, len(config.species))
        self.domain = nn.Linear(2 * eighth, len(config.domains))

    def maps(self, images: Tensor) -> list[Tensor]:
        """Return the maps at 1/2, 1/4 and 1/8 of the size of images (B, 3, H, W) in [-1, 1]."""
        if images.ndim != 4 or images.shape[1] != 3 or min(images.shape[2:]) < 16:
            raise VarbookError(
                f"The judge looks at (B, 3, H, W) with 16 pixels or more a side, not {tuple(images.shape)}."
            )
        half = self.down2(images.contiguous(memory_format=torch.channels_last))  # B C H/2 W/2
        quarter = self.down4(half)
        return [half, quarter, self.down8(quarter)]

    def features(self, images: Tensor) -> Tensor:
        """Return the pooled vector (B, F) behind FD-toy, for images (B, 3, H, W) in [-1, 1]."""
        return torch.cat([level.mean(dim=(2, 3)) for level in self.maps(images)[1:]], dim=1)  # B F

    def forward(self, images: Tensor) -> Verdict:
        half, quarter, eighth = self.maps(images)
        pooled = torch.cat([eighth.mean(dim=(2, 3)), eighth.amax(dim=(2, 3))], dim=1)  # B 2C
        x = F.interpolate(self.lateral8(eighth), size=quarter.shape[2:], mode="nearest")
        x = self.smooth4(x + self.lateral4(quarter))
        x = F.interpolate(x, size=half.shape[2:], mode="nearest")
        x = self.silhouette(self.smooth2(x + self.lateral2(half)))  # B 4 H/2 W/2
        x = F.pixel_shuffle(x, 2)[:, 0]  # B H W
        # An odd side was rounded up on the way down.
        silhouette = x[:, : images.shape[2], : images.shape[3]]
        return Verdict(self.species(pooled), self.domain(pooled), silhouette)
