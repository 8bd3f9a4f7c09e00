"""CycleVAR's two modes, as a drawing and at work: K passes of the transformer, or one."""

from torch import Tensor

from varbook.book.show.drawing.canvas import Box, Canvas, few, shape_text, size_text
from varbook.book.show.drawing.palette import (
    CONDITION,
    DATA,
    FROZEN,
    HEAD,
    LOSS,
    SMALL,
    TRAINED,
    scale_colour,
)
from varbook.tokenizer.schedule import Scale, Schedule, token_count

# Of the modes at work: the columns' places, the side of a picture, and the rows from top to bottom.
_COLUMNS, _PICTURE = (230, 420, 610, 800, 990), 140
_SUMS, _ONCE, _GIVEN, _FUSED, _MADE, _PASSES = 160, 320, 480, 650, 800, 944

_IN, _MODEL, _OUT, _MIX, _SOURCE, _SIDE = 850, 690, 510, 350, 190, 96


def serial_and_parallel(schedule: Schedule) -> Canvas:
    """Return the drawing of serial and parallel mode (CycleVAR figure 2), with the first two
    scales of `schedule` and the last.

    F_k is the source at scale k (eq. 5), R_k what the model makes of it; serial mode follows eqs. 6
    and 7, parallel mode eqs. 8 and 9.
    """
    canvas = Canvas(
        990,
        "Left, serial mode: each pass of the transformer makes one scale, which is mixed with the "
        "source and shown to the next pass. Right, parallel mode: the source's maps of all scales go "
        "in together, and one pass makes all scales.",
    )
    chosen = sorted({0, min(1, len(schedule) - 1), len(schedule) - 1})
    _serial(canvas, schedule, chosen)
    _parallel(canvas, schedule, chosen)
    return canvas


def _map(canvas: Canvas, x: float, y: float, size: Scale, k: int) -> Box:
    return canvas.grid(
        x, y, size, _SIDE / max(size), scale_colour(k), line=2 if max(size) < 6 else 1
    )


def _name(letter: str, k: int, steps: int) -> str:
    return f"${letter}_{{{'K' if k + 1 == steps else k + 1}}}$"


def _serial(canvas: Canvas, schedule: Schedule, chosen: list[int]) -> None:
    steps, columns = len(schedule), (110, 330, 550)
    canvas.text(40, 52, f"Serial: {steps} passes", size=HEAD, bold=True, align="left")
    before: Box | None = None
    for place, (x, k) in enumerate(zip(columns, chosen, strict=False)):
        source = _map(canvas, x, _SOURCE, schedule[k], 7)
        canvas.text(x, _SOURCE - 70, _name("F", k, steps))
        mix = canvas.box(x, _MIX, 120, 60, r"mix $\alpha$", fill=DATA, size=SMALL)
        made = _map(canvas, x, _OUT, schedule[k], k)
        model = canvas.box(x, _MODEL, 150, 70, f"pass {k + 1}", fill=TRAINED, size=SMALL)
        seen = _map(canvas, x, _IN, schedule[k], k)
        words = "class" if not k else f"{_name('H', k - 1, steps)}, {size_text(schedule[k])}"
        canvas.text(x, _IN + 76, words, size=SMALL)
        canvas.arrow(source.bottom, mix.top)
        canvas.arrow(seen.top, model.bottom)
        canvas.arrow(model.top, made.bottom, words="SRQ" if not place else "", lift=12)
        canvas.arrow(made.top, mix.bottom)
        canvas.text(x - 60, _OUT, _name(r"\hat{R}", k, steps), align="right", size=SMALL)
        if before is not None:
            turn = before.right[0] + 32
            canvas.arrow(before.right, (turn, _MIX), (turn, _IN), seen.left)
        before = mix
    assert before is not None
    canvas.text(440, _OUT + 90, "...")
    canvas.arrow(before.right, (before.right[0] + 50, _MIX), words="E", lift=22)


def _parallel(canvas: Canvas, schedule: Schedule, chosen: list[int]) -> None:
    steps, columns = len(schedule), (840, 1004, 1196)
    canvas.text(770, 52, "Parallel: one pass", size=HEAD, bold=True, align="left")
    model = canvas.box(1018, _MODEL, 486, 70, "transformer", fill=TRAINED)
    chip = canvas.box(1322, _MODEL, 60, 50, "$t$", fill=CONDITION)
    canvas.arrow(chip.left, model.right)
    total = canvas.sign(1004, _MIX, "+")
    mix = canvas.box(1004, _SOURCE, 130, 60, r"mix $\alpha$", fill=DATA, size=SMALL)
    canvas.arrow(total.top, mix.bottom)
    for place, (x, k) in enumerate(zip(columns, chosen, strict=False)):
        source = _map(canvas, x, _IN, schedule[k], 7)
        made = _map(canvas, x, _OUT, schedule[k], k)
        canvas.arrow(source.top, (x, _MODEL + 35))
        canvas.arrow((x, _MODEL - 35), made.bottom, words="SRQ" if not place else "", lift=12)
        canvas.text(x - 56, _IN, _name("F", k, steps), align="right", size=SMALL)
        canvas.text(x, _IN + 74, size_text(schedule[k]), size=SMALL)
        canvas.text(x - 56, _OUT, _name(r"\hat{R}", k, steps), align="right", size=SMALL)
        if x < total.x:
            canvas.arrow(made.top, (x, _MIX), total.left)
        elif x > total.x:
            canvas.arrow(made.top, (x, _MIX), total.right)
        else:
            canvas.arrow(made.top, total.bottom)
    length = token_count(schedule)
    for y, last in (((_IN + _MODEL) / 2 - 6, "C"), ((_MODEL + _OUT) / 2 + 6, "V")):
        canvas.text(1212, y, shape_text("B", length, last), size=SMALL, align="left")
    canvas.text(1078, _OUT, "...")
    canvas.text(1078, _IN, "...")
    canvas.text(total.x + 18, (_MIX + _SOURCE) / 2, "up", size=SMALL, align="left")
    canvas.arrow(source.right, (1374, _IN), (1374, _SOURCE), mix.right)
    canvas.text(1360, _MIX, r"$1 - \alpha$", size=SMALL, align="right")
    decoder = canvas.box(mix.x - 210, _SOURCE, 130, 60, "decoder", fill=FROZEN, size=SMALL)
    canvas.arrow(mix.left, decoder.right, words="E")


def modes_at_work(
    schedule: Schedule, source: Tensor, sums: Tensor, translation: Tensor, serial: Tensor
) -> Canvas:
    """Return the drawing of both modes with real pictures at its nodes (CycleVAR figure 2).

    All are decoded pictures in [-1, 1]: the `source` (K, 3, H, W) at each scale, the `sums` of what
    parallel mode has made up to each, its `translation` (3, H, W), and what `serial` mode (K, 3, H,
    W) has after each pass with the same weights. At most five scales are drawn, both ends among
    them.
    """
    canvas = Canvas(
        1070,
        "Above, parallel mode: the source's maps of all scales go through the transformer in one "
        "pass, what it makes is added up scale by scale, and the sum is mixed with the source. "
        "Below, serial mode: each pass makes one scale, which is mixed with the source and shown to "
        "the next pass. The pictures at the nodes are decoded; the serial ones were made with the "
        "weights of parallel mode.",
    )
    chosen = few(len(schedule), len(_COLUMNS))
    columns = list(zip(_COLUMNS, chosen, strict=False))
    given = []
    for x, k in columns:
        box = _picture(canvas, x, _GIVEN, source[k])
        canvas.text(x + 14, box.bottom[1] + 30, size_text(schedule[k]), align="left", size=SMALL)
        given.append(box)
    _row(canvas, _GIVEN, "source", "$F_k$", "eq. 5")
    _at_once(canvas, columns, given, sums, translation)
    _in_turn(canvas, columns, given, serial)
    return canvas


def _row(canvas: Canvas, y: float, *lines: str) -> None:
    for number, words in enumerate(lines):
        place = y + 34 * (number - (len(lines) - 1) / 2)
        canvas.text(24, place, words, align="left", size=SMALL)


def _picture(canvas: Canvas, x: float, y: float, picture: Tensor) -> Box:
    pixels = ((picture.detach().cpu().float() + 1) / 2).permute(1, 2, 0).numpy()
    height = _PICTURE * min(1.0, pixels.shape[0] / pixels.shape[1])
    return canvas.picture(x, y, height, pixels)


def _at_once(
    canvas: Canvas,
    columns: list[tuple[int, int]],
    given: list[Box],
    sums: Tensor,
    translation: Tensor,
) -> None:
    canvas.text(24, 44, "Parallel: one pass of the transformer", size=HEAD, bold=True, align="left")
    _row(canvas, _SUMS, "sum of", r"$\hat{R}_1$ to $\hat{R}_k$")
    left, right = given[0].left[0], given[-1].right[0]
    middle, width = (left + right) / 2, right - left
    told = "transformer with $t$, SRQ (eq. 8)"
    model = canvas.box(middle, _ONCE, width, 60, told, fill=TRAINED, size=SMALL)
    before: Box | None = None
    for (x, k), below in zip(columns, given, strict=True):
        made = _picture(canvas, x, _SUMS, sums[k])
        canvas.arrow(below.top, (x, model.bottom[1]))
        canvas.arrow((x, model.top[1]), made.bottom)
        if before is not None:
            canvas.arrow(before.right, made.left, words="+", lift=18)
        before = made
    assert before is not None
    mix = canvas.box(right + 85, _SUMS, 100, 70, "mix $\\alpha$\neq. 9", fill=DATA, size=SMALL)
    canvas.arrow(before.right, mix.left)
    canvas.arrow(given[-1].right, (mix.x, _GIVEN), mix.bottom)
    end = _picture(canvas, 1300, _SUMS, translation)
    canvas.arrow(mix.right, end.left)
    canvas.text(end.x, end.bottom[1] + 28, "translation", size=SMALL)


def _in_turn(
    canvas: Canvas, columns: list[tuple[int, int]], given: list[Box], serial: Tensor
) -> None:
    steps, half = len(serial), (_COLUMNS[1] - _COLUMNS[0]) / 2
    title = f"Serial: {steps} passes, one for each scale"
    canvas.text(24, 1030, title, size=HEAD, bold=True, align="left")
    _row(canvas, _MADE, r"$\hat{H}_k$")
    done = 0
    before: Box | None = None
    for (x, k), above in zip(columns, given, strict=True):
        mix = canvas.box(x, _FUSED, 110, 70, "mix $\\alpha$\neq. 6", fill=DATA, size=SMALL)
        made = _picture(canvas, x, _MADE, serial[k])
        span = f"pass {k + 1}" if k == done else f"{done + 1} to {k + 1}"
        run = canvas.box(x - half, _PASSES, 124, 70, f"{span}\neq. 7", fill=TRAINED, size=SMALL)
        canvas.arrow(above.bottom, mix.top)
        canvas.arrow(mix.bottom, made.top)
        canvas.arrow(run.top, (run.x, _FUSED), mix.left)
        if before is None:
            canvas.text(24, _PASSES, "$t$", size=SMALL, align="left")
            canvas.arrow((46, _PASSES), run.left)
        else:
            canvas.arrow(before.bottom, (before.x, _PASSES), run.left)
        done, before = k + 1, made
    assert before is not None
    words = "The weights are those\nof parallel mode and\nnever learned this:\nchapter 10 trains\nserial mode for itself."
    told = canvas.box(1245, _MADE, 290, 180, words, fill=LOSS, size=SMALL)
    canvas.arrow(before.right, told.left)
