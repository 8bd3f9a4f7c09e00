"""A grid shows as power on one line of the spectrum: found where it was drawn, at its period."""

import pytest
import torch

from varbook.data.images import to_float
from varbook.data.toy import toy_images
from varbook.errors import VarbookError
from varbook.evaluate.grid import grid, line_power

SCENES = to_float(toy_images(16, 64, seed=5).images)  # N 3 H W


def lines(period: int) -> torch.Tensor:
    """A weak pattern (64, 64): every `period`-th column is lighter."""
    pattern = torch.zeros(64, 64)
    pattern[:, ::period] = 0.1
    return pattern


def test_scenes_have_no_grid():
    assert grid(SCENES) < 2


@pytest.mark.parametrize("period", [2, 4])
@pytest.mark.parametrize("turned", [False, True])
def test_a_weak_grid_is_found_at_its_period_in_both_directions(period, turned):
    pattern = lines(period).T if turned else lines(period)
    assert grid(SCENES + pattern, [period]) > 3 * grid(SCENES, [period])


def test_lines_of_another_period_are_not_taken_for_it():
    columns = torch.arange(64) * 2 * torch.pi / 16  # one wave in sixteen pixels
    assert grid(SCENES + 0.1 * columns.sin(), [4]) == pytest.approx(grid(SCENES, [4]), rel=0.05)


def test_one_wave_has_its_power_at_its_frequency():
    wave = (torch.arange(64) * 2 * torch.pi / 8).cos().expand(2, 64, 64)
    assert line_power(wave).argmax() == 64 // 8


def test_unfolded_patches_leave_a_grid_that_a_larger_kernel_would_not():
    torch.manual_seed(0)
    flat = torch.rand(8, 4, 32, 32)
    unfolded = torch.nn.PixelShuffle(2)(flat * torch.tensor([1.0, 0.5, 1.0, 0.5]).view(4, 1, 1))
    assert grid(unfolded.expand(-1, 3, -1, -1) * 2 - 1, [2]) > 3


def test_sides_that_the_period_does_not_divide_are_refused():
    with pytest.raises(VarbookError, match="multiples of 4"):
        grid(torch.zeros(1, 3, 62, 62), [4])
    with pytest.raises(VarbookError, match="at least 56"):
        grid(torch.zeros(1, 3, 48, 48), [8])
