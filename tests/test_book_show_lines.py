"""Line charts: what is drawn, and under which label."""

import matplotlib.pyplot as plt
import pytest

from varbook.book.show.lines import curve_chart, line_chart, logged, loss_panels

CURVE = [{"step": 0, "loss": 3.0}, {"step": 5}, {"step": 10, "loss": 1.0}]


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def drawn(axis) -> dict[str, tuple[list, list]]:
    return {x.get_label(): (list(x.get_xdata()), list(x.get_ydata())) for x in axis.lines}


def test_steps_that_do_not_log_a_number_are_left_out():
    assert logged(CURVE, "loss") == ([0, 10], [3.0, 1.0])
    assert logged(CURVE, "gan") == ([], [])


def test_each_line_stands_over_the_common_places_under_its_label():
    _, axis = line_chart([1, 2], {"a": [5, 6], "b": [7, 8]}, xlabel="x", ylabel="y", yscale="log")
    assert drawn(axis) == {"a": ([1, 2], [5, 6]), "b": ([1, 2], [7, 8])}
    assert (axis.get_xlabel(), axis.get_ylabel(), axis.get_yscale()) == ("x", "y", "log")


def test_named_places_keep_their_names():
    figure, axis = line_chart(["1x1", "2x2"], {"a": [5, 6]}, xlabel="scale", ylabel="y")
    figure.canvas.draw()
    assert [label.get_text() for label in axis.get_xticklabels()] == ["1x1", "2x2"]


def test_more_lines_than_styles_are_refused():
    with pytest.raises(ValueError):
        line_chart([1], {"a": [1], "b": [2]}, xlabel="", ylabel="", styles=("-",))


def test_trainings_are_drawn_over_their_steps():
    _, axis = curve_chart({"VAR": CURVE, "FlexVAR": CURVE[:1]}, "loss", ylabel="nats")
    assert drawn(axis) == {"VAR": ([0, 10], [3.0, 1.0]), "FlexVAR": ([0], [3.0])}


def test_each_training_has_a_panel_and_a_short_curve_has_markers():
    long = [{"step": step, "gan": 1.0} for step in range(20)]
    figure = loss_panels({"tokenizer": (CURVE, ["loss"]), "CycleVAR": (long, ["gan"])})
    assert [axis.get_title() for axis in figure.axes] == ["tokenizer", "CycleVAR"]
    assert [axis.lines[0].get_marker() for axis in figure.axes] == ["o", "None"]
