"""One training step of CycleVAR's generator: two passes, its losses, and the gradient's way."""

from varbook.book.show.drawing.canvas import Box, Canvas
from varbook.book.show.drawing.palette import (
    CONDITION,
    DATA,
    FROZEN,
    GRADIENT,
    HEAD,
    LOSS,
    OURS,
    QUIET,
    SMALL,
    TRAINED,
    WHITE,
)
from varbook.train.fit_cyclevar import CycleVARTraining

_THERE, _BACK, _SAME = 340, 720, 970  # heights of the three lanes
_LEFT, _PITCH, _WIDE = 86, 154, 124
_FILLS = {
    "encoder": FROZEN,
    "quantize": FROZEN,
    "$F_1..F_K$": DATA,
    "trans-\nformer": TRAINED,
    "SRQ": DATA,
    r"mix $\alpha$": DATA,
    "decoder": FROZEN,
}


def cyclevar_step(training: CycleVARTraining) -> Canvas:
    """Return the drawing of one step of the generator from domain X (that from Y mirrors it): there,
    back again, and the identity, with the losses of `training` and the ways of their gradients.

    What the paper does not have is drawn in a colour of its own, and only where `training` uses it.
    """
    canvas = Canvas(
        1180,
        "A source image goes through the generator to the other domain and back again. The cycle "
        "loss compares the two ends; its gradient runs back through both passes and stops at the "
        "source's maps. A discriminator judges the translation; another pass keeps the source.",
    )
    canvas.text(40, 48, "The generator's step, from domain X", size=HEAD, bold=True, align="left")
    source = canvas.box(_LEFT, _THERE, _WIDE, 76, "$I_x$", fill=WHITE, edge=QUIET)
    fake = canvas.box(_at(8), _THERE, _WIDE, 76, r"$\tilde{I}_y$", fill=WHITE, edge=QUIET)
    again = canvas.box(_LEFT, _BACK, _WIDE, 76, "again", fill=WHITE, edge=QUIET, size=SMALL)
    _pass(canvas, _THERE, source, fake, "$t_y$", False)
    _pass(canvas, _BACK, Box(_at(8), _BACK, 0, 76), again, "$t_x$", True)
    _cycle(canvas, training, source, again, fake)
    _gan(canvas, training, fake)
    _gradient(canvas)
    if training.keep_l1:
        _keep(canvas, training, source, fake)
    _identity(canvas, training)
    _legend(canvas)
    return canvas


def _at(place: int) -> float:
    return _LEFT + place * _PITCH


def _pass(canvas: Canvas, y: float, start: Box, end: Box, target: str, leftwards: bool) -> None:
    """Draw the parts of the generator from one picture to another, in either direction."""
    before, boxes = start, []
    for i, (name, fill) in enumerate(_FILLS.items()):
        x = _at(7 - i if leftwards else 1 + i)
        made = canvas.box(x, y, _WIDE, 84, name, fill=fill, size=SMALL)
        _join(canvas, before, made, leftwards)
        boxes.append(made)
        before = made
    _join(canvas, before, end, leftwards)
    maps, model, mix = boxes[2], boxes[3], boxes[5]
    chip = canvas.box(model.x, y - 92, 62, 46, target, fill=CONDITION)
    canvas.arrow(chip.bottom, model.top)
    canvas.arrow(maps.top, (maps.x, y - 146), (mix.x, y - 146), mix.top)
    words = r"$(1 - \alpha)\, F_K$"
    canvas.text((model.x + mix.x) / 2, y - 122, words, size=SMALL)


def _join(canvas: Canvas, start: Box, end: Box, leftwards: bool) -> None:
    if leftwards:
        canvas.arrow(start.left, end.right)
    else:
        canvas.arrow(start.right, end.left)


def _terms(l1: float, perceptual: float) -> str:
    return f"{l1:g} L1 + {perceptual:g} LPIPS"


def _cycle(canvas: Canvas, training: CycleVARTraining, source: Box, again: Box, fake: Box) -> None:
    loss = canvas.box(_LEFT, (_THERE + _BACK) / 2, _WIDE, 64, "cycle", fill=LOSS)
    canvas.arrow(source.bottom, loss.top)
    canvas.arrow(again.top, loss.bottom)
    words = _terms(training.cycle_l1, training.cycle_perceptual)
    canvas.text(_LEFT + 80, loss.y, words, size=SMALL, align="left")
    if training.cycle_noise:
        noise = canvas.sign(fake.x, _BACK - 100, "+", fill=WHITE)
        canvas.arrow(fake.bottom, noise.top)
        canvas.line(noise.bottom, (fake.x, _BACK))
        words = f"noise {training.cycle_noise:g}"
        canvas.text(fake.x - 36, noise.y, words, size=SMALL, align="right", ink=OURS)
    else:
        canvas.line(fake.bottom, (fake.x, _BACK))


def _gan(canvas: Canvas, training: CycleVARTraining, fake: Box) -> None:
    y = (_THERE + _BACK) / 2 - 24
    judge = canvas.box(_at(7) - 20, y, 84, 64, "$C_y$", fill=FROZEN)
    loss = canvas.box(_at(6) - 20, y, 110, 64, "GAN", fill=LOSS)
    canvas.arrow((fake.x, y), judge.right)
    canvas.arrow(judge.left, loss.right)
    words = f"weight {training.gan:g}"
    canvas.text(loss.left[0] - 14, y, words, size=SMALL, align="right")
    level = y + 54
    canvas.arrow((loss.x, y + 34), (loss.x, level), (fake.x + 34, level), gradient=True, head=False)


def _gradient(canvas: Canvas) -> None:
    right, low, high = _at(8) + 34, _BACK + 74, _THERE + 74
    stop = (_at(3) + _at(4)) / 2
    canvas.arrow((_LEFT, _BACK + 40), (_LEFT, low), (right, low), gradient=True, head=False)
    canvas.arrow((right, low), (right, high), (stop, high), gradient=True)
    canvas.stop(stop, high)
    canvas.text(
        stop - 20, high, "stops: nothing is trained here", size=SMALL, align="right", ink=GRADIENT
    )
    canvas.text(_at(6), low + 28, "straight through", size=SMALL, ink=GRADIENT)


def _keep(canvas: Canvas, training: CycleVARTraining, source: Box, fake: Box) -> None:
    y = 128
    bound = f"{training.keep_l1:g} min$(|\\tilde{{I}}_y - I_x|,\\ {training.keep_up_to:g})$"
    loss = canvas.box(
        700, y, 360, 60, f"keep: {bound}", fill=LOSS, edge=OURS, dashed=True, size=SMALL
    )
    canvas.arrow(source.top, (source.x, y), loss.left, ink=OURS)
    canvas.arrow(fake.top, (fake.x, y), loss.right, ink=OURS)


def _identity(canvas: Canvas, training: CycleVARTraining) -> None:
    y = _SAME
    source = canvas.box(_LEFT, y, _WIDE, 76, "$I_x$", fill=WHITE, edge=QUIET)
    whole = canvas.box(_at(3), y, 400, 76, "the same parts, target $t_x$", fill=TRAINED, size=SMALL)
    loss = canvas.box(_at(6), y, 150, 64, "identity", fill=LOSS)
    canvas.arrow(source.right, whole.left)
    canvas.arrow(whole.right, loss.left)
    words = _terms(training.identity_l1, training.identity_perceptual)
    canvas.text(loss.right[0] + 16, y, words, size=SMALL, align="left")
    level = y + 64
    canvas.arrow(loss.bottom, (loss.x, level), (whole.x, level), (whole.x, y + 42), gradient=True)


def _legend(canvas: Canvas) -> None:
    y, x = 1118, 40
    rows = (("trained", TRAINED), ("frozen", FROZEN), ("values", DATA), ("loss", LOSS))
    for words, fill in rows:
        canvas.box(x + 20, y, 40, 34, fill=fill)
        canvas.text(x + 52, y, words, size=SMALL, align="left")
        x += 180
    canvas.arrow((x, y), (x + 70, y), gradient=True)
    canvas.text(x + 84, y, "gradient", size=SMALL, align="left", ink=GRADIENT)
    canvas.text(x + 260, y, "ours, not the paper's", size=SMALL, align="left", ink=OURS)
