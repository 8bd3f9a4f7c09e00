"""Each relaxation has its bars above and its map of arriving gradients below."""

import matplotlib.pyplot as plt
import torch

from varbook.book.show.relaxation_figure import relaxations_figure


def test_where_no_gradient_arrives_the_figure_says_so():
    weights = {"argmax": torch.tensor([0.0, 1.0]), "straight_through": torch.tensor([0.25, 0.75])}
    gradients = {"argmax": torch.zeros(2, 2), "straight_through": torch.ones(2, 2)}
    figure = relaxations_figure(weights, gradients)
    above, below = figure.axes[:2], figure.axes[2:4]
    assert [axis.get_title() for axis in above] == ["argmax", "straight-through"]
    assert [bar.get_height() for bar in above[1].patches] == [0.25, 0.75]
    assert [axis.get_xlabel() for axis in below] == ["nothing arrives", "sum 4"]
    plt.close(figure)
