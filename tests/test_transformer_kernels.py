"""The hand-written gradients of a training step against the plain formulas, in float64 and as they
are trained.
"""

import math

import pytest
import torch
import torch.nn.functional as F
from tiny import noise

from varbook.tokenizer.schedule import VAR_256, scale_slices, square, token_count
from varbook.transformer.attention import attend_prefixes, scale_groups
from varbook.transformer.block import steer
from varbook.transformer.kernels import (
    FusedPrefixes,
    HeadLoss,
    Lengthen,
    ProductPrefixes,
    SteeredNorm,
    attend_by_products,
    weight_bytes,
)

SCHEDULE = square(1, 2, 3, 4)
LENGTH = token_count(SCHEDULE)
KERNELS = (FusedPrefixes, ProductPrefixes)


def plain_attention(q, k, v, scale, schedule=SCHEDULE):
    """Return softmax(scale q k^T) v with every finer scale masked out, in whole matrices."""
    scale_of = torch.cat(
        [torch.full((s.stop - s.start,), n) for n, s in enumerate(scale_slices(schedule))]
    )
    scores = scale * q @ k.transpose(-2, -1)
    return scores.masked_fill(scale_of[None] > scale_of[:, None], -math.inf).softmax(-1) @ v


def inputs(dtype=torch.float64, length=LENGTH, heads=3, channels=8):
    """Return q, k and v (2, heads, L, D) that lie in memory as in a layer: B, L, 3, heads, D."""
    both = noise(2, length, 3, heads, channels).to(dtype).permute(2, 0, 3, 1, 4)
    return [part.detach().requires_grad_() for part in both]


def with_gradients(function, tensors, upper):
    """Return a function's result and the gradients of its inputs for the gradient `upper`."""
    out = function(*tensors)
    return [out.detach(), *torch.autograd.grad(out, tensors, upper.to(out.dtype))]


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("merge", [0, 5, 14, 1000])
def test_each_kernel_is_the_plain_formula_in_value_and_gradients(kernel, merge):
    tensors, upper = inputs(), noise(2, 3, LENGTH, 8, seed=1).double()
    groups = scale_groups(SCHEDULE, merge=merge)
    ours = with_gradients(lambda q, k, v: kernel.apply(q, k, v, 0.4, groups), tensors, upper)
    plain = with_gradients(lambda q, k, v: plain_attention(q, k, v, 0.4), tensors, upper)
    for one, other in zip(ours, plain, strict=True):
        assert (one - other).abs().max() < 1e-9 * other.abs().max()


@pytest.mark.parametrize("scores", [0, 2**21])
@pytest.mark.parametrize("masked", [False, True])
def test_queries_of_one_scale_meet_all_keys_by_products(scores, masked, monkeypatch):
    monkeypatch.setattr(ProductPrefixes, "SCORES", scores)  # eight heads at a time, or all
    q, k, v = noise(2, 5, 7, 8).double(), noise(2, 5, 12, 8, seed=1).double(), noise(2, 5, 12, 8)
    mask = torch.zeros(7, 12).masked_fill(noise(7, 12, seed=3) > 0.5, -math.inf) if masked else None
    ours = attend_by_products(q, k, v.double(), 0.4, mask)
    plain = (0.4 * q @ k.transpose(-2, -1) + (0 if mask is None else mask)).softmax(-1) @ v.double()
    assert (ours - plain).abs().max() < 1e-12
    with torch.autocast("cpu", torch.bfloat16):  # what is asked for in float32 stays in float32
        single = attend_by_products(q.float(), k.float(), v, 0.4, mask)
    assert single.dtype == torch.float32 and (single - plain).abs().max() < 1e-5


@pytest.mark.parametrize("scale", [1.0, 0.4])
def test_weights_that_are_taken_anew_give_the_same_bits_as_kept_ones(scale, monkeypatch):
    tensors, upper = inputs(torch.float32), noise(2, 3, LENGTH, 8, seed=1)
    groups = scale_groups(SCHEDULE, merge=5)

    def once():
        return with_gradients(
            lambda q, k, v: ProductPrefixes.apply(q, k, v, scale, groups), tensors, upper
        )

    kept = once()
    bytes_of = weight_bytes(tensors[0], groups)
    assert bytes_of == 2 * 3 * 4 * (5 * 5 + 9 * 14 + 16 * 30)
    monkeypatch.setattr(ProductPrefixes, "KEPT", bytes_of - 1)
    assert all(torch.equal(a, b) for a, b in zip(kept, once(), strict=True))


def test_where_weights_are_taken_anew_none_is_kept(monkeypatch):
    q, k, v = inputs(torch.float32)
    for kept, tensors in ((2**30, 3 + 1), (0, 3)):  # all four scales are one group here
        monkeypatch.setattr(ProductPrefixes, "KEPT", kept)
        out = ProductPrefixes.apply(q, k, v, 1.0, scale_groups(SCHEDULE))
        assert len(out.grad_fn.saved_tensors) == tensors


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_kernel_takes_several_slices_of_heads(kernel, monkeypatch):
    monkeypatch.setattr(ProductPrefixes, "SCORES", 0)  # eight heads at a time
    tensors, upper = inputs(heads=5), noise(2, 5, LENGTH, 8, seed=1).double()
    groups = scale_groups(SCHEDULE, merge=5)
    ours = with_gradients(lambda q, k, v: kernel.apply(q, k, v, 0.4, groups), tensors, upper)
    plain = with_gradients(lambda q, k, v: plain_attention(q, k, v, 0.4), tensors, upper)
    for one, other in zip(ours, plain, strict=True):
        assert (one - other).abs().max() < 1e-9 * other.abs().max()


@pytest.mark.parametrize("kernel", KERNELS)
def test_in_bfloat16_a_kernel_is_as_exact_as_the_plain_formula_in_bfloat16(kernel):
    exact, upper = inputs(), noise(2, 3, LENGTH, 8, seed=1).double()
    half = [tensor.detach().bfloat16().requires_grad_() for tensor in exact]
    groups = scale_groups(SCHEDULE)
    ours = with_gradients(lambda q, k, v: kernel.apply(q, k, v, 0.4, groups), half, upper)
    plain = with_gradients(lambda q, k, v: plain_attention(q, k, v, 0.4), half, upper)
    true = with_gradients(lambda q, k, v: plain_attention(q, k, v, 0.4), exact, upper)
    for one, other, right in zip(ours, plain, true, strict=True):
        error, of_plain = ((x.double() - right).square().mean().sqrt() for x in (one, other))
        assert error < 1.25 * of_plain


def test_in_training_and_outside_attention_gives_the_same():
    tensors, groups = inputs(torch.float32), scale_groups(SCHEDULE)
    trained = attend_prefixes(*tensors, 0.4, groups)
    with torch.no_grad():
        used = attend_prefixes(*tensors, 0.4, groups)
    assert trained.requires_grad and torch.allclose(trained, used, atol=1e-6)


def test_no_gradient_flows_to_finer_scales():
    groups = scale_groups(VAR_256)
    q, k, v = inputs(torch.float32, token_count(VAR_256), heads=1)
    for kernel in KERNELS:
        out = kernel.apply(q, k, v, 0.4, groups)
        of_k, of_v = torch.autograd.grad(out[:, :, :30].sum(), (k, v))
        assert of_v[:, :, :30].abs().min() > 0
        assert not of_k[:, :, 30:].any() and not of_v[:, :, 30:].any()


def test_lengthened_vectors_are_normalized_ones_times_a_length():
    x = noise(2, 3, 5, 7).double().requires_grad_()
    length = (2 + noise(1, 3, 1, 1, seed=2).abs()).double().requires_grad_()
    upper = noise(2, 3, 5, 7, seed=1).double()
    ours = with_gradients(Lengthen.apply, [x, length], upper)
    plain = with_gradients(lambda x, length: length * F.normalize(x, dim=-1), [x, length], upper)
    for one, other in zip(ours, plain, strict=True):
        assert (one - other).abs().max() < 1e-9 * other.abs().max()
    assert torch.isfinite(Lengthen.apply(torch.zeros(2, 3), torch.ones(1))).all()


@pytest.mark.parametrize("choices,options", [(1, 11), (3, 2)])
def test_the_loss_in_pieces_is_the_cross_entropy_of_the_head(choices, options):
    rows, width = 2**19 // (choices * options) + 3, 4  # more than one piece
    x, weight = (
        noise(*shape, seed=n).double().requires_grad_()
        for n, shape in enumerate(((rows, width), (choices * options, width)))
    )
    bias = noise(choices * options, seed=2).double().requires_grad_()
    target = torch.randint(options, (rows, choices), generator=torch.Generator().manual_seed(0))
    loss, accuracy = HeadLoss.apply(x, weight, bias, target, torch.float64)
    logits = F.linear(x, weight, bias).view(rows, choices, options)
    plain = F.cross_entropy(logits.flatten(0, 1), target.flatten())
    assert loss.item() == pytest.approx(plain.item(), rel=1e-6)
    assert accuracy.item() == pytest.approx((logits.argmax(-1) == target).double().mean().item())
    for ours, other in zip(
        torch.autograd.grad(3 * loss, (x, weight, bias)),
        torch.autograd.grad(3 * plain, (x, weight, bias)),
        strict=True,
    ):
        assert (ours - other).abs().max() < 1e-6 * other.abs().max()


@pytest.mark.parametrize("shape", [(2, 1, 8), (1, 1, 8), (1, 5, 8)])
def test_a_steered_norm_is_the_plain_formula_in_value_and_gradients(shape):
    x, shift, scale = (
        noise(*size, seed=seed).double().requires_grad_()
        for seed, size in enumerate([(2, 5, 8), shape, shape])
    )
    upper = noise(2, 5, 8, seed=4).double()
    ours = with_gradients(lambda *t: SteeredNorm.apply(*t, 1e-6), [x, shift, scale], upper)
    plain = with_gradients(
        lambda x, shift, scale: shift + F.layer_norm(x, (8,), eps=1e-6) * (1 + scale),
        [x, shift, scale],
        upper,
    )
    for one, other in zip(ours, plain, strict=True):
        assert (one - other).abs().max() < 1e-12 * other.abs().max()


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_a_norm_steers_alike_in_training_and_outside(kind):
    x, shift, scale = noise(2, 5, 8), noise(2, 1, 8, seed=1), noise(2, 1, 8, seed=2)
    norm = torch.nn.LayerNorm(8, eps=1e-6, elementwise_affine=False)
    x = x.to(kind).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        trained = steer(norm, x, shift.bfloat16(), scale.bfloat16())
        with torch.no_grad():
            used = steer(norm, x, shift.bfloat16(), scale.bfloat16())
    assert trained.dtype == used.dtype == kind
    assert torch.equal(trained, used)
    trained.sum().backward()
    assert x.grad.dtype == kind
