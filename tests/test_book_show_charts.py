"""Charts that several chapters share: what is logged is what is drawn."""

import math

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import pytest
import torch

from varbook.book.show.charts import (
    HEAVIEST,
    LIGHTEST,
    coverage_panels,
    cyclevar_losses,
    pictures_over_weights,
    sweep,
)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def lines(axis) -> dict[str, list[float]]:
    return {line.get_label(): list(line.get_ydata()) for line in axis.get_lines()}


def test_losses_are_drawn_where_they_were_logged_and_chance_is_dotted():
    curve = [
        {"step": 1, "identity": 2.0, "critic": 3.0},
        {"step": 9, "identity": 1.0, "cycle": 4.0, "gan": 0.5, "critic": 2.5},
    ]
    left, right = cyclevar_losses(curve, "toy", gan=0.5).axes
    assert [axis.get_title()[:4] for axis in (left, right)] == ["toy:"] * 2
    assert lines(left) == {"cycle": [4.0], "identity": [2.0, 1.0]}
    drawn = lines(right)
    assert drawn.pop("generator") == [0.5] and drawn.pop("discriminators") == [3.0, 2.5]
    assert list(drawn.values()) == [[math.log(2)] * 2, [4 * math.log(2)] * 2]
    named = {text.get_text(): text.get_position()[1] for text in right.texts}
    assert named == {
        "generator\nat chance": math.log(2),
        "discriminators\nat chance": 4 * math.log(2),
    }


def test_where_both_sides_pay_the_same_at_chance_it_is_said_once():
    _, right = cyclevar_losses([{"step": 1, "gan": 1.0, "critic": 1.0}], "toy", gan=2.0).axes
    assert [text.get_text() for text in right.texts] == ["both\nat chance"]


def test_lines_of_means_have_bars_of_the_range_and_stand_apart():
    axis = plt.subplots()[1]
    pairs = [(10.0, 4.0), (20.0, 0.0)]
    sweep(axis, (1.0, 2.0), {"there": pairs, "back": pairs}, shift=0.25)
    for (line, _, (bars,)), shift in zip(axis.containers, (-0.25, 0.25)):
        assert list(line.get_ydata()) == [10.0, 20.0]
        assert list(line.get_xdata()) == [1.0 + shift, 2.0 + shift]
        ends = [list(segment[:, 1]) for segment in bars.get_segments()]
        assert ends == [[8.0, 12.0], [20.0, 20.0]]


def test_the_heaviest_codes_stand_below_their_pictures():
    pictures = [[torch.zeros(3, 4, 4, dtype=torch.uint8)] * 2] * 3
    cold, mixed = [1.0] + [0.0] * 52, [0.1, 0.7, 0.2] + [0.0] * 50
    titles = ["source", "cold", "mixed"]
    axes = pictures_over_weights([[*row, row[0]] for row in pictures], titles, [cold, mixed]).axes
    assert len(axes) == 12 and axes[1].get_title() == "cold"
    assert [bar.get_height() for bar in axes[11].patches][:3] == [0.7, 0.2, 0.1]
    assert len(axes[11].patches) == HEAVIEST and not axes[9].patches
    # One logarithmic axis for all: there a mixture and a single code differ at a glance.
    assert {(axis.get_yscale(), axis.get_ylim()) for axis in axes[10:]} == {("log", (LIGHTEST, 2))}
    told = [axis.get_title(loc="left") for axis in axes[10:]]
    assert told == ["largest 1\nperplexity 1", "largest 0.7\nperplexity 2.23"]


def test_each_panel_has_its_lines_and_the_share_that_is_promised():
    rows = [{"wide": 0.9, "wilson": 0.4, "boot": 0.7}, {"wide": 1.0, "wilson": 0.5, "boot": 0.9}]
    figure = coverage_panels([2, 8], {"one taste": rows, "two tastes": rows})
    for axis in figure.axes:
        drawn = lines(axis)
        assert drawn["wide"] == [0.9, 1.0] and drawn["boot"] == [0.7, 0.9]
        assert [0.95, 0.95] in drawn.values()
