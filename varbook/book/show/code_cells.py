"""Codes in a plane: their cells in the colours that fall into them, and features that walk."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from torch import Tensor

from varbook.book.show.style import WIDTH
from varbook.tokenizer.codebook import Codebook

TINTS = ("#e8f1fb", "#fdf0d9", "#f7dfda", "#e9ecee", "#ecdff4", "#f0e4e0", "#e3f1e6")  # of cells


def draw_cells(axis: Axes, book: Codebook, points: Tensor, colours: Tensor, title: str) -> None:
    """Paint the cell of each code (V, 2) of `book` in the mean of the `colours` (N, 3), in [0, 1], of
    the `points` (N, 2) in it; codes without any are crosses in white cells.
    """
    tokens = book.nearest(points)
    counts = torch.bincount(tokens, minlength=book.vocab_size)
    sums = torch.zeros(book.vocab_size, 3).index_add(0, tokens, colours)
    means = sums / counts[:, None].clamp_min(1)
    means[counts == 0] = 1
    low, high = -0.05, 1.05
    steps = torch.linspace(low, high, 220)
    grid = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), -1)  # H W 2
    painted = means[book.nearest(grid)].numpy()
    axis.imshow(painted, extent=(low, high, low, high), origin="lower", aspect="equal")
    place = book.vectors().detach()
    used, dead = place[counts > 0], place[counts == 0]
    axis.plot(*used.T, "o", color="black", markeredgecolor="white", markersize=5)
    axis.plot(*dead.T, "x", color="black", markersize=5)
    axis.set(title=title, xlabel="red", ylabel="blue")
    axis.grid(False)


def walks_figure(codes: Tensor, walks: Mapping[str, tuple[Tensor, Tensor]]) -> Figure:
    """Return the walks of features between `codes` (V, 2), and the loss of each one's code: label ->
    (path (steps, 2), target (2,)).
    """
    figure, (plane, losses) = plt.subplots(1, 2, figsize=(WIDTH, 4.2), width_ratios=(1.15, 1))
    low = torch.cat([codes, *(path for path, _ in walks.values())]).amin(0) - 0.12
    high = torch.cat([codes, *(path for path, _ in walks.values())]).amax(0) + 0.12
    x, y = (torch.linspace(float(a), float(b), 240) for a, b in zip(low, high, strict=True))
    grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1)  # H W 2
    cells = torch.cdist(grid.flatten(0, 1), codes).argmin(1).view(grid.shape[:2])
    extent = (float(x[0]), float(x[-1]), float(y[0]), float(y[-1]))
    tints = ListedColormap([TINTS[number % len(TINTS)] for number in range(len(codes))])
    plane.imshow(cells, extent=extent, origin="lower", aspect="auto", cmap=tints)
    plane.plot(*codes.T, "o", color="black", label="code, and its cell")
    for label, (path, target) in walks.items():
        (line,) = plane.plot(*path.T, linewidth=2)
        colour = line.get_color()
        plane.plot(*path[0], "s", color=colour, markersize=8, markeredgecolor="black")
        start = {"xytext": (9, -4), "textcoords": "offset points"}
        plane.annotate("start", path[0].tolist(), **start)
        plane.annotate("", path[-1].tolist(), path[-2].tolist(), arrowprops=_arrow(colour))
        plane.plot(*target, "*", color=colour, markersize=14, markeredgecolor="black")
        chosen = codes[torch.cdist(path, codes).argmin(1)]
        losses.plot((chosen - target).square().sum(-1), color=colour, label=label)
    plane.plot([], [], "*", color="white", markeredgecolor="black", markersize=12, label="target")
    plane.set(xlabel="first number of the feature", ylabel="second number")
    plane.set_title("The feature walks")
    plane.legend(loc="upper left")
    plane.grid(False)
    losses.set(xlabel="step", ylabel="loss of the nearest code", title="Its loss is a staircase")
    losses.set_ylim(0, 1.3 * losses.get_ylim()[1])
    losses.legend(loc="upper right")
    return figure


def _arrow(colour: str) -> dict:
    return {"arrowstyle": "-|>", "color": colour, "linewidth": 2, "mutation_scale": 16}
