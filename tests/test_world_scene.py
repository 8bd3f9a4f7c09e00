"""Scenes of the toy world: what a seed decides, what a flip changes, what a caption says."""

import hashlib
from dataclasses import replace

import pytest

from varbook.errors import VarbookError
from varbook.world.draw import WORLD_VERSION
from varbook.world.landscape import PALETTES, SNOWED
from varbook.world.scene import (
    FLIPS,
    caption,
    every_caption,
    flip,
    in_snow,
    sample_scene,
    with_coat,
)
from varbook.world.species import COATS, SPECIES, TABLE


def test_a_seed_is_one_scene():
    assert sample_scene(7) == sample_scene(7)
    assert len({sample_scene(seed) for seed in range(200)}) == 200


def test_pose_and_land_do_not_depend_on_species_time_and_style():
    scene = sample_scene(3, species="horse")
    for other in (
        sample_scene(3, species="cat"),
        sample_scene(3, night=True),
        sample_scene(3, flat=True),
    ):
        assert other.pose == scene.pose and other.land == scene.land


def test_every_species_and_coat_is_drawn_and_nothing_else():
    scenes = [sample_scene(seed) for seed in range(1500)]
    seen = {(scene.species, scene.coat) for scene in scenes}
    assert seen == {(name, coat) for name in SPECIES for coat in TABLE[name].coats}
    assert {scene.land.palette for scene in scenes} == set(PALETTES)
    assert {scene.pose.facing for scene in scenes} == {-1, 1}
    assert all(scene.striped == (scene.species == "zebra") for scene in scenes)


@pytest.mark.parametrize("what", FLIPS)
def test_a_flip_changes_one_attribute_and_undoes_itself(what):
    scene = sample_scene(11, species="horse")
    other = flip(scene, what)
    changed = {
        "coat": {"species": "zebra", "striped": True},
        "time": {"night": True},
        "style": {"flat": True},
    }[what]
    assert other == replace(scene, **changed)
    assert flip(other, what) == scene


def test_a_zebra_hides_a_plain_coat():
    zebra = sample_scene(5, species="zebra")
    assert zebra.coat in COATS
    assert flip(with_coat(zebra, "black"), "coat") == with_coat(flip(zebra, "coat"), "black")


def test_captions_name_every_attribute():
    for seed in range(60):
        scene = sample_scene(seed, night=seed % 2 == 0, flat=seed % 3 == 0)
        text = caption(scene)
        assert text.split()[0] == ("an" if text.split()[1][0] in "aeiou" else "a")
        assert (
            "striped" if scene.striped else scene.coat
        ) in text.split() and scene.species in text
        assert PALETTES[scene.land.palette].phrase in text
        assert ("by night" in text, "by day" in text) == (scene.night, not scene.night)
        assert ("anime" in text) == scene.flat


def test_captions_tell_all_attributes_apart():
    scene = sample_scene(1, species="horse")
    family = [
        scene,
        *(flip(scene, what) for what in FLIPS),
        *(with_coat(scene, c) for c in COATS if c != scene.coat),
    ]
    assert len({caption(one) for one in family}) == len(family)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sample_scene(1, species="unicorn"), "no species 'unicorn'"),
        (lambda: sample_scene(-1), "not negative"),
        (lambda: sample_scene(1.5), "whole number"),
        (lambda: flip(sample_scene(1, species="horse"), "season"), "no flip 'season'"),
        (lambda: flip(sample_scene(1, species="cow"), "coat"), "Only horses and zebras"),
        (lambda: with_coat(sample_scene(1, species="horse"), "pink"), "no coat 'pink'"),
    ],
)
def test_what_does_not_exist_is_refused(call, message):
    with pytest.raises(VarbookError, match=message):
        call()


def test_snow_changes_the_land_alone_and_no_seed_draws_it():
    scenes = [sample_scene(seed) for seed in range(200)]
    for scene in scenes:
        winter = in_snow(scene)
        assert winter.land.palette in SNOWED and in_snow(winter) == winter
        assert replace(winter, land=scene.land) == scene
        assert "in the snow" in caption(winter) and "snow" not in caption(scene)
    assert not any("snow" in text for text in every_caption())
    # What is trained and recorded knows these scenes: whatever is added, they stay.
    known = hashlib.sha256(repr(scenes).encode()).hexdigest()
    assert known.startswith("30e2839f7a19bc99") and WORLD_VERSION == 3
