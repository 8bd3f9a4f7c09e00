"""What a next-scale model sees and says: VAR's residuals beside FlexVAR's ground truth."""

import torch
from torch import Tensor

from varbook.book.show.drawing.canvas import Box, Canvas, few, size_text
from varbook.book.show.drawing.palette import CONDITION, HEAD, SMALL, TRAINED
from varbook.book.show.drawing.pyramids import as_map, map_grid
from varbook.tokenizer.pyramid import down, up
from varbook.tokenizer.schedule import Schedule

_VAR, _SUM, _FLEX, _SIDE = 240, 440, 740, 112


def two_predictions(picture: Tensor, schedule: Schedule) -> Canvas:
    """Return the drawing of how VAR and FlexVAR draw (FlexVAR eqs. 1, 2 and 6), with at most three
    scales of `schedule`.

    `picture` (3, H, W), floats in [-1, 1] or uint8, plays the feature map, as in `two_pyramids`.
    """
    chosen = tuple(schedule[k] for k in few(len(schedule), 3))
    f = down(as_map(picture), chosen[-1])
    canvas = Canvas(
        880,
        "Above, VAR: at each scale the model sees the sum so far, downsampled, and says what is "
        "missing, which is added to the sum. Below, FlexVAR: it sees the map before, upsampled, and "
        "says the next map itself; nothing is added.",
    )
    canvas.text(40, 60, "VAR says what is missing", size=HEAD, bold=True, align="left")
    canvas.text(40, 570, "FlexVAR says the map itself", size=HEAD, bold=True, align="left")
    _residual(canvas, f, chosen)
    _ground_truth(canvas, f, chosen)
    return canvas


def _step(canvas: Canvas, x: float, y: float, sees: Tensor | None, says: Tensor) -> tuple[Box, Box]:
    """Draw one run of the model, from what it sees to what it says."""
    if sees is None:
        seen = canvas.box(x, y, 100, 60, "class", fill=CONDITION, size=SMALL)
    else:
        seen = map_grid(canvas, x, y, sees, _SIDE)
    model = canvas.box(x + 135, y, 96, 76, "model", fill=TRAINED, size=SMALL)
    said = map_grid(canvas, x + 270, y, says, _SIDE)
    canvas.arrow(seen.right, model.left)
    canvas.arrow(model.right, said.left)
    canvas.text(x + 270, y - 78, size_text(says.shape[-2:]), size=SMALL)
    return seen, said


def _residual(canvas: Canvas, f: Tensor, schedule: Schedule) -> None:
    total, before = torch.zeros_like(f), None
    for k, size in enumerate(schedule):
        x = 90 + 470 * k
        says = down(f - total, size)
        seen, said = _step(canvas, x, _VAR, down(total, size) if k else None, says)
        total = total + up(says, schedule[-1])
        sums = map_grid(canvas, x + 270, _SUM, total, _SIDE)
        canvas.arrow(said.bottom, sums.top, words="+ up" if not k else "", lift=12)
        if before is not None:
            canvas.arrow(before.right, sums.left)
            canvas.arrow((seen.x, _SUM), seen.bottom, words="down", lift=12)
        else:
            canvas.text(sums.left[0] - 16, _SUM, "sum", size=SMALL, align="right")
        before = sums


def _ground_truth(canvas: Canvas, f: Tensor, schedule: Schedule) -> None:
    before: Box | None = None
    last: Tensor | None = None
    for k, size in enumerate(schedule):
        says = down(f, size)
        sees = None if last is None else up(last, size)
        seen, said = _step(canvas, 90 + 470 * k, _FLEX, sees, says)
        if before is not None:
            canvas.arrow(before.right, seen.left, words="up")
        before, last = said, says
