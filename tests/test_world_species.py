"""The table of animals: enough of them, and a horse and a zebra that differ in their coat alone."""

from dataclasses import fields
from itertools import combinations

from varbook.world.species import COATS, HAIR, SPECIES, TABLE


def test_there_are_enough_classes_and_each_has_its_own_shape():
    assert len(SPECIES) >= 12 and len(set(SPECIES)) == len(SPECIES)
    shape = ("length", "height", "hip", "leg", "foot", "neck", "neck_angle", "head", "ear", "tail")
    rows = {
        tuple(getattr(TABLE[name], key) for key in shape) for name in SPECIES if name != "zebra"
    }
    assert len(rows) == len(SPECIES) - 1


def test_horse_and_zebra_share_one_geometry():
    horse, zebra = TABLE["horse"], TABLE["zebra"]
    assert {f.name for f in fields(horse) if getattr(horse, f.name) != getattr(zebra, f.name)} == {
        "name",
        "pattern",
        "hair",
        "second",
    }


def test_a_horse_has_plain_coats_that_are_far_apart():
    assert 3 <= len(COATS) <= 5 and set(HAIR) == set(COATS)
    for first, second in combinations(COATS.values(), 2):
        assert sum((a - b) ** 2 for a, b in zip(first, second, strict=True)) ** 0.5 > 80
