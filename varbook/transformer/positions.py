"""Where a token sits: fixed-length position embeddings (VAR), one table that is resized to every
scale (FlexVAR), or angles by which queries and keys are rotated (Infinity).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from varbook.errors import VarbookError
from varbook.tokenizer.schedule import Schedule, token_count


def sincos_table(channels: int, height: int, width: int) -> Tensor:
    """Return the 2-D sine-cosine table (1, C, H, W): a quarter
    of the channels each for sin y, cos y, sin x, cos x.
    """
    quarter = channels // 4
    frequencies = 10_000 ** (-torch.arange(quarter) / quarter)  # C/4
    y = torch.arange(height)[:, None] * frequencies  # H C/4
    x = torch.arange(width)[:, None] * frequencies  # W C/4
    rows = torch.cat((y.sin(), y.cos()), 1)[:, None].expand(-1, width, -1)  # H W C/2
    columns = torch.cat((x.sin(), x.cos()), 1)[None].expand(height, -1, -1)  # H W C/2
    table = torch.cat((rows, columns), 2)
    return F.pad(table, (0, channels - table.shape[2])).permute(2, 0, 1)[None]  # 1 C H W


def released_table(channels: int, height: int, width: int) -> Tensor:
    """Return the table of FlexVAR's released code: sin(y w) on even channels, cos(x w) on odd ones
    (FlexVAR section 3.4).
    """
    frequencies = torch.exp(torch.arange(0, channels, 2) * (-math.log(10_000.0) / channels))  # C/2
    table = torch.zeros(channels, height, width)
    table[0::2] = (torch.arange(height)[None, :, None] * frequencies[:, None, None]).sin()
    table[1::2] = (
        torch.arange(width)[None, None, :] * frequencies[: channels // 2, None, None]
    ).cos()
    return table[None]


class FixedPositions(nn.Module):
    """VAR: one learned vector for every token of one schedule; no other schedule is possible."""

    def __init__(self, width: int, schedule: Schedule):
        super().__init__()
        self.schedule = schedule
        self.table = nn.Parameter(torch.empty(1, token_count(schedule), width))
        nn.init.trunc_normal_(self.table, std=math.sqrt(1 / width / 3))

    def forward(self, schedule: Schedule) -> list[Tensor]:
        """Return the embeddings (1, h w, C) per scale; VarbookError where the schedule is not the
        start of the trained one.
        """
        if schedule != self.schedule[: len(schedule)]:
            raise VarbookError(
                f"Fixed positions know only the schedule of their training, {self.schedule}, not {schedule}; "
                'use that one, or a model with positions="scalable".'
            )
        sizes = [height * width for height, width in schedule]
        return list(self.table[:, : sum(sizes)].split(sizes, 1))


class ScalablePositions(nn.Module):
    """FlexVAR: a learnable table of twice the largest training latent, started from sine-cosine,
    resized to each scale.
    """

    def __init__(
        self, width: int, latent: tuple[int, int], *, learnable: bool = True, form: str = "paper"
    ):
        super().__init__()
        make = {"paper": sincos_table, "released": released_table}[form]
        self.form = form
        # 2h x 2w, as FlexVAR section 3.4 sets it for stability
        self.table = nn.Parameter(
            make(width, 2 * latent[0], 2 * latent[1]), requires_grad=learnable
        )

    def forward(self, schedule: Schedule) -> list[Tensor]:
        """Return the embeddings (1, h w, C) of every scale (h, w) of any schedule."""
        return [self.resize(size).flatten(2).transpose(1, 2) for size in schedule]

    def resize(self, size: tuple[int, int]) -> Tensor:
        """Return the table at `size` (1, C, h, w): linear as
        the paper says, by areas as the released code does.
        """
        if self.form == "released":
            return F.interpolate(self.table, size=size, mode="area")
        return F.interpolate(self.table, size=size, mode="bilinear", antialias=True)


def rotate(x: Tensor, angles: Tensor) -> Tensor:
    """Rotate each pair of neighbouring channels of `x` (..., L, D) by its angle (L, D / 2): after it,
    q . k depends on distances.
    """
    a, b = x.unflatten(-1, (-1, 2)).unbind(-1)  # ... L D/2
    cos, sin = angles.cos(), angles.sin()
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2)


class RotaryPositions(nn.Module):
    """Infinity: nothing is added to a token; in every attention layer its place rotates it, half of
    the channels by y, half by x.

    Places of all scales are measured on one grid whose longer side is `side` (Infinity: 64,
    whatever the resolution), so that the same spot has the same angle at every scale.
    """

    def __init__(self, width: int, heads: int, side: int):
        super().__init__()
        self.width, self.channels, self.side = width, width // heads, side
        if self.channels % 4:
            raise VarbookError(
                f"Rotary positions need heads of a multiple of 4 channels, not {width} / {heads}."
            )

    def forward(self, schedule: Schedule) -> list[Tensor]:
        """Return what is added to the tokens of every scale, (1, h w, C): nothing."""
        return [torch.zeros(1, height * width, self.width) for height, width in schedule]

    def angles(self, schedule: Schedule) -> Tensor:
        """Return the angles (L, D / 2) of all tokens of `schedule`, for heads of D channels."""
        longest = max(schedule[-1])
        half = self.channels // 2
        frequencies = 10_000.0 ** (-torch.arange(0, half, 2).float() / half)  # D/4
        parts = []
        for scale in schedule:
            places = (
                (torch.arange(n) * (self.side * last / longest / n)).round()
                for n, last in zip(scale, schedule[-1], strict=False)
            )
            y, x = (place[:, None] * frequencies for place in places)  # h D/4, w D/4
            rows, columns = (
                y[:, None].expand(-1, scale[1], -1),
                x[None].expand(scale[0], -1, -1),
            )  # h w D/4
            parts.append(torch.cat((rows, columns), -1).flatten(0, 1))  # h*w D/2
        return torch.cat(parts)
