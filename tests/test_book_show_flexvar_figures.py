"""Chapter 04 as pictures."""

import torch

from varbook.book.show.flexvar_figures import (
    SIDE,
    drawn_alike,
    drawn_map,
    frequencies_chart,
    schedules_chart,
)
from varbook.book.show.seed_dots import seed_dots
from varbook.tokenizer.schedule import square


def test_a_map_is_drawn_in_its_own_shape_between_its_two_greys():
    picture = drawn_map(torch.tensor([[0.0, 1.0], [2.0, 4.0], [1.0, 9.0]]), 0.0, 4.0)
    assert tuple(picture.shape) == (1, SIDE, 2 * SIDE // 3)
    assert float(picture[0, 0, 0]) == 0.0 and float(picture[0, -1, -1]) == 1.0  # 9 is clamped


def test_maps_share_the_greys_of_the_first():
    first, second = torch.tensor([[0.0, 4.0]]), torch.tensor([[2.0, 2.0]])
    assert drawn_alike([first, second])[1].unique().tolist() == [0.5]


def test_the_chart_of_schedules_counts_all_and_shows_the_first():
    figure = schedules_chart([square(1, 2, 16)] * 3 + [square(1, 16)], shown=2)
    scales, counts = figure.axes
    assert len(scales.collections) == 2
    assert [bar.get_height() for bar in counts.patches] == [0.75, 0.25]


def test_the_gain_is_the_area_between_frequencies_and_model():
    view = {"frequencies": [4.0, 5.0], "loss_per_scale": [3.0, 2.0]}
    figure = frequencies_chart({"residual": view, "ground truth": view}, square(1, 2))
    left, right = figure.axes
    assert left.get_title() == "residual" and right.get_title() == "ground truth"
    assert [list(line.get_ydata()) for line in left.lines] == [[4.0, 5.0], [3.0, 2.0]]


def test_a_row_has_a_dot_for_each_seed_and_the_first_row_is_on_top():
    rows = {"a": [1.0, 2.0], "b": [3.0]}
    (axis,) = seed_dots(rows, "FD", {"a": 0.5, "b": 0.25}, "alone").axes
    dots = [line for line in axis.lines if line.get_marker() == "o" and len(line.get_xdata())]
    assert [list(line.get_xdata()) for line in dots] == [[1.0, 2.0], [3.0]]
    assert [float(line.get_ydata()[0]) for line in dots] == [1.0, 0.0]
    marks = [line for line in axis.lines if line.get_label() == "alone"]
    assert [list(line.get_xdata()) for line in marks] == [[0.5, 0.25]]
    assert [text.get_text() for text in axis.get_yticklabels()] == ["a", "b"]
