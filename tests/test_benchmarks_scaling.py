"""What size costs: points are measured, exponents are fitted, documents are written."""

import pytest

from benchmarks import scaling
from benchmarks.scaling_document import write_document
from varbook.errors import VarbookError


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(scaling, "ROUNDS", 1)
    monkeypatch.setattr(scaling, "LEAST_SECONDS", 0.0)


def test_the_exponent_of_a_power_law_is_found():
    points = [{"x": x, "seconds": 3 * x**1.5} for x in (1, 2, 5, 10)]
    assert scaling.exponent(points, "seconds") == pytest.approx(1.5)


@pytest.mark.parametrize("kind", ["training", "generation"])
@pytest.mark.parametrize("axis", scaling.AXES)
def test_more_needs_more_operations(kind, axis):
    values = scaling.AXES[axis][1][:2]
    less, more = (scaling.point(kind, axis, value) for value in values)
    assert more["x"] > less["x"] > 0
    assert more["gflop"] > less["gflop"] > 0
    assert less["seconds"] > 0 and more["peak"] >= 0


def test_axes_grow_over_a_decade():
    for axis, (setting, values) in scaling.AXES.items():
        ends = [scaling.along(axis, scaling.sizes(setting, v)) for v in (values[0], values[-1])]
        assert 8 <= ends[1] / ends[0] <= 13, axis


def test_a_point_that_cannot_be_measured_is_refused():
    with pytest.raises(VarbookError, match="was not measured"):
        scaling.measure("training", "weather", 1, 1)


def test_curves_are_written_as_numbers_text_and_picture(tmp_path):
    points = [{"x": x, "seconds": 0.1 * x, "peak": 10.0 * x, "gflop": x**2} for x in (1, 2, 10)]
    fitted = {name: scaling.exponent(points, name) for name in ("seconds", "gflop", "peak")}
    curves = [
        {"kind": kind, "axis": axis, "points": points, "exponents": fitted}
        for kind in ("training", "generation")
        for axis in scaling.AXES
    ]
    names = ("processor", "class", "threads", "precision", "torch", "date")
    write_document({"machine": dict.fromkeys(names, "here"), "curves": curves}, tmp_path)
    text = (tmp_path / "scaling.md").read_text()
    assert text.count("| 1.00 | 2.00 | 1.00 |") == len(curves)
    assert (tmp_path / "scaling.png").stat().st_size > 10_000
