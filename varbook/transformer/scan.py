"""The selective scan of Mamba: a linear recurrence whose decay
depends on the token, computed for all tokens at once.

    h_t = exp(dt_t A) h_{t-1} + dt_t B_t x_t        y_t = C_t h_t

The recurrence is associative, so nothing has to be done token by token:
the sequence is cut into chunks, all chunks advance together, and what
each hands on to the next is the same recurrence over a shorter sequence.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

try:  # Mamba's own kernel, for cards
    from mamba_ssm.ops.selective_scan_interface import selective_scan_fn
except ImportError:
    selective_scan_fn = None

CHUNK = 12  # about the square root of the sequences here: two levels do


def linear_scan(decay: Tensor, inflow: Tensor) -> Tensor:
    """Return h (B, L, ...) with h_t = decay_t h_{t-1}
    + inflow_t and nothing before the first token.
    """
    return _LinearScan.apply(decay, inflow)


class _LinearScan(torch.autograd.Function):
    """`linear_scan` with its gradient, which is the same recurrence walked backwards."""

    @staticmethod
    def forward(ctx, decay: Tensor, inflow: Tensor) -> Tensor:
        h = _scan(decay, inflow)
        ctx.save_for_backward(decay, h)
        return h

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, Tensor]:
        decay, h = ctx.saved_tensors
        # What token t owes: its own gradient and decay_{t+1} times what token t + 1 owes.
        owed = _scan(_shift(decay, -1).flip(1), grad.flip(1)).flip(1)
        return owed * _shift(h, 1), owed


def _shift(x: Tensor, by: int) -> Tensor:
    """Move x (B, L, ...) by one token to the right (1) or the left (-1), with zeros in the gap."""
    gap = torch.zeros_like(x[:, :1])
    return torch.cat((gap, x[:, :-1]) if by > 0 else (x[:, 1:], gap), 1)


def _scan(decay: Tensor, inflow: Tensor) -> Tensor:
    length, chunks = decay.shape[1], -(-decay.shape[1] // CHUNK)
    room = (0, 0) * (decay.ndim - 2) + (0, chunks * CHUNK - length)
    # `F.pad` copies, so the two may be changed in place from here on.
    decay, h = (
        F.pad(x, room).unflatten(1, (chunks, CHUNK)) for x in (decay, inflow)
    )  # B chunks CHUNK ...
    for t in range(1, CHUNK):  # all chunks take their step t together
        h[:, :, t].addcmul_(decay[:, :, t], h[:, :, t - 1])
        decay[:, :, t].mul_(decay[:, :, t - 1])  # from here on: the decay since the chunk began
    if chunks > 1:
        # The true state at the end of each chunk.
        ends = _scan(decay[:, :, -1], h[:, :, -1])  # B chunks ...
        h[:, 1:].addcmul_(decay[:, 1:], ends[:, :-1, None])
    return h.flatten(1, 2)[:, :length]  # B L ...


def selective_scan(
    x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, state: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return y (B, L, D) and the state (B, D, N) after the last token.

    x, dt: (B, L, D), steps dt > 0; A: (D, N), negative; B, C: (B, L, N); `state` is what an earlier
    part of the sequence left.
    """
    if selective_scan_fn is not None and x.is_cuda and state is None:
        return _with_kernel(x, dt, A, B, C)
    decay = torch.exp(dt[..., None] * A)  # B L D N
    inflow = (dt * x)[..., None] * B[:, :, None]  # B L D N
    if state is not None:
        first = inflow[:, :1] + decay[:, :1] * state[:, None]
        inflow = torch.cat((first, inflow[:, 1:]), 1)
    h = linear_scan(decay, inflow)  # B L D N
    return torch.einsum("bldn,bln->bld", h, C), h[:, -1]


def _with_kernel(x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor) -> tuple[Tensor, Tensor]:
    # The kernel wants channels before tokens.
    x, dt, B, C = (tensor.transpose(1, 2).contiguous() for tensor in (x, dt, B, C))
    y, state = selective_scan_fn(x, dt, A, B, C, return_last_state=True)
    return y.transpose(1, 2), state
