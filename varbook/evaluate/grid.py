"""The grid that a decoder leaves in its pictures: power at one period beside its neighbours.

A decoder that unfolds channels into patches of pixels, or enlarges with a stride, repeats the same
small errors from patch to patch. The eye sees a grid; in the spectrum it is a thin line at the
patch's frequency, one wave per period, while a picture's own power changes slowly from frequency to
frequency. So the power on that line over the power beside it is about 1 where there is no grid.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from varbook.errors import VarbookError
from varbook.evaluate.image_checks import to_unit

PERIODS = (2, 4)  # pixels: patches of a tokenizer of stride 4, and its cells
# Which frequencies are compared with the line, in steps of the spectrum: far enough that the window
# does not carry the line's own power there.
NEAR, FAR = 3, 6


def line_power(pictures: Tensor) -> Tensor:
    """Return the mean power of grey pictures (N, H, W) at every frequency along the width, from 0
    to one wave in two pixels: (W // 2 + 1,), summed over all frequencies along the height.

    A Hann window in both directions hides that the left border does not continue the right one.
    """
    height, width = pictures.shape[-2:]
    window = torch.hann_window(height, periodic=False)[:, None] * torch.hann_window(
        width, periodic=False
    )  # H W
    centred = pictures - pictures.mean((1, 2), keepdim=True)
    # Across the height the sum over frequencies is that over pixels (Parseval), so one transform
    # along the width is enough.
    return torch.fft.rfft(centred * window, dim=2).abs().square().sum(1).mean(0)


def grid(pictures: Tensor, periods: Sequence[int] = PERIODS) -> float:
    """Return the strongest grid of pictures (N, 3, H, W), uint8 or in [-1, 1]: over both directions
    and all `periods` (pixels), the power at a period over the mean power of frequencies near it.

    About 1 where there is no grid. VarbookError where a period does not divide both sides, or a
    side is too short to have such neighbours.
    """
    grey = to_unit(pictures).mean(1)  # N H W
    powers = (line_power(grey), line_power(grey.transpose(1, 2)))
    return max(_over_neighbours(power, period) for power in powers for period in periods)


def _over_neighbours(power: Tensor, period: int) -> float:
    side = 2 * (len(power) - 1)
    line = side // period
    if side % period or line <= FAR:
        raise VarbookError(
            f"A grid of period {period} cannot be measured along {side} pixels; use pictures whose "
            f"sides are multiples of {period}, of at least {period * (FAR + 1)} pixels."
        )
    beside = [*range(line - FAR, line - NEAR + 1), *range(line + NEAR, line + FAR + 1)]
    # Beyond one wave in two pixels there is nothing: the finest line has neighbours on one side.
    near = power[[k for k in beside if k < len(power)]]
    return (power[line] / near.mean()).item()
