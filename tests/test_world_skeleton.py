"""Limbs: every species stands on four legs that can be told apart, whatever its pose."""

import pytest

from varbook.world.draw import ROLES
from varbook.world.skeleton import build
from varbook.world.species import SPECIES, TABLE


@pytest.mark.parametrize("name", SPECIES)
@pytest.mark.parametrize("stride", [-1.0, 0.0, 1.0])
def test_four_separate_legs_stand_on_the_ground(name, stride):
    body = build(TABLE[name], 0.0, 0.0, stride, 0.0)
    feet = sorted(leg[-1] for leg in body.legs)
    assert len(feet) == 4
    for _, y, r in feet:
        assert y == pytest.approx(r)
    for (x0, _, r0), (x1, _, r1) in zip(feet, feet[1:], strict=False):
        assert x1 - x0 > r0 + r1, "two feet overlap"


@pytest.mark.parametrize("name", SPECIES)
def test_layers_are_drawable_and_nothing_is_below_the_ground(name):
    for tilt in (-22, 12):
        body = build(TABLE[name], tilt, -12, 1.0, -1.0)
        assert {role for role, _ in body.layers} <= set(ROLES)
        for _, y, r in (circle for chain in body.chains() for circle in chain):
            assert r > 0 and y - r > -0.02
        assert body.head[0][1] > body.legs[0][-1][1]


def test_the_neck_follows_its_tilt():
    low, high = (build(TABLE["horse"], tilt, 0, 0, 0).head[0][1] for tilt in (-20, 10))
    assert high > low
