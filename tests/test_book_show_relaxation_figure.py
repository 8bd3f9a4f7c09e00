"""Each relaxation has its bars above and its map of arriving gradients below; what a logit or a
temperature does is computed, not drawn by hand.
"""

import matplotlib.pyplot as plt
import torch

from varbook.book.show.relaxation_figure import (
    DRAGGED,
    HEAVIEST,
    dragged_logit,
    mixtures_figure,
    relaxations_figure,
    temperature_figure,
)

CODES = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])


def test_where_no_gradient_arrives_the_figure_says_so():
    weights = {
        "argmax": torch.tensor([[1.0, 0.0], [0.0, 1.0]]),
        "softmax": torch.tensor([[0.5, 0.5], [0.25, 0.75]]),
    }
    gradients = {"argmax": torch.zeros(1, 2), "softmax": torch.tensor([[1.0, 3.0]])}
    figure = relaxations_figure(weights, gradients, {"argmax": 0.0, "softmax": 0.98})
    above, below = figure.axes[:2], figure.axes[2:4]
    assert [axis.get_title() for axis in above] == ["argmax", "SRQ (softmax)"]
    assert [axis.get_xlabel() for axis in below] == ["nothing arrives", "sum 4\ncosine 0.98"]
    # The bars are those of the token that gets most, its heaviest codes first, and it is framed.
    assert [bar.get_height() for bar in above[1].patches] == [0.75, 0.25]
    assert [bar.get_height() for bar in above[0].patches] == [1.0, 0.0]
    assert [axis.patches[0].get_xy() for axis in below] == [(0.5, -0.5)] * 2
    assert len({axis.images[0].get_clim() for axis in below}) == 1
    plt.close(figure)


def test_a_sampled_code_is_drawn_even_where_it_is_light():
    count = 2 * HEAVIEST
    soft = torch.arange(count, 0, -1.0)[None] / 1000
    drawn = torch.zeros(1, count)
    drawn[0, -1] = 1.0  # the lightest of all
    one = torch.ones(1, 1)
    weights, arrived = {"gumbel": drawn, "softmax": soft}, {"gumbel": one, "softmax": one}
    figure = relaxations_figure(weights, arrived, {"gumbel": 0.5, "softmax": 1.0})
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    assert heights == [0.0] * (HEAVIEST - 1) + [1.0]
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
    assert left.lines[0].get_ydata().tolist() == [2.0, 16.0]
    assert right.lines[0].get_xdata().tolist() == [0.1, 10.0]
    assert [line.get_ydata().tolist() for line in right.lines[:2]] == [[0.9, 0.1], [0.5, 0.5]]
    plt.close(left.figure)
