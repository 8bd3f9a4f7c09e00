"""The selective scan: equal to a loop over tokens in value, gradient and state, however the
sequence is cut.
"""

import pytest
import torch
from tiny import noise

from varbook.transformer import scan as module
from varbook.transformer.scan import CHUNK, linear_scan, selective_scan

LENGTHS = [1, 2, CHUNK - 1, CHUNK, CHUNK + 1, 155, CHUNK**2 + 5]


def slow_linear(decay: torch.Tensor, inflow: torch.Tensor) -> torch.Tensor:
    h, out = torch.zeros_like(inflow[:, 0]), []
    for t in range(decay.shape[1]):
        h = decay[:, t] * h + inflow[:, t]
        out.append(h)
    return torch.stack(out, 1)


def parts(length: int, seed: int = 0) -> tuple[torch.Tensor, ...]:
    """Return x, dt, A, B, C of a small layer: 2 sequences, 6 channels, a state of 4, in float64."""
    x, dt, b, c = (noise(2, length, n, seed=seed + i).double() for i, n in enumerate((6, 6, 4, 4)))
    return x, dt.exp() / 4, -noise(6, 4, seed=9).double().exp(), b, c


def slow_selective(x, dt, A, B, C, state=None):
    h, out = torch.zeros(len(x), *A.shape, dtype=x.dtype) if state is None else state, []
    for t in range(x.shape[1]):
        h = (
            torch.exp(dt[:, t, :, None] * A) * h
            + dt[:, t, :, None] * B[:, t, None] * x[:, t, :, None]
        )
        out.append((h * C[:, t, None]).sum(-1))
    return torch.stack(out, 1), h


@pytest.mark.parametrize("length", LENGTHS)
def test_the_linear_scan_and_its_gradients_equal_a_loop_over_tokens(length):
    decay = (
        torch.rand(2, length, 3, 2, generator=torch.Generator().manual_seed(0))
        .double()
        .requires_grad_()
    )
    inflow = noise(2, length, 3, 2).double().requires_grad_()
    weight = noise(2, length, 3, 2, seed=1).double()
    fast, slow = linear_scan(decay, inflow), slow_linear(decay, inflow)
    assert torch.allclose(fast, slow, atol=1e-12)
    for ours, theirs in zip(
        *(torch.autograd.grad((h * weight).sum(), (decay, inflow)) for h in (fast, slow))
    ):
        assert torch.allclose(ours, theirs, atol=1e-10)


def test_the_linear_scan_leaves_its_inputs_as_they_were():
    decay, inflow = torch.rand(1, 30, 2), noise(1, 30, 2)
    before = decay.clone(), inflow.clone()
    linear_scan(decay, inflow)
    assert torch.equal(decay, before[0]) and torch.equal(inflow, before[1])


@pytest.mark.parametrize("length", LENGTHS)
def test_the_selective_scan_equals_a_loop_over_tokens(length):
    y, state = selective_scan(*parts(length))
    slow, last = slow_selective(*parts(length))
    assert torch.allclose(y, slow, atol=1e-12) and torch.allclose(state, last, atol=1e-12)


def test_gradients_reach_every_part_as_through_a_loop():
    ours, theirs = ([tensor.requires_grad_() for tensor in parts(29)] for _ in range(2))
    first = torch.autograd.grad(selective_scan(*ours)[0].square().sum(), ours)
    second = torch.autograd.grad(slow_selective(*theirs)[0].square().sum(), theirs)
    assert all(torch.allclose(a, b, atol=1e-9) and a.abs().max() > 0 for a, b in zip(first, second))


@pytest.mark.parametrize("cut", [1, 13, 39])
def test_a_sequence_may_be_cut_anywhere_if_the_state_is_carried_on(cut):
    x, dt, A, B, C = parts(40)
    whole, last = selective_scan(x, dt, A, B, C)
    first, state = selective_scan(x[:, :cut], dt[:, :cut], A, B[:, :cut], C[:, :cut])
    second, end = selective_scan(x[:, cut:], dt[:, cut:], A, B[:, cut:], C[:, cut:], state)
    assert torch.allclose(torch.cat((first, second), 1), whole, atol=1e-12) and torch.allclose(
        end, last, atol=1e-12
    )


def test_mamba_s_kernel_is_called_in_its_own_layout(monkeypatch):
    # The kernel takes channels before tokens: (B, D, L) for x and dt, (B, N, L) for B and C.
    def kernel(u, delta, A, B, C, return_last_state=False):
        assert return_last_state and all(tensor.is_contiguous() for tensor in (u, delta, B, C))
        y, state = slow_selective(
            *(t.transpose(1, 2) for t in (u, delta)), A, *(t.transpose(1, 2) for t in (B, C))
        )
        return y.transpose(1, 2), state

    monkeypatch.setattr(module, "selective_scan_fn", kernel)
    y, state = module._with_kernel(*parts(17))
    plain, last = selective_scan(*parts(17))  # on the CPU always the plain scan
    assert torch.allclose(y, plain, atol=1e-12) and torch.allclose(state, last, atol=1e-12)
