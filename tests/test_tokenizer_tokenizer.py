"""The tokenizer as a whole: image to tokens and back, at any size that the stride divides."""

import dataclasses

import pytest
import torch
from tiny import SCHEDULE, TOKENIZER, noise, pictures, tiny_tokenizer

from varbook.errors import VarbookError
from varbook.tokenizer.schedule import square
from varbook.tokenizer.tokenizer import Tokenizer


@pytest.mark.parametrize("kind", ["residual", "ground_truth"])
def test_tokens_have_the_schedule_s_sizes_and_describe_the_reconstruction(kind):
    tokenizer, image = tiny_tokenizer(kind), pictures(2)
    tokens = tokenizer.tokens(image)
    assert [tuple(indices.shape) for indices in tokens] == [(2, h, w) for h, w in SCHEDULE]
    assert all(
        0 <= int(indices.min()) and int(indices.max()) < TOKENIZER.vocab_size for indices in tokens
    )
    assert (
        len(torch.cat([indices.flatten() for indices in tokens]).unique()) > 4
    )  # the test is about something
    assert torch.allclose(tokenizer.image(tokens), tokenizer.reconstruct(image)[-1], atol=1e-5)


def test_a_residual_pyramid_sharpens_and_a_ground_truth_pyramid_grows():
    image = pictures(2)
    assert [tuple(r.shape) for r in tiny_tokenizer("residual").reconstruct(image)] == [
        (2, 3, 16, 16)
    ] * 4
    sizes = [tuple(r.shape[-2:]) for r in tiny_tokenizer("ground_truth").reconstruct(image)]
    assert sizes == [(4, 4), (8, 8), (12, 12), (16, 16)]


@pytest.mark.parametrize("kind", ["residual", "ground_truth"])
def test_rectangles_work(kind):
    tokenizer, image = tiny_tokenizer(kind), pictures(2, 16, 32)
    schedule = ((1, 1), (1, 2), (2, 4), (4, 8))
    tokens = tokenizer.tokens(image, schedule)
    assert [tuple(indices.shape[1:]) for indices in tokens] == list(schedule)
    assert tokenizer.image(tokens).shape == (2, 3, 16, 32)


def test_what_is_shown_lies_in_range_and_what_is_trained_is_not_clamped():
    tokenizer, image = tiny_tokenizer(), pictures(2)
    f = (10 * noise(2, 8, 4, 4)).requires_grad_()
    decoded = tokenizer.decode(f)
    decoded.sum().backward()
    assert decoded.abs().max() > 1 and f.grad.abs().max() > 0
    tokenizer.codebook.embedding.weight.data *= 50
    shown = tokenizer.image(tokenizer.tokens(image))
    assert shown.abs().max() == 1.0


def test_the_decoder_s_gradient_reaches_the_image_through_the_quantisation():
    tokenizer, image = tiny_tokenizer(), pictures(1).requires_grad_()
    tokenizer.decode(tokenizer.quantise(tokenizer.encode(image)).latents[-1]).sum().backward()
    assert (image.grad.abs() > 0).float().mean() > 0.9


def test_an_image_that_the_stride_does_not_divide_is_refused_with_the_nearest_size():
    tokenizer = tiny_tokenizer()
    with pytest.raises(
        VarbookError, match="18 x 31 pixels does not fit the stride of 4; use 16 x 32"
    ):
        tokenizer.encode(pictures(1, 18, 31))
    assert tokenizer.latent_size(16, 32) == (4, 8)


def test_an_image_of_another_size_than_the_schedule_is_refused_with_a_schedule():
    with pytest.raises(VarbookError, match=r"latent \(8, 8\)"):
        tiny_tokenizer().tokens(pictures(1, 32, 32))
    assert len(tiny_tokenizer().tokens(pictures(1, 32, 32), square(1, 2, 4, 8))) == 4


def test_the_pyramids_share_everything_else():
    names = [
        {name for name in tiny_tokenizer(kind).state_dict() if "phi" not in name}
        for kind in ("residual", "ground_truth")
    ]
    assert names[0] == names[1]


def test_the_configuration_cannot_be_changed_afterwards_and_unknown_pyramids_are_refused():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TOKENIZER.vocab_size = 7
    with pytest.raises(VarbookError, match='use "residual" or "ground_truth"'):
        Tokenizer(dataclasses.replace(TOKENIZER, pyramid="wavelet"))
