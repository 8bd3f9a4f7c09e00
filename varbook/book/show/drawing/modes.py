"""CycleVAR's two modes side by side: K passes of the transformer, or one."""

from varbook.book.show.drawing.canvas import Box, Canvas, shape_text, size_text
from varbook.book.show.drawing.palette import (
    CONDITION,
    DATA,
    FROZEN,
    HEAD,
    SMALL,
    TRAINED,
    scale_colour,
)
from varbook.tokenizer.schedule import Scale, Schedule, token_count

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
