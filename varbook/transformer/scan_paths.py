"""Scan paths: in which order a one-directional network walks over a token map (FlexVAR figure 12)."""

import torch
from torch import Tensor

from varbook.tokenizer.schedule import Scale, Schedule, scale_slices

CORNERS = (
    "top left",
    "bottom left",
    "bottom right",
    "top right",
)  # where paths (a, b), (c, d), (e, f), (g, h) start
PATHS = 2 * len(CORNERS)


def zigzag(size: Scale, path: int) -> Tensor:
    """Return the places (h * w,) of a map in the order in which path 0 to 7 visits them, each a
    step beside the one before.

    The corner is that of `CORNERS`; even paths walk along rows, odd ones along columns, turning
    round at each end. (The paper's captions name the corners twice each; that the two of a pair
    differ in direction is our reading of its figure.)
    """
    height, width = size
    grid, corner = torch.arange(height * width).view(height, width), path // 2 % len(CORNERS)
    if corner in (1, 2):  # from the bottom
        grid = grid.flip(0)
    if corner in (2, 3):  # from the right
        grid = grid.flip(1)
    if path % 2:  # along columns
        grid = grid.T
    lines = [line.flip(0) if number % 2 else line for number, line in enumerate(grid)]
    return torch.cat(lines)


def scan_order(schedule: Schedule, path: int) -> Tensor:
    """Return the order (L,) in which a layer walks over a whole
    sequence: scale after scale, within each along `path`.
    """
    return torch.cat(
        [
            piece.start + zigzag(size, path)
            for piece, size in zip(scale_slices(schedule), schedule, strict=True)
        ]
    )


def undo(order: Tensor) -> Tensor:
    """Return the order that puts back what `order` (L,) has permuted."""
    return torch.argsort(order)
