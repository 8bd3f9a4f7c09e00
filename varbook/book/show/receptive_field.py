"""What a token of a next-scale model looks at, drawn from measured gradients."""

from collections.abc import Sequence

import torch
from matplotlib import colormaps
from torch import Tensor

from varbook.book.show.lines import plain_ticks
from varbook.book.show.style import WIDTH
from varbook.tokenizer.schedule import Schedule, scale_slices

MOST = 7  # maps in one row
RANGE = 300  # times less than the largest gradient is drawn as nothing
_COLOURS = colormaps["cividis"]


def receptive_field_chart(felt: Tensor, may: Tensor, schedule: Schedule):
    """Return a figure of the gradients `felt` (L, L), output token by input token, where `may` is
    True, with lines between the scales.
    """
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    figure, axis = plt.subplots(figsize=(WIDTH, 6.6))
    shares = (felt / felt.max()).clamp_min(1e-6).log10().where(may, torch.nan)
    picture = axis.imshow(shares, cmap=_COLOURS, aspect="auto")
    slices, length = scale_slices(schedule), len(felt)
    for scale in slices[:-1]:
        axis.axhline(scale.stop - 0.5, color="white", linewidth=0.6)
        axis.axvline(scale.stop - 0.5, color="white", linewidth=0.6)
    # The scales are named where there is room for a name: the coarse ones are thin lines.
    wide = [k for k, scale in enumerate(slices) if scale.stop - scale.start >= length / 14]
    middles = [(slices[k].start + slices[k].stop - 1) / 2 for k in wide]
    names = [f"{schedule[k][0]} x {schedule[k][1]}" for k in wide]
    axis.set_xticks(middles, names)
    axis.set_yticks(middles, names)
    axis.set(
        xlabel=f"input token, by scale ({length} in all)",
        ylabel="output token, by scale",
        title="Block-causal: nothing above the blocks",
    )
    axis.grid(False)
    bar = figure.colorbar(picture, ax=axis)
    bar.set_label("gradient / largest gradient")
    bar.ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda power, _: f"{10**power:g}"))
    return figure


def looked_at(felt: Tensor, schedule: Schedule, place: int) -> tuple[list[Tensor], list[float]]:
    """Return where the token at `place` looks, a map (h_k, w_k) of gradients for each scale, relative
    to the mean of all tokens, and the mean of each map.

    The token itself is left out: the sum around the blocks passes it on untouched, and it would
    outshine all others.
    """
    row = felt[place].clone()  # L
    row[place] = 0.0
    relative = (row / row.mean()).cpu()
    maps = [
        relative[part].view(*size)
        for part, size in zip(scale_slices(schedule), schedule, strict=True)
    ]
    return maps, [one.mean().item() for one in maps]


def looked_at_chart(maps: Sequence[Tensor], schedule: Schedule):
    """Return a figure of `maps` (h_k, w_k) as `looked_at` returns them, all drawn equally large and
    in one logarithmic scale of colours, whose bar is at the side.
    """
    import matplotlib.pyplot as plt
    from matplotlib.colors import LogNorm

    count = len(maps)
    columns = count if count <= MOST else -(-count // 2)
    lines = -(-count // columns)
    size = (WIDTH, 0.7 + lines * (0.45 + 0.87 * WIDTH / columns))
    figure, axes = plt.subplots(lines, columns, figsize=size, squeeze=False)
    top = max(one.max().item() for one in maps)
    norm = LogNorm(top / RANGE, top)
    for number, axis in enumerate(axes.flat):
        axis.set_axis_off()
        if number < count:
            seen = maps[number].clamp_min(top / RANGE)
            picture = axis.imshow(seen, cmap=_COLOURS, norm=norm, aspect="auto")
            axis.set_box_aspect(1)  # the square of a map of any shape
            axis.set_title(f"{schedule[number][0]} x {schedule[number][1]}")
    bar = figure.colorbar(picture, ax=axes, orientation="horizontal", aspect=60, pad=0.06)
    bar.set_label("gradient of one token, relative to the mean over all tokens")
    bar.ax.minorticks_off()
    plain_ticks(bar.ax.xaxis)
    return figure
