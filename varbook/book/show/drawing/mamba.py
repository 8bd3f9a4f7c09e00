"""Mamba's layer in attention's place: a path, a scan along it, and back to the map."""

import torch

from varbook.book.show.drawing.canvas import Box, Canvas, shape_text
from varbook.book.show.drawing.palette import DATA, FROZEN, HEAD, INK, SMALL, TRAINED
from varbook.transformer.mamba import MambaMixer
from varbook.transformer.model import NextScaleConfig
from varbook.transformer.scan_paths import zigzag

_GATE, _MAIN, _CHOICE = 190, 340, 520  # heights of the three lanes
_SIDE = 4  # of the map whose path is drawn


def mamba_layer(config: NextScaleConfig, path: int = 0) -> Canvas:
    """Return the drawing of Mamba's layer (FlexVAR section 7) in a model of the sizes of `config`:
    tokens in the order of a `path` (0 to 7), a look back, a selective scan, a gate.
    """
    width = config.width
    with torch.device("meta"):  # sizes alone: no weights, and no random numbers are drawn
        mixer = MambaMixer(width, path=path, state=config.mamba_state)
    canvas = Canvas(
        690,
        "Tokens are put in the order of a zigzag path and widened into a signal and a gate. The "
        "signal looks at its last neighbours, is scanned with steps chosen by itself, is multiplied "
        "by the gate, made narrow, and put back in the order of the map.",
    )
    canvas.text(40, 52, "A layer that walks", size=HEAD, bold=True, align="left")
    start = _path(canvas, 130, _MAIN, mixer.path)
    wide = canvas.box(
        352, _MAIN, 130, 84, f"{width} to\n2 x {mixer.inner}", fill=TRAINED, size=SMALL
    )
    look = canvas.box(
        552, _MAIN, 130, 84, f"look at\n{mixer.kernel} tokens", fill=TRAINED, size=SMALL
    )
    scan = canvas.box(792, _MAIN, 170, 84, "selective\nscan", fill=DATA)
    times = canvas.sign(960, _MAIN, "x")
    narrow = canvas.box(
        1100, _MAIN, 150, 84, f"{mixer.inner} to\n{width}", fill=TRAINED, size=SMALL
    )
    back = canvas.box(1300, _MAIN, 130, 84, "undo\nthe path", fill=FROZEN, size=SMALL)
    for a, b in ((start, wide), (wide, look), (look, scan), (scan, times), (times, narrow)):
        canvas.arrow(a.right, b.left)
    canvas.arrow(narrow.right, back.left)
    canvas.arrow(wide.top, (wide.x, _GATE), (times.x, _GATE), times.top)
    canvas.text(672, _GATE - 22, f"gate {shape_text('B', 'L', mixer.inner)}", size=SMALL)
    canvas.text(wide.x, _MAIN + 68, "signal, gate", size=SMALL)
    canvas.text(back.x, _MAIN + 68, shape_text("B", "L", width), size=SMALL)
    _choices(canvas, mixer, look, scan)
    return canvas


def _path(canvas: Canvas, x: float, y: float, path: int) -> Box:
    from matplotlib.patches import Circle

    cell = 40.0
    made = canvas.grid(x, y, (_SIDE, _SIDE), cell, DATA)
    order = zigzag((_SIDE, _SIDE), path).tolist()
    points = [
        (
            x + (place % _SIDE - (_SIDE - 1) / 2) * cell,
            y + (place // _SIDE - (_SIDE - 1) / 2) * cell,
        )
        for place in order
    ]
    canvas.axes.plot(*zip(*points, strict=True), color=INK, lw=2, zorder=5)
    canvas.axes.add_patch(Circle(points[0], 9, fc=INK, ec="none", zorder=5))
    canvas.text(x, y + 112, f"path {path + 1} of 8", size=SMALL)
    canvas.text(x, y - 108, "tokens", size=SMALL)
    return made


def _choices(canvas: Canvas, mixer: MambaMixer, look: Box, scan: Box) -> None:
    choose = canvas.box(
        602, _CHOICE, 230, 76, r"choose $\Delta$, $B$, $C$", fill=TRAINED, size=SMALL
    )
    canvas.arrow((look.x, look.bottom[1]), (look.x, _CHOICE - 38))
    canvas.arrow(choose.right, (scan.x, _CHOICE), scan.bottom)
    state = shape_text("B", mixer.inner, mixer.state_size)
    canvas.text(scan.x + 20, _CHOICE - 60, f"state $h$ {state}", size=SMALL, align="left")
    words = r"$h_t = e^{\Delta_t A}\, h_{t-1} + \Delta_t B_t\, x_t$,   $y_t = C_t\, h_t$"
    canvas.text(700, 630, words)
