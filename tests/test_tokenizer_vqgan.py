"""VQGAN's autoencoder: sizes, formulas, and that every pixel and every parameter takes part."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F
from tiny import awake, noise, pictures

from varbook.errors import VarbookError
from varbook.tokenizer.schedule import square
from varbook.tokenizer.tokenizer import Tokenizer, TokenizerConfig
from varbook.tokenizer.vqgan import (
    Downsample,
    MapAttention,
    ResBlock,
    Upsample,
    VqganDecoder,
    VqganEncoder,
)

CONFIG = TokenizerConfig(
    schedule=square(1, 2, 4),
    vocab_size=24,
    code_dim=8,
    channels=(32, 64, 64),
    patch=1,
    blocks=1,
    line=False,
    autoencoder="vqgan",
    feature_channels=16,
    quant_kernel=1,
)


@pytest.mark.parametrize("channels, stride", [((32,), 1), ((32, 64), 2), ((32, 32, 64), 4)])
def test_the_stride_is_two_per_further_level(channels, stride):
    encoder, decoder = VqganEncoder(channels, 1, 6), VqganDecoder(channels, 1, 6)
    features = encoder(noise(2, 3, 2 * stride, 3 * stride))
    assert features.shape == (2, 6, 2, 3)
    assert decoder(features).shape == (2, 3, 2 * stride, 3 * stride)


@torch.no_grad()
def test_halving_pads_right_and_below_alone():
    layer, x = awake(Downsample(2)), noise(1, 2, 6, 8)
    out = layer(x)
    assert out.shape == (1, 2, 3, 4)
    corner = (layer.conv.weight * x[0, :, 0:3, 0:3]).sum((1, 2, 3)) + layer.conv.bias
    assert torch.allclose(out[0, :, 0, 0], corner, atol=1e-5)
    last = F.pad(x[0, :, 4:6, 6:8], (0, 1, 0, 1))
    assert torch.allclose(
        out[0, :, 2, 3], (layer.conv.weight * last).sum((1, 2, 3)) + layer.conv.bias, atol=1e-5
    )


@torch.no_grad()
def test_doubling_repeats_every_value_before_the_convolution():
    layer, x = awake(Upsample(2)), noise(1, 2, 3, 4)
    assert torch.allclose(
        layer(x), layer.conv(x.repeat_interleave(2, 2).repeat_interleave(2, 3)), atol=1e-6
    )


@torch.no_grad()
def test_attention_by_its_formula():
    layer, x = awake(MapAttention(32)), noise(2, 32, 3, 4)
    for image, out in zip(x, layer(x)):
        groups = image.view(32, -1)
        normal = (groups - groups.mean(1, keepdim=True)) / (
            groups.var(1, unbiased=False, keepdim=True) + 1e-6
        ).sqrt()
        seen = (
            normal * layer.norm.weight[:, None] + layer.norm.bias[:, None]
        )  # 32 groups of one channel
        q, k, v = (layer.qkv.weight[:, :, 0, 0] @ seen + layer.qkv.bias[:, None]).chunk(3)
        mixed = v @ (q.T @ k / 32**0.5).softmax(1).T
        wanted = groups + layer.proj_out.weight[:, :, 0, 0] @ mixed + layer.proj_out.bias[:, None]
        assert torch.allclose(out.view(32, -1), wanted, atol=1e-4)


def test_a_block_of_equal_width_passes_its_input_on_and_another_maps_it():
    x = noise(1, 32, 4, 4)
    for channels, short in ((32, lambda block: x), (64, lambda block: block.nin_shortcut(x))):
        block = ResBlock(32, channels)
        torch.nn.init.zeros_(block.conv2.weight)
        torch.nn.init.zeros_(block.conv2.bias)
        assert torch.equal(block(x), short(block))


def test_all_pixels_and_all_parameters_matter():
    torch.manual_seed(0)
    encoder, decoder = VqganEncoder((32, 64), 1, 6), VqganDecoder((32, 64), 1, 6)
    image = noise(1, 3, 16, 16).requires_grad_()
    decoder(encoder(image)).square().sum().backward()
    assert (image.grad.abs() > 0).all()
    parameters = [*encoder.named_parameters(), *decoder.named_parameters()]
    assert all(parameter.grad.abs().sum() > 0 for _, parameter in parameters)


def test_it_is_one_part_of_the_tokenizer_and_nothing_else_changes():
    torch.manual_seed(0)
    tokenizer, image = Tokenizer(CONFIG).eval(), pictures(2)
    assert tokenizer.stride == 4 and tokenizer.encode(image).shape == (2, 8, 4, 4)
    tokens = tokenizer.tokens(image)
    assert torch.allclose(tokenizer.image(tokens), tokenizer.reconstruct(image)[-1], atol=1e-5)
    assert tokenizer.image(tokens).shape == image.shape
    ours = Tokenizer(dataclasses.replace(CONFIG, autoencoder="folded"))
    others = [
        {name for name in t.state_dict() if not name.startswith(("encoder", "decoder"))}
        for t in (tokenizer, ours)
    ]
    assert others[0] == others[1]


def test_what_it_cannot_do_is_refused():
    with pytest.raises(VarbookError, match="set patch=1, line=False"):
        Tokenizer(dataclasses.replace(CONFIG, patch=2))
    with pytest.raises(VarbookError, match='use "folded" or "vqgan"'):
        Tokenizer(dataclasses.replace(CONFIG, autoencoder="unet"))
