"""Charts that several chapters draw: the losses of a training, and means with their ranges."""

import math
from collections.abc import Mapping, Sequence

from varbook.book.show.lines import logged
from varbook.train.keeper import Curve


def cyclevar_losses(curve: Curve, title: str, gan: float):
    """Return a matplotlib figure of a training of CycleVAR: cycle and identity loss on the left,
    the adversarial losses on the right.

    `gan` is the weight of the generator's adversarial loss. Dotted lines say what both sides would
    pay if the discriminators tossed coins: log 2 for each of their answers, of which a generator's
    step has two (one for each domain) and a discriminators' step four (real and translated).
    """
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(7.8, 2.6))
    for name, style in (("cycle", "-"), ("identity", "--")):
        left.plot(*logged(curve, name), style, label=name)
    chances = {"gan": 2 * gan * math.log(2), "critic": 4 * math.log(2)}
    for name, style, label in (("gan", "-", "generator"), ("critic", "--", "discriminators")):
        (line,) = right.plot(*logged(curve, name), style, label=label)
        right.axhline(chances[name], color=line.get_color(), lw=0.8, ls=":")
    left.set(title=f"{title}: cycle and identity", xlabel="step", ylim=(0, None))
    right.set(title="adversarial (dotted: at chance)", xlabel="step", ylim=(0, None))
    left.legend()
    right.legend()
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
    column but the first the 40 largest of its `weights`, sorted, as bars.
    """
    import matplotlib.pyplot as plt

    heights = (*(3 for _ in rows), 2)
    figure, axes = plt.subplots(
        len(heights), len(titles), figsize=(8, sum(heights) / 2), height_ratios=heights
    )
    for line, pictures in zip(axes, rows, strict=False):
        for axis, picture in zip(line, pictures, strict=True):
            axis.imshow(picture.permute(1, 2, 0))
    for axis in axes[:-1].flat:
        axis.axis("off")
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, fontsize=9)
    axes[-1, 0].axis("off")
    for axis, values in zip(axes[-1, 1:], weights, strict=True):
        heaviest = sorted(values, reverse=True)[:40]
        axis.bar(range(len(heaviest)), heaviest, width=1.0)
        axis.set(xticks=[], ylim=(0, 1.05 * max(heaviest)), xlabel="40 heaviest codes")
        axis.tick_params(labelsize=7)
    axes[-1, 1].set_ylabel("weight", fontsize=8)
    return figure


def coverage_panels(places: Sequence[int], panels: Mapping[str, Sequence[Mapping[str, float]]]):
    """Return a matplotlib figure of how often intervals hold the truth, over numbers of voters.

    `panels` maps a title to the shares (label -> share) at each of `places`; a thin line stands at
    0.95. The first label's line is wide and pale, so that the others can be seen upon it.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(panels), figsize=(8, 3), sharey=True)
    for axis, (title, rows) in zip(axes, panels.items(), strict=True):
        for label, style in zip(rows[0], ("-", "o--", "s:"), strict=True):
            width, alpha = (5, 0.4) if style == "-" else (1.5, 1)
            shares = [row[label] for row in rows]
            axis.plot(places, shares, style, lw=width, alpha=alpha, label=label)
        axis.axhline(0.95, color="black", lw=0.8)
        axis.set(xscale="log", title=title, ylim=(0, 1.03))
        axis.set_xlabel("simulated voters, 20 votes each")
        axis.set_xticks(places, places)
        axis.minorticks_off()
    axes[0].set_ylabel("intervals that hold the truth")
    axes[-1].legend(loc="lower right")
    return figure
