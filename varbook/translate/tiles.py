"""Large pictures in overlapping tiles, and back again without seams."""

import math

import torch
from torch import Tensor

from varbook.config import check_whole
from varbook.errors import VarbookError


def starts(length: int, side: int, overlap: int) -> list[int]:
    """Return where tiles of `side` begin so that they cover
    `length` evenly and share at least `overlap` pixels.
    """
    check_whole("An overlap", overlap, 0)
    for pixels in (side, length):
        check_whole("A side", pixels)
    if not overlap < side <= length:
        raise VarbookError(
            f"Tiles of {side} pixels with an overlap of {overlap} do not fit into {length} pixels."
        )
    steps = math.ceil((length - side) / (side - overlap))
    return [round(step * (length - side) / steps) for step in range(steps + 1)] if steps else [0]


def places(height: int, width: int, side: int, overlap: int) -> list[tuple[int, int]]:
    """Return (top, left) of every tile of a picture, row by row."""
    return [
        (top, left)
        for top in starts(height, side, overlap)
        for left in starts(width, side, overlap)
    ]


def cut(image: Tensor, side: int, corners: list[tuple[int, int]]) -> Tensor:
    """Return the tiles (N, C, side, side) of an image (C, H, W) at `corners`."""
    return torch.stack([image[:, top : top + side, left : left + side] for top, left in corners])


def window(side: int) -> Tensor:
    """Return the weight of each pixel of a tile (side, side):
    largest in the middle, small but positive at the rim.
    """
    ramp = 1 - (torch.arange(side) + 0.5 - side / 2).abs() / (
        side / 2
    )  # a triangle, 1 / side at both ends
    return ramp[:, None] * ramp


class Canvas:
    """A picture (C, H, W) that is put together tile by tile: where tiles overlap, their weighted
    mean. Only the picture itself is held, however many tiles it takes.
    """

    def __init__(self, channels: int, height: int, width: int):
        self.total = torch.zeros(channels, height, width)
        self.weights = torch.zeros(height, width)

    def add(self, tile: Tensor, corner: tuple[int, int]) -> None:
        """Add a float tile (C, side, side) whose upper left pixel lies at `corner` (top, left)."""
        side, weight = tile.shape[-1], window(tile.shape[-1])
        rows, columns = (slice(start, start + side) for start in corner)
        self.total[:, rows, columns] += weight * tile
        self.weights[rows, columns] += weight

    def image(self) -> Tensor:
        """Return the picture (C, H, W); every pixel must have been reached by a tile."""
        return self.total / self.weights


def blend(tiles: Tensor, corners: list[tuple[int, int]], height: int, width: int) -> Tensor:
    """Return the picture (C, H, W) of float tiles (N, C, side, side) at `corners` (`Canvas`)."""
    canvas = Canvas(tiles.shape[1], height, width)
    for tile, corner in zip(tiles, corners, strict=True):
        canvas.add(tile, corner)
    return canvas.image()
