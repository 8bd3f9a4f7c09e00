"""Chapter 10's charts: what is drawn is what the rows hold."""

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import pytest

from varbook.book.show import ablation_charts

FLOORS = {
    name: {"FD h2z": value, "FD z2h": 2 * value}
    for name, value in (("source, untouched", 17.0), ("hidden counterpart", 0.5))
}


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_every_seed_is_a_dot_and_the_floors_are_dotted():
    rows = {
        "one": [{"FD h2z": 1.0, "FD z2h": 4.0}, {"FD h2z": 3.0, "FD z2h": 6.0}],
        "two": [{"FD h2z": 9.0, "FD z2h": 8.0}],
    }
    left, right = ablation_charts.seed_dots(rows, FLOORS).axes
    dots = [list(line.get_xdata()) for line in left.get_lines() if line.get_marker() == "o"]
    means = [list(line.get_xdata()) for line in right.get_lines() if line.get_marker() == "|"]
    dotted = [line.get_xdata()[0] for line in right.get_lines() if line.get_linestyle() == ":"]
    assert dots == [[1.0, 3.0], [9.0]] and means == [[5.0], [8.0]] and dotted == [34.0, 1.0]
    assert left.get_xlim()[1] > 17 and right.get_xlim()[1] > 34  # no floor stands outside
    names = [label.get_text() for label in left.get_yticklabels()]
    assert names == ["one", "two"] and list(left.get_yticks()) == [1, 0]


def test_temperatures_stand_beside_the_papers():
    rows = {tau: {"h2z": (tau, 0.5), "z2h": (2 * tau, 0.5)} for tau in (0.1, 2.0)}
    paper = [{"temperature": str(t), "FID h2z": 10 * t, "FID z2h": t} for t in (0.1, 2.0, 5.0)]
    floor = FLOORS["source, untouched"]
    left, right = ablation_charts.temperature_curves(rows, floor, paper).axes
    means = [list(bars[0].get_ydata()) for bars in left.containers]
    assert means == [[0.1, 2.0], [0.2, 4.0]]
    assert [list(line.get_ydata()) for line in right.get_lines()] == [[1.0, 20.0], [0.1, 2.0]]


def test_gradients_and_alphas_are_drawn_at_their_settings():
    rows = {0.1: {"size": 3.0, "agreement": 0.1}, 2.0: {"size": 1.0, "agreement": 0.4}}
    left, right = ablation_charts.gradient_curves(rows).axes
    assert list(left.get_lines()[0].get_ydata()) == [3.0, 1.0]
    assert list(right.get_lines()[0].get_xdata()) == [0.1, 2.0] and right.get_ylim()[0] == 0
    swept = {0.5: {"h2z": (1.0, 0.0), "z2h": (2.0, 1.0)}, 1.0: {"h2z": (3.0, 0.0), "z2h": (4.0, 0)}}
    (axis,) = ablation_charts.alpha_curves({"distance": swept}).axes
    assert axis.get_title() == "distance"
    assert [list(bars[0].get_ydata()) for bars in axis.containers] == [[1.0, 3.0], [2.0, 4.0]]
