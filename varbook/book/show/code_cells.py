"""Codes in a plane: their cells in the colours that fall into them, and features that walk."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from varbook.tokenizer.codebook import Codebook


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
    figure, (plane, losses) = plt.subplots(1, 2, figsize=(9, 3.6), width_ratios=(1, 1.1))
    x, y = torch.linspace(-0.1, 1.5, 240), torch.linspace(-0.1, 1.1, 180)
    grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1)  # H W 2
    cells = torch.cdist(grid.flatten(0, 1), codes).argmin(1).view(grid.shape[:2])
    for number in range(len(codes)):
        plane.contour(x, y, (cells == number).float(), [0.5], colors="0.8", linewidths=0.8)
    plane.plot(*codes.T, "o", color="black")
    for label, (path, target) in walks.items():
        (line,) = plane.plot(*path.T, label=label)
        plane.plot(*path[0], "s", color=line.get_color(), markersize=7)
        plane.plot(*target, "*", color=line.get_color(), markersize=13)
        chosen = codes[torch.cdist(path, codes).argmin(1)]
        losses.plot((chosen - target).square().sum(-1), color=line.get_color(), label=label)
    plane.set(
        xlim=(-0.1, 1.5),
        ylim=(-0.1, 1.1),
        xlabel="first number",
        ylabel="second number",
        title="squares: starts, dots: codes, stars: targets",
    )
    plane.grid(False)
    losses.set(xlabel="step", ylabel="loss of the code", title="the loss is a staircase")
    losses.legend()
    return figure
