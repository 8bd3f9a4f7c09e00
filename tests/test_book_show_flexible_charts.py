"""The charts of chapter 05 show what was measured, at its place."""

import matplotlib.pyplot as plt
import pytest
import torch

from varbook.book.show import flexible_charts as charts
from varbook.book.show.drawing.palette import scale_colour
from varbook.tokenizer.schedule import square


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def points(line) -> list[tuple]:
    return list(zip(line.get_xdata(), line.get_ydata()))


def test_each_kind_of_picture_has_a_line_over_the_pixels():
    measures = ("FID", "taken for its class", "detail")
    kinds = {kind: dict.fromkeys(measures, 0.5) for kind in charts.KINDS}
    figure = charts.sizes_figure({4: kinds, 8: kinds}, "FID", stride=8, trained_at=64, chance=0.1)
    assert [axis.get_title() for axis in figure.axes] == ["FID", "accuracy", "detail"]
    assert [points(line) for line in figure.axes[0].lines] == [[(32, 0.5), (64, 0.5)]] * 4


def test_power_is_relative_to_real_pictures_and_the_mean_is_left_out():
    power = {kind: [9.0, 2.0, 1.0] for kind in ("decoded", "drawn", "enlarged")}
    (axis,) = charts.spectra_figure({"64 px": power | {"real": [1.0, 4.0, 4.0]}}).axes
    assert points(axis.lines[0]) == [(0.5, 0.5), (1.0, 0.25)]
    assert [line.get_marker() for line in axis.lines[:3]] == ["None"] * 3
    assert [text.get_text() for text in axis.texts] == ["below real: blur", "above real: ripples"]
    assert axis.texts[0].get_position()[1] < 1 < axis.texts[1].get_position()[1]


def test_steps_have_the_mean_and_the_range_of_two_sets_of_dice():
    curves = {4: {"2": [{"FD-toy": 1.0}, {"FD-toy": 3.0}], "parameters": 7}}
    (axis,) = charts.steps_figure(curves, [2], ["FD-toy"], most_trained=3).axes
    (container,) = axis.containers
    assert axis.get_ylim()[0] == 0  # cut higher, an effect would look larger than it is
    assert "noise" in axis.figure.get_supxlabel()
    assert points(container.lines[0]) == [(2, 2.0)]
    assert container.lines[2][0].get_segments()[0].tolist() == [[2.0, 1.0], [2.0, 3.0]]


def test_the_straight_line_starts_and_rises_as_told():
    (axis,) = charts.times_figure({"toy": ([10, 20], [1.0, 2.0], 0.5, 0.1, 0.9)}).axes
    assert points(axis.lines[1]) == [(0, 0.5), (20, 2.5)]
    assert axis.lines[1].get_label() == "straight line, R² 0.90"


def test_the_maps_of_a_schedule_stand_above_its_sample():
    black = torch.full((3, 32, 64), -1.0)
    picture = charts.with_schedule(black, square(1, 2, 4), width=200)
    assert picture.width == 200
    colours = picture.getcolors(10_000)
    counts = {colour: count for count, colour in colours}
    assert counts[0, 0, 0] >= 64 * 128  # the sample, twice as large
    for k in range(3):
        fill = scale_colour(k).lstrip("#")
        assert counts.get(tuple(bytes.fromhex(fill)), 0) > 0
    maps = [counts[tuple(bytes.fromhex(scale_colour(k).lstrip("#")))] for k in range(3)]
    assert maps == [3 * 3, 8 * 8, 18 * 18]  # cells of 5 pixels, without the outlines
