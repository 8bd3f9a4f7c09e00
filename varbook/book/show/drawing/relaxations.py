"""From logits to a code vector in four ways: what goes forward, and what comes back."""

import torch
import torch.nn.functional as F
from torch import Tensor

from varbook.book.show.drawing.canvas import Canvas
from varbook.book.show.drawing.palette import (
    FROZEN,
    GRADIENT,
    HEAD,
    INK,
    SMALL,
)
from varbook.translate.relaxation import RELAXATIONS, gumbel_noise, relax

_FIRST, _PITCH, _HIGH = 300, 226, 110
_LOGITS, _CHOICE, _WEIGHTS, _VECTOR, _LOSS = 150, 430, 720, 1010, 1280
_COLOURS = ((0.93, 0.62, 0.13), (0.25, 0.56, 0.85), (0.52, 0.18, 0.71), (0.35, 0.68, 0.42))
_WANTED = (0.25, 0.68, 0.72)  # what the loss asks for, between two codes
_NAMES = {
    "argmax": ("argmax", "largest"),
    "straight_through": ("straight-through", "largest"),
    "gumbel": ("Gumbel", "+ noise,\nlargest"),
    "softmax": ("softmax relaxed (SRQ)", "softmax"),
}


def four_relaxations(logits: Tensor, temperature: float = 2.0, seed: int = 0) -> Canvas:
    """Return the drawing of the four relaxations of a codebook of four codes (CycleVAR figure 1):
    one row each, from `logits` (4,) over the weights of the codes to their mixture, and the
    gradient that comes back to the logits.

    A code is a colour here, so that a mixture of codes is one too. All bars are computed: the
    gradient is that of the squared distance to the colour that is wanted.
    """
    canvas = Canvas(
        _FIRST + len(RELAXATIONS) * _PITCH - 40,
        "Four rows, from logits to a code vector: argmax, straight-through, Gumbel, softmax relaxed. "
        "The first three give one code, the last a mixture. Through argmax no gradient comes back; "
        "the others return one through the softmax.",
    )
    heads = {
        _LOGITS: ("logits", "(B, L, V)"),
        _WEIGHTS: ("weights $q$", "(B, L, V)"),
        _VECTOR: (r"$\hat f = \sum q_v Z_v$", "(B, L, C)"),
    }
    for x, (words, shape) in heads.items():
        canvas.text(x, 116, words)
        canvas.text(x, 154, shape, size=SMALL)
    canvas.text(_LOSS, 116, "gradient", ink=GRADIENT)
    canvas.text(_LOSS, 154, "at the logits", ink=GRADIENT, size=SMALL)
    _legend(canvas)
    words = "dashed: the softmax, in the backward pass only; each gradient to its own scale"
    canvas.text(700, canvas.size[1] - 36, words, size=SMALL)
    for row, method in enumerate(RELAXATIONS):
        _row(canvas, _FIRST + row * _PITCH, method, logits.detach().float(), temperature, seed)
    return canvas


def _legend(canvas: Canvas) -> None:
    canvas.text(40, 44, "A codebook of four codes", size=HEAD, bold=True, align="left")
    names = [f"$Z_{v + 1}$" for v in range(len(_COLOURS))]
    for v, (name, colour) in enumerate(zip([*names, "wanted"], [*_COLOURS, _WANTED], strict=True)):
        x = 620 + 90 * v + (110 if name == "wanted" else 0)
        canvas.text(x, 44, name, align="right")
        canvas.grid(x + 26, 44, (1, 1), 34, torch.tensor(colour).view(1, 1, 3).numpy())


def _row(
    canvas: Canvas, y: float, method: str, logits: Tensor, temperature: float, seed: int
) -> None:
    codes = torch.tensor(_COLOURS)
    noise = gumbel_noise(logits, torch.Generator().manual_seed(seed))
    soft = ((logits + noise if method == "gumbel" else logits) / temperature).softmax(-1)
    hard = F.one_hot(soft.argmax(-1), len(soft)).float()
    leaf = logits.clone().requires_grad_(True)
    generator = torch.Generator().manual_seed(seed)
    mixed = relax(leaf, codes, method, temperature=temperature, generator=generator)
    back = None
    if mixed.requires_grad:
        back = torch.autograd.grad((mixed - torch.tensor(_WANTED)).square().sum(), leaf)[0]
    title, choice = _NAMES[method]
    canvas.text(40, y - 96, title, bold=True, align="left")
    start = _bars(canvas, _LOGITS, y, logits / logits.abs().max(), 150)
    words = choice if method != "softmax" else f"softmax\n$\\tau$ = {temperature:g}"
    op = canvas.box(_CHOICE, y, 170, 84, words, fill=FROZEN, size=SMALL)
    weights = soft if method == "softmax" else hard
    shadow = soft if method in ("straight_through", "gumbel") else None
    middle = _bars(canvas, _WEIGHTS, y, weights, 150, shadow)
    colour = mixed.detach().view(1, 1, 3).numpy()
    end = canvas.grid(_VECTOR, y, (1, 1), 76, colour)
    canvas.arrow(start, op.left)
    canvas.arrow(op.right, (middle[0] - 170, y))
    canvas.arrow(middle, end.left)
    _back(canvas, y, back)


def _bars(
    canvas: Canvas,
    x: float,
    y: float,
    values: Tensor,
    width: float,
    shadow: Tensor | None = None,
    ink: str | None = None,
) -> tuple[float, float]:
    """Draw one bar for each of four values in [-1, 1], `shadow` as outlines, and return where an
    arrow may leave on the right.
    """
    from matplotlib.patches import Rectangle

    base = y + _HIGH / 2 if values.min() >= 0 else y + _HIGH / 6
    unit = _HIGH if values.min() >= 0 else _HIGH * 2 / 3
    step = width / len(values)
    for v, value in enumerate(values.tolist()):
        place = (x - width / 2 + v * step + 5, base)
        fill = ink or _COLOURS[v]
        canvas.axes.add_patch(
            Rectangle(place, step - 10, -value * unit, fc=fill, ec="none", zorder=4)
        )
        if shadow is not None:
            canvas.axes.add_patch(
                Rectangle(
                    place,
                    step - 10,
                    -shadow[v].item() * unit,
                    fc="none",
                    ec=INK,
                    lw=1.4,
                    ls="--",
                    zorder=5,
                )
            )
    canvas.line((x - width / 2, base), (x + width / 2, base))
    return x + width / 2 + 10, y


def _back(canvas: Canvas, y: float, gradient: Tensor | None) -> None:
    level = y + 90
    if gradient is None:
        canvas.arrow(
            (_VECTOR, y + 40), (_VECTOR, level), (_CHOICE + 110, level), gradient=True, head=False
        )
        canvas.stop(_CHOICE + 110, level)
        canvas.text(_LOSS, y, "none", ink=GRADIENT, bold=True)
        return
    way = ((_VECTOR, y + 40), (_VECTOR, level), (_LOGITS + 40, level), (_LOGITS + 40, y + 60))
    canvas.arrow(*way, gradient=True)
    _bars(canvas, _LOSS, y, gradient / gradient.abs().max(), 150)
