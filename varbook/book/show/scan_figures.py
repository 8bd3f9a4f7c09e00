"""Pictures of Mamba: the eight scan paths, how far a token reaches along them, how a state fades, and
trainings with several seeds.
"""

from collections.abc import Mapping, Sequence

from torch import Tensor

from varbook.book.show.lines import PLAIN, draw_lines, logged
from varbook.train.keeper import Curve
from varbook.transformer.scan_paths import CORNERS, PATHS, zigzag


def paths_figure(side: int = 8):
    """Return a matplotlib figure of the eight paths over a map of side x side places (FlexVAR
    figure 12): an arrow and a ring at the start, colours that run from dark to bright.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 4, figsize=(7.8, 4.4))
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
        title = f"({'abcdefgh'[path]}) {CORNERS[path // 2]}, {lines}"
        axis.set(title=title, aspect="equal", xticks=[], yticks=[])
        axis.title.set_fontsize(9)
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
    size = (2 * columns, 1.9 * len(rows))
    figure, axes = plt.subplots(len(rows), columns, figsize=size, squeeze=False)
    for number, ((place, name), maps) in enumerate(rows.items()):
        for layers, (axis, reached) in enumerate(zip(axes[number], maps, strict=True), start=1):
            axis.imshow(reached, cmap="Blues", vmin=-0.15, vmax=1.4)
            side = reached.shape[1]
            axis.plot(place % side, place // side, "o", color="black", markersize=4)
            title = "" if number else f"{layers} layer{'s' * (layers > 1)}"
            axis.set(xticks=[], yticks=[], title=title)
            axis.grid(False)
        axes[number, 0].set_ylabel(name, fontsize=9)
    return figure


def fading_figure(constant: Mapping[str, Tensor], erased: Tensor, token: int):
    """Return a matplotlib figure of what is left of the first token at each later one (L,): left for
    constant steps by their name, right with one large step at `token`.
    """
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 2.8), sharey=True)
    lines = {name: shares.tolist() for name, shares in constant.items()}
    draw_lines(left, range(len(erased)), lines, PLAIN)
    right.plot(erased.tolist())
    left.set(title="Constant steps", xlabel="token", ylabel="share of token 0")
    right.set(title=f"A large step at token {token}", xlabel="token")
    return figure


def trainings_figure(curves: Mapping[str, Sequence[Curve]], field: str, ylabel: str):
    """Return a matplotlib figure of one logged number over the steps: for each name the mean of its
    trainings as a line, and from the lowest to the highest of them as a band.
    """
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(8, 3.2))
    for (name, runs), style in zip(curves.items(), PLAIN[: len(curves)], strict=True):
        steps = logged(runs[0], field)[0]
        values = [logged(run, field)[1] for run in runs]
        columns = list(zip(*values, strict=True))
        mean = [sum(column) / len(column) for column in columns]
        (line,) = axis.plot(steps, mean, style, label=name)
        lowest, highest = ([edge(column) for column in columns] for edge in (min, max))
        axis.fill_between(steps, lowest, highest, color=line.get_color(), alpha=0.2, linewidth=0)
    seeds = {len(runs) for runs in curves.values()}
    axis.set(xlabel="training step", ylabel=ylabel)
    axis.set_title(f"Mean and range over {' and '.join(map(str, seeds))} seeds")
    axis.legend()
    return figure
