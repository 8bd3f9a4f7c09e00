"""Scenes of the toy world: everything that a picture shows, as numbers, before any pixel is drawn.

Lengths are in units of the picture's shorter side, x to the right from the centre, y downward from
the top of the central square, so that one scene has the same meaning at every size and aspect
ratio.
"""

import itertools
import random
from dataclasses import dataclass, replace

from varbook.errors import VarbookError
from varbook.world.landscape import PALETTES, SNOWED, day_palette
from varbook.world.species import COATS, SPECIES, TABLE

FLIPS = ("coat", "time", "style")


@dataclass(frozen=True)
class Pose:
    """How the animal stands: all of it independent of the species."""

    facing: int  # 1 to the right, -1 to the left
    size: float  # share of the picture that the animal fills, 0 to 1
    place: float  # where it stands within the free width, -1 to 1
    ground: float  # y of its feet
    neck: float  # degrees added to the neck's angle
    head: float  # degrees added to the head's angle
    stride: float  # how far the legs are apart, -1 to 1
    tail: float  # swing of the tail, -1 to 1
    marks: float  # phase of coat patterns, 0 to 1


@dataclass(frozen=True)
class Land:
    """The landscape: palette, light, hills, trees and clouds."""

    palette: str
    horizon: float  # y
    light: tuple[float, float, float]  # sun or moon: x, y, radius
    hills: tuple[tuple[float, ...], ...]  # each: height, amplitude, two frequencies, two phases
    # Each: x, y of the foot, height, kind (below 0.5 round, else conifer).
    trees: tuple[tuple[float, ...], ...]
    clouds: tuple[tuple[float, float, float], ...]  # each: x, y, size
    heaven: float  # what the stars' places are drawn from, 0 to 1

    def stars(self) -> list[tuple[float, float, float]]:
        """Return every star's x, y and radius; only a night needs them."""
        draw = random.Random(self.heaven)
        return [
            (
                cell * 0.17 + _between(draw, -0.06, 0.06),
                _between(draw, 0.03, 0.36),
                _between(draw, 0.006, 0.011),
            )
            for cell in range(-16, 17)
        ]


@dataclass(frozen=True)
class Scene:
    """One picture of the toy world, drawn by `varbook.world.draw.render` at any size."""

    seed: int
    species: str
    coat: str
    striped: bool
    night: bool
    flat: bool
    pose: Pose
    land: Land


def _between(draw: random.Random, low: float, high: float) -> float:
    return low + (high - low) * draw.random()


def _pick(draw: random.Random, options):
    # random() is the only method whose stream Python promises to keep from version to version.
    options = tuple(options)
    return options[min(int(draw.random() * len(options)), len(options) - 1)]


def _pose(draw: random.Random) -> Pose:
    return Pose(
        facing=1 if draw.random() < 0.5 else -1,
        size=_between(draw, 0.80, 0.92),
        place=_between(draw, -1, 1),
        ground=_between(draw, 0.84, 0.92),
        neck=_between(draw, -22, 12),
        head=_between(draw, -12, 12),
        stride=_between(draw, -1, 1),
        tail=_between(draw, -1, 1),
        marks=draw.random(),
    )


def _hill(draw: random.Random, distance: int) -> tuple[float, ...]:
    height = _between(draw, 0.05, 0.10) + 0.055 * distance
    amplitude = _between(draw, 0.025, 0.05)
    frequencies = _between(draw, 3.0, 5.0), _between(draw, 6.0, 9.0)
    return height, amplitude, *frequencies, _between(draw, 0, 6.283), _between(draw, 0, 6.283)


def _land(draw: random.Random) -> Land:
    horizon = _between(draw, 0.50, 0.60)
    light = (_between(draw, -0.42, 0.42), _between(draw, 0.09, 0.20), _between(draw, 0.045, 0.065))
    palette = _pick(draw, PALETTES)
    count = 1 + int(draw.random() * 3)
    hills = tuple(_hill(draw, count - 1 - layer) for layer in range(count))
    # Trees and clouds reach far to both sides: a wide picture shows more of the same land.
    trees = tuple(
        (
            cell * 0.55 + _between(draw, -0.22, 0.22),
            horizon + _between(draw, 0.0, 0.05),
            _between(draw, 0.15, 0.26),
            draw.random(),
        )
        for cell in range(-5, 6)
        if draw.random() < 0.45
    )
    clouds = tuple(
        (
            cell * 0.6 + _between(draw, -0.2, 0.2),
            _between(draw, 0.06, 0.24),
            _between(draw, 0.055, 0.095),
        )
        for cell in range(-4, 5)
        if draw.random() < 0.5
    )
    return Land(palette, horizon, light, hills, trees, clouds, draw.random())


def sample_scene(
    seed: int, *, species: str | None = None, night: bool = False, flat: bool = False
) -> Scene:
    """Return the scene of `seed` (int >= 0).

    `species` None draws one of SPECIES, an unknown one raises VarbookError. With one seed, pose and
    landscape are the same whatever the species, time and style.
    """
    if species is not None and species not in TABLE:
        raise VarbookError(
            f"There is no species {species!r} in the toy world: use one of {', '.join(SPECIES)}."
        )
    if isinstance(seed, bool) or not hasattr(seed, "__index__") or seed < 0:
        raise VarbookError(f"A scene's seed is a whole number that is not negative, got {seed!r}.")
    draw = random.Random(int(seed))
    # Every draw is made whatever the arguments, so that flips of one seed share pose and land.
    drawn = _pick(draw, SPECIES)
    shade = draw.random()
    kind = species or drawn
    coats = tuple(TABLE[kind].coats)
    coat = coats[min(int(shade * len(coats)), len(coats) - 1)]
    return Scene(
        int(seed),
        kind,
        coat,
        TABLE[kind].pattern == "stripes",
        night,
        flat,
        _pose(draw),
        _land(draw),
    )


def flip(scene: Scene, attribute: str) -> Scene:
    """Return the scene's counterpart in another domain.

    "coat": horse <-> zebra, "time": day <-> night, "style": shaded <-> flat. Everything else stays;
    an unknown flip, or a coat flip of another species, raises VarbookError.
    """
    if attribute == "time":
        return replace(scene, night=not scene.night)
    if attribute == "style":
        return replace(scene, flat=not scene.flat)
    if attribute != "coat":
        raise VarbookError(f"There is no flip {attribute!r}: use one of {', '.join(FLIPS)}.")
    if scene.species not in ("horse", "zebra"):
        raise VarbookError(
            f"Only horses and zebras have a striped counterpart, not a {scene.species}."
        )
    other = "horse" if scene.striped else "zebra"
    return replace(scene, species=other, striped=not scene.striped)


def in_snow(scene: Scene) -> Scene:
    """Return the same scene in winter: its land lies under snow, everything else stays.

    `sample_scene` draws no winter, so there is no way back by a seed; a scene in the snow stays.
    """
    winter = f"{scene.land.palette} in snow"
    if winter not in SNOWED:
        return scene
    return replace(scene, land=replace(scene.land, palette=winter))


def with_coat(scene: Scene, coat: str) -> Scene:
    """Return the same scene with another coat of its species.

    For a zebra it is the coat of its hidden horse. A coat that the species does not have raises
    VarbookError.
    """
    if coat not in TABLE[scene.species].coats:
        known = ", ".join(TABLE[scene.species].coats)
        raise VarbookError(f"A {scene.species} has no coat {coat!r}: use one of {known}.")
    return replace(scene, coat=coat)


def caption(scene: Scene) -> str:
    """Return one English phrase about the scene: coat, species, landscape, time of day, style."""
    coat = "striped" if scene.striped else scene.coat
    article = "an" if coat[0] in "aeiou" else "a"
    time = "by night" if scene.night else "by day"
    style = ", anime style" if scene.flat else ""
    land = day_palette(scene.land.palette).phrase
    return f"{article} {coat} {scene.species} {land} {time}{style}"


def every_caption(species: tuple[str, ...] = SPECIES) -> list[str]:
    """Return every caption that scenes of `species` can have.

    Each coat in each landscape, by day and by night, in both styles.
    """
    scene = sample_scene(0)
    captions = []
    for name in species:
        row = TABLE[name]
        animal = replace(scene, species=name, striped=row.pattern == "stripes")
        choices = itertools.product(row.coats, PALETTES, (False, True), (False, True))
        for coat, palette, night, flat in choices:
            land = replace(scene.land, palette=palette)
            shown = replace(animal, coat=coat, land=land, night=night, flat=flat)
            captions.append(caption(shown))
    # A zebra's coats read alike: every caption once, in the order of the loops.
    return list(dict.fromkeys(captions))


__all__ = [
    "COATS",
    "FLIPS",
    "SPECIES",
    "Land",
    "Pose",
    "Scene",
    "caption",
    "every_caption",
    "flip",
    "in_snow",
    "sample_scene",
    "with_coat",
]
