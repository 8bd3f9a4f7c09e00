"""A small convolutional encoder and decoder that do almost no work at
full resolution, where most of a CPU's time would go.

Pixels are folded into channels before the first convolution and unfolded after the last one. An
unfolded picture shows the folding as a grid, one period a patch, since each pixel of a patch has
weights of its own. With `full` the decoder interpolates instead, and its last layers treat all
pixels alike.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """x + conv(silu(norm(conv(silu(norm(x))))))."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm1, self.conv1 = (
            nn.GroupNorm(8, channels),
            nn.Conv2d(channels, channels, 3, padding=1),
        )
        self.norm2, self.conv2 = (
            nn.GroupNorm(8, channels),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) -> (B, C, H, W)."""
        h = self.conv1(F.silu(self.norm1(x)))
        return x + self.conv2(F.silu(self.norm2(h)))


class Encoder(nn.Module):
    """Image (B, 3, H, W) -> features (B, C, H / stride, W / stride), stride = patch * 2 ** (levels
    - 1).
    """

    def __init__(
        self,
        channels: tuple[int, ...],
        patch: int,
        blocks: int,
        out_channels: int,
        *,
        line: bool = True,
    ):
        super().__init__()
        layers: list[nn.Module] = [
            nn.PixelUnshuffle(patch),
            nn.Conv2d(3 * patch * patch, channels[0], 3, padding=1),
        ]
        for level, width in enumerate(channels):
            if level:
                layers.append(nn.Conv2d(channels[level - 1], width, 3, stride=2, padding=1))
            layers += [ResidualBlock(width) for _ in range(blocks)]
        layers += [
            nn.GroupNorm(8, channels[-1]),
            nn.SiLU(),
            nn.Conv2d(channels[-1], out_channels, 3, padding=1),
        ]
        self.layers = nn.Sequential(*layers)
        # A linear skip path per patch of pixels, so that the layers only learn the non-linear rest.
        stride = patch * 2 ** (len(channels) - 1)
        self.line = nn.Conv2d(3, out_channels, stride, stride=stride) if line else None

    def forward(self, image: Tensor) -> Tensor:
        """Encode an image in [-1, 1]."""
        return self.layers(image) if self.line is None else self.line(image) + self.layers(image)


def smooth_line(in_channels: int, stride: int) -> nn.Module:
    """Return a linear map of features (B, C, h, w) to an image (B, 3, h * stride, w * stride) that
    leaves no trace of the cells' borders: colours at the features' size, then interpolated.
    """
    return nn.Sequential(
        nn.Conv2d(in_channels, 3, 3, padding=1), nn.Upsample(scale_factor=stride, mode="bicubic")
    )


class Decoder(nn.Module):
    """Features (B, C, h, w) -> image (B, 3, h * stride, w * stride), the mirror of `Encoder` with
    one block more a level.

    With `full` > 0 the last features are interpolated to the image's own resolution, where two
    3 x 3 convolutions, of 2 * full and of full channels, make the colours; with 0 the pixels are
    unfolded straight from the channels.
    """

    def __init__(
        self,
        channels: tuple[int, ...],
        patch: int,
        blocks: int,
        in_channels: int,
        *,
        line: bool = True,
        full: int = 0,
    ):
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(in_channels, channels[-1], 3, padding=1)]
        for level in reversed(range(len(channels))):
            layers += [ResidualBlock(channels[level]) for _ in range(blocks + 1)]
            if level:
                layers += [
                    nn.Conv2d(channels[level], channels[level - 1], 3, padding=1),
                    nn.Upsample(scale_factor=2),
                ]
        layers += [nn.GroupNorm(8, channels[0]), nn.SiLU()]
        if full:
            layers += [
                nn.Conv2d(channels[0], 2 * full, 3, padding=1),
                nn.Upsample(scale_factor=patch, mode="bilinear"),
                *(nn.SiLU(), nn.Conv2d(2 * full, full, 3, padding=1)),
                *(nn.SiLU(), nn.Conv2d(full, 3, 3, padding=1)),
            ]
        else:
            unfolded = nn.Conv2d(channels[0], 3 * patch * patch, 3, padding=1)
            layers += [unfolded, nn.PixelShuffle(patch)]
        self.layers = nn.Sequential(*layers)
        stride = patch * 2 ** (len(channels) - 1)
        self.line: nn.Module | None = None
        if line and full:
            self.line = smooth_line(in_channels, stride)
        elif line:
            self.line = nn.ConvTranspose2d(in_channels, 3, stride, stride=stride)

    def forward(self, f: Tensor) -> Tensor:
        """Decode features; the result is near [-1, 1] but not clamped."""
        return self.layers(f) if self.line is None else self.line(f) + self.layers(f)
