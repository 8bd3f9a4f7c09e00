"""The charts of chapter 05: measures against size, frequencies, steps and time, and a sample below
the maps of its schedule.
"""

from collections.abc import Mapping, Sequence

from torch import Tensor

from varbook.book.show.drawing.palette import scale_colour
from varbook.book.show.sheets import Image, ImageDraw, ImageFont, to_arrays
from varbook.book.show.tables import term
from varbook.tokenizer.schedule import Schedule, token_count

KINDS = {"real": "k:", "decoded": "C2s--", "drawn": "C0o-", "enlarged": "C1^-."}
MARKS = ("o-", "s--", "^-.", "d:")  # of the depths
GREY = "0.8"


def sizes_figure(
    sizes: Mapping[int, Mapping], distance: str, stride: int, trained_at: int, chance: float
):
    """Return a matplotlib figure of three measures, `distance` (such as "FD-toy") the first, against the
    pixels of a side, one line for each kind of picture.

    `sizes` is side of the latent -> kind -> measures; a cell of the latent is `stride` pixels wide;
    the size of the training, `trained_at` pixels, is grey, and `chance` a line in the second panel.
    """
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FuncFormatter

    figure, axes = plt.subplots(1, 3, figsize=(8.6, 2.8))
    pixels, ticks = [stride * side for side in sizes], [16, 32, 64, 128, 256]
    for axis, name in zip(axes, (distance, "taken for its class", "detail"), strict=True):
        for kind, style in KINDS.items():
            values = [kinds[kind][name] for kinds in sizes.values()]
            axis.plot(pixels, values, style, label=kind, markersize=4)
        axis.axvspan(trained_at * 0.97, trained_at * 1.03, color="0.85", zorder=0)
        axis.set(
            xscale="log", xlabel="pixels a side", title=term(name), xticks=ticks, xticklabels=ticks
        )
        axis.minorticks_off()
    axes[0].set(yscale="log")
    for formatted in (axes[0].yaxis.set_major_formatter, axes[0].yaxis.set_minor_formatter):
        formatted(FuncFormatter(lambda value, _: f"{value:g}"))
    axes[1].axhline(chance, color="0.6", linewidth=0.8)
    axes[2].legend(fontsize=8)
    return figure


def spectra_figure(spectra: Mapping[str, Mapping[str, Sequence[float]]]):
    """Return a matplotlib figure with one panel per size: power over frequency of each kind of
    picture relative to real ones. `spectra` is title -> kind -> power from frequency 0 on.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(spectra), figsize=(8.6, 2.8), sharey=True, squeeze=False)
    for axis, (title, powers) in zip(axes[0], spectra.items(), strict=True):
        for kind in ("decoded", "drawn", "enlarged"):
            pairs = list(zip(powers[kind], powers["real"], strict=True))[1:]  # without the mean
            places = [(k + 1) / len(pairs) for k in range(len(pairs))]
            line = KINDS[kind].translate(str.maketrans("", "", "os^"))  # without its markers
            axis.plot(places, [power / real for power, real in pairs], line, label=kind)
        axis.axhline(1, color="k", linestyle=":", linewidth=1)
        axis.set(title=title, xlabel="frequency (1: finest)", yscale="log", ylim=(0.02, 5))
    axes[0, 0].set(ylabel="power relative to real")
    axes[0, 0].legend(fontsize=8)
    return figure


def steps_figure(
    curves: Mapping[int, Mapping[str, Sequence[Mapping]]],
    steps: Sequence[int],
    names: Sequence[str],
    most_trained: int,
):
    """Return a matplotlib figure (FlexVAR figure 7) of the measures `names` against the number of
    steps, one line per depth, with the range over two seeds.

    `curves` is depth -> steps (as text) -> the measures of each set; the most steps of the training
    are a grey line.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(names), figsize=(8.6, 2.8), squeeze=False)
    for axis, name in zip(axes[0], names, strict=True):
        for (depth, values), mark in zip(curves.items(), MARKS[: len(curves)], strict=True):
            pairs = [[measures[name] for measures in values[str(count)]] for count in steps]
            means = [sum(pair) / len(pair) for pair in pairs]
            halves = [(max(pair) - min(pair)) / 2 for pair in pairs]
            label = f"depth {depth}"
            axis.errorbar(steps, means, halves, fmt=mark, capsize=2, markersize=4, label=label)
        axis.axvline(most_trained, color=GREY, zorder=0)
        axis.set(xlabel="steps", title=term(name), xticks=steps)
    axes[0, 0].legend(fontsize=8)
    return figure


def times_figure(panels: Mapping[str, tuple]):
    """Return a matplotlib figure of seconds against tokens with a straight line: title -> (tokens,
    seconds, the line's start and slope, and the share R² of the variance that it explains).
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(panels), figsize=(8.6, 2.8), squeeze=False)
    for axis, (title, (x, y, start, slope, explained)) in zip(axes[0], panels.items(), strict=True):
        axis.plot(x, y, "o")
        ends = [start, start + slope * max(x)]
        axis.plot([0, max(x)], ends, "-", linewidth=1, label=f"R² {explained:.2f}")
        axis.set(xlabel="tokens", ylabel="seconds an image", title=title, xlim=0, ylim=0)
        axis.legend(fontsize=8)
    return figure


def with_schedule(image: Tensor, schedule: Schedule, width: int = 264) -> Image.Image:
    """Return a picture `width` pixels wide of a sample (3, H, W) in [-1, 1], and above it the maps of
    its schedule side by side, all cells equally large, with the number of tokens.
    """
    gap, rows = 4, max(h for h, _ in schedule)
    room = width - gap * (len(schedule) + 1)
    cell = max(1, min(5, room // sum(w for _, w in schedule)))
    factor = max(1, min(width // image.shape[2], 2))
    (sample,) = (Image.fromarray(array) for array in to_arrays(image[None]))
    large = sample.resize((sample.width * factor, sample.height * factor), Image.Resampling.NEAREST)
    top = 22 + rows * cell + gap
    canvas = Image.new("RGB", (width, top + large.height + gap), "white")
    draw = ImageDraw.Draw(canvas)
    told = f"{len(schedule)} steps, {token_count(schedule)} tokens"
    draw.text((gap, 2), told, fill="black", font=ImageFont.load_default(size=13))
    left = gap
    for k, (h, w) in enumerate(schedule):
        corner = (left + w * cell - 1, 22 + h * cell - 1)
        draw.rectangle((left, 22, *corner), fill=scale_colour(k), outline="#555555")
        left += w * cell + gap
    canvas.paste(large, (gap, top))
    return canvas
