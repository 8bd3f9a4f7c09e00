"""Line charts: what is drawn, and under which label."""

import matplotlib.pyplot as plt
import pytest

from varbook.book.show.lines import (
    FEWEST,
    LOGGED,
    curve_chart,
    draw_lines,
    line_chart,
    logged,
    loss_panels,
    name_levels,
    plain_ticks,
    running_mean,
)

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


def test_the_running_mean_is_centred_and_follows_a_steep_start():
    assert running_mean([]) == [] and running_mean([3.0] * 50) == [3.0] * 50
    steep = [100.0] + [1.0] * 39
    assert running_mean(steep)[:4] == [100.0, 1.0, 1.0, 1.0]  # not drawn away from it
    jagged = [float(n % 2) for n in range(60)]
    assert all(abs(value - 0.5) < 0.1 for value in running_mean(jagged)[10:])
    rising = [float(n) for n in range(60)]
    assert running_mean(rising)[:50] == rising[:50]  # it does not lag


def test_a_jagged_curve_is_pale_below_its_mean_and_the_axis_says_so():
    jagged = [{"step": n, "loss": 1.0 + n % 2} for n in range(60)]
    _, axis = curve_chart({"VAR": jagged}, "loss", ylabel="nats")
    mean, raw = axis.lines
    assert list(raw.get_ydata()) == [point["loss"] for point in jagged]
    assert raw.get_alpha() < 0.5 and raw.get_linewidth() < mean.get_linewidth()
    assert max(mean.get_ydata()[10:]) < 1.7 and axis.get_xlabel() == LOGGED
    _, axis = curve_chart({"VAR": jagged[: FEWEST - 1]}, "loss", ylabel="nats")
    (alone,) = axis.lines
    assert alone.get_marker() == "o" and axis.get_xlabel() == "training step"


def test_a_logarithmic_axis_has_plain_numbers():
    figure, axis = plt.subplots()
    axis.semilogy([0, 1], [0.02, 0.6])
    plain_ticks(axis.yaxis)
    figure.canvas.draw()
    both = [*axis.get_yticklabels(), *axis.get_yticklabels(minor=True)]
    shown = [label.get_text() for label in both if label.get_text()]
    assert {"0.02", "0.05", "0.1", "0.5"} <= set(shown) and not any("^" in x for x in shown)


def test_levels_are_named_beside_the_axis_and_once_where_they_are_one():
    _, axis = plt.subplots()
    name_levels(axis, {"left": 1.0, "right": 2.0}, "at chance")
    assert {text.get_text(): text.get_position()[1] for text in axis.texts} == {
        "left\nat chance": 1.0,
        "right\nat chance": 2.0,
    }
    assert all(text.get_position()[0] > 1 for text in axis.texts)  # no curve is hidden
    _, axis = plt.subplots()
    name_levels(axis, {"left": 1.0, "right": 1.01}, "at chance")
    assert [text.get_text() for text in axis.texts] == ["both\nat chance"]
    assert len(axis.lines) == 2


@pytest.mark.parametrize(("panels", "angle"), [(1, 0), (2, 45)])
def test_names_of_ten_scales_do_not_run_into_one_another(panels, angle):
    figure, axes = plt.subplots(1, panels, figsize=(8, 3), squeeze=False)
    names = [f"{n}x{n}" for n in (1, 2, 3, 4, 5, 6, 8, 10, 13, 16)]
    draw_lines(axes[0, 0], names, {"a": range(10)})
    figure.canvas.draw()
    assert {label.get_rotation() for label in axes[0, 0].get_xticklabels()} == {angle}
