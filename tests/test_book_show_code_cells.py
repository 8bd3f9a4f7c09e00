"""Cells of codes in their colours, and walks between them."""

import matplotlib.pyplot as plt
import torch

from varbook.book.show.code_cells import draw_cells, walks_figure
from varbook.tokenizer.codebook import Codebook


def test_a_cell_has_the_mean_colour_of_its_points_and_a_dead_code_is_a_cross():
    book = Codebook(3, 2)
    with torch.no_grad():
        book.embedding.weight.copy_(torch.tensor([[0.0, 0.0], [1.0, 1.0], [5.0, 5.0]]))
    points = torch.tensor([[0.1, 0.0], [0.0, 0.1], [0.9, 1.0]])
    colours = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    figure, axis = plt.subplots()
    draw_cells(axis, book, points, colours, "three codes")
    painted = axis.images[0].get_array()
    assert painted[0, 0].tolist() == [0.5, 0.0, 0.0] and painted[-1, -1].tolist() == [0.0, 1.0, 0.0]
    used, dead = axis.lines
    assert len(used.get_xdata()) == 2 and list(dead.get_xdata()) == [5.0]
    plt.close(figure)


def test_the_loss_of_a_walk_is_that_of_the_code_that_is_nearest_at_each_step():
    codes = torch.tensor([[0.0, 0.0], [1.0, 0.0]])
    path = torch.tensor([[0.1, 0.0], [0.4, 0.0], [0.9, 0.0]])
    figure = walks_figure(codes, {"to the right": (path, torch.tensor([1.0, 0.5]))})
    plane, losses = figure.axes
    assert plane.images[0].get_array().max() == 1  # two cells, each painted
    texts = [text.get_text() for text in plane.texts if text.get_text()]
    assert texts == ["start"] and plane.get_xlabel() and plane.get_ylabel()
    assert plane.get_xlim()[0] < 0 and plane.get_xlim()[1] > 1  # no walk ends at the frame
    assert losses.lines[0].get_ydata().tolist() == [1.25, 1.25, 0.25]
    plt.close(figure)
