"""Palettes of the landscape: every coat of a horse stands out from every one, by day and by night."""

import pytest

from varbook.world.draw import LABEL, _ink
from varbook.world.landscape import PALETTES, SNOWED, mix, moonlit, palette_of, vivid
from varbook.world.species import COATS


def apart(first, second) -> float:
    return sum((a - b) ** 2 for a, b in zip(first, second, strict=True)) ** 0.5


@pytest.mark.parametrize("night", [False, True])
@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("name", PALETTES)
def test_coats_stand_out(name, night, flat):
    palette = palette_of(name, night, flat)
    for coat in COATS:
        start = 3 * LABEL["coat"]
        ink = _ink("horse", coat, night, flat)[start : start + 3]
        for colour in (palette.sky[1], *palette.hills, *palette.ground):
            assert apart(ink, colour) > (30 if night else 40), (coat, colour)


def test_night_is_darker_and_bluer_and_flat_more_vivid():
    for palette in PALETTES.values():
        for colour in (*palette.hills, *palette.ground):
            dark = moonlit(colour)
            assert sum(dark) < sum(colour) and dark[2] / sum(dark) > colour[2] / sum(colour)
            bright = vivid(colour)
            assert max(bright) - min(bright) > max(colour) - min(colour)
            assert 0 <= min(bright) and max(bright) <= 255


def test_mix_goes_from_the_first_to_the_second():
    assert mix((0, 10, 20), (100, 110, 120), 0) == (0, 10, 20)
    assert mix((0, 10, 20), (100, 110, 120), 0.5) == (50, 60, 70)


def test_phrases_tell_landscapes_apart():
    assert len({palette.phrase for palette in PALETTES.values()}) == len(PALETTES) >= 4


def test_snow_is_bright_and_nearly_without_colour():
    for name, green in PALETTES.items():
        white = SNOWED[f"{name} in snow"]
        for before, after in zip(green.ground, white.ground, strict=True):
            assert min(after) > 220 and max(after) - min(after) < max(before) - min(before)
        assert all(sum(a) > sum(b) for a, b in zip(white.hills, green.hills, strict=True))
        assert green.phrase in white.phrase
