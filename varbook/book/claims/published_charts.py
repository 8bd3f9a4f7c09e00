"""The papers' own numbers as pictures: chapter 13 judges claims by them."""

from collections.abc import Mapping, Sequence

from varbook.book.claims.registry import published
from varbook.book.show.lines import plain_ticks
from varbook.book.show.style import WIDTH

# x axis (FID, logarithmic) of each task: limits and ticks.
_AXES = {
    "horse to zebra": ((35, 92), (40, 60, 80)),
    "zebra to horse": ((100, 220), (100, 150, 200)),
}


def trade_panels(panels: Mapping[str, Sequence[tuple[str, float, float]]], fronts: Mapping):
    """Return a matplotlib figure of CycleVAR table 1: FID against structure distance, one panel
    for each task.

    `panels` maps a task to (method, FID, structure distance); `fronts` maps it to whether each of
    these stands on the front. Those that do are filled; our paper's methods have another colour.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(panels), figsize=(WIDTH, 4.6), sharey=True, squeeze=False)
    for axis, (task, rows) in zip(axes[0], panels.items(), strict=True):
        for number, (row, best) in enumerate(zip(rows, fronts[task], strict=True), start=1):
            _numbered(axis, number, *row, best)
        limits, ticks = _AXES[task]
        axis.set(title=f"{task}, as published", xlabel="FID (lower is better)")
        axis.set(xscale="log", yscale="log", xlim=limits)
        axis.set_xticks(ticks, labels=[str(tick) for tick in ticks])
        axis.xaxis.set_minor_formatter("")
    axes[0, 0].set(ylabel="structure distance")
    axes[0, 0].set_yticks([2, 3, 5, 8, 12], labels=["2", "3", "5", "8", "12"])
    axes[0, 0].yaxis.set_minor_formatter("")
    handles, labels = axes[0, -1].get_legend_handles_labels()
    plain = {"handlelength": 0, "handletextpad": 0, "markerscale": 0}
    figure.legend(handles, labels, loc="outside lower center", ncols=4, **plain)
    return figure


def _numbered(axis, number: int, name: str, fid: float, structure: float, filled: bool) -> None:
    colour = "#bd1f01" if name.startswith("CycleVAR") else "#3f90da"
    fill = {"color": colour if filled else "white", "edgecolor": colour}
    axis.scatter(fid, structure, s=210, zorder=2, label=f"{number}  {name}", **fill)
    centred = {"ha": "center", "va": "center", "color": "white" if filled else "black"}
    axis.text(fid, structure, str(number), zorder=3, **centred)


def three_claims():
    """Return a matplotlib figure of three claims in the papers' own numbers: FID against depth
    (FlexVAR table 2), against temperature (CycleVAR table 5), and without the smaller scales
    (CycleVAR table 4).
    """
    import matplotlib.pyplot as plt

    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(WIDTH, 3.4))
    _by_depth(left)
    _by_temperature(middle)
    _without_scales(right)
    for axis in (left, middle, right):
        axis.legend()
    return figure


def _by_depth(axis) -> None:
    for family, style in (("VAR", "s--"), ("FlexVAR", "o-")):
        points = [
            (row["model"][-3:], row["FID"])
            for row in published("flexvar-table-2").as_dicts()
            if row["model"].startswith(f"{family}-d") and row["steps"] == 10
        ]
        axis.plot(*zip(*points, strict=True), style, label=family)
    axis.set(title="FlexVAR table 2", xlabel="depth", ylabel="FID, ImageNet 256 px")


def _by_temperature(axis) -> None:
    rows = published("cyclevar-table-5").as_dicts()
    rows = [row for row in rows if row["temperature"][-1].isdigit()]  # one has words beside it
    places = [float(row["temperature"]) for row in rows]
    for column, style in (("FID h2z", "o-"), ("FID z2h", "s--")):
        axis.plot(places, [row[column] for row in rows], style, label=column[4:])
    axis.set(title="CycleVAR table 5", xlabel="temperature of SRQ", ylabel="FID", xscale="log")
    plain_ticks(axis.xaxis)


def _without_scales(axis) -> None:
    rows = published("cyclevar-table-4").as_dicts()
    for column, shift, hatch in (("FID h2z", -0.2, ""), ("FID z2h", 0.2, "//")):
        bars = [row[column] for row in rows]
        places = [place + shift for place in range(len(rows))]
        axis.bar(places, bars, 0.38, hatch=hatch, edgecolor="white", label=column[4:])
    names = ("both", "no output", "neither")
    axis.set(title="CycleVAR table 4", ylabel="FID", xticks=range(len(rows)), xticklabels=names)
