"""Sign bits: the nearest code by brute force, the published quantizer's numbers, entropy and flips
by hand.
"""

import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from tiny import noise, pictures

from varbook.errors import VarbookError
from varbook.tokenizer.bits import BinaryCodes, binary_entropy, bit_entropy, flip
from varbook.tokenizer.pyramid import BitPyramid, make_pyramid
from varbook.tokenizer.schedule import square
from varbook.tokenizer.tokenizer import Tokenizer, TokenizerConfig

SCHEDULE = square(1, 2, 4, 6, 8, 12, 16)
GOLDEN = Path(__file__).parent / "golden" / "bsq_tiny.safetensors"
CONFIG = TokenizerConfig(
    schedule=square(1, 2, 4), code_dim=6, codes_kind="bits", channels=(8, 16), bit_entropy=0.1
)


def test_the_code_is_the_nearest_of_all_codes_on_the_sphere():
    codes, x = BinaryCodes(7), noise(200, 7)
    every = codes.vectors()
    assert (
        every.shape == (128, 7)
        and torch.allclose(every.norm(dim=1), torch.ones(128))
        and len(every.unique(dim=0)) == 128
    )
    assert torch.equal(codes.nearest(x), torch.cdist(F.normalize(x, dim=1), every).argmin(1))
    assert torch.equal(
        codes.nearest(x), codes.nearest(3.7 * x)
    )  # the length of a vector does not matter


def test_a_code_is_its_own_nearest_and_lookup_gives_it_back():
    codes = BinaryCodes(40)  # far more codes than any table could hold
    indices = torch.randint(2**40, (5, 3), generator=torch.Generator().manual_seed(0))
    assert torch.equal(codes.nearest(codes.lookup(indices)), indices)
    assert torch.equal(codes.indices(codes.bits(indices)), indices)
    assert codes.bits(torch.tensor(5)).tolist() == [True, False, True] + 37 * [False]


def test_too_many_bits_and_too_long_lists_are_refused():
    with pytest.raises(VarbookError, match="1 to 62 bits, not 64"):
        BinaryCodes(64)
    with pytest.raises(VarbookError, match="too many to list"):
        BinaryCodes(32).vectors()


def test_bits_and_sum_are_those_of_the_published_quantizer():
    golden = load_file(GOLDEN)
    made = BitPyramid(BinaryCodes(8))(golden["x"], SCHEDULE)
    for k, tokens in enumerate(made.tokens):
        assert torch.equal(BinaryCodes(8).bits(tokens), golden[f"bits_{k}"][:, 0].bool())
    torch.testing.assert_close(made.latents[-1], golden["quantized"], rtol=0, atol=1e-6)


def test_the_pyramid_decodes_and_teaches_what_it_has_quantised():
    pyramid, f = make_pyramid("residual", BinaryCodes(8)), noise(2, 8, 16, 16)
    made = pyramid(f, SCHEDULE)
    assert isinstance(pyramid, BitPyramid) and not list(pyramid.parameters())
    torch.testing.assert_close(pyramid.decode(made.tokens), made.latents[-1], rtol=0, atol=1e-5)
    inputs = pyramid.teacher_inputs(made.tokens)
    torch.testing.assert_close(
        inputs[2], F.interpolate(made.latents[2], size=(6, 6), mode="bilinear"), rtol=0, atol=1e-5
    )


def test_gradients_pass_straight_through_to_the_features():
    f = noise(1, 8, 4, 4).requires_grad_()
    made = BitPyramid(BinaryCodes(8))(f, square(1, 2, 4))
    weight = noise(1, 8, 4, 4, seed=3)
    (made.latents[-1] * weight).sum().backward()
    assert torch.allclose(f.grad, weight)


def test_flipped_bits_are_mended_by_the_next_scale():
    pyramid, f = BitPyramid(BinaryCodes(8)), noise(2, 8, 4, 4)
    generator = torch.Generator().manual_seed(0)
    changed = pyramid(
        f, square(1, 2, 4), lambda tokens: flip(pyramid.codebook, tokens, 0.9, generator)
    )
    plain = pyramid(f, square(1, 2, 4))
    assert torch.equal(changed.tokens[0], plain.tokens[0])  # the truth of the first scale
    assert not torch.equal(changed.used[0], plain.used[0])  # what was said instead
    assert not torch.equal(
        changed.tokens[1], plain.tokens[1]
    )  # the second scale has to answer for it
    rest = f - pyramid.codebook.lookup(changed.used[0]).permute(0, 3, 1, 2)
    assert torch.equal(
        changed.tokens[1],
        pyramid.codebook.nearest(F.interpolate(rest, (2, 2), mode="area").permute(0, 2, 3, 1)),
    )


def test_a_disturbed_pyramid_tells_the_true_codes_and_adds_the_disturbed_ones():
    codes, f = BinaryCodes(6), noise(2, 6, 4, 4)
    pyramid = BitPyramid(codes)
    out = pyramid(f, square(1, 2, 4), lambda tokens: tokens ^ 1)
    for tokens, used in zip(out.tokens, out.used, strict=True):
        assert torch.equal(tokens ^ 1, used)
    assert torch.allclose(pyramid.decode(out.used), out.latents[-1].detach(), atol=1e-5)
    # A scale says what is missing of the features after the disturbed ones before it.
    rest = out.targets[1].permute(0, 2, 3, 1)
    assert torch.equal(out.tokens[1], codes.nearest(rest))


def test_flips_have_one_probability_per_image_up_to_the_strength():
    codes, tokens = BinaryCodes(16), torch.zeros(64, 8, 8, dtype=torch.long)
    flipped = (
        codes.bits(flip(codes, tokens, 0.3, torch.Generator().manual_seed(0)))
        .float()
        .mean((1, 2, 3))
    )
    assert flipped.max() < 0.35 and flipped.min() < 0.05 and abs(flipped.mean() - 0.15) < 0.03
    assert torch.equal(flip(codes, tokens, 0.0, torch.Generator()), tokens)


def test_entropy_by_hand():
    assert torch.allclose(
        binary_entropy(torch.tensor([0.5, 0.25, 0.0])),
        torch.tensor([1.0, 0.8112781, 0.0]),
        atol=1e-4,
    )
    codes = BinaryCodes(2)
    always, mixed = torch.tensor([[[3]], [[3]]]), torch.tensor([[[0]], [[3]]])
    assert bit_entropy(codes, [always, mixed]) == pytest.approx([0.0, 1.0], abs=1e-4)


def test_the_penalty_is_lowest_for_bits_that_are_sure_and_balanced():
    codes = BinaryCodes(4, entropy=1.0)
    sure, lopsided = (
        torch.randn(500, 4, generator=torch.Generator().manual_seed(0)).sign(),
        torch.ones(500, 4),
    )
    unsure = sure * torch.tensor([1.0, 1e-3, 1e-3, 1e-3])
    values = [codes.penalty(x).item() for x in (sure, lopsided, unsure)]
    assert values[0] < -0.9 and values[0] < values[2] < values[1] + 0.1 and abs(values[1]) < 0.1
    assert BinaryCodes(4).penalty(sure).item() == 0.0


def test_counting_follows_how_often_each_bit_is_positive():
    codes = BinaryCodes(2)
    codes.count(torch.tensor([[1, 3]]), decay=0.5)
    assert codes.hits.tolist() == [0.5, 0.25]


@torch.no_grad()
def test_a_tokenizer_takes_bits_for_codes():
    torch.manual_seed(0)
    tokenizer, images = Tokenizer(CONFIG), pictures(2)
    tokens = tokenizer.tokens(images)
    assert [tuple(one.shape) for one in tokens] == [(2, 1, 1), (2, 2, 2), (2, 4, 4)] and max(
        one.max() for one in tokens
    ) < 64
    assert torch.allclose(tokenizer.image(tokens), tokenizer.reconstruct(images)[-1], atol=1e-4)
    assert math.isclose(
        tokenizer.codebook.lookup(tokens[0]).norm(dim=-1).mean().item(), 1.0, rel_tol=1e-5
    )


def test_an_unknown_kind_of_codes_is_refused():
    with pytest.raises(VarbookError, match='"nearest" or "bits"'):
        Tokenizer(TokenizerConfig(codes_kind="colours"))
