"""Mamba in attention's place: the part of a block that
lets tokens depend on one another (FlexVAR section 7).

Attention looks back at every token; Mamba keeps a state of fixed size
and walks. Along one path a token hears only of those before it, so the
layers take eight paths in turn. Scales always come coarse to fine.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from varbook.errors import VarbookError
from varbook.tokenizer.schedule import Schedule
from varbook.transformer.scan import selective_scan
from varbook.transformer.scan_paths import undo, zigzag


class ScanMemory:
    """What one layer carries from scale to scale while it samples: state, last inputs, and the
    paths of the scales to come.
    """

    def __init__(self, schedule: Schedule, path: int):
        self.coming = [(size, zigzag(size, path)) for size in schedule]
        self.state: Tensor | None = None  # B D N
        self.recent: Tensor | None = None  # B kernel-1 D

    def next_order(self, tokens: int) -> Tensor:
        """Return the path over the next scale, which must have
        `tokens` tokens; VarbookError where it has not.
        """
        if not self.coming or len(self.coming[0][1]) != tokens:
            due = "no scale" if not self.coming else f"one of {self.coming[0][0]}"
            raise VarbookError(
                f"{tokens} tokens came where {due} was due: give `new_caches` the schedule that is generated."
            )
        return self.coming.pop(0)[1]


class MambaMixer(nn.Module):
    """The selective state space layer of Mamba: widen, look at four neighbours, scan, gate, narrow."""

    def __init__(self, width: int, *, path: int, state: int = 16, expand: int = 2, kernel: int = 4):
        super().__init__()
        inner = expand * width
        rank = max(width // 16, 1)
        self.path = path
        self.inner = inner
        self.rank = rank
        self.state_size = state
        self.kernel = kernel
        self.in_proj = nn.Linear(width, 2 * inner, bias=False)  # the signal and its gate
        self.conv = nn.Parameter(torch.empty(inner, 1, kernel).uniform_(-1, 1) / math.sqrt(kernel))
        self.conv_bias = nn.Parameter(torch.zeros(inner))
        # dt (of low rank), B and C depend on the input: that makes the scan selective.
        self.select = nn.Linear(inner, rank + 2 * state, bias=False)
        self.dt_proj = nn.Linear(rank, inner, bias=False)
        # Mamba's start: steps between 0.001 and 0.1, decays of 1 to N per unit of time.
        steps = torch.exp(torch.empty(inner).uniform_(math.log(1e-3), math.log(1e-1)))
        self.dt_bias = nn.Parameter(steps + torch.log(-torch.expm1(-steps)))  # inverse of softplus
        decays = torch.arange(1, state + 1).float()
        self.A_log = nn.Parameter(decays.log().repeat(1, inner, 1))  # 1 D N
        self.skip = nn.Parameter(torch.ones(inner))
        self.proj = nn.Linear(inner, width)

    def forward(self, x: Tensor, order: Tensor | None, memory: ScanMemory | None = None) -> Tensor:
        """Map tokens (B, L, C) -> (B, L, C), walking in `order` (L,), or with a `memory` over the
        next scale of its schedule.
        """
        if memory is not None:
            order = memory.next_order(x.shape[1])
        assert order is not None  # the model passes one of the two
        order = order.to(x.device)
        u, gate = self.in_proj(x[:, order]).chunk(2, -1)  # B L D, along the path
        u = F.silu(self.look_back(u, memory))
        # Long products of decays need the digits of float32.
        with torch.autocast(x.device.type, enabled=False):
            y = self.scan(u.float(), memory)
        return self.proj(y.to(gate.dtype) * F.silu(gate))[:, undo(order)]  # B L C

    def look_back(self, u: Tensor, memory: ScanMemory | None) -> Tensor:
        """Mix each token (B, L, D) with the three before it on the path, channel by channel."""
        before = u.new_zeros(len(u), self.kernel - 1, self.inner)
        if memory is not None and memory.recent is not None:
            before = memory.recent
        longer = torch.cat((before, u), 1)  # B L+3 D
        if memory is not None:
            memory.recent = longer[:, -(self.kernel - 1) :]
        return F.conv1d(
            longer.transpose(1, 2), self.conv, self.conv_bias, groups=self.inner
        ).transpose(1, 2)

    def scan(self, u: Tensor, memory: ScanMemory | None) -> Tensor:
        """Run the selective scan over u (B, L, D), each token
        choosing its own step, what it writes and what it reads.
        """
        weight = self.select.weight.float()
        dt, B, C = F.linear(u, weight).split((self.rank, self.state_size, self.state_size), -1)
        dt = F.softplus(F.linear(dt, self.dt_proj.weight.float()) + self.dt_bias.float())  # B L D
        y, state = selective_scan(
            u, dt, -self.A_log[0].float().exp(), B, C, memory.state if memory else None
        )
        if memory is not None:
            memory.state = state
        return y + self.skip.float() * u
