"""Rows of several seeds: what exceeds their noise, by every distance that is recorded."""

import pytest

from varbook.book.experiments.seeds import alike, recorded, surely_higher, surely_nearer
from varbook.errors import VarbookError

NAMES = ("FD", "KD")


def row(*pairs):
    return [dict(zip(NAMES, pair, strict=False)) for pair in pairs]


def test_every_seed_is_higher_by_every_distance_that_both_rows_have():
    near = row((1.0, 0.1), (2.0, 0.2))
    assert surely_higher(row((3.0, 0.3), (4.0, 0.4)), near, NAMES)
    assert not surely_higher(row((3.0, 0.15), (4.0, 0.4)), near, NAMES)
    # An earlier record has no kernel distance: the Frechet distance decides.
    assert surely_higher(row((3.0,), (4.0,)), near, NAMES)
    assert recorded(row((3.0,), (4.0,)), NAMES) == ["FD"]
    with pytest.raises(VarbookError, match="FD or KD"):
        surely_higher([{}], near, NAMES)


def test_rows_are_alike_only_where_neither_is_above_the_other_throughout():
    a = row((1.0, 0.1), (2.0, 0.2))
    assert alike(a, row((1.5, 0.15), (2.2, 0.22)), NAMES)
    # Means within the range, yet every seed of one is above every seed of the other.
    assert not alike(a, row((2.1,), (2.2,)), ["FD"])
    assert not alike(a, row((1.5, 0.5), (2.2, 0.6)), NAMES)


def draws(fd: float, kd: float, luck: float = 0.0, noise: float = 0.01) -> list[dict]:
    def distances(away):
        return {
            name: {"value": value + away, "halves": [value - noise, value + noise, value]}
            for name, value in (("frechet", fd), ("kernel", kd))
        }

    return [{"distances": distances(away)} for away in (-luck / 2, luck / 2)]


def test_samples_are_surely_nearer_by_both_distances_beyond_margin_and_draws():
    far = draws(2.0, 1.0)
    assert surely_nearer(draws(1.0, 0.5), far) and not surely_nearer(far, draws(1.0, 0.5))
    assert not surely_nearer(draws(1.0, 1.5), far)
    assert not surely_nearer(draws(1.9, 0.9, luck=0.2), far)
    assert not surely_nearer(draws(1.9, 0.9, noise=0.2), draws(2.0, 1.0, noise=0.5))
