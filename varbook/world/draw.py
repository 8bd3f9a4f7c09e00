"""Drawing a scene at any size: the landscape, then the animal; and the animal's silhouette."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageChops

from varbook.world.backdrop import backdrop
from varbook.world.canvas import Box, Canvas, Page, solid
from varbook.world.coats import limb_stripes, spots, trunk_stripes
from varbook.world.landscape import mix, toned
from varbook.world.scene import Scene
from varbook.world.skeleton import Body, Chain, build
from varbook.world.species import HAIR, STRIPE_LIGHT, TABLE, Species

# Part of the cache's key: raise it with every change that moves a pixel.
WORLD_VERSION = 3
Corner = tuple[int, int]  # left and top in pixels
MARGIN = 0.03
OUTLINE = 0.011
# The animal is drawn as a map of labels first: 0 is nothing, 1 the outline of the flat style, and
# from 128 on its own parts, so that the silhouette is a threshold.
ROLES = (
    "coat",
    "face",
    "far",
    "shade",
    "hair",
    "second",
    "hoof",
    "horn",
    "pink",
    "nose",
    "white",
    "pupil",
)
OUTSIDE = 1
FIRST = 128
LABEL = {role: FIRST + index for index, role in enumerate(ROLES)}
FIXED = {
    "hoof": (58, 48, 50),
    "horn": (232, 220, 196),
    "pink": (236, 150, 150),
    "nose": (48, 36, 42),
    "white": (246, 244, 238),
    "pupil": (28, 22, 30),
}
# From label to mask: what carries the coat's marks, and what is drawn at all.
SKIN = [255 if label - FIRST in (0, 1, 2) else 0 for label in range(256)]
DRAWN = [0] + [255] * 255


@dataclass(frozen=True)
class Placed:
    """An animal with its map from body to scene coordinates.

    x = left + turn * x', y = ground - scale * y'.
    """

    body: Body
    scale: float
    turn: float  # scale, negative where the animal faces left
    left: float
    ground: float
    box: Box

    def chain(self, chain: Chain) -> Chain:
        """Return a chain of circles in scene coordinates."""
        left, turn, ground, scale = self.left, self.turn, self.ground, self.scale
        return [(left + turn * x, ground - scale * y, scale * r) for x, y, r in chain]

    def polygon(self, points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        """Return a polygon in scene coordinates."""
        return [(self.left + self.turn * x, self.ground - self.scale * y) for x, y in points]


def place(scene: Scene) -> Placed:
    """Return the scene's animal, scaled and moved so that all of it lies inside the central square."""
    pose = scene.pose
    body = build(TABLE[scene.species], pose.neck, pose.head, pose.stride, pose.tail)
    circles = [circle for chain in body.chains() for circle in chain]
    back = min(x - r for x, _, r in circles)
    front = max(x + r for x, _, r in circles)
    top = max(y + r for _, y, r in circles)
    # As large as the pose asks, but never beyond the square's sides or its top.
    scale = pose.size * min((1 - 2 * MARGIN) / (front - back), (pose.ground - MARGIN) / top)
    width = scale * (front - back)
    start = -0.5 + MARGIN + (1 - 2 * MARGIN - width) * (pose.place + 1) / 2
    origin = start - scale * back if pose.facing > 0 else start + scale * front
    upper = pose.ground - scale * top - OUTLINE
    lower = pose.ground + 2 * OUTLINE
    box = (start - OUTLINE, upper, start + width + OUTLINE, lower)
    return Placed(body, scale, scale * pose.facing, origin, pose.ground, box)


def render(scene: Scene, height: int = 64, width: int = 64) -> np.ndarray:
    """Return the picture of a scene, uint8 (height, width, 3).

    A longer side shows more land, not a larger animal.
    """
    return draw(scene, height, width)[0]


def silhouette(scene: Scene, height: int = 64, width: int = 64) -> np.ndarray:
    """Return the animal's mask, bool (height, width): True where it covers over half of the pixel."""
    canvas = Canvas(height, width)
    animal = place(scene)
    over = _fineness(canvas)
    page, corner = canvas.part(animal.box, over)
    for chain in animal.body.chains():
        page.chain(animal.chain(chain), 255)
    return _covered(canvas, page.image.reduce(over), corner)


def draw(scene: Scene, height: int = 64, width: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Return picture, uint8 (height, width, 3), and silhouette, bool (height, width), in one go."""
    canvas = Canvas(height, width)
    animal = place(scene)
    backdrop(canvas, scene)
    _shadow(canvas, animal)
    picture = canvas.finish()
    over = _fineness(canvas)
    labels, corner = canvas.part(animal.box, over)
    _limbs(labels, scene, animal)
    cover = labels.image.convert("1", dither=Image.Dither.NONE).convert("L").reduce(over)
    drawn = labels.image.point(DRAWN).reduce(over) if scene.flat else cover
    _paint(picture, labels.image, corner, scene, drawn)
    _shade(canvas, picture, cover, corner, scene, animal)
    return np.array(picture), _covered(canvas, cover, corner)


def _fineness(canvas: Canvas) -> int:
    # Thin legs and stripes need a finer raster than hills do; a large picture has it anyway.
    return 4 if canvas.unit <= 160 else 2


def _covered(canvas: Canvas, cover: Image.Image, corner: Corner) -> np.ndarray:
    left, top = corner
    mask = np.zeros((canvas.height, canvas.width), dtype=bool)
    mask[top : top + cover.height, left : left + cover.width] = np.asarray(cover) > 127
    return mask


def _shadow(canvas: Canvas, animal: Placed):
    feet = animal.chain([leg[-1] for leg in animal.body.legs])
    left = min(x for x, _, _ in feet)
    right = max(x for x, _, _ in feet)
    middle = (left + right) / 2
    reach = 0.78 * (right - left)
    box = (middle - reach, animal.ground - 0.05, middle + reach, animal.ground + 0.05)
    mask, corner = canvas.part(box)
    # Rings from pale and wide to dark and narrow: a soft edge without a blur.
    for ring in range(5):
        share = 1 - 0.12 * ring
        mask.disc(middle, animal.ground - 0.004, share * reach, share * 0.045, 19 * (ring + 1))
    canvas.lay((8, 12, 26), mask, corner)


def _limbs(labels: Page, scene: Scene, animal: Placed):
    """Fill the page with the label of every limb, far ones first, and the marks of the coat."""
    layers = [
        (LABEL[role], [animal.chain(chain) for chain in chains])
        for role, chains in animal.body.layers
    ]
    if scene.flat:
        for _, chains in layers:
            for chain in chains:
                labels.chain(chain, OUTSIDE, grow=OUTLINE)
    for label, chains in layers:
        for chain in chains:
            labels.chain(chain, label)
        if label == LABEL["coat"]:
            _marks(labels, scene, animal)
    ((x, y, radius),) = animal.chain([animal.body.eye])
    x += 0.12 * radius if animal.turn > 0 else -0.12 * radius
    labels.disc(x, y, 1.15 * radius, 1.15 * radius, LABEL["white"])
    labels.disc(x, y, 0.78 * radius, 0.78 * radius, LABEL["pupil"])


def _marks(labels: Page, scene: Scene, animal: Placed):
    """Add the coat's pattern; what reaches over the skin's edge is cut off."""
    chains = spots(TABLE[scene.species], animal.body, scene.pose.marks)
    if not scene.striped and not chains:
        return
    marks = Page(Image.new("L", labels.image.size), labels.scale, labels.dx, labels.dy)
    if scene.striped:
        for band in limb_stripes(animal.body):
            marks.polygon(animal.polygon(band), 255)
        # The torso is wiped clean, so that its own bands alone are on it.
        marks.chain(animal.chain(animal.body.torso), 0)
        for band in trunk_stripes(animal.body):
            marks.polygon(animal.polygon(band), 255)
    for chain in chains:
        marks.chain(animal.chain(chain), 255)
    labels.image.paste(
        LABEL["second"], mask=ImageChops.darker(marks.image, labels.image.point(SKIN))
    )


def _day_colours(row: Species, coat_name: str) -> dict[str, tuple]:
    coat = STRIPE_LIGHT if row.pattern == "stripes" else row.coats[coat_name]
    hair = row.hair or (HAIR[coat_name] if row.name == "horse" else mix(coat, (30, 20, 20), 0.5))
    if row.tail in ("stub", "puff"):
        hair = mix(coat, (255, 250, 244), 0.75)
    return FIXED | {
        "coat": coat,
        "face": coat,
        "far": mix(coat, (0, 0, 10), 0.07),
        "shade": mix(coat, (0, 0, 20), 0.12),
        "hair": hair,
        "second": row.second,
    }


@cache
def _ink(species: str, coat_name: str, night: bool, flat: bool) -> bytes:
    """Return the animal's colours in the scene's light as a palette.

    Three bytes for each of the 256 labels.
    """
    row = TABLE[species]
    # The animal stands in the moonlight: it darkens less than the land, so that its outline stays
    # clear.
    inks = {
        LABEL[role]: toned(colour, night, flat and row.pattern != "stripes", gain=0.72)
        for role, colour in _day_colours(row, coat_name).items()
    }
    inks[OUTSIDE] = (26, 20, 40)
    return bytes(value for label in range(256) for value in solid(inks.get(label, (0, 0, 0))))


def _paint(
    picture: Image.Image, labels: Image.Image, corner: Corner, scene: Scene, cover: Image.Image
):
    """Turn labels into colours and lay them over the landscape."""
    ink = labels.copy()
    ink.putpalette(_ink(scene.species, scene.coat, scene.night, scene.flat))
    # Label 0 is black: the reduced colours are weighted by their cover already and only need to be
    # added.
    weighted = ink.convert("RGB").reduce(labels.width // cover.width)
    box = (*corner, corner[0] + cover.width, corner[1] + cover.height)
    picture.paste((0, 0, 0), box, cover)
    picture.paste(ImageChops.add(picture.crop(box), weighted), box)


def _shade(
    canvas: Canvas,
    picture: Image.Image,
    cover: Image.Image,
    corner: Corner,
    scene: Scene,
    animal: Placed,
):
    """Darken the animal a little from the back to the belly, by 9 % at most.

    In flat style it is one hard step.
    """
    torso = animal.chain(animal.body.torso)
    top = min(y - r for _, y, r in torso)
    bottom = max(y + r for _, y, r in torso)
    rows = (np.arange(cover.height) + (corner[1] + 0.5)) / canvas.unit + canvas.upper
    share = ((rows - top) / (bottom - top)).clip(0, 1)
    if scene.flat:
        share = (share > 0.62).astype(float)
    column = Image.frombytes(
        "L", (1, cover.height), (255 * 0.09 * share + 0.5).astype(np.uint8).tobytes()
    )
    mask = ImageChops.multiply(cover, column.resize(cover.size, Image.Resampling.NEAREST))
    picture.paste((0, 0, 12), (*corner, corner[0] + cover.width, corner[1] + cover.height), mask)
