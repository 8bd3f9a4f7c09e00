"""The sheet on which every drawing is made: boxes, grids of tokens, pictures, arrows and texts.

Lengths are pixels of the file, x to the right and y downwards, places are centres. A canvas remembers
its texts, boxes and lines, so that a test can tell whether one hides another.
"""

import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from varbook.book.show.drawing.palette import (
    DATA,
    GRADIENT,
    INK,
    PANEL,
    QUIET,
    SMALL,
    TEXT,
    WHITE,
    WIDTH,
)

Point = tuple[float, float]
COLOURS = 96  # of the file: enough for smooth letters, a quarter of the bytes


class Box(NamedTuple):
    """A rectangle on the sheet, by its centre."""

    x: float
    y: float
    width: float
    height: float

    @property
    def left(self) -> Point:
        """The middle of the left side."""
        return self.x - self.width / 2, self.y

    @property
    def right(self) -> Point:
        """The middle of the right side."""
        return self.x + self.width / 2, self.y

    @property
    def top(self) -> Point:
        """The middle of the upper side."""
        return self.x, self.y - self.height / 2

    @property
    def bottom(self) -> Point:
        """The middle of the lower side."""
        return self.x, self.y + self.height / 2


class Canvas:
    """A drawing: `show` puts it into a notebook, `picture_file` and `image` give it as a file would
    hold it.

    `alt` says in words what is to be seen. `texts` holds every text with the box that it belongs to
    (or None), `boxes` every box, map and picture, `lines` the two ends of every straight piece of an arrow.
    """

    def __init__(self, height: float, alt: str):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.patches import FancyBboxPatch

        self.size = (WIDTH, round(height))
        self.alt = alt
        self.texts: list[tuple] = []
        self.boxes: list[Box] = []
        self.lines: list[tuple[Point, Point]] = []
        # No pyplot: the look must not depend on what a notebook has set, and nothing need be closed.
        self.figure = Figure(figsize=(WIDTH / 100, height / 100), dpi=100)
        self.figure.set_layout_engine("none")
        FigureCanvasAgg(self.figure)
        self.figure.patch.set_alpha(0)
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set(xlim=(0, WIDTH), ylim=(height, 0))
        self.axes.axis("off")
        style = "round,pad=0,rounding_size=24"
        corner = (1, 1)
        panel = FancyBboxPatch(corner, WIDTH - 2, height - 2, boxstyle=style, fc=PANEL, ec="none")
        self.axes.add_patch(panel)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: float = TEXT,
        ink: str = INK,
        align: str = "center",
        bold: bool = False,
        box: Box | None = None,
    ) -> None:
        """Write `words`, the middle of their height at y; `align` says which end of them is at x.
        `box` is the one that they must not leave.
        """
        weight = "bold" if bold else "normal"
        points = size * 72 / 100
        # One line stands on its baseline, so that words in a row are level whatever their letters.
        lines = words.count("\n") + 1
        y += 0.36 * size if lines == 1 else 0
        written = self.axes.text(
            x,
            y,
            words,
            fontsize=points,
            color=ink,
            weight=weight,
            ha=align,
            va="baseline" if lines == 1 else "center",
            linespacing=1.15,
            zorder=6,
        )
        self.texts.append((written, box))

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        words: str = "",
        *,
        fill: str = DATA,
        edge: str | None = None,
        dashed: bool = False,
        size: float = TEXT,
        bold: bool = False,
        behind: bool = False,
    ) -> Box:
        """Draw a rounded box with `words` in it and return it; `behind` is for one that holds
        others.
        """
        from matplotlib.patches import FancyBboxPatch

        made = self._kept(Box(x, y, width, height))
        radius = min(12, width / 3, height / 3)
        patch = FancyBboxPatch(
            (x - width / 2, y - height / 2),
            width,
            height,
            boxstyle=f"round,pad=0,rounding_size={radius}",
            fc=fill,
            ec=edge or "none",
            lw=1.6,
            ls="--" if dashed else "-",
            zorder=1 if behind else 3,
        )
        self.axes.add_patch(patch)
        if words:
            self.text(x, y, words, size=size, bold=bold, box=made)
        return made

    def _kept(self, made: Box) -> Box:
        self.boxes.append(made)
        return made

    def sign(self, x: float, y: float, words: str, *, radius: float = 22, fill: str = WHITE) -> Box:
        """Draw a small circle with an operation in it and return the box around it."""
        from matplotlib.patches import Circle

        self.axes.add_patch(Circle((x, y), radius, fc=fill, ec=INK, lw=1.6, zorder=3))
        made = self._kept(Box(x, y, 2 * radius, 2 * radius))
        self.text(x, y, words, box=made)
        return made

    def grid(
        self,
        x: float,
        y: float,
        cells: tuple[int, int],
        side: float,
        colours: np.ndarray | str = DATA,
        *,
        edge: str = WHITE,
        line: float = 1.6,
    ) -> Box:
        """Draw a map of `cells` = (rows, columns), each `side` long, in one colour or in those of
        an array (rows, columns, 3) in [0, 1], and return the box around it.
        """
        from matplotlib.patches import Rectangle

        rows, columns = cells
        left, top = x - columns * side / 2, y - rows * side / 2
        for i in range(rows):
            for j in range(columns):
                fill = colours if isinstance(colours, str) else tuple(colours[i, j])
                place = (left + j * side, top + i * side)
                self.axes.add_patch(
                    Rectangle(place, side, side, fc=fill, ec=edge, lw=line, zorder=4)
                )
        return self._kept(Box(x, y, columns * side, rows * side))

    def frame(self, x: float, y: float, width: float, height: float) -> None:
        """Draw a dark frame, which points at a part of a map."""
        from matplotlib.patches import Rectangle

        place = (x - width / 2, y - height / 2)
        self.axes.add_patch(Rectangle(place, width, height, fc="none", ec=INK, lw=2.6, zorder=5))

    def picture(self, x: float, y: float, height: float, pixels: np.ndarray) -> Box:
        """Draw an array (h, w, 3) in [0, 1] `height` pixels high, every pixel as a square, and
        return the box around it.
        """
        width = height * pixels.shape[1] / pixels.shape[0]
        extent = (x - width / 2, x + width / 2, y + height / 2, y - height / 2)
        limits = self.axes.get_xlim(), self.axes.get_ylim()
        self.axes.imshow(
            pixels.clip(0, 1), extent=extent, interpolation="nearest", aspect="auto", zorder=4
        )
        self.axes.set(xlim=limits[0], ylim=limits[1])
        return self._kept(Box(x, y, width, height))

    def arrow(
        self,
        *points: Point,
        words: str = "",
        ink: str = QUIET,
        gradient: bool = False,
        head: bool = True,
        lift: float = 20,
        size: float = SMALL,
    ) -> None:
        """Draw a line through `points` with a head at its end, and `words` beside the middle of its
        longest piece: `lift` pixels above a level one, to the right of an upright one (negative:
        below, to the left). `gradient` lines are red and dashed.
        """
        from matplotlib.patches import FancyArrowPatch
        from matplotlib.path import Path

        ink = GRADIENT if gradient else ink
        pieces = list(zip(points, points[1:], strict=False))
        self.lines += pieces
        patch = FancyArrowPatch(
            path=Path(points),
            arrowstyle="-|>,head_length=9,head_width=4.5" if head else "-",
            color=ink,
            lw=2.2,
            ls=(0, (4, 2.4)) if gradient else "-",
            joinstyle="round",
            capstyle="butt",
            shrinkA=0,
            shrinkB=0,
            zorder=2.5 if not gradient else 5,
        )
        self.axes.add_patch(patch)
        if words:
            (ax, ay), (bx, by) = max(
                pieces, key=lambda p: abs(p[0][0] - p[1][0]) + abs(p[0][1] - p[1][1])
            )
            colour = GRADIENT if gradient else INK
            if abs(ay - by) <= abs(ax - bx):
                self.text((ax + bx) / 2, (ay + by) / 2 - lift, words, size=size, ink=colour)
            else:
                align = "left" if lift > 0 else "right"
                place = ((ax + bx) / 2 + lift, (ay + by) / 2)
                self.text(*place, words, size=size, align=align, ink=colour)

    def line(
        self, *points: Point, ink: str = QUIET, width: float = 1.6, dashed: bool = False
    ) -> None:
        """Draw a line through `points`, without a head."""
        self.lines += list(zip(points, points[1:], strict=False))
        self.axes.plot(
            *zip(*points, strict=True), color=ink, lw=width, ls="--" if dashed else "-", zorder=2.4
        )

    def stop(self, x: float, y: float, *, upright: bool = True, half: float = 20) -> None:
        """Draw the bar at which a gradient ends; `upright` for a gradient that runs level."""
        ends = ((x, x), (y - half, y + half)) if upright else ((x - half, x + half), (y, y))
        self.axes.plot(*ends, color=GRADIENT, lw=5, solid_capstyle="round", zorder=5)

    def _drawn(self) -> Image.Image:
        import matplotlib.style

        data = io.BytesIO()
        with matplotlib.style.context("default"):  # the plots' style would cut the margins off
            self.figure.savefig(data, format="png", dpi=100, metadata={"Software": None})
        data.seek(0)
        return Image.open(data).convert("RGBA")

    def image(self) -> Image.Image:
        """Return the drawing in all its colours, on white: what is saved where pictures are in it."""
        drawn = self._drawn()
        white = Image.new("RGBA", drawn.size, "white")
        return Image.alpha_composite(white, drawn).convert("RGB")

    def picture_file(self) -> bytes:
        """Return the drawing as the bytes of a PNG with few colours and clear corners."""
        drawn = self._drawn()
        indexed = drawn.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        # One more colour is clear: outside of the panel there is nothing.
        pixels = np.where(np.asarray(drawn)[..., 3] < 128, COLOURS, np.asarray(indexed))
        clear = Image.fromarray(pixels.astype(np.uint8), "P")
        clear.putpalette([*(indexed.getpalette() or [])[: 3 * COLOURS], 255, 255, 255])
        out = io.BytesIO()
        clear.save(out, "PNG", optimize=True, transparency=COLOURS)
        return out.getvalue()

    def show(self) -> None:
        """Show the drawing in a notebook (a plain script shows nothing)."""
        from varbook.book.show.display import show_png

        show_png(self.picture_file(), self.alt)


def few(count: int, most: int) -> list[int]:
    """Return at most `most` of the numbers 0 .. count - 1, evenly spread, both ends among them."""
    if count <= most:
        return list(range(count))
    return [round(i * (count - 1) / (most - 1)) for i in range(most)]


def size_text(scale: Sequence[int]) -> str:
    """Return a map's size as text: (2, 4) is "2 x 4"."""
    return f"{scale[0]} x {scale[1]}"


def shape_text(*sizes: int | str) -> str:
    """Return a tensor's shape as text: ("B", 5, "C") is "(B, 5, C)"."""
    return f"({', '.join(map(str, sizes))})"
