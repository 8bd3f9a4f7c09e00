"""The papers' numbers as pictures: every row that has a place is drawn, and the front is filled."""

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import pytest

from varbook.book.claims.published_charts import three_claims, trade_panels
from varbook.book.claims.registry import published


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_the_front_is_filled_and_every_method_has_its_number():
    rows = [("CycleGAN", 75.0, 3.2), ("CycleVAR w/ VAR", 48.0, 1.8)]
    tasks = ("horse to zebra", "zebra to horse")
    figure = trade_panels(dict.fromkeys(tasks, rows), dict.fromkeys(tasks, (False, True)))
    for axis, task in zip(figure.axes, tasks):
        assert axis.get_title() == f"{task}, as published"
        assert [text.get_text() for text in axis.texts] == ["1", "2"]
        colours = [tuple(points.get_facecolor()[0]) for points in axis.collections]
        assert colours[0] == (1, 1, 1, 1) and colours[1] != colours[0]


def test_the_three_claims_show_the_published_cells():
    depth, temperature, scales = three_claims().axes
    table = published("cyclevar-table-5").as_dicts()
    curve = {line.get_label(): list(line.get_ydata()) for line in temperature.get_lines()}
    assert curve["h2z"] == [row["FID h2z"] for row in table if "Gumbel" not in row["temperature"]]
    assert {line.get_label() for line in depth.get_lines()} == {"VAR", "FlexVAR"}
    heights = [bar.get_height() for bar in scales.patches]
    table = published("cyclevar-table-4").as_dicts()
    assert heights == [row[name] for name in ("FID h2z", "FID z2h") for row in table]
