"""Tiles cover every pixel, and blending gives the picture back."""

import pytest
import torch
from tiny import noise

from varbook.errors import VarbookError
from varbook.translate.tiles import blend, cut, places, starts, window


@pytest.mark.parametrize(
    "length, side, overlap", [(16, 16, 8), (17, 16, 8), (40, 16, 8), (41, 16, 0), (100, 16, 15)]
)
def test_tiles_cover_the_length_and_overlap_enough(length, side, overlap):
    begins = starts(length, side, overlap)
    assert begins[0] == 0 and begins[-1] == length - side
    assert all(side - overlap >= b - a > 0 for a, b in zip(begins, begins[1:]))


def test_no_more_tiles_than_needed():
    assert (
        starts(24, 16, 8) == [0, 8]
        and starts(32, 16, 8) == [0, 8, 16]
        and starts(32, 16, 0) == [0, 16]
    )


@pytest.mark.parametrize("height, width", [(16, 16), (23, 40), (16, 61)])
def test_untouched_tiles_blend_into_the_picture_they_were_cut_from(height, width):
    image = noise(3, height, width)
    corners = places(height, width, 16, 8)
    assert torch.allclose(blend(cut(image, 16, corners), corners, height, width), image, atol=1e-5)


def test_between_two_tiles_the_picture_changes_gradually():
    corners = places(16, 24, 16, 8)
    tiles = torch.stack((torch.zeros(1, 16, 16), torch.ones(1, 16, 16)))
    row = blend(tiles, corners, 16, 24)[0, 5]
    assert (row[:8] == 0).all() and (row[16:] == 1).all()
    assert (row[8:16].diff() > 0).all() and row.diff().max() < 0.2


def test_the_window_is_symmetric_positive_and_largest_in_the_middle():
    weight = window(8)
    assert (
        (weight > 0).all()
        and torch.allclose(weight, weight.flip(0))
        and torch.allclose(weight, weight.T)
    )
    assert weight[3, 3] == weight.max() and weight[0, 0] == weight.min()


def test_tiles_larger_than_the_picture_are_refused():
    with pytest.raises(VarbookError, match="do not fit"):
        starts(15, 16, 8)
    with pytest.raises(VarbookError, match="do not fit"):
        starts(32, 16, 16)
