"""The landscape: smooth, the same whatever stands on it, darker by night, and wider in a wide
picture.
"""

import numpy as np

from varbook.world.backdrop import backdrop
from varbook.world.canvas import Canvas
from varbook.world.scene import flip, sample_scene


def land(scene, height=64, width=64) -> np.ndarray:
    canvas = Canvas(height, width)
    backdrop(canvas, scene)
    return np.asarray(canvas.finish()).astype(float)


def test_it_does_not_depend_on_the_animal():
    for seed in range(5):
        first, second = (land(sample_scene(seed, species=name)) for name in ("horse", "rabbit"))
        assert np.array_equal(first, second)


def test_it_fills_the_picture():
    for seed in range(8):
        for height, width in ((64, 64), (40, 130), (130, 40)):
            assert land(sample_scene(seed), height, width).sum(axis=-1).min() > 60


def test_night_is_darker_and_has_stars():
    for seed in range(8):
        scene = sample_scene(seed)
        assert land(flip(scene, "time")).mean() < 0.6 * land(scene).mean()
        assert len(scene.land.stars()) > 10 and scene.land.stars() == scene.land.stars()


def test_the_ground_is_smooth():
    for seed in range(8):
        rows = land(sample_scene(seed))[-14:]
        assert np.abs(np.diff(rows, axis=1)).max() == 0 and np.abs(np.diff(rows, axis=0)).max() < 6


def test_a_wide_picture_shows_the_square_one_in_its_middle():
    scene = sample_scene(4)
    square, wide = land(scene), land(scene, 64, 128)
    assert np.abs(wide[:, 32:96] - square).mean() < 1.0
