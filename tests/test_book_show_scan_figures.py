"""The eight scan paths are drawn in order, each place has its row, and trainings their range."""

import matplotlib.pyplot as plt
import pytest
import torch

from varbook.book.show.scan_figures import (
    fading_figure,
    paths_figure,
    reach_figure,
    trainings_figure,
)
from varbook.transformer.scan_paths import zigzag


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def test_each_path_is_drawn_from_its_start_to_its_end():
    axes = paths_figure(side=4).axes
    titles = sorted(axis.get_title() for axis in axes)
    assert [title[:3] for title in titles] == [f"({letter})" for letter in "abcdefgh"]
    first = next(axis for axis in axes if axis.get_title().startswith("(a)"))
    x, y = first.lines[0].get_data()
    assert [4 * int(b) + int(a) for a, b in zip(x, y)] == zigzag((4, 4), 0).tolist()


def test_each_place_has_a_row_and_each_layer_a_column():
    maps = [torch.eye(3).bool(), torch.ones(3, 3).bool()]
    axes = reach_figure({(0, "one path"): maps, (5, "two paths"): maps}).axes
    assert [axis.get_title() for axis in axes] == ["1 layer", "2 layers", "", ""]
    assert axes[2].get_ylabel() == "two paths"
    assert axes[2].lines[0].get_data()[0].tolist() == [2]  # place 5 of three columns


def test_what_is_left_is_drawn_for_each_step_and_with_one_that_erases():
    left, right = fading_figure({"step 1": torch.tensor([1.0, 0.5])}, torch.zeros(2), 1).axes
    assert list(left.lines[0].get_ydata()) == [1.0, 0.5]
    assert list(right.lines[0].get_ydata()) == [0, 0] and "token 1" in right.get_title()


def test_trainings_are_drawn_as_their_mean_with_the_range_over_the_seeds():
    curves = [[{"step": n, "loss": float(n + seed)} for n in range(3)] for seed in (0, 2)]
    (axis,) = trainings_figure({"one": curves}, "loss", "nats").axes
    assert list(axis.lines[0].get_ydata()) == [1.0, 2.0, 3.0]
    band = axis.collections[0].get_paths()[0].vertices
    assert band[:, 1].min() == 0 and band[:, 1].max() == 4
    assert axis.get_title() == "Mean and range over 2 seeds"


def test_two_names_are_told_apart_by_the_difference_of_equal_seeds():
    one = [[{"step": n, "loss": float(seed)} for n in range(2)] for seed in (5, 7)]
    other = [[{"step": n, "loss": seed + 0.25 * n} for n in range(2)] for seed in (5, 7)]
    _, apart = trainings_figure({"attention": one, "Mamba": other}, "loss", "nats").axes
    assert apart.get_title() == "Mamba minus attention, same seed"
    assert list(apart.lines[0].get_ydata()) == [0.0, 0.25]  # the seeds themselves are far apart
    assert [text.get_text() for text in apart.texts] == ["attention is lower", "Mamba is lower"]
