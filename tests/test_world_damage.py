"""Damaged bodies lack what they say, have what they say twice, and keep everything else."""

from functools import partial

import numpy as np
import pytest

from varbook.errors import VarbookError
from varbook.world.damage import DAMAGES, damaged
from varbook.world.draw import draw_placed, limbs, place, render, silhouette
from varbook.world.scene import sample_scene
from varbook.world.species import SPECIES

SIDE = 64


def picture(scene, damage, number=0):
    animal = place(scene, partial(damaged, damage=damage, number=number))
    return draw_placed(scene, animal, SIDE, SIDE)


def scenes():
    return [sample_scene(seed, species=name) for seed, name in enumerate(SPECIES)]


def test_a_body_that_is_given_back_is_the_animal_itself():
    for scene in scenes():
        animal = place(scene, lambda body: body)
        assert np.array_equal(draw_placed(scene, animal, SIDE, SIDE)[0], render(scene, SIDE, SIDE))


@pytest.mark.parametrize("number", range(4))
def test_without_a_head_it_is_gone_and_the_legs_stay(number):
    for scene in scenes():
        parts, (_, mask) = limbs(scene, SIDE, SIDE), picture(scene, "no head", number)
        left = (parts & mask).sum((1, 2)) / parts.sum((1, 2))
        assert (left[1:] > 0.95).all(), scene.species
        # An elephant's neck, kept where the number is even, is as thick as its head.
        assert left[0] < 0.8 or (number % 2 == 0 and scene.species == "elephant"), scene.species
        assert mask.sum() < 0.97 * silhouette(scene, SIDE, SIDE).sum(), scene.species


def test_one_leg_of_four_is_gone_whichever_is_asked_for():
    for scene in scenes():
        parts = limbs(scene, SIDE, SIDE)
        lost = []
        for number in range(4):
            mask = picture(scene, "a leg less", number)[1]
            left = (parts & mask).sum((1, 2)) / parts.sum((1, 2))
            assert left[0] > 0.95 and left.argmin() == 1 + number, scene.species
            lost.append(left[1 + number])
        assert np.mean(lost) < 0.4


def test_a_second_head_is_a_mirror_image_behind():
    for scene in scenes():
        whole, both = silhouette(scene, SIDE, SIDE), picture(scene, "two heads")[1]
        columns = np.arange(SIDE)
        head = limbs(scene, SIDE, SIDE)[0]
        front = (columns[None] * scene.pose.facing)[:, head.any(0)].min()
        behind = columns * scene.pose.facing < front
        assert (both & ~whole)[:, behind].sum() > 0.3 * head.sum(), scene.species
        assert (both & head).sum() > 0.95 * head.sum()


def test_every_damage_can_be_seen_and_no_other_is_known():
    for scene in scenes():
        shown = [render(scene, SIDE, SIDE), *(picture(scene, one)[0] for one in DAMAGES)]
        assert len({one.tobytes() for one in shown}) == len(shown)
    with pytest.raises(VarbookError, match="no damage 'three heads'; use no head"):
        damaged(place(scene).body, "three heads")
