"""Attention by scales: the block-causal mask with its prefixes, and the cache while scales are drawn."""

from collections.abc import Sequence

from varbook.book.show.drawing.canvas import Canvas, shape_text, size_text
from varbook.book.show.drawing.palette import HEAD, HIDDEN, SMALL, TRAINED, scale_colour
from varbook.errors import VarbookError
from varbook.tokenizer.schedule import Schedule, scale_slices, square, token_count
from varbook.transformer.model import NextScaleConfig

MOST = 30  # tokens that can be told apart in a drawing


def block_causal(schedule: Schedule) -> Canvas:
    """Return the drawing of the block-causal mask of `schedule`, and of the same attention as one
    prefix of keys for each scale.

    Raises VarbookError for a schedule of more than 30 tokens, which cannot be drawn one by one.
    """
    length, slices = token_count(schedule), scale_slices(schedule)
    if length > MOST:
        raise VarbookError(
            f"A mask of {length} tokens is too fine to draw; take a schedule of at most {MOST} "
            f"tokens, such as {square(1, 2, 3)}."
        )
    side = 448 / length
    canvas = Canvas(
        870 + 40 * len(schedule),
        "Above, token maps laid out as one sequence. Left, the block-causal mask: a staircase with "
        "one block row for each scale. Right, the same without a mask: the queries of each scale "
        "meet a prefix of the keys.",
    )
    _sequence(canvas, schedule, slices)
    left, top = 150, 372
    canvas.text(left, top - 102, "With a mask", size=HEAD, bold=True, align="left")
    canvas.text(left + 224, top - 46, "keys", size=SMALL)
    canvas.text(left - 14, top - 24, "queries", size=SMALL, align="right")
    for k, rows in enumerate(slices):
        for i in range(rows.start, rows.stop):
            _keys(canvas, left, top + (i + 0.5) * side, slices, rows.stop, 1, side)
            hidden = (1, length - rows.stop)
            x = left + (rows.stop + length) / 2 * side
            canvas.grid(x, top + (i + 0.5) * side, hidden, side, HIDDEN, line=1)
        middle = top + (rows.start + rows.stop) / 2 * side
        canvas.text(left - 14, middle, size_text(schedule[k]), size=SMALL, align="right")
    words = f"{length} x {length} = {length**2} scores; pale ones are hidden"
    canvas.text(left + 224, top + 490, words, size=SMALL)
    _prefixes(canvas, schedule, slices, side, top)
    return canvas


def _keys(
    canvas: Canvas,
    left: float,
    y: float,
    slices: Sequence[slice],
    stop: int,
    rows: int,
    side: float,
) -> None:
    """Draw `rows` rows of the keys 0 .. stop, each scale in its colour."""
    for k, part in enumerate(slices):
        if part.start < stop:
            x = left + (part.start + part.stop) / 2 * side
            canvas.grid(x, y, (rows, part.stop - part.start), side, scale_colour(k), line=1)


def _sequence(canvas: Canvas, schedule: Schedule, slices: Sequence[slice]) -> None:
    x, y, side = 150.0, 110, 36
    for k, (rows, columns) in enumerate(schedule):
        made = canvas.grid(x + columns * side / 2, y, (rows, columns), side, scale_colour(k))
        x = made.right[0] + 30
    length = token_count(schedule)
    cell = min(36.0, 500 / length)
    start = x + 190
    canvas.arrow((x, y), (start - 12, y), words="row by row")
    _keys(canvas, start, y, slices, length, 1, cell)
    words = f"one sequence {shape_text('B', length, 'C')}"
    canvas.text(start + length * cell / 2, y + 46, words, size=SMALL)


def _prefixes(
    canvas: Canvas, schedule: Schedule, slices: Sequence[slice], side: float, top: float
) -> None:
    left, gap, y, scores = 840, 40, top - 40, 0
    canvas.text(left, top - 102, "With prefixes", size=HEAD, bold=True, align="left")
    for k, part in enumerate(slices):
        queries = part.stop - part.start
        y += gap + queries * side / 2
        _keys(canvas, left, y, slices, part.stop, queries, side)
        canvas.text(left - 14, y, size_text(schedule[k]), size=SMALL, align="right")
        beside = left + part.stop * side + 14
        canvas.text(beside, y, f"{queries} x {part.stop}", size=SMALL, align="left")
        y += queries * side / 2
        scores += queries * part.stop
    share = scores / token_count(schedule) ** 2
    words = f"{scores} scores, {share:.0%} of the mask's"
    canvas.text(left + 224, y + 42, words, size=SMALL)


_ROW, _FIRST, _STRIP, _CELL = 290, 200, 560, 24  # of `kv_cache`: pitch, first row, left end, side


def kv_cache(config: NextScaleConfig) -> Canvas:
    """Return the drawing of the first three scales of a model as they are drawn: the input of each
    run, the cache of keys and values that grows by it, and the tokens that come out.
    """
    schedule = config.schedule[:3]
    slices = scale_slices(schedule)
    canvas = Canvas(
        _FIRST + len(schedule) * _ROW - 80,
        "Three runs of the network, one below the other. Only the newest scale goes in; its keys and "
        "values join those of the coarser scales in the cache, and its queries meet them all.",
    )
    heads = {130: "goes in", 728: "cache of every layer", 1290: "comes out"}
    for x, words in heads.items():
        canvas.text(x, 50, words, bold=True)
    for k, size in enumerate(schedule):
        _run(canvas, k, size, slices, config)
    words = "upper row: keys, lower row: values; framed: new in this run"
    canvas.text(700, canvas.size[1] - 44, words, size=SMALL)
    return canvas


def _run(
    canvas: Canvas, k: int, size: tuple[int, int], slices: Sequence[slice], config: NextScaleConfig
) -> None:
    y, part = _FIRST + k * _ROW, slices[k]
    new, known = part.stop - part.start, part.stop
    seen = canvas.grid(130, y, size, 112 / max(size), scale_colour(k))
    model = canvas.box(420, y, 140, 76, "Q, K, V", fill=TRAINED)
    answer = canvas.box(1040, y, 170, 76, "attention", fill=TRAINED)
    out = canvas.grid(1290, y, size, 112 / max(size), scale_colour(k))
    for row in (-0.5, 0.5):
        _keys(canvas, _STRIP, y + row * _CELL, slices, known, 1, _CELL)
    middle = _STRIP + (part.start + part.stop) / 2 * _CELL
    canvas.frame(middle, y, new * _CELL, 2 * _CELL)
    canvas.text(130, y + 80, "class" if not k else size_text(size), size=SMALL)
    canvas.text(1290, y + 80, f"{new} token{'s' * (new > 1)}", size=SMALL)
    canvas.arrow(seen.right, model.left, words=shape_text("B", new, config.width))
    canvas.arrow(model.right, (_STRIP - 4, y))
    words = f"{new} quer{'ies' if new > 1 else 'y'}"
    canvas.arrow(model.top, (model.x, y - 80), (answer.x, y - 80), answer.top, words=words)
    canvas.arrow((_STRIP + known * _CELL + 4, y), answer.left)
    canvas.text(1040, y + 66, f"{new} x {known} scores", size=SMALL)
    canvas.arrow(answer.right, out.left)
    if k + 1 < len(slices):
        down, below = y + _ROW / 2 - 10, y + _ROW
        kept = _STRIP + known / 2 * _CELL
        canvas.arrow((kept, y + _CELL + 6), (kept, below - _CELL - 6))
        canvas.text(kept + 14, y + 66, "kept", size=SMALL, align="left")
        turns = ((1376, y), (1376, down), (130, down), (130, below - 62))
        canvas.arrow(out.right, *turns)
        words = f"added up, shown at {size_text(config.schedule[k + 1])}"
        canvas.text(1376, down + 24, words, size=SMALL, align="right")
