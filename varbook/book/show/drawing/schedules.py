"""Any size, shape and number of steps: schedules drawn as the maps that they are."""

from collections.abc import Mapping

import torch

from varbook.book.show.drawing.canvas import Canvas, size_text
from varbook.book.show.drawing.palette import HEAD, SMALL, scale_colour
from varbook.tokenizer.schedule import (
    Schedule,
    make_schedule,
    sample_schedule,
    schedule_for,
    token_count,
)

_LEFT, _RIGHT, _GAP, _TOP = 250, 1190, 16, 130


def any_schedule(trained: Schedule) -> Canvas:
    """Return the drawing of what a FlexVAR that was trained on the scales `trained` can be asked for:
    its own schedule, one drawn at random
    as in its training (section 3.4), fewer steps, a larger picture, a wide and a tall one (section 4.4).
    """
    side = trained[-1][0]
    asked: dict[str, Schedule] = {
        "usual": trained,
        "in training": sample_schedule(
            trained[-1], len(trained), drop=0.2, generator=torch.Generator().manual_seed(1)
        ),
        "fewer steps": make_schedule(trained[-1], min(4, side)),
        "larger": schedule_for(trained, (side * 3 // 2, side * 3 // 2)),
        "wide": schedule_for(trained, (side, 2 * side)),
        "tall": schedule_for(trained, (2 * side, side)),
    }
    return schedules(asked, "One model, any schedule")


def schedules(rows: Mapping[str, Schedule], title: str) -> Canvas:
    """Return a drawing of schedules, one below the other: every map in its true proportions, its
    size below the last one, and the number of tokens at the end.
    """
    room = _RIGHT - _LEFT
    widest = max(sum(w for _, w in scales) for scales in rows.values())
    most = max(len(scales) for scales in rows.values())
    cell = min(18.0, (room - _GAP * (most - 1)) / widest)
    heights = [max(h for h, _ in scales) * cell for scales in rows.values()]
    canvas = Canvas(
        _TOP + sum(heights) + 84 * len(rows),
        "Rows of token maps, coarse to fine: the usual schedule, one drawn in training, fewer steps, a larger square, "
        "a wide and a tall picture.",
    )
    canvas.text(40, 52, title, size=HEAD, bold=True, align="left")
    canvas.text(1360, 52, "tokens", align="right")
    y = float(_TOP)
    for (name, scales), height in zip(rows.items(), heights, strict=True):
        middle = y + height / 2
        canvas.text(40, middle - 18, name, bold=True, align="left")
        canvas.text(40, middle + 18, f"{len(scales)} steps", size=SMALL, align="left")
        x = float(_LEFT)
        for k, (h, w) in enumerate(scales):
            made = canvas.grid(x + w * cell / 2, middle, (h, w), cell, scale_colour(k), line=0.8)
            x = made.right[0] + _GAP
        canvas.text(made.x, y + height + 24, size_text(scales[-1]), size=SMALL)
        canvas.text(1360, middle, f"{token_count(scales):,}", align="right")
        y += height + 84
    return canvas
