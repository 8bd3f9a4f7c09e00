"""Charts that several chapters draw: the losses of a training, and means with their ranges."""

import math
from collections.abc import Mapping, Sequence

import torch

from varbook.book.show.lines import LOGGED, draw_logged, name_level, name_levels
from varbook.book.show.style import WIDTH
from varbook.evaluate.usage import perplexity
from varbook.train.keeper import Curve

HEAVIEST = 20  # codes of a token whose weights are drawn
LIGHTEST = 5e-5  # the bottom of the axis of these weights


def cyclevar_losses(curve: Curve, title: str, gan: float):
    """Return a matplotlib figure of a training of CycleVAR: cycle and identity loss on the left,
    the adversarial losses on the right, each with its running mean.

    `gan` is the weight of the generator's adversarial loss. Dotted lines say what both sides would
    pay if the discriminators tossed coins: log 2 for each of their answers, of which a generator's
    step has two (one for each domain) and a discriminators' step four (real and translated).
    """
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 3.4))
    smooth = [
        draw_logged(left, curve, name, style, label=name)
        for name, style in (("cycle", "-"), ("identity", "--"))
    ]
    sides = (("gan", "-", "generator", "C0"), ("critic", "--", "discriminators", "C1"))
    for name, style, label, colour in sides:
        draw_logged(right, curve, name, style, label=label, color=colour)
    chances = {"generator": 2 * gan * math.log(2), "discriminators": 4 * math.log(2)}
    name_levels(right, chances, "at chance")
    left.set(title=f"{title}: cycle and identity", ylabel="loss", ylim=(0, None))
    right.set(title=f"{title}: adversarial", ylim=(0, None))
    for axis in (left, right):  # above the highest line there is room for the names
        axis.set_ylim(top=1.3 * axis.get_ylim()[1])
        axis.legend(loc="upper center", ncols=2)
    figure.supxlabel(LOGGED if any(smooth) else "training step", fontsize="medium")
    return figure


def sweep(axis, places: Sequence[float], lines: Mapping[str, Sequence], shift: float = 0.0) -> None:
    """Draw one line of means for each label, with bars of their ranges.

    `lines` maps a label to one pair (mean, range), as `seeds.spread` returns it, for each place.
    The first line stands `shift` to the left and the next to the right, so that bars stay apart.
    """
    for (label, pairs), style, sign in zip(lines.items(), ("o-", "s--"), (-1, 1), strict=False):
        means, ranges = zip(*pairs, strict=True)
        at = [place + sign * shift for place in places]
        bars = [extent / 2 for extent in ranges]
        axis.errorbar(at, means, yerr=bars, fmt=style, capsize=2, label=label)


def pictures_over_weights(rows: Sequence[Sequence], titles: Sequence[str], weights: Sequence):
    """Return a matplotlib figure: rows of uint8 pictures (3, H, W) under `titles`, and below every
    column but the first the HEAVIEST largest of its `weights`, sorted, as bars.

    All bars share one logarithmic axis, on which a single code, a mixture of some and the mean of
    all look different; the largest weight and the perplexity are written above them.
    """
    import matplotlib.pyplot as plt

    columns = len(titles)
    side = WIDTH / columns
    figure, axes = plt.subplots(
        len(rows) + 1,
        columns,
        figsize=(WIDTH, (len(rows) + 1.25) * side),
        height_ratios=(*(1 for _ in rows), 1.25),
    )
    for line, pictures in zip(axes, rows, strict=False):
        for axis, picture in zip(line, pictures, strict=True):
            axis.imshow(picture.permute(1, 2, 0))
    for axis in (*axes[:-1].flat, axes[-1, 0]):
        axis.axis("off")
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title)
    for axis, values in zip(axes[-1, 1:], weights, strict=True):
        largest = sorted(values, reverse=True)[:HEAVIEST]
        weight_bars(axis, largest, named=axis is axes[-1, 1])
        spread = perplexity(torch.tensor(values))
        axis.set_title(f"largest {largest[0]:.2g}\nperplexity {spread:.3g}", loc="left")
    told = f"the {HEAVIEST} heaviest codes of one token, from the heaviest on"
    figure.supxlabel(told, fontsize="medium")
    return figure


def weight_bars(axis, weights: Sequence[float], named: bool = True) -> None:
    """Draw the `weights` of some codes of a token, in [0, 1], as bars on a logarithmic axis, the same
    for all: a single code, a mixture of some and the mean of all look different on it.

    `named`: whether the axis has its numbers and its name; one of a row is enough.
    """
    count = len(weights)
    axis.bar(range(1, count + 1), weights, width=1.0, edgecolor="white", linewidth=0.4)
    axis.set(yscale="log", ylim=(LIGHTEST, 2), xlim=(0, count + 1), xticks=(1, count))
    axis.set_yticks((1e-4, 1e-2, 1), ("0.0001", "0.01", "1") if named else ("", "", ""))
    axis.minorticks_off()
    if named:
        axis.set_ylabel("weight of a code")


def coverage_panels(places: Sequence[int], panels: Mapping[str, Sequence[Mapping[str, float]]]):
    """Return a matplotlib figure of how often intervals hold the truth, over numbers of voters.

    `panels` maps a title to the shares (label -> share) at each of `places`; a dotted line stands at
    the promised 0.95. The first label's line is wide and pale, so that the others can be seen upon it.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(panels), figsize=(WIDTH, 3.6), sharey=True)
    for axis, (title, rows) in zip(axes, panels.items(), strict=True):
        for label, style in zip(rows[0], ("-", "o--", "s:"), strict=True):
            width, alpha = (5, 0.4) if style == "-" else (1.5, 1)
            shares = [row[label] for row in rows]
            axis.plot(places, shares, style, lw=width, alpha=alpha, label=label)
        name_level(axis, 0.95, "0.95" if axis is axes[-1] else "")
        axis.set(xscale="log", title=title, ylim=(0, 1.03))
        axis.set_xlabel("simulated voters, 20 votes each")
        axis.set_xticks(places, places)
        axis.minorticks_off()
    axes[0].set_ylabel("intervals that hold the truth")
    axes[-1].legend(loc="lower right")
    return figure
