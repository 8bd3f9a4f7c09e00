"""The eight scan paths are drawn in order, and each listener has its row."""

import matplotlib.pyplot as plt
import pytest
import torch

from varbook.book.show.scan_figures import paths_figure, reach_figure
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


def test_each_listener_has_a_row_and_each_layer_a_column():
    maps = [torch.eye(3).bool(), torch.ones(3, 3).bool()]
    axes = reach_figure({(0, "one path"): maps, (5, "two paths"): maps}).axes
    assert [axis.get_title() for axis in axes] == ["1 layer", "2 layers", "", ""]
    assert axes[2].get_ylabel() == "two paths"
    assert axes[2].lines[0].get_data()[0].tolist() == [2]  # place 5 of three columns
