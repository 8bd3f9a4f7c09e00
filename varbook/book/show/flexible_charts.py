"""The charts of chapter 05: measures against size, frequencies, steps and time, and a sample below
the maps of its schedule.
"""

from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from varbook.book.show.drawing.palette import scale_colour
from varbook.book.show.lines import name_level, running_mean
from varbook.book.show.sheets import to_arrays
from varbook.book.show.style import WIDTH
from varbook.book.show.tables import term
from varbook.tokenizer.schedule import Schedule, token_count

KINDS = {"real": "k:", "decoded": "C2s--", "drawn": "C0o-", "enlarged": "C1^-."}
MARKS = ("o-", "s--", "^-.", "d:")  # of the depths
GREY = "0.8"
TRAINED, MOST = "size of the training", "most steps of the training"  # what is grey
LEAST = 0.02  # the lowest power that is drawn, relative to real pictures


def sizes_figure(
    sizes: Mapping[int, Mapping], distance: str, stride: int, trained_at: int, chance: float
):
    """Return a matplotlib figure of three measures, `distance` (such as "FD-toy") the first, against the
    pixels of a side, one line for each kind of picture.

    `sizes` is side of the latent -> kind -> measures; a cell of the latent is `stride` pixels wide;
    the size of the training, `trained_at` pixels, is grey, and `chance` a line in the second panel.
    """
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FuncFormatter, NullFormatter

    figure, axes = plt.subplots(1, 3, figsize=(WIDTH, 3.5))
    pixels, ticks = [stride * side for side in sizes], [16, 32, 64, 128, 256]
    for axis, name in zip(axes, (distance, "taken for its class", "detail"), strict=True):
        for kind, style in KINDS.items():
            values = [kinds[kind][name] for kinds in sizes.values()]
            axis.plot(pixels, values, style, label=kind, markersize=4)
        axis.axvspan(trained_at * 0.96, trained_at * 1.04, color="0.85", zorder=0, label=TRAINED)
        axis.set(
            xscale="log", xlabel="pixels a side", title=term(name), xticks=ticks, xticklabels=ticks
        )
        axis.minorticks_off()
    axes[0].set(yscale="log", yticks=(0.1, 0.2, 0.5, 1, 2, 5, 10), ylim=axes[0].get_ylim())
    axes[0].yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes[0].yaxis.set_minor_formatter(NullFormatter())
    axes[1].set(ylim=(0, 1.04))
    name_level(axes[1], chance, "chance")
    axes[2].set(ylim=(0, None))
    _legend_above(figure, axes[0])
    return figure


def _legend_above(figure, axis) -> None:
    """Put the legend of one axis above all panels, in one line."""
    handles, labels = axis.get_legend_handles_labels()
    above = {"loc": "outside upper center", "ncols": len(labels), "columnspacing": 1.2}
    figure.legend(handles, labels, handletextpad=0.5, **above)


def spectra_figure(spectra: Mapping[str, Mapping[str, Sequence[float]]]):
    """Return a matplotlib figure with one panel per size: power over frequency of each kind of
    picture relative to real ones. `spectra` is title -> kind -> power from frequency 0 on.

    Each is a pale line with its running mean on it. What lies below real pictures is named blur,
    what lies above them at the fine end ripples.
    """
    import matplotlib.pyplot as plt

    size = (WIDTH, 3.7)
    figure, axes = plt.subplots(1, len(spectra), figsize=size, sharey=True, squeeze=False)
    for axis, (title, powers) in zip(axes[0], spectra.items(), strict=True):
        for kind in ("decoded", "drawn", "enlarged"):
            pairs = list(zip(powers[kind], powers["real"], strict=True))[1:]  # without the mean
            places = [(k + 1) / len(pairs) for k in range(len(pairs))]
            line = KINDS[kind].translate(str.maketrans("", "", "os^"))  # without its markers
            shares = [power / real for power, real in pairs]
            (mean,) = axis.plot(places, running_mean(shares), line, linewidth=2, label=kind)
            axis.plot(places, shares, color=mean.get_color(), alpha=0.3, linewidth=0.9)
        axis.axhspan(LEAST, 1, color="0.5", alpha=0.08, linewidth=0, zorder=0)
        axis.axhline(1, color="k", linestyle=":", linewidth=1)
        middle = {"ha": "center", "style": "italic", "color": "0.3"}
        axis.text(0.5, 1.4 * LEAST, "below real: blur", **middle)
        axis.text(0.5, 2.6, "above real: ripples", **middle)
        axis.set(title=title, yscale="log", ylim=(LEAST, 5), xlim=(0, 1), xticks=(0, 0.5, 1))
        axis.set_xticklabels(("coarse", "frequency", "finest"))
        for label, side in zip(axis.get_xticklabels(), ("left", "center", "right"), strict=True):
            label.set_horizontalalignment(side)
    axes[0, 0].set_yticks((0.1, 1), ("0.1", "1"))
    axes[0, 0].set(ylabel="power relative to real")
    axes[0, 0].minorticks_off()
    _legend_above(figure, axes[0, 0])
    return figure


def steps_figure(
    curves: Mapping[int, Mapping[str, Sequence[Mapping]]],
    steps: Sequence[int],
    names: Sequence[str],
    most_trained: int,
):
    """Return a matplotlib figure (FlexVAR figure 7) of the measures `names` against the number of
    steps, one line per depth through the means of two seeds, with thin bars from one to the other.

    `curves` is depth -> steps (as text) -> the measures of each set; the most steps of the training
    are a grey line. All axes begin at the measure's own lowest value, so that an effect is seen as
    large as it is beside the noise.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(names), figsize=(WIDTH, 3.7), squeeze=False)
    for axis, name in zip(axes[0], names, strict=True):
        for number, ((depth, values), mark) in enumerate(
            zip(curves.items(), MARKS[: len(curves)], strict=True)
        ):
            pairs = [[measures[name] for measures in values[str(count)]] for count in steps]
            means = [sum(pair) / len(pair) for pair in pairs]
            halves = [(max(pair) - min(pair)) / 2 for pair in pairs]
            look = {"fmt": mark, "markersize": 4, "label": f"depth {depth}"}
            # Beside one another: bars that lie on one another cannot be compared.
            at = [count + 0.12 * (number - (len(curves) - 1) / 2) for count in steps]
            axis.errorbar(at, means, halves, elinewidth=0.9, capsize=0, **look)
        axis.axvline(most_trained, color=GREY, zorder=0, label=MOST)
        axis.set(xlabel="steps", title=term(name), xticks=steps)
        axis.set_ylim(bottom=1 if name.startswith("IS") else 0)  # of two classes alike, IS is 1
        if name == "taken for its class":
            axis.set_ylim(top=1.04)
    _legend_above(figure, axes[0, 0])
    figure.supxlabel("thin bars, the noise: from one seed to the other", fontsize="medium")
    return figure


def times_figure(panels: Mapping[str, tuple]):
    """Return a matplotlib figure of seconds against tokens with a straight line: title -> (tokens,
    seconds, the line's start and slope, and the share R² of the variance that it explains).
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(panels), figsize=(WIDTH, 3.4), squeeze=False)
    for axis, (title, (x, y, start, slope, explained)) in zip(axes[0], panels.items(), strict=True):
        axis.plot(x, y, "o", label="one schedule")
        ends = [start, start + slope * max(x)]
        axis.plot([0, max(x)], ends, "-", linewidth=1, label=f"straight line, R² {explained:.2f}")
        axis.set(xlabel="tokens", ylabel="seconds an image", title=title, xlim=0, ylim=0)
        axis.legend()
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
