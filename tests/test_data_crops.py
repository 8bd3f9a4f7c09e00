"""Random crops: inside the picture, mirrored half of the time, repeatable."""

import pytest
import torch

from varbook.data.crops import crop_flip
from varbook.errors import VarbookError


def numbered(count=1, side=9) -> torch.Tensor:
    """Pictures whose pixel values tell row (channel 0), column (channel 1) and picture (channel 2,
    up to 255).
    """
    row, column = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    return torch.stack(
        [torch.stack([row, column, torch.full_like(row, i)]) for i in range(count)]
    ).to(torch.uint8)


def test_squares_are_cut_from_their_own_picture_everywhere_and_mirrored_half_of_the_time():
    images = numbered(250)
    squares = crop_flip(images, 7, torch.Generator().manual_seed(0)).int()
    assert squares.shape == (250, 3, 7, 7)
    assert (squares[:, 2] == torch.arange(250)[:, None, None]).all()
    assert (squares[:, 0].diff(dim=1) == 1).all()
    steps = squares[:, 1].diff(dim=2)
    mirrored = steps[:, 0, 0] == -1
    assert (steps.abs() == 1).all() and (steps == steps[:, :1, :1]).all()
    assert 85 < int(mirrored.sum()) < 165
    corners = {
        (int(a), int(b))
        for a, b in zip(squares[:, 0].amin((1, 2)), squares[:, 1].amin((1, 2)), strict=True)
    }
    assert corners == {(a, b) for a in range(3) for b in range(3)}


def test_one_seed_one_crop():
    images = numbered(8)
    first, second, other = (
        crop_flip(images, 5, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first, second) and not torch.equal(first, other)


def test_a_square_larger_than_the_picture_is_refused():
    with pytest.raises(VarbookError, match="9 x 9"):
        crop_flip(numbered(), 10, torch.Generator())
