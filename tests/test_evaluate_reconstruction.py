"""PSNR, the table over scales, and what counts as an image."""

import math

import pytest
import torch

from varbook.errors import VarbookError
from varbook.evaluate.image_checks import to_bytes, to_unit
from varbook.evaluate.reconstruction import HIGHEST, psnr, table_per_scale
from varbook.features.perceptual import Perceptual
from varbook.features.squeezenet import SqueezeNet


def test_psnr_of_known_errors():
    a = torch.zeros(2, 3, 8, 8)
    b = a.clone()
    b[0] += 0.2  # a tenth of the range in [-1,1]: error 0.01, 20 dB
    b[1, :, :, :4] += 0.02  # half of the pixels a hundredth off: 40 + 3.01 dB
    assert torch.allclose(psnr(a, b), torch.tensor([20.0, 40 + 10 * math.log10(2)]), atol=1e-3)
    assert psnr(a, a).tolist() == [HIGHEST, HIGHEST]


def test_psnr_is_the_same_for_bytes_and_floats():
    generator = torch.Generator().manual_seed(0)
    a, b = (
        torch.randint(0, 256, (2, 3, 8, 8), generator=generator, dtype=torch.uint8)
        for _ in range(2)
    )
    assert torch.allclose(psnr(a, b), psnr(a.float() / 127.5 - 1, b.float() / 127.5 - 1), atol=1e-4)


def test_psnr_under_a_mask_sees_nothing_else():
    a, b = torch.zeros(2, 3, 8, 8), torch.zeros(2, 3, 8, 8)
    b[:, :, :4] = 1.0
    b[:, :, 4:] = 0.2
    mask = torch.zeros(2, 8, 8, dtype=torch.bool)
    mask[0, 4:] = True
    found = psnr(a, b, mask)
    assert math.isclose(found[0].item(), 20, abs_tol=1e-3) and math.isnan(found[1].item())


def test_things_that_are_no_images_are_refused():
    for bad in (
        torch.zeros(3, 8, 8),
        torch.zeros(2, 1, 8, 8),
        torch.zeros(0, 3, 8, 8),
        torch.full((1, 3, 8, 8), 200.0),
        torch.full((1, 3, 8, 8), float("nan")),
        torch.zeros(1, 3, 8, 8, dtype=torch.long),
        None,
    ):
        with pytest.raises(VarbookError):
            to_unit(bad)
    with pytest.raises(VarbookError, match="do not go together"):
        psnr(torch.zeros(1, 3, 8, 8), torch.zeros(2, 3, 8, 8))


def test_bytes_survive_a_round_trip():
    bytes_ = torch.arange(192, dtype=torch.uint8).reshape(1, 3, 8, 8)
    assert torch.equal(to_bytes(bytes_), bytes_) and torch.equal(
        to_bytes(bytes_.float() / 127.5 - 1), bytes_
    )


def test_table_has_a_row_per_scale_and_improves_with_better_reconstructions():
    torch.manual_seed(0)
    images = torch.rand(3, 3, 32, 32) * 2 - 1
    noise = torch.randn(images.shape)
    decoded = [(images + strength * noise).clamp(-1, 1) for strength in (0.5, 0.1)]
    rows = table_per_scale(
        images, decoded, ((1, 1), (2, 3)), Perceptual("squeezenet", SqueezeNet())
    )
    assert [row["scale"] for row in rows] == ["1x1", "2x3"] and [row["tokens"] for row in rows] == [
        1,
        6,
    ]
    assert rows[0]["psnr"] < rows[1]["psnr"] and rows[0]["squeezenet"] > rows[1]["squeezenet"] > 0
    with pytest.raises(VarbookError, match="2 scales"):
        table_per_scale(images, decoded[:1], ((1, 1), (2, 3)))
