"""The drawing surface: areas are those of the shapes, at any size, and layers lie where they
should.
"""

from math import pi

import numpy as np
import pytest

from varbook.world.canvas import Canvas, wave


def cover(canvas: Canvas) -> float:
    """Area of what is not black, in scene units."""
    return (np.asarray(canvas.finish())[..., 0] / 255).sum() / canvas.unit**2


@pytest.mark.parametrize(("height", "width"), [(64, 64), (64, 160), (160, 64), (33, 47)])
def test_a_disc_has_its_area_and_place_at_any_size(height, width):
    canvas = Canvas(height, width)
    canvas.disc(0.1, 0.4, 0.2, 0.2, (255, 255, 255))
    assert cover(canvas) == pytest.approx(pi * 0.04, rel=0.06)
    rows, columns = np.nonzero(np.asarray(canvas.finish())[..., 0] > 127)
    assert rows.mean() + 0.5 == pytest.approx((0.4 - canvas.upper) * canvas.unit, abs=0.7)
    assert columns.mean() + 0.5 == pytest.approx((0.1 + canvas.right) * canvas.unit, abs=0.7)


def test_a_chain_is_the_hull_of_its_circles():
    canvas = Canvas(128, 128)
    canvas.chain([(-0.2, 0.5, 0.05), (0.2, 0.5, 0.05)], (255, 255, 255))
    assert cover(canvas) == pytest.approx(0.4 * 0.1 + pi * 0.05**2, rel=0.06)


def test_a_bent_chain_has_no_hole():
    canvas = Canvas(128, 128)
    canvas.chain([(-0.2, 0.6, 0.07), (0.0, 0.4, 0.07), (0.2, 0.6, 0.07)], (255, 255, 255))
    picture = np.asarray(canvas.finish())[..., 0]
    for x, y in ((-0.1, 0.5), (0.0, 0.4), (0.1, 0.5), (-0.2, 0.6)):
        assert picture[int(y * 128), int((x + 0.5) * 128)] == 255


def test_a_circle_inside_another_adds_nothing():
    canvas, alone = Canvas(64, 64), Canvas(64, 64)
    canvas.chain([(0.0, 0.5, 0.2), (0.05, 0.5, 0.05)], (255, 255, 255))
    alone.disc(0.0, 0.5, 0.2, 0.2, (255, 255, 255))
    assert cover(canvas) == pytest.approx(cover(alone), rel=0.02)


def test_a_part_lies_where_the_whole_would():
    whole, parted = Canvas(64, 64), Canvas(64, 64)
    whole.disc(0.13, 0.37, 0.1, 0.1, (255, 255, 255))
    mask, corner = parted.part((0.0, 0.2, 0.3, 0.5))
    mask.disc(0.13, 0.37, 0.1, 0.1, 255)
    parted.lay((255, 255, 255), mask, corner)
    assert np.array_equal(np.asarray(whole.finish()), np.asarray(parted.finish()))


def test_a_gradient_runs_from_the_first_colour_to_the_second():
    canvas = Canvas(64, 64)
    canvas.gradient(0.0, 1.0, 0.0, 1.0, (0, 0, 0), (200, 100, 50))
    column = np.asarray(canvas.finish())[:, 0].astype(int)
    assert (np.diff(column[:, 0]) >= 0).all()
    assert column[0].max() < 6 and np.abs(column[-1] - (200, 100, 50)).max() < 6


def test_a_glow_fades_and_a_haze_grows():
    canvas = Canvas(64, 64)
    canvas.glow(0.0, 0.5, 0.1, (255, 255, 255), 0.8)
    middle, near, far = (np.asarray(canvas.finish())[32, x, 0] for x in (32, 38, 60))
    assert 180 < middle < 215 and near < middle and far == 0
    canvas = Canvas(64, 64)
    canvas.haze(0.5, 1.0, (255, 255, 255), 0.5)
    column = np.asarray(canvas.finish())[:, 0, 0].astype(int)
    assert (column[:32] == 0).all() and (np.diff(column[32:]) >= 0).all() and 110 < column[-1] < 140


def test_hills_wave():
    assert wave(0.0, (0.2, 0.05, 3.0, 6.0, 0.0, 0.0)) == pytest.approx(0.2)
