"""Charts of chapter 10: what a change does, beside what another seed does."""

from collections.abc import Mapping, Sequence

from varbook.book.show.charts import sweep
from varbook.book.show.lines import name_levels, plain_ticks
from varbook.book.show.seed_dots import draw_dots
from varbook.book.show.style import WIDTH

Seeds = Sequence[Mapping[str, float]]  # the numbers of each seed of a row
WAYS = {"h2z": "to zebra", "z2h": "to horse"}
# Which floors are drawn, and how they are called beside the line.
_FLOORS = {"source, untouched": "untouched", "hidden counterpart": "true one"}


def seed_dots(rows: Mapping[str, Seeds], floors: Mapping[str, Mapping[str, float]]):
    """Return a matplotlib figure of the distance "FD h2z" and "FD z2h" of rows: a dot for each
    seed, a bar at the mean, dotted lines at the floors.
    """
    import matplotlib.pyplot as plt

    height = 1.2 + 0.34 * len(rows)
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, height), sharey=True)
    for axis, (short, way) in zip(axes, WAYS.items(), strict=True):
        draw_dots(axis, {name: [seed[f"FD {short}"] for seed in row] for name, row in rows.items()})
        for name, label in _FLOORS.items():
            at = floors[name][f"FD {short}"]
            axis.axvline(at, color="0.5", ls=":", lw=1)
            side = {"ha": "left" if name == "hidden counterpart" else "right"}
            text = f" {label} "
            axis.set_xlim(right=max(axis.get_xlim()[1], 1.04 * at))
            axis.text(at, len(rows) - 0.45, text, color="0.35", va="bottom", **side)
        axis.set_xlabel(f"FD-toy, {way}")
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_yticklabels(rows)
    return figure


def temperature_curves(
    rows: Mapping[float, Mapping[str, Sequence]],
    floor: Mapping[str, float],
    paper: Sequence[Mapping],
):
    """Return a matplotlib figure of the distance over the temperature, ours beside the paper's.

    `rows` maps a temperature to direction -> (mean, range) of FD-toy; `floor` holds the numbers of
    the untouched source; `paper` the published rows of CycleVAR table 5.
    """
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 3.6))
    ours = {WAYS[short]: [row[short] for row in rows.values()] for short in WAYS}
    sweep(left, list(rows), ours)
    for short, style in zip(WAYS, ("o-", "s--"), strict=True):
        points = [(float(row["temperature"]), row[f"FID {short}"]) for row in paper[: len(rows)]]
        right.plot(*zip(*points, strict=True), style, label=WAYS[short])
    untouched = {WAYS[short]: floor[f"FD {short}"] for short in WAYS}
    name_levels(left, untouched, "untouched")
    axes = {"xscale": "log", "ylim": (0, None), "xlabel": "temperature"}
    left.set(**axes, ylabel="FD-toy", title="ours (bars: range over the seeds)")
    right.set(**axes, ylabel="FID", title="the paper's")
    for axis in (left, right):
        plain_ticks(axis.xaxis)
        axis.legend()
    return figure


def gradient_curves(rows: Mapping[float, Mapping[str, float]]):
    """Return a matplotlib figure of "size" and "agreement" of gradients over the temperature."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 3.4))
    sizes, cosines = ([row[name] for row in rows.values()] for name in ("size", "agreement"))
    left.loglog(list(rows), sizes, "o-")
    right.semilogx(list(rows), cosines, "o-", color="C1")
    left.set(title="Gradient of one picture", xlabel="temperature", ylabel="norm")
    right.set(title="Gradients of two pictures", xlabel="temperature", ylabel="cosine between them")
    right.set_ylim(min(0, *cosines), max(1, *cosines))
    for axis in (left.xaxis, left.yaxis, right.xaxis):
        plain_ticks(axis)
    return figure


def alpha_curves(panels: Mapping[str, Mapping[float, Mapping[str, Sequence]]]):
    """Return a matplotlib figure with one panel a measure over alpha.

    `panels` maps a title to alpha -> direction -> (mean, range over the seeds).
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(panels), figsize=(WIDTH, 3.4), squeeze=False)
    for axis, (title, rows) in zip(axes[0], panels.items(), strict=True):
        lines = {WAYS[short]: [row[short] for row in rows.values()] for short in WAYS}
        sweep(axis, list(rows), lines, shift=0.012)
        axis.set(title=title, xlabel=r"$\alpha$", xticks=list(rows))
    axes[0, 0].set(ylim=(0, None))
    handles, labels = axes[0, 0].get_legend_handles_labels()
    told = [f"{label} (bar: range over the seeds)" for label in labels]
    figure.legend(handles, told, loc="outside upper center", ncols=len(told))
    return figure
