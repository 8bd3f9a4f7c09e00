"""A seam is the step of pixels at given columns over the steps elsewhere."""

import pytest
import torch

from varbook.evaluate.seams import cell_borders, seam


def stairs(steps: list[float]) -> torch.Tensor:
    """One picture whose pixels rise from column to column by `steps`."""
    row = torch.tensor([0.0, *steps]).cumsum(0)
    return row.expand(1, 3, 2, -1)  # 1 3 2 W


def test_even_steps_have_no_seam():
    assert seam(stairs([0.5] * 7), (2, 4)) == pytest.approx(1.0)


def test_the_steps_into_the_columns_are_compared_with_all_others():
    assert seam(stairs([1, 3, 1, 3, 1]), (2, 4)) == pytest.approx(3.0)
    assert seam(stairs([1, 3, 1, 3, 1]), (1, 3, 5)) == pytest.approx(1 / 3)


def test_borders_of_cells_are_every_stride_columns_but_those_named():
    picture = stairs([1, 3, 1, 5, 1, 1, 1])  # cells of two columns: borders at columns 2, 4, 6
    mean = 13 / 7
    assert cell_borders(picture, 2) == pytest.approx(3 / mean)
    assert cell_borders(picture, 2, without=(4,)) == pytest.approx(2 / mean)
