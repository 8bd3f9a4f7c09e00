"""The block and the last norm against their formulas."""

import math

import torch
from tiny import awake, noise

from varbook.tokenizer.schedule import square
from varbook.transformer.attention import scale_groups
from varbook.transformer.block import Block, FeedForward, HeadNorm

GROUPS = scale_groups(square(1, 2, 3))


def plain_norm(x: torch.Tensor) -> torch.Tensor:
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True) + 1e-6).sqrt()


@torch.no_grad()
def test_feed_forward_is_two_layers_and_the_tanh_gelu():
    layer, x = awake(FeedForward(8)), 3 * noise(2, 5, 8)
    hidden = x @ layer.fc1.weight.T + layer.fc1.bias
    gelu = 0.5 * hidden * (1 + torch.tanh(math.sqrt(2 / math.pi) * (hidden + 0.044715 * hidden**3)))
    assert hidden.shape[-1] == 32
    assert torch.allclose(layer(x), gelu @ layer.fc2.weight.T + layer.fc2.bias, atol=1e-5)


@torch.no_grad()
def test_the_block_by_its_formula_with_the_published_order_of_the_six_vectors():
    block, x, condition = awake(Block(16, 2)), noise(2, 14, 16), noise(2, 16, seed=1)
    six = (condition * condition.sigmoid()) @ block.ada_lin[1].weight.T + block.ada_lin[1].bias
    gate1, gate2, scale1, scale2, shift1, shift2 = six.view(2, 6, 1, 16).unbind(1)
    y = x + gate1 * block.attn(plain_norm(x) * (1 + scale1) + shift1, GROUPS)
    y = y + gate2 * block.ffn(plain_norm(y) * (1 + scale2) + shift2)
    assert torch.allclose(block(x, block.modulation(condition), GROUPS), y, atol=1e-4)


@torch.no_grad()
def test_closed_gates_pass_the_input_on_and_open_ones_do_not():
    block, x, condition = awake(Block(16, 2)), noise(2, 14, 16), noise(2, 16, seed=1)
    assert not torch.allclose(block(x, block.modulation(condition), GROUPS), x, atol=0.1)
    block.ada_lin[1].weight[:32] = 0
    block.ada_lin[1].bias[:32] = 0
    assert torch.equal(block(x, block.modulation(condition), GROUPS), x)


@torch.no_grad()
def test_the_last_norm_by_its_formula():
    norm, x, condition = awake(HeadNorm(16)), noise(2, 7, 16), noise(2, 16, seed=1)
    scale, shift = (
        (condition * condition.sigmoid()) @ norm.ada_lin[1].weight.T + norm.ada_lin[1].bias
    )[:, None].split(16, -1)
    assert torch.allclose(norm(x, condition), plain_norm(x) * (1 + scale) + shift, atol=1e-5)


@torch.no_grad()
def test_each_image_has_its_own_condition():
    block, x, conditions = awake(Block(16, 2)), noise(2, 14, 16), noise(2, 16, seed=1)
    together = block(x, block.modulation(conditions), GROUPS)
    alone = [block(x[b : b + 1], block.modulation(conditions[b : b + 1]), GROUPS) for b in range(2)]
    assert torch.allclose(together, torch.cat(alone), atol=1e-5)
