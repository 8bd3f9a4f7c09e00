"""The autoencoder of VQGAN, as VAR, LlamaGen and FlexVAR
published it: the large alternative to `autoencoder`.

It works at full resolution, halves the map from level
to level, and attends where the map is smallest.
"""

import torch.nn.functional as F
from torch import Tensor, nn


def norm(channels: int) -> nn.GroupNorm:
    """Return the norm that stands before every convolution."""
    return nn.GroupNorm(32, channels, eps=1e-6)


class ResBlock(nn.Module):
    """x + conv(silu(norm(conv(silu(norm(x)))))), with a 1 x 1
    convolution on x where the number of channels changes.
    """

    def __init__(self, inputs: int, channels: int):
        super().__init__()
        self.norm1, self.conv1 = norm(inputs), nn.Conv2d(inputs, channels, 3, padding=1)
        self.norm2, self.conv2 = norm(channels), nn.Conv2d(channels, channels, 3, padding=1)
        self.nin_shortcut = nn.Conv2d(inputs, channels, 1) if inputs != channels else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) -> (B, channels, H, W)."""
        h = self.conv1(F.silu(self.norm1(x)))
        return self.nin_shortcut(x) + self.conv2(F.silu(self.norm2(h)))


class MapAttention(nn.Module):
    """Every place of a map attends to every other, with one head."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm = norm(channels)
        self.qkv, self.proj_out = (
            nn.Conv2d(channels, 3 * channels, 1),
            nn.Conv2d(channels, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) -> (B, C, H, W)."""
        q, k, v = (
            self.qkv(self.norm(x)).flatten(2).transpose(1, 2)[:, None].chunk(3, -1)
        )  # each B 1 H*W C
        seen = F.scaled_dot_product_attention(q, k, v)[:, 0]  # B H*W C
        return x + self.proj_out(seen.transpose(1, 2).reshape(x.shape))


class Downsample(nn.Module):
    """Half the height and width: a 3 x 3 convolution of
    stride 2 whose only padding is to the right and below.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) -> (B, C, H / 2, W / 2)."""
        return self.conv(F.pad(x, (0, 1, 0, 1)))


class Upsample(nn.Module):
    """Twice the height and width: every value four times, then a 3 x 3 convolution."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) -> (B, C, 2 H, 2 W)."""
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class Level(nn.Module):
    """Residual blocks at one resolution, each followed by an attention where `attention` is set,
    then a change of size.
    """

    def __init__(
        self, inputs: int, channels: int, blocks: int, *, attention: bool, resample: nn.Module
    ):
        super().__init__()
        self.res = nn.ModuleList(
            ResBlock(channels if n else inputs, channels) for n in range(blocks)
        )
        self.attn = nn.ModuleList(
            MapAttention(channels) if attention else nn.Identity() for _ in range(blocks)
        )
        self.resample = resample

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) -> (B, channels, H', W')."""
        for res, attn in zip(self.res, self.attn, strict=True):
            x = attn(res(x))
        return self.resample(x)


def middle(channels: int, attention: bool) -> nn.Sequential:
    """Return what stands between the levels and the features:
    block, attention (where there is one), block.
    """
    seen = MapAttention(channels) if attention else nn.Identity()
    return nn.Sequential(ResBlock(channels, channels), seen, ResBlock(channels, channels))


class VqganEncoder(nn.Module):
    """Image (B, 3, H, W) -> features (B, C, H / stride, W / stride), stride = 2 ** (levels - 1)."""

    def __init__(
        self, channels: tuple[int, ...], blocks: int, out_channels: int, *, attention: bool = True
    ):
        super().__init__()
        last, inputs = len(channels) - 1, (channels[0], *channels)
        self.conv_in = nn.Conv2d(3, channels[0], 3, padding=1)
        self.levels = nn.ModuleList(
            Level(
                inputs[n],
                width,
                blocks,
                attention=attention and n == last,
                resample=nn.Identity() if n == last else Downsample(width),
            )
            for n, width in enumerate(channels)
        )
        self.mid = middle(channels[-1], attention)
        self.norm_out, self.conv_out = (
            norm(channels[-1]),
            nn.Conv2d(channels[-1], out_channels, 3, padding=1),
        )

    def forward(self, image: Tensor) -> Tensor:
        """Encode an image in [-1, 1]."""
        x = self.conv_in(image)
        for level in self.levels:
            x = level(x)
        return self.conv_out(F.silu(self.norm_out(self.mid(x))))


class VqganDecoder(nn.Module):
    """Features (B, C, h, w) -> image (B, 3, h * stride, w * stride), the mirror of the encoder with
    one block more a level.
    """

    def __init__(
        self, channels: tuple[int, ...], blocks: int, in_channels: int, *, attention: bool = True
    ):
        super().__init__()
        coarse_to_fine = channels[::-1]
        last, inputs = len(channels) - 1, (channels[-1], *coarse_to_fine)
        self.conv_in = nn.Conv2d(in_channels, channels[-1], 3, padding=1)
        self.mid = middle(channels[-1], attention)
        self.levels = nn.ModuleList(
            Level(
                inputs[n],
                width,
                blocks + 1,
                attention=attention and n == 0,
                resample=nn.Identity() if n == last else Upsample(width),
            )
            for n, width in enumerate(coarse_to_fine)
        )
        self.norm_out, self.conv_out = norm(channels[0]), nn.Conv2d(channels[0], 3, 3, padding=1)

    def forward(self, f: Tensor) -> Tensor:
        """Decode features; the result is near [-1, 1] but not clamped."""
        x = self.mid(self.conv_in(f))
        for level in self.levels:
            x = level(x)
        return self.conv_out(F.silu(self.norm_out(x)))
