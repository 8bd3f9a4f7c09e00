"""Block-causal attention against a slow one with a dense mask, token by token."""

import math

import pytest
import torch
from tiny import awake, noise

from varbook.tokenizer.schedule import scale_slices, square, token_count
from varbook.transformer.attention import KeyValueCache, SelfAttention, attend, scale_groups

SCHEDULE = ((1, 1), (2, 2), (2, 3), (4, 4))
LENGTH = token_count(SCHEDULE)


def scale_of(schedule) -> list[int]:
    return [k for k, (height, width) in enumerate(schedule) for _ in range(height * width)]


def attention(cosine: bool) -> SelfAttention:
    made = awake(SelfAttention(16, 2, cosine=cosine), 4)
    if cosine:  # one head sharper than allowed, one below
        made.scale_mul_1H11.data = torch.tensor([1.3, 6.0]).view(1, 2, 1, 1)
    return made


def slow_attention(layer: SelfAttention, x: torch.Tensor, schedule) -> torch.Tensor:
    """Return what one query after the other, one head after the other, gathers from the tokens that
    it may see.
    """
    scales, (batch, length, width), heads = scale_of(schedule), x.shape, layer.heads
    size, out = width // heads, torch.zeros_like(x)
    weight = layer.mat_qkv.weight
    for b in range(batch):
        for head in range(heads):
            rows = slice(head * size, (head + 1) * size)
            q = x[b] @ weight[:width][rows].T + layer.q_bias[rows]
            k = x[b] @ weight[width : 2 * width][rows].T
            v = x[b] @ weight[2 * width :][rows].T + layer.v_bias[rows]
            for i in range(length):
                sharpness = 0.25 / math.sqrt(size)
                keys, query = k, q[i]
                if layer.cosine:
                    sharpness = math.exp(
                        min(layer.scale_mul_1H11[0, head, 0, 0].item(), math.log(100))
                    )
                    keys, query = k / k.norm(dim=1, keepdim=True), query / query.norm()
                scores = torch.stack(
                    [
                        sharpness * (query @ keys[j])
                        if scales[j] <= scales[i]
                        else torch.tensor(-math.inf)
                        for j in range(length)
                    ]
                )
                out[b, i, rows] = scores.softmax(0) @ v
    return out @ layer.proj.weight.T + layer.proj.bias


@pytest.mark.parametrize("cosine", [True, False])
@torch.no_grad()
def test_it_equals_slow_attention_with_a_dense_mask(cosine):
    layer, x = attention(cosine), noise(2, LENGTH, 16)
    assert torch.allclose(
        layer(x, scale_groups(SCHEDULE)), slow_attention(layer, x, SCHEDULE), atol=1e-5
    )


@pytest.mark.parametrize("cosine", [True, False])
@torch.no_grad()
def test_scale_by_scale_with_a_cache_equals_all_scales_at_once(cosine):
    layer, x, cache = attention(cosine), noise(2, LENGTH, 16), KeyValueCache()
    parts = [layer(x[:, s], [], cache) for s in scale_slices(SCHEDULE)]
    assert torch.allclose(torch.cat(parts, 1), layer(x, scale_groups(SCHEDULE)), atol=1e-5)
    assert cache.keys.shape == cache.values.shape == (2, 2, LENGTH, 8)


@torch.no_grad()
def test_how_the_small_scales_are_grouped_changes_nothing():
    layer, x = attention(True), noise(2, LENGTH, 16)
    results = [layer(x, scale_groups(SCHEDULE, merge=merge)) for merge in (0, 5, 11, 1000)]
    assert [len(scale_groups(SCHEDULE, merge=merge)) for merge in (0, 5, 11, 1000)] == [4, 3, 2, 1]
    assert all(torch.allclose(results[0], other, atol=1e-5) for other in results[1:])


def test_the_groups_cover_every_query_once_and_let_it_see_its_own_and_coarser_scales():
    schedule = square(1, 2, 3, 4, 5, 6, 8, 10)
    scales = torch.tensor(scale_of(schedule))
    allowed = torch.zeros(len(scales), len(scales), dtype=torch.bool)
    for start, stop, mask in scale_groups(schedule):
        assert not allowed[start:stop].any()
        allowed[start:stop, :stop] = True if mask is None else mask == 0
    assert torch.equal(allowed, scales[None, :] <= scales[:, None])


def test_the_future_has_no_gradient_and_the_past_has():
    layer, x = attention(True), noise(1, LENGTH, 16).requires_grad_()
    out = layer(x, scale_groups(SCHEDULE))
    for k, s in enumerate(scale_slices(SCHEDULE)):
        (gradient,) = torch.autograd.grad(out[:, s].square().sum(), x, retain_graph=True)
        touched = gradient.abs().amax((0, 2)) > 0
        assert touched[: s.stop].all() and not touched[s.stop :].any(), f"scale {k}"


def test_the_fused_kernel_gives_the_same():
    q, k, v = (noise(2, 2, LENGTH, 8, seed=seed) for seed in range(3))
    mask = scale_groups(SCHEDULE, merge=1000)[0][2]
    fused = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=0.3)
    assert torch.allclose(attend(q, k, v, 0.3, mask), fused, atol=1e-5)


def test_keys_have_no_bias_to_learn():
    layer = SelfAttention(16, 2)
    assert "zero_k_bias" in dict(layer.named_buffers()) and "zero_k_bias" not in dict(
        layer.named_parameters()
    )
    assert (
        layer.mat_qkv.bias is None
        and layer.scale_mul_1H11.exp().flatten().tolist() == pytest.approx([4, 4])
    )
