"""Block-causal attention: a token sees its own scale and every coarser one.

A scale's keys are a prefix of the sequence, so nothing needs masking:
each scale's queries meet the prefix that ends with the scale. Only the
smallest scales are taken together, with a small mask, to save calls.
`attend` is one such meeting, `attend_prefixes` all of them.
"""

import math
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from varbook.tokenizer.schedule import Schedule, scale_slices
from varbook.transformer.kernels import (
    Group,
    Lengthen,
    ProductPrefixes,
    attend_by_products,
    cpu_kernel,
    like,
)
from varbook.transformer.positions import rotate


class KeyValueCache:
    """Keys and values of the scales generated so far, for one attention layer; `angles` (L, D / 2)
    of all scales to come.
    """

    def __init__(self, angles: Tensor | None = None):
        self.keys: Tensor | None = None
        self.values: Tensor | None = None
        self.angles = angles

    def angles_of_next(self, length: int) -> Tensor:
        """Return the angles (length, D / 2) of the tokens that come next."""
        start = 0 if self.keys is None else self.keys.shape[2]
        assert self.angles is not None  # a model with rotary positions makes its caches with them
        return self.angles[start : start + length]

    def append(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Add the keys and values (B, heads, L, D) of a
        new scale and return those of all scales so far.
        """
        if self.keys is not None and self.values is not None:
            keys = torch.cat((self.keys, keys), 2)  # B H L D
            values = torch.cat((self.values, values), 2)  # B H L D
        self.keys = keys
        self.values = values
        return keys, values


class RotaryLayout(NamedTuple):
    """What attention with rotary positions must know of the sequence: the groups, and the angles
    (L, D / 2) of its tokens.
    """

    groups: list[Group]
    angles: Tensor


def scale_groups(
    schedule: Schedule, device: torch.device | str = "cpu", merge: int = 91
) -> list[Group]:
    """Split the token sequence into groups (start, stop, mask):
    queries start:stop attend to keys 0:stop.

    Scales that end within the first `merge` tokens form one group with an additive mask (stop,
    stop); the others have one group each and need none.
    """
    groups: list[Group] = []
    slices = scale_slices(schedule)
    small = [s for s in slices if s.stop <= merge]
    if len(small) > 1:
        scale_of = torch.cat(
            [torch.full((s.stop - s.start,), k, device=device) for k, s in enumerate(small)]
        )
        later = scale_of[None, :] > scale_of[:, None]  # query i, key j: is j on a finer scale?
        mask = torch.zeros(later.shape, device=device).masked_fill(later, -math.inf)
        groups.append((0, small[-1].stop, mask))
        slices = slices[len(small) :]
    return groups + [(s.start, s.stop, None) for s in slices]


def on_cpu(q: Tensor) -> bool:
    """Return whether attention is computed on a CPU now, and not exported for elsewhere."""
    return q.device.type == "cpu" and not torch.compiler.is_compiling()


def attend(q: Tensor, k: Tensor, v: Tensor, scale: float, mask: Tensor | None = None) -> Tensor:
    """Return softmax(scale * q k^T + mask) v for (B, heads, L, D) queries, keys and values; the mask
    (L, L) is that of all, or (B, 1, 1, L) of each picture.
    """
    shared = mask is None or mask.ndim == 2
    learns = torch.is_grad_enabled() and any(part.requires_grad for part in (q, k, v))
    by_products = cpu_kernel(v.dtype) is ProductPrefixes and not learns
    if on_cpu(q) and shared and by_products:
        return attend_by_products(q, k, v, scale, mask)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=like(mask, q), scale=scale)


def attend_prefixes(q: Tensor, k: Tensor, v: Tensor, scale: float, groups: list[Group]) -> Tensor:
    """Return `attend` of every group's queries to its prefix of the keys, (B, heads, L, D)."""
    q, k = q.to(v.dtype), k.to(v.dtype)
    if on_cpu(q) and torch.is_grad_enabled() and q.requires_grad:
        return cpu_kernel(q.dtype).apply(q, k, v, scale, groups)
    answers = [attend(q[:, :, a:b], k[:, :, :b], v[:, :, :b], scale, mask) for a, b, mask in groups]
    return torch.cat(answers, 2)  # B H L D


class SelfAttention(nn.Module):
    """Multi-head attention with normalised queries and keys,
    or plain scaled ones (`cosine=False`), as in VAR.

    With `rotary` queries and keys are rotated by the angles of their places, as in Infinity.
    """

    zero_k_bias: Tensor

    def __init__(self, width: int, heads: int, *, cosine: bool = True, rotary: bool = False):
        super().__init__()
        self.heads = heads
        self.cosine = cosine
        self.rotary = rotary
        self.scale = 1.0 if cosine else 0.25 / math.sqrt(width // heads)
        if cosine:
            # A learned sharpness per head, kept below 100: with unit vectors the scores cannot grow
            # otherwise.
            self.scale_mul_1H11 = nn.Parameter(torch.full((1, heads, 1, 1), math.log(4.0)))
        self.mat_qkv = nn.Linear(width, 3 * width, bias=False)
        # Keys have no bias: it would add the same to all scores of a query, which the softmax ignores.
        self.q_bias = nn.Parameter(torch.zeros(width))
        self.v_bias = nn.Parameter(torch.zeros(width))
        self.register_buffer("zero_k_bias", torch.zeros(width))
        self.proj = nn.Linear(width, width)

    def forward(
        self,
        x: Tensor,
        layout: list[Group] | RotaryLayout | None,
        cache: KeyValueCache | None = None,
    ) -> Tensor:
        """Attend within x (B, L, C) by the groups of `layout`, or, with a `cache`, from the new
        scale x to all scales so far.
        """
        B, L, C = x.shape
        bias = torch.cat((self.q_bias, self.zero_k_bias, self.v_bias))
        qkv = F.linear(x, self.mat_qkv.weight, bias)  # B L 3C
        parts = qkv.view(B, L, 3, self.heads, C // self.heads).permute(2, 0, 3, 1, 4)
        # One copy here saves several behind: all that follows goes head by head.
        q, k, v = parts.contiguous()  # each B H L D
        if self.cosine:
            q = Lengthen.apply(q, self.scale_mul_1H11.clamp_max(math.log(100.0)).exp())
            k = Lengthen.apply(k, k.new_ones(1, dtype=torch.float32))
        if self.rotary:
            known = cast(RotaryLayout, layout)  # what a model with rotary positions passes
            angles = known.angles if cache is None else cache.angles_of_next(L)
            q, k = rotate(q, angles), rotate(k, angles)
        if cache is not None:
            out = attend(q, *cache.append(k, v), self.scale)
        else:
            groups = layout.groups if isinstance(layout, RotaryLayout) else layout or []
            out = attend_prefixes(q, k, v, self.scale, groups)  # B H L D
        return self.proj(out.transpose(1, 2).reshape(B, L, C))
