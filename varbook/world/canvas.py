"""Shapes with soft edges: drawn a few times too large with Pillow, then reduced."""

from functools import cache, lru_cache
from math import ceil, floor, hypot, sin, sqrt

import numpy as np
from PIL import Image, ImageDraw

Point = tuple[float, float]
Circle = tuple[float, float, float]
Box = tuple[float, float, float, float]  # left, top, right, bottom in scene units
Colour = tuple[float, float, float]


class Page:
    """An oversized image that is drawn on in scene units.

    Ink is a colour or, on masks and labels, a number.
    """

    def __init__(self, image: Image.Image, scale: float, dx: float, dy: float):
        self.image = image
        self.scale = scale  # pixels of the oversized image for one scene unit
        self.dx = dx
        self.dy = dy
        self.pencil = ImageDraw.Draw(image)

    def disc(self, x: float, y: float, rx: float, ry: float, ink):
        """Fill an ellipse with radii rx and ry."""
        cx = self.dx + x * self.scale
        cy = self.dy + y * self.scale
        rx, ry = rx * self.scale, ry * self.scale
        self.pencil.ellipse((cx - rx, cy - ry, cx + rx, cy + ry), ink)

    def polygon(self, points: list[Point], ink):
        """Fill a polygon."""
        scale, dx, dy = self.scale, self.dx, self.dy
        self.pencil.polygon([(dx + x * scale, dy + y * scale) for x, y in points], ink)

    def chain(self, circles: list[Circle], ink, grow: float = 0.0):
        """Fill a limb: the smooth outline round neighbouring circles (x, y, radius).

        `grow` enlarges each radius.
        """
        scale, dx, dy = self.scale, self.dx, self.dy
        circles = [
            (dx + x * scale, dy + y * scale, (radius + grow) * scale) for x, y, radius in circles
        ]
        for x, y, r in (circles[0], circles[-1]) if len(circles) > 1 else circles:
            self.pencil.ellipse((x - r, y - r, x + r, y + r), ink)
        if len(circles) > 1:
            self.pencil.polygon(_sides(circles), ink)


class Canvas(Page):
    """A page for a picture of `height` x `width` pixels, drawn twice too large.

    x goes from the middle, y from the top of the central square, both in units of the shorter side.
    """

    def __init__(self, height: int, width: int):
        self.height = height
        self.width = width
        self.unit = min(height, width)
        self.over = 2  # how many times too large: enough for edges that are soft after `finish`
        self.right = 0.5 * width / self.unit
        self.upper = 0.5 - 0.5 * height / self.unit
        scale = self.unit * self.over
        image = Image.new("RGB", (width * self.over, height * self.over))
        super().__init__(image, scale, self.right * scale, -self.upper * scale)

    def part(self, box: Box, over: int = 2) -> tuple[Page, tuple[int, int]]:
        """Return an empty page for the pixels that `box` touches, and their left and top.

        The page is `over` times too large.
        """
        left = max(0, floor((box[0] + self.right) * self.unit))
        top = max(0, floor((box[1] - self.upper) * self.unit))
        right = min(self.width, ceil((box[2] + self.right) * self.unit))
        bottom = min(self.height, ceil((box[3] - self.upper) * self.unit))
        image = Image.new("L", (max(1, right - left) * over, max(1, bottom - top) * over))
        scale = self.unit * over
        return Page(
            image, scale, self.right * scale - left * over, -self.upper * scale - top * over
        ), (left, top)

    def lay(self, ink: Colour | Image.Image, page: Page, corner: tuple[int, int]):
        """Lay a colour, or an image of the mask's size, through a mask page made by `part`."""
        left, top = corner[0] * self.over, corner[1] * self.over
        box = (left, top, left + page.image.width, top + page.image.height)
        self.image.paste(ink if isinstance(ink, Image.Image) else solid(ink), box, page.image)

    def _rows(self, start: float, stop: float) -> tuple[int, int]:
        low, high = round(self.dy + start * self.scale), round(self.dy + stop * self.scale)
        return max(0, low), min(self.image.height, high)

    def gradient(
        self, top: float, bottom: float, start: float, stop: float, first: Colour, second: Colour
    ):
        """Fill the rows from `start` to `stop` with a vertical gradient.

        The colour is `first` at height `top` and `second` at `bottom`.
        """
        low, high = self._rows(start, stop)
        if high > low:
            column = _column(self.image.height, self.dy, self.scale, top, bottom, first, second)
            self.image.paste(self._wide(column.crop((0, low, 1, high))), (0, low))

    def haze(self, top: float, bottom: float, colour: Colour, strength: float):
        """Lay a colour over the rows from `top` to `bottom`, from nothing to `strength` (0 to 1)."""
        low, high = self._rows(top, bottom)
        if high > low:
            values = (np.arange(high - low) * (255 * strength / (high - low))).astype(np.uint8)
            mask = self._wide(Image.frombytes("L", (1, high - low), values.tobytes()))
            self.image.paste(solid(colour), (0, low, self.image.width, high), mask)

    def _wide(self, column: Image.Image) -> Image.Image:
        return column.resize((self.image.width, column.height), Image.Resampling.NEAREST)

    def glow(self, x: float, y: float, radius: float, colour: Colour, strength: float):
        """Lay a soft round light of standard deviation `radius` over the picture; strength 0 to 1."""
        reach = max(2, round(2 * 2.6 * radius * self.scale))
        mask = _bell(round(255 * strength)).resize((reach, reach), Image.Resampling.NEAREST)
        corner = (
            round(self.dx + x * self.scale - reach / 2),
            round(self.dy + y * self.scale - reach / 2),
        )
        self.image.paste(solid(colour), corner, mask)

    def finish(self) -> Image.Image:
        """Return the picture at its true size."""
        return self.image.reduce(self.over)


def solid(colour: Colour) -> tuple[int, int, int]:
    """Return a colour in whole numbers, as Pillow wants it."""
    red, green, blue = colour
    return int(red + 0.5), int(green + 0.5), int(blue + 0.5)


@cache
def _bell(strength: int) -> Image.Image:
    # Pillow's radial gradient is 0 in the middle and 255 at a radius of 128 * sqrt(2): here 2.6
    # deviations at 128.
    edge = np.exp(-(2.6**2) / 2)
    radius = np.arange(256) / 255 * sqrt(2) * 2.6
    bell = strength * ((np.exp(-(radius**2) / 2) - edge) / (1 - edge)).clip(0, 1)
    return Image.radial_gradient("L").point([int(value + 0.5) for value in bell])


@lru_cache(maxsize=128)
def _column(
    height: int, dy: float, scale: float, top: float, bottom: float, first: Colour, second: Colour
) -> Image.Image:
    """Return a gradient one pixel wide.

    There are few, one per palette, and many pictures use each.
    """
    share = (((np.arange(height) + 0.5 - dy) / scale - top) / (bottom - top)).clip(0, 1)
    colours = np.array(first) + share[:, None] * (np.array(second) - np.array(first))  # rows 3
    return Image.frombytes("RGB", (1, height), (colours + 0.5).astype(np.uint8).tobytes())


def _sides(circles: list[Circle]) -> list[Point]:
    """Return the outline along both sides of a chain of two circles or more, tangent to its ends."""
    left, right = [], []
    last = len(circles) - 1
    for index, (x, y, r) in enumerate(circles):
        (x0, y0, r0), (x1, y1, r1) = circles[max(0, index - 1)], circles[min(last, index + 1)]
        apart = hypot(x1 - x0, y1 - y0)
        if apart <= abs(r0 - r1) + 1e-6:
            return [(x, y)] * 3
        # The tangent of two circles leaves their axis by the angle whose sine is (r0 - r1) /
        # distance.
        ux, uy, along = (x1 - x0) / apart, (y1 - y0) / apart, (r0 - r1) / apart
        aside = sqrt(1 - along * along)
        left.append((x + r * (along * ux - aside * uy), y + r * (along * uy + aside * ux)))
        right.append((x + r * (along * ux + aside * uy), y + r * (along * uy - aside * ux)))
    return left + right[::-1]


def wave(x: float, hill: tuple[float, ...]) -> float:
    """Return the height of a hill at scene coordinate x.

    `hill` is (height, amplitude, two frequencies, two phases).
    """
    height, amplitude, slow, quick, start, second = hill
    return height + amplitude * (sin(slow * x + start) + 0.35 * sin(quick * x + second))
