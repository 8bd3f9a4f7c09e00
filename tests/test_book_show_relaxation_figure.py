"""Each relaxation has its bars above and its map of arriving gradients below; what a logit or a
temperature does is computed, not drawn by hand.
"""

import matplotlib.pyplot as plt
import torch

from varbook.book.show.relaxation_figure import (
    DRAGGED,
    dragged_logit,
    mixtures_figure,
    relaxations_figure,
    temperature_figure,
)

CODES = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])


def test_where_no_gradient_arrives_the_figure_says_so():
    weights = {"argmax": torch.tensor([0.0, 1.0]), "straight_through": torch.tensor([0.25, 0.75])}
    gradients = {"argmax": torch.zeros(2, 2), "straight_through": torch.ones(2, 2)}
    figure = relaxations_figure(weights, gradients)
    above, below = figure.axes[:2], figure.axes[2:4]
    assert [axis.get_title() for axis in above] == ["argmax", "straight-through"]
    assert [bar.get_height() for bar in above[1].patches] == [0.25, 0.75]
    assert [axis.get_xlabel() for axis in below] == ["nothing arrives", "sum 4"]
    plt.close(figure)


def test_the_argmax_is_a_staircase_over_a_logit_and_the_mixture_is_not():
    figure = dragged_logit(CODES, torch.tensor([1.0, 0.0, -1.0]), CODES[1], 1, 2.0, 1.0)
    plane, curve = figure.axes
    stairs, at_2, mixture, _ = (line.get_ydata() for line in curve.lines)
    assert sorted(set(stairs.tolist())) == [0.0, 2.0] and stairs[DRAGGED > 1].max() == 0.0
    assert at_2 == 0.0 and (mixture[1:] < mixture[:-1]).all()
    ring, dot = (line.get_xydata()[0] for line in plane.lines[1:])
    assert ring.tolist() == [0.0, 1.0] and dot.tolist() != ring.tolist()
    plt.close(figure)


def test_mixtures_end_at_the_mean_of_the_codes():
    taus = torch.tensor([0.01, 1.0, 1e4])
    paths = torch.stack([(torch.arange(3.0) / tau).softmax(0) @ CODES for tau in taus])
    plane, curve = mixtures_figure(CODES, paths, taus, [0.0, 1.0, 0.0]).axes
    assert plane.lines[0].get_label() == "mixture, temperature 0.01 to 10000"
    mean = plane.collections[1].get_offsets()[0]
    assert torch.allclose(torch.tensor(mean), paths[-1].double(), atol=1e-3)
    assert curve.lines[0].get_ydata().tolist() == [0.0, 1.0, 0.0]
    plt.close(plane.figure)


def test_the_figure_over_temperatures_draws_its_rows():
    row = {"temperature": 0.1, "perplexity": 2.0, "norm ratio": 0.9, "tokens that share it": 0.5}
    rows = [row, row | {"temperature": 10.0, "perplexity": 16.0, "norm ratio": 0.1}]
    left, right = temperature_figure(rows, 16).axes
    assert left.lines[1].get_ydata().tolist() == [2.0, 16.0]
    assert right.lines[0].get_xdata().tolist() == [0.1, 10.0]
    assert [line.get_ydata().tolist() for line in right.lines[:2]] == [[0.9, 0.1], [0.5, 0.5]]
    plt.close(left.figure)
