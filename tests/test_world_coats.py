"""Patterns: a zebra's stripes are wide, clear and fixed to its body; every other pattern differs
from a plain coat.
"""

import numpy as np
import pytest

from varbook.world.coats import PERIOD, limb_stripes, spots, trunk_stripes
from varbook.world.draw import place, render, silhouette
from varbook.world.scene import sample_scene
from varbook.world.skeleton import build
from varbook.world.species import SPECIES, TABLE


def test_stripes_are_wide_enough_for_a_stride_of_eight():
    periods = [
        64 * PERIOD * place(sample_scene(seed, species="zebra")).scale for seed in range(100)
    ]
    assert min(periods) > 4.5 and 5.3 < np.mean(periods) < 7.5


def test_stripes_move_with_the_body_and_know_no_chance():
    body = build(TABLE["zebra"], 5.0, 0.0, 0.5, 0.0)
    assert trunk_stripes(body) == trunk_stripes(build(TABLE["zebra"], -15.0, 3.0, 0.5, 1.0))
    assert len(trunk_stripes(body)) >= 5 and len(limb_stripes(body)) >= 4 * 2 + 4


def test_a_zebra_is_about_half_dark_half_light():
    for seed in range(10):
        scene = sample_scene(seed, species="zebra")
        grey = render(scene, 128, 128)[silhouette(scene, 128, 128)].mean(axis=1)
        assert 0.3 < (grey < 90).mean() < 0.65 and 0.25 < (grey > 180).mean() < 0.6


@pytest.mark.parametrize(
    "name", [n for n in SPECIES if TABLE[n].pattern not in ("plain", "stripes", "wool")]
)
def test_patterned_species_have_marks_in_their_second_colour(name):
    row = TABLE[name]
    assert spots(row, build(row, 0, 0, 0, 0), 0.5)
    scene = sample_scene(2, species=name)
    picture = render(scene, 256, 256)[silhouette(scene, 256, 256)].astype(float)
    near = np.abs(picture - np.array(row.second)).max(axis=1) < 26
    assert 0.005 < near.mean() < 0.6
