"""Attention to a text: image tokens ask, words answer; and
one learned question that makes a whole text one vector.

Texts of different lengths are padded; what is padding gets a mask of minus infinity.
"""

import math
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from varbook.transformer.attention import attend


def half(x: Tensor) -> Tensor:
    """Return x rounded to bfloat16 (eight bits of mantissa), in its own type."""
    return x.bfloat16().to(x.dtype)


def attend_rounded(q: Tensor, k: Tensor, v: Tensor, scale: float, mask: Tensor) -> Tensor:
    """Return softmax(scale * q k^T + mask) v for (B, heads, L, D)
    as the fused kernels of bfloat16 compute it.

    Rounded are q, k and v, the exponentials that meet v
    (not their sum), and the result; sums are kept in float32.
    """
    q, k, v = half(q), half(k), half(v)
    if q.device.type != "cpu":
        short_q, short_k, short_v, short_mask = (x.bfloat16() for x in (q, k, v, mask))
        out = F.scaled_dot_product_attention(
            short_q, short_k, short_v, attn_mask=short_mask, scale=scale
        )
        return out.to(q.dtype)
    scores = scale * (q @ k.transpose(-2, -1)) + mask  # B H L T
    shares = (scores - scores.amax(-1, keepdim=True)).exp()
    return half((half(shares) @ v) / shares.sum(-1, keepdim=True))


class Text(NamedTuple):
    """The words of a batch of texts as one cross-attention layer sees them."""

    keys: Tensor  # B heads T D
    values: Tensor  # B heads T D
    mask: Tensor  # B 1 1 T: 0 where there is a word, minus infinity where there is none


class CrossAttention(nn.Module):
    """Plain scaled attention from queries (B, L, C) to the words of a text (Infinity).

    With `pool` one learned query asks in place of the image tokens. `rounded`: as in bfloat16,
    which the published code asks for.
    """

    def __init__(
        self, width: int, heads: int, channels: int, *, pool: bool = False, rounded: bool = False
    ):
        super().__init__()
        self.heads = heads
        self.rounded = rounded
        self.mat_q: nn.Parameter | nn.Linear
        if pool:
            self.mat_q = nn.Parameter(torch.empty(1, heads, width // heads))
            nn.init.trunc_normal_(self.mat_q, std=math.sqrt(1 / width / 3))
        else:
            self.mat_q = nn.Linear(width, width)
        self.mat_kv = nn.Linear(channels, 2 * width, bias=False)
        # Keys have none: it would not change the softmax.
        self.v_bias = nn.Parameter(torch.zeros(width))
        self.proj = nn.Linear(width, width)

    def read(self, words: Tensor, mask: Tensor) -> Text:
        """Return keys and values for words (B, T, channels) and their mask (B, 1, 1, T); a text is
        read once for all scales.
        """
        bias = torch.cat((torch.zeros_like(self.v_bias), self.v_bias))
        both = F.linear(words, self.mat_kv.weight, bias)  # B T 2C
        both = both.unflatten(-1, (2, self.heads, -1))  # B T 2 H D
        keys, values = both.permute(2, 0, 3, 1, 4).unbind(0)  # B H T D each
        return Text(keys, values, mask)

    def forward(self, x: Tensor | None, text: Text) -> Tensor:
        """Return what the text answers to x (B, L, C) -> (B, L, C),
        or to the learned query (x None) -> (B, 1, C).
        """
        if x is None:
            q = cast(Tensor, self.mat_q)[:, :, None].expand(len(text.keys), -1, -1, -1)  # B H 1 D
        else:
            q = (
                cast(nn.Linear, self.mat_q)(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            )  # B H L D
        out = (attend_rounded if self.rounded else attend)(
            q, text.keys, text.values, 1 / math.sqrt(q.shape[-1]), text.mask
        )
        return self.proj(out.transpose(1, 2).flatten(2))


class TextPool(nn.Module):
    """One vector (B, C) out of the words of a text, by one
    learned query: it starts the sequence and steers the norms.
    """

    def __init__(self, width: int, channels: int, heads: int, *, rounded: bool = False):
        super().__init__()
        self.ca = CrossAttention(width, heads, channels, pool=True, rounded=rounded)

    def forward(self, words: Tensor, mask: Tensor) -> Tensor:
        """Map words (B, T, channels) with their mask (B, 1, 1, T) -> (B, C)."""
        return self.ca(None, self.ca.read(words, mask))[:, 0]
