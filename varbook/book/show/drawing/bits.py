"""Sign bits: codes as corners of a cube, quantization by signs, and the tanh that relaxes a bit."""

from collections.abc import Sequence

import torch
from torch import Tensor

from varbook.book.show.drawing.canvas import Canvas, Point
from varbook.book.show.drawing.palette import DATA, GRADIENT, HEAD, INK, QUIET, SMALL, WHITE
from varbook.tokenizer.bits import BinaryCodes
from varbook.translate.relaxation import relax_bits

MOST = 8  # entries that have room in the drawing
_LINES = ("-", "--", "-.", ":")
_INKS = ("#1f5f9e", "#bd1f01", "#832db6", "#5a6872")


def sign_bits(codes: BinaryCodes, temperatures: Sequence[float] = (0.1, 2.0, 10.0)) -> Canvas:
    """Return the drawing of sign bits: the corners of a cube, a vector that becomes its signs, and
    one relaxed bit at each of `temperatures` (at most four).

    The vector has as many entries as `codes` has bits, of which the first eight are drawn.
    """
    canvas = Canvas(
        690,
        "Left, a cube whose corners are the codes of three bits, on a sphere; a vector goes to the "
        "nearest corner. Middle, a vector as bars, and its signs as bits. Right, the relaxed bit: a "
        "tanh, steep when cold and flat when hot.",
    )
    titles = {40: "A code is a corner", 500: "Quantize: the signs", 960: "Relax: a tanh"}
    for x, words in titles.items():
        canvas.text(x, 52, words, size=HEAD, bold=True, align="left")
    _cube(canvas, 225, 330)
    _signs(canvas, 500, codes)
    _tanh(canvas, 1180, 330, temperatures)
    return canvas


def _cube(canvas: Canvas, x: float, y: float) -> None:
    from matplotlib.patches import Circle

    codes, radius = BinaryCodes(3), 190.0
    vector = torch.tensor([0.75, 0.5, 0.2])
    nearest = codes.lookup(codes.nearest(vector))

    def place(point: Tensor) -> Point:
        """Project a point (3,) as one sees a cube from above its right corner."""
        a, b, c = point.tolist()
        return x + radius * (0.94 * a - 0.34 * b), y + radius * (0.22 * a + 0.36 * b - 0.9 * c)

    canvas.axes.add_patch(Circle((x, y), radius, fc=DATA, ec=QUIET, lw=1.2, alpha=0.5, zorder=1.5))
    corners = codes.vectors()
    for i, one in enumerate(corners):
        for other in corners[i + 1 :]:
            if (one != other).sum() == 1:
                canvas.line(place(one), place(other))
    for one in corners:
        chosen = torch.equal(one, nearest)
        fill, size = (GRADIENT, 15) if chosen else (INK, 9)
        canvas.axes.add_patch(Circle(place(one), size, fc=fill, ec=WHITE, lw=1, zorder=4))
    tip = place(vector / vector.norm())
    canvas.arrow((x, y), tip, ink=INK)
    canvas.line(tip, place(nearest), ink=GRADIENT, dashed=True)
    canvas.text((x + tip[0]) / 2 - 6, (y + tip[1]) / 2 + 28, "$x$")
    canvas.text(x, 570, f"{codes.code_dim} bits: {codes.vocab_size} corners", size=SMALL)
    canvas.text(x, 608, r"$(\pm 1, \pm 1, \pm 1) / \sqrt{3}$", size=SMALL)


def _signs(canvas: Canvas, left: float, codes: BinaryCodes) -> None:
    from matplotlib.patches import Rectangle

    d, shown = codes.code_dim, min(codes.code_dim, MOST)
    vector = torch.randn(d, generator=torch.Generator().manual_seed(3)).clamp(-1.8, 1.8)
    bits = codes.bits(codes.nearest(vector)).tolist()
    side, y = 376 / shown, 215
    canvas.line((left - 6, y), (left + 382, y))
    for i in range(shown):
        x = left + (i + 0.5) * side
        value = vector[i].item() * 58
        fill = "#3f90da" if bits[i] else "#ffa90e"
        place = (x - side / 2 + 6, y)
        canvas.axes.add_patch(Rectangle(place, side - 12, -value, fc=fill, ec="none", zorder=4))
        cell = canvas.box(x, 400, side - 6, 52, str(int(bits[i])), fill=DATA)
        sign = canvas.box(x, 510, side - 6, 52, "+" if bits[i] else "-", fill=DATA)
        canvas.arrow(cell.bottom, sign.top)
    middle = left + 188
    canvas.arrow((middle, 332), (middle, 372), words="$x > 0$", lift=14)
    rest = f", {shown} of {d} shown" if shown < d else ""
    canvas.text(middle, 570, rf"code: signs times $1/\sqrt{{{d}}}${rest}", size=SMALL)
    canvas.text(middle, 608, rf"$2^{{{d}}}$ codes and no table", size=SMALL)


def _tanh(canvas: Canvas, x: float, y: float, temperatures: Sequence[float]) -> None:
    wide, high, most = 180.0, 150.0, 12.0
    gaps = torch.linspace(-most, most, 241)
    logits = torch.stack((torch.zeros_like(gaps), gaps), -1)  # minus, plus: one bit each
    for level in (-high, 0, high):
        canvas.line((x - wide, y + level), (x + wide, y + level), width=1)
    canvas.line((x, y - high), (x, y + high), width=1)
    for tau, style, ink in zip(temperatures, _LINES, _INKS, strict=False):
        bit = relax_bits(logits, temperature=tau)[:, 0]
        across = (x + gaps / most * wide).tolist()
        canvas.axes.plot(across, (y - bit * high).tolist(), ls=style, color=ink, lw=3, zorder=4)
    for words, level in (("+1", -high), ("0", 0), ("-1", high)):
        canvas.text(x - wide - 10, y + level, words, size=SMALL, align="right")
    canvas.text(x, y + high + 34, "logit of + minus logit of -", size=SMALL)
    for i, (tau, style, ink) in enumerate(zip(temperatures, _LINES, _INKS, strict=False)):
        level = 570 + 38 * i
        canvas.axes.plot((x - 120, x - 50), (level, level), ls=style, color=ink, lw=3)
        canvas.text(x - 30, level, rf"$\tau$ = {tau:g}", size=SMALL, align="left")
