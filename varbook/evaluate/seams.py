"""Vertical seams: how strongly pixels change where one picture meets what was added to it."""

from collections.abc import Sequence

import torch
from torch import Tensor


def _steps(pictures: Tensor) -> Tensor:
    return pictures.diff(dim=3).abs().mean((0, 1, 2))  # W - 1, from column x to x + 1


def seam(pictures: Tensor, columns: Sequence[int]) -> float:
    """Return the mean step of pixels (N, C, H, W) into each of `columns` from the column before,
    over the mean step everywhere else: 1 means that no seam is to be seen.
    """
    steps = _steps(pictures)
    at = torch.tensor([column - 1 for column in columns])
    rest = torch.ones_like(steps, dtype=torch.bool)
    rest[at] = False
    return (steps[at].mean() / steps[rest].mean()).item()


def cell_borders(pictures: Tensor, stride: int, without: Sequence[int] = ()) -> float:
    """Return the mean step of pixels (N, C, H, W) at the borders of the latent's cells, which are
    `stride` columns wide, over the mean step of all columns; the columns `without` are left out.
    """
    steps = _steps(pictures)
    columns = [x for x in range(stride, pictures.shape[3], stride) if x not in without]
    return (steps[torch.tensor(columns) - 1].mean() / steps.mean()).item()
