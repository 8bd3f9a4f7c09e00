"""Landscapes of the toy world: colours by day and by night, shaded and flat, in green and in snow."""

import colorsys
from dataclasses import dataclass, replace
from functools import cache

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Palette:
    """Colours (red, green, blue in [0, 255]) of one landscape by day, and its phrase in captions."""

    phrase: str
    sky: tuple[Colour, Colour]  # top, horizon
    hills: tuple[Colour, Colour, Colour]  # far to near
    ground: tuple[Colour, Colour]  # horizon, foreground
    tree: Colour
    light: Colour = (255, 240, 176)
    cloud: Colour = (250, 250, 252)


SNOW: Colour = (238, 243, 250)

PALETTES: dict[str, Palette] = {
    "valley": Palette(
        "in a green valley",
        sky=((84, 150, 224), (176, 216, 240)),
        hills=((128, 170, 168), (98, 150, 122), (78, 132, 88)),
        ground=((122, 176, 84), (92, 146, 66)),
        tree=(58, 112, 62),
    ),
    "alps": Palette(
        "below blue mountains",
        sky=((70, 140, 222), (166, 208, 240)),
        hills=((136, 162, 206), (106, 136, 186), (84, 118, 164)),
        ground=((96, 164, 116), (70, 132, 100)),
        tree=(46, 100, 86),
    ),
    "heath": Palette(
        "on a purple heath",
        sky=((132, 150, 214), (222, 196, 216)),
        hills=((162, 146, 190), (140, 118, 168), (118, 100, 146)),
        ground=((144, 128, 150), (112, 104, 124)),
        tree=(86, 74, 112),
        cloud=(250, 240, 248),
    ),
    "sunset": Palette(
        "in a meadow at the foot of pink hills",
        sky=((116, 120, 200), (240, 172, 172)),
        hills=((206, 132, 152), (176, 112, 142), (140, 98, 128)),
        ground=((134, 150, 104), (104, 124, 88)),
        tree=(84, 92, 84),
        light=(255, 222, 160),
        cloud=(252, 214, 212),
    ),
    "shore": Palette(
        "by a quiet lake",
        sky=((96, 176, 220), (184, 222, 232)),
        hills=((120, 170, 190), (92, 148, 172), (74, 128, 150)),
        ground=((124, 176, 150), (92, 142, 124)),
        tree=(56, 110, 104),
    ),
}


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Return (1 - share) * first + share * second, for a share in [0, 1]."""
    red, green, blue = ((1 - share) * a + share * b for a, b in zip(first, second, strict=True))
    return red, green, blue


def snowed(summer: Palette) -> Palette:
    """Return the palette of the same land under snow, below a pale sky with a low sun."""

    def covered(colours, share):
        return tuple(mix(colour, SNOW, share) for colour in colours)

    return Palette(
        f"{summer.phrase} in the snow",
        sky=(mix(summer.sky[0], (150, 168, 190), 0.7), mix(summer.sky[1], (222, 228, 236), 0.8)),
        hills=covered(summer.hills, 0.6),
        ground=covered(summer.ground, 0.94),
        tree=mix(summer.tree, (150, 170, 186), 0.55),
        light=(255, 248, 226),
        cloud=(236, 240, 246),
    )


def vivid(colour: Colour) -> Colour:
    """Return the colour as a cel painter would choose it: more saturated, a little brighter."""
    hue, light, strength = colorsys.rgb_to_hls(*(c / 255 for c in colour))
    red, green, blue = colorsys.hls_to_rgb(hue, min(1, light * 1.06), min(1, strength * 1.45))
    return 255 * red, 255 * green, 255 * blue


def moonlit(colour: Colour, gain: float = 0.5) -> Colour:
    """Return the colour as the moon shows it: darker and bluer, the darkest a little lifted."""
    red, green, blue = colour
    return (8 + gain * 0.76 * red, 10 + gain * 0.88 * green, 22 + gain * 1.12 * blue)


def toned(colour: Colour, night: bool, flat: bool, gain: float = 0.5) -> Colour:
    """Return the colour under the scene's style and time of day."""
    colour = vivid(colour) if flat else colour
    return moonlit(colour, gain) if night else colour


# No seed draws one of these: `varbook.world.scene.in_snow` asks for them. What is trained and
# recorded knows the green lands alone.
SNOWED: dict[str, Palette] = {f"{name} in snow": snowed(day) for name, day in PALETTES.items()}


def day_palette(name: str) -> Palette:
    """Return the palette `name` by day, green or under snow."""
    return PALETTES[name] if name in PALETTES else SNOWED[name]


@cache
def palette_of(name: str, night: bool, flat: bool) -> Palette:
    """Return the palette `name` under the scene's time of day and style."""
    day = day_palette(name)

    def pair(colours):  # two colours or three
        return tuple(toned(colour, night, flat) for colour in colours)

    sky = pair(day.sky)
    if night:
        # All lands share one night sky: only the ground keeps its colour, as in moonlight.
        sky = ((24, 24, 92), (72, 84, 164)) if flat else ((14, 20, 56), (58, 78, 132))
    light = (240, 242, 250) if night else day.light
    cloud = toned(day.cloud, night, False, gain=0.30)
    return replace(
        day,
        sky=sky,
        hills=pair(day.hills),
        ground=pair(day.ground),
        tree=toned(day.tree, night, flat),
        light=light,
        cloud=cloud,
    )
