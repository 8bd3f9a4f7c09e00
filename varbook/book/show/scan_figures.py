"""Pictures of Mamba: the eight scan paths, how far a token reaches along them, how a state fades, and
trainings with several seeds.
"""

from collections.abc import Mapping, Sequence

from torch import Tensor

from varbook.book.show.lines import PLAIN, draw_lines, logged
from varbook.book.show.style import WIDTH
from varbook.train.keeper import Curve
from varbook.transformer.scan_paths import CORNERS, PATHS, zigzag

COLOURS = ("C0", "C1", "C2", "C4")


def paths_figure(side: int = 8):
    """Return a matplotlib figure of the eight paths over a map of side x side places (FlexVAR
    figure 12): an arrow and a ring at the start, colours that run from dark to bright.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 4, figsize=(WIDTH, 5.0))
    arrow = {"arrowstyle": "-|>", "color": "black", "linewidth": 1.8}
    ring = {"s": 70, "facecolors": "none", "edgecolors": "black", "linewidths": 1.8, "zorder": 3}
    for path, axis in zip(range(PATHS), axes.T.flatten(), strict=True):
        order = zigzag((side, side), path)
        y, x = order // side, order % side
        axis.plot(x, y, color="0.75", linewidth=1.2, zorder=1)
        axis.scatter(x, y, c=range(len(order)), cmap="viridis", s=16, zorder=2)
        axis.annotate("", (x[3], y[3]), (x[0], y[0]), arrowprops=arrow)
        axis.scatter(x[:1], y[:1], **ring)
        lines = ("rows", "columns")[path % 2]
        title = f"({'abcdefgh'[path]}) {CORNERS[path // 2]},\n{lines}"
        axis.set(title=title, aspect="equal", xticks=[], yticks=[])
        axis.invert_yaxis()
        axis.grid(False)
    return figure


def reach_figure(rows: Mapping[tuple[int, str], Sequence[Tensor]]):
    """Return a matplotlib figure with one row per (place, name of the paths), and in it the places on
    which that one can depend after one layer, two layers and so on: boolean maps (side, side), dark
    where True.
    """
    import matplotlib.pyplot as plt

    columns = max(len(maps) for maps in rows.values())
    size = (WIDTH, WIDTH * 0.95 / columns * len(rows))
    figure, axes = plt.subplots(len(rows), columns, figsize=size, squeeze=False)
    for number, ((place, name), maps) in enumerate(rows.items()):
        for layers, (axis, reached) in enumerate(zip(axes[number], maps, strict=True), start=1):
            axis.imshow(reached, cmap="Blues", vmin=-0.15, vmax=1.4)
            side = reached.shape[1]
            axis.plot(place % side, place // side, "o", color="black", markersize=4)
            title = "" if number else f"{layers} layer{'s' * (layers > 1)}"
            axis.set(xticks=[], yticks=[], title=title)
            axis.grid(False)
        axes[number, 0].set_ylabel(name)
    return figure


def fading_figure(constant: Mapping[str, Tensor], erased: Tensor, token: int):
    """Return a matplotlib figure of what is left of the first token at each later one (L,): left for
    constant steps by their name, right with one large step at `token`.
    """
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 3.4), sharey=True)
    lines = {name: shares.tolist() for name, shares in constant.items()}
    draw_lines(left, range(len(erased)), lines, PLAIN)
    right.plot(erased.tolist())
    left.set(title="Constant steps", xlabel="token", ylabel="share of token 0")
    right.set(title=f"A large step at token {token}", xlabel="token")
    return figure


def trainings_figure(curves: Mapping[str, Sequence[Curve]], field: str, ylabel: str):
    """Return a matplotlib figure of one logged number over the steps: for each name the mean of its
    trainings as a line, and from the lowest to the highest of them as a band.

    Where two names are given, trainings of equal seeds are subtracted in a second panel: lines that
    lie on one another are told apart there.
    """
    import matplotlib.pyplot as plt

    names = list(curves)
    pair = len(names) == 2
    size = (WIDTH, 3.8)
    figure, axes = plt.subplots(1, 1 + pair, figsize=size, squeeze=False)
    values = {name: [logged(run, field)[1] for run in runs] for name, runs in curves.items()}
    steps = logged(curves[names[0]][0], field)[0]
    for name, style, colour in zip(names, PLAIN[: len(names)], COLOURS, strict=False):
        _band(axes[0, 0], steps, values[name], style, colour, name)
    seeds = " and ".join(map(str, sorted({len(runs) for runs in curves.values()})))
    axes[0, 0].set(xlabel="training step", ylabel=ylabel)
    axes[0, 0].set_title(f"Mean and range over {seeds} seeds")
    axes[0, 0].legend()
    if pair:
        first, second = values.values()
        apart = [
            [b - a for a, b in zip(one, other, strict=True)]
            for one, other in zip(first, second, strict=True)
        ]
        _band(axes[0, 1], steps, apart, "-", "0.35", "difference")
        axes[0, 1].axhline(0, color="black", linewidth=0.8)
        far = 1.1 * max(abs(value) for run in apart for value in run) or 1.0
        axes[0, 1].set(xlabel="training step", ylim=(-far, far))
        axes[0, 1].set_title(f"{names[1]} minus {names[0]}, same seed")
        beside = {"transform": axes[0, 1].transAxes, "color": "0.35"}
        axes[0, 1].text(0.03, 0.95, f"{names[0]} is lower", va="top", **beside)
        axes[0, 1].text(0.03, 0.05, f"{names[1]} is lower", va="bottom", **beside)
    return figure


def _band(axis, steps, runs: Sequence[Sequence[float]], style: str, colour: str, name: str) -> None:
    """Draw the mean of `runs` as a line and their range as a band."""
    columns = list(zip(*runs, strict=True))
    mean = [sum(column) / len(column) for column in columns]
    axis.plot(steps, mean, style, label=name, color=colour)
    lowest, highest = ([edge(column) for column in columns] for edge in (min, max))
    axis.fill_between(steps, lowest, highest, color=colour, alpha=0.2, linewidth=0)
