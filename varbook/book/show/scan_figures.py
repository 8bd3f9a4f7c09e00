"""Pictures of Mamba's scan paths: the eight paths, and how far a token is heard along them."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from varbook.transformer.scan_paths import CORNERS, PATHS, zigzag


def paths_figure(side: int = 8):
    """Return a matplotlib figure of the eight paths over a map of side x side places (FlexVAR
    figure 12): an arrow and a ring at the start, colours that run from dark to bright.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 4, figsize=(7.2, 4.1))
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
    """Return a matplotlib figure with one row per (place of a listener, name of the paths), and in
    it the places that the listener has heard of after one layer, two layers and so on: boolean
    maps (side, side), dark where heard.
    """
    import matplotlib.pyplot as plt

    columns = max(len(maps) for maps in rows.values())
    size = (1.4 * columns, 1.5 * len(rows))
    figure, axes = plt.subplots(len(rows), columns, figsize=size, squeeze=False)
    for number, ((place, name), maps) in enumerate(rows.items()):
        for layers, (axis, heard) in enumerate(zip(axes[number], maps, strict=True), start=1):
            axis.imshow(heard, cmap="Blues", vmin=-0.15, vmax=1.4)
            side = heard.shape[1]
            axis.plot(place % side, place // side, "o", color="black", markersize=4)
            title = "" if number else f"{layers} layer{'s' * (layers > 1)}"
            axis.set(xticks=[], yticks=[], title=title)
            axis.grid(False)
        axes[number, 0].set_ylabel(name, fontsize=9)
    return figure
