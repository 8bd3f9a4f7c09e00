"""Encoder and decoder: sizes, aspect ratios, and that every pixel and every parameter takes part."""

import pytest
import torch
from tiny import noise

from varbook.tokenizer.autoencoder import Decoder, Encoder, ResidualBlock


@pytest.mark.parametrize(
    "channels, patch, stride",
    [((8,), 1, 1), ((8, 16), 2, 4), ((8, 8, 16), 2, 8), ((8, 8, 8, 8), 2, 16)],
)
def test_the_stride_is_the_patch_times_two_per_further_level(channels, patch, stride):
    encoder, decoder = Encoder(channels, patch, 1, 6), Decoder(channels, patch, 1, 6)
    features = encoder(noise(2, 3, 2 * stride, 3 * stride))
    assert features.shape == (2, 6, 2, 3)
    assert decoder(features).shape == (2, 3, 2 * stride, 3 * stride)


def test_a_residual_block_with_a_silent_last_convolution_passes_its_input_on():
    block, x = ResidualBlock(8), noise(2, 8, 5, 7)
    assert not torch.allclose(block(x), x)
    torch.nn.init.zeros_(block.conv2.weight)
    torch.nn.init.zeros_(block.conv2.bias)
    assert torch.equal(block(x), x)


def test_all_pixels_and_all_parameters_matter():
    torch.manual_seed(0)
    encoder, decoder, image = (
        Encoder((8, 16), 2, 1, 6),
        Decoder((8, 16), 2, 1, 6),
        noise(1, 3, 16, 16).requires_grad_(),
    )
    decoder(encoder(image)).square().sum().backward()
    assert (image.grad.abs() > 0).all()
    assert all(
        parameter.grad.abs().max() > 0
        for part in (encoder, decoder)
        for parameter in part.parameters()
    )


def test_the_decoder_has_one_block_more_a_level():
    def blocks(part):
        return sum(isinstance(layer, ResidualBlock) for layer in part.layers)

    assert blocks(Encoder((8, 16, 16), 2, 2, 6)) == 6 and blocks(Decoder((8, 16, 16), 2, 2, 6)) == 9


def test_the_memory_format_changes_nothing_but_speed():
    torch.manual_seed(0)
    encoder, image = Encoder((8, 16), 2, 1, 6), noise(2, 3, 16, 16)
    plain = encoder(image)
    last = encoder.to(memory_format=torch.channels_last)(
        image.contiguous(memory_format=torch.channels_last)
    )
    assert torch.allclose(plain, last, atol=1e-5)


def test_the_straight_line_is_added_to_what_the_layers_say_and_sees_one_square_of_pixels():
    torch.manual_seed(0)
    encoder, decoder, image = (
        Encoder((8, 16), 2, 1, 6),
        Decoder((8, 16), 2, 1, 6),
        noise(1, 3, 8, 8),
    )
    features = encoder(image)
    square = (
        torch.einsum("cyx,ocyx->o", image[0, :, 4:, :4], encoder.line.weight) + encoder.line.bias
    )
    assert torch.allclose(
        features[0, :, 1, 0] - encoder.layers(image)[0, :, 1, 0], square, atol=1e-5
    )
    pixels = (
        torch.einsum("i,icyx->cyx", features[0, :, 1, 0], decoder.line.weight)
        + decoder.line.bias[:, None, None]
    )
    assert torch.allclose(
        (decoder(features) - decoder.layers(features))[0, :, 4:, :4], pixels, atol=1e-5
    )


def test_without_the_line_the_layers_remain():
    torch.manual_seed(0)
    encoder, decoder = Encoder((8, 16), 2, 1, 6, line=False), Decoder((8, 16), 2, 1, 6, line=False)
    features = encoder(noise(1, 3, 8, 8))
    assert torch.equal(features, encoder.layers(noise(1, 3, 8, 8))) and torch.equal(
        decoder(features), decoder.layers(features)
    )
    assert not [name for part in (encoder, decoder) for name in part.state_dict() if "line" in name]


def test_with_channels_at_full_resolution_all_pixels_of_flat_features_are_alike():
    torch.manual_seed(0)
    flat = noise(1, 6, 1, 1).expand(-1, -1, 20, 20)
    inside = (..., slice(36, -36), slice(36, -36))  # away from what the padding reaches
    for full, alike in ((8, True), (0, False)):
        picture = Decoder((8, 16), 2, 0, 6, line=False, full=full)(flat)
        assert picture.shape == (1, 3, 80, 80)
        assert (picture[inside].std((2, 3)).max().item() < 1e-5) == alike


def test_the_line_to_full_resolution_leaves_flat_areas_flat():
    torch.manual_seed(0)
    flat = noise(1, 6, 1, 1).expand(-1, -1, 8, 8)
    smooth, folded = (Decoder((8, 16), 2, 1, 6, full=full).line(flat) for full in (8, 0))
    assert smooth.shape == folded.shape == (1, 3, 32, 32)
    inside = (..., slice(12, -12), slice(12, -12))  # away from the border's padding
    assert smooth[inside].std((2, 3)).max() < 1e-5 < 1e-3 < folded[inside].std((2, 3)).min()


def test_without_channels_at_full_resolution_the_weights_are_those_of_before():
    torch.manual_seed(0)
    names = set(Decoder((8, 16), 2, 1, 6).state_dict())
    assert names < set(Decoder((8, 16), 2, 1, 6, full=8).state_dict()) | {
        "line.weight",
        "line.bias",
    }
    assert "line.weight" in names
