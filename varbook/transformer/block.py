"""One transformer block, steered by the condition through adaptive layer norm (AdaLN)."""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from varbook.transformer.attention import Group, KeyValueCache, RotaryLayout, SelfAttention
from varbook.transformer.cross import CrossAttention, Text
from varbook.transformer.kernels import SteeredNorm
from varbook.transformer.mamba import MambaMixer, ScanMemory


class Modulation(NamedTuple):
    """What the condition sets in one block: (B, 1, C) each, and a text that is read."""

    gate1: Tensor  # of attention's answer
    gate2: Tensor  # of the feed-forward layer's
    scale1: Tensor  # of the norm before attention
    scale2: Tensor  # of the norm before the feed-forward layer
    shift1: Tensor
    shift2: Tensor
    text: Text | None = None  # keys and values for `cross`, where there is a text


class FeedForward(nn.Module):
    """Two linear layers with a GELU between, four times as wide inside."""

    def __init__(self, width: int, ratio: int = 4):
        super().__init__()
        self.fc1 = nn.Linear(width, ratio * width)
        self.fc2 = nn.Linear(ratio * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, L, C) -> (B, L, C)."""
        return self.fc2(F.gelu(self.fc1(x), approximate="tanh"))


def steer(norm: nn.LayerNorm, x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """Return shift + norm(x) * (1 + scale), (B, L, C), for a shift and a scale (B, 1, C): AdaLN."""
    if x.device.type == "cpu" and torch.is_grad_enabled():
        return SteeredNorm.apply(x, shift, scale, norm.eps)
    return torch.addcmul(shift, norm(x), 1 + scale)


class Block(nn.Module):
    """Attention and feed-forward, each behind a norm whose
    scale, shift and gate come from the condition.

    `mixer` takes attention's place where it is given (Mamba: chapter 07); `cross` is attention to a
    text, between the two (Infinity: chapter 11).
    """

    def __init__(
        self,
        width: int,
        heads: int,
        *,
        cosine: bool = True,
        mixer: SelfAttention | MambaMixer | None = None,
        cross: CrossAttention | None = None,
        shared_adaln: bool = False,
    ):
        super().__init__()
        self.attn: SelfAttention | MambaMixer = mixer or SelfAttention(width, heads, cosine=cosine)
        if cross is not None:
            self.ca = cross
            self.ca_norm = nn.LayerNorm(width, eps=1e-6)
        self.ffn = FeedForward(width)
        self.norm = nn.LayerNorm(width, eps=1e-6, elementwise_affine=False)
        if shared_adaln:
            # The network has one layer for all blocks, a block only what it adds to its six vectors.
            self.ada_gss = nn.Parameter(torch.randn(1, 1, 6, width) / math.sqrt(width))
        else:
            self.ada_lin = nn.Sequential(nn.SiLU(), nn.Linear(width, 6 * width))

    def modulation(
        self, condition: Tensor, text: tuple[Tensor, Tensor] | None = None
    ) -> Modulation:
        """Return two gates, two scales and two shifts (B, 1, C) for a condition (B, C).

        With `shared_adaln` the condition is what the shared layer made of it, (B, 1, 6, C). `text`
        is the words (B, T, C) and their mask: what `cross` reads of them comes along.
        """
        if condition.ndim == 4:
            six = (self.ada_gss + condition).unbind(2)
        else:
            six = self.ada_lin(condition)[:, None].chunk(6, -1)
        gate1, gate2, scale1, scale2, shift1, shift2 = six
        read = self.ca.read(*text) if text else None
        return Modulation(gate1, gate2, scale1, scale2, shift1, shift2, read)

    def forward(
        self,
        x: Tensor,
        modulation: Modulation,
        layout: list[Group] | RotaryLayout | Tensor | None,
        cache: KeyValueCache | ScanMemory | None = None,
    ) -> Tensor:
        """Map (B, L, C) -> (B, L, C); `layout` is what the mixer must know of the sequence:
        attention's groups, Mamba's order.
        """
        gate1, gate2, scale1, scale2, shift1, shift2, text = modulation
        steered = steer(self.norm, x, shift1, scale1)
        # addcmul(a, b, c) = a + b * c in one pass over the memory
        x = torch.addcmul(x, gate1, self.attn(steered, layout, cache))
        if text is not None:
            x = x + self.ca(self.ca_norm(x), text)
        steered = steer(self.norm, x, shift2, scale2)
        return torch.addcmul(x, gate2, self.ffn(steered))


class HeadNorm(nn.Module):
    """The last norm, with scale and shift from the condition."""

    def __init__(self, width: int):
        super().__init__()
        self.norm = nn.LayerNorm(width, eps=1e-6, elementwise_affine=False)
        self.ada_lin = nn.Sequential(nn.SiLU(), nn.Linear(width, 2 * width))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Map (B, L, C) with a condition (B, C) -> (B, L, C)."""
        scale, shift = self.ada_lin(condition)[:, None].chunk(2, -1)
        return steer(self.norm, x, shift, scale)
