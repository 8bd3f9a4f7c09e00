"""The two pyramids side by side: from a picture to tokens and back."""

import numpy as np
import torch
from torch import Tensor

from varbook.book.show.drawing.canvas import Box, Canvas, few, shape_text, size_text
from varbook.book.show.drawing.palette import HEAD, SMALL, TRAINED
from varbook.book.show.sheets import to_arrays
from varbook.tokenizer.pyramid import down, up
from varbook.tokenizer.schedule import Schedule
from varbook.tokenizer.tokenizer import TokenizerConfig

_FIRST_ROW, _PITCH, _SIDE, _TURN = 400, 196, 124, 196  # _TURN: where f's lines leave for both sides


def two_pyramids(picture: Tensor, config: TokenizerConfig) -> Canvas:
    """Return the drawing of the residual and the ground-truth pyramid (FlexVAR figure 2), with at
    most four scales of the schedule of `config`.

    `picture` (3, H, W), floats in [-1, 1] or uint8, plays the feature map: its colours stand for
    vectors, so that every map shows what the real operations of the package make of it.
    """
    pixels = as_map(picture)
    schedule = tuple(config.schedule[k] for k in few(len(config.schedule), 4))
    height = _FIRST_ROW + len(schedule) * _PITCH + 30
    canvas = Canvas(
        height,
        "Two pyramids side by side. Left, residual: each scale holds what the sum of the coarser "
        "ones still lacks, and the sum is decoded. Right, ground truth: each scale holds the "
        "feature map, downsampled, and each has a picture of its own to decode to.",
    )
    features = _head(canvas, pixels, config)
    _residual(canvas, pixels, features, schedule)
    _ground_truth(canvas, pixels, features, schedule)
    return canvas


def _shown(maps: Tensor) -> np.ndarray:
    return ((maps[0].permute(1, 2, 0).numpy() + 1) / 2).clip(0, 1)


def as_map(picture: Tensor) -> Tensor:
    """Return a picture (3, H, W), floats in [-1, 1] or uint8, as a map (1, 3, H, W) in [-1, 1]."""
    pixels = np.array(to_arrays(picture)[0])
    return torch.from_numpy(pixels).permute(2, 0, 1)[None] / 127.5 - 1


def map_grid(canvas: Canvas, x: float, y: float, maps: Tensor, side: float = _SIDE) -> Box:
    """Draw a map (1, 3, h, w) of colours in [-1, 1] as cells, `side` pixels long on its longer side."""
    rows, columns = maps.shape[-2:]
    cell = side / max(rows, columns)
    return canvas.grid(x, y, (rows, columns), cell, _shown(maps), line=2 if rows < 6 else 1)


def _head(canvas: Canvas, pixels: Tensor, config: TokenizerConfig) -> Box:
    y, size = 100, config.schedule[-1]
    image = canvas.picture(390, y, 140, _shown(pixels))
    encoder = canvas.box(660, y, 160, 70, "encoder", fill=TRAINED)
    features = map_grid(canvas, 960, y, down(pixels, size), 140)
    canvas.arrow(image.right, encoder.left)
    canvas.arrow(encoder.right, features.left)
    shape = shape_text("B", 3, *pixels.shape[-2:])
    canvas.text(300, y - 18, "image", align="right")
    canvas.text(300, y + 18, shape, align="right", size=SMALL)
    canvas.text(1050, y - 18, "features $f$", align="left")
    canvas.text(1050, y + 18, shape_text("B", config.code_dim, *size), align="left", size=SMALL)
    return features


def _residual(canvas: Canvas, pixels: Tensor, features: Box, schedule: Schedule) -> None:
    spine, missing, tokens, total = 34, 132, 372, 612
    _titles(
        canvas,
        60,
        "Residual (VAR)",
        {missing: "$f$ - sum", tokens: "tokens $r_k$", total: "sum so far"},
    )
    f = down(pixels, schedule[-1])
    added, before = torch.zeros_like(f), None
    for k, size in enumerate(schedule):
        y = _FIRST_ROW + k * _PITCH
        rest = f - added
        codes = down(rest, size)
        added = added + up(codes, schedule[-1])
        lacks, said, gathered = (
            map_grid(canvas, x, y, maps)
            for x, maps in ((missing, rest), (tokens, codes), (total, added))
        )
        canvas.arrow((spine, y), lacks.left)
        canvas.arrow(lacks.right, said.left, words="down, Q" if not k else "")
        canvas.arrow(said.right, gathered.left, words=r"up, $\varphi$, +" if not k else "")
        canvas.text(tokens, y + 80, size_text(size), size=SMALL)
        if before is not None:
            level = y - 88
            turns = (before.bottom, (total, level), (missing, level), lacks.top)
            canvas.arrow(*turns)
        before = gathered
    assert before is not None
    top = features.bottom
    canvas.line(
        top, (top[0], _TURN), (spine, _TURN), (spine, _FIRST_ROW + (len(schedule) - 1) * _PITCH)
    )
    last = canvas.box(total, before.bottom[1] + 86, 150, 60, "decoder", fill=TRAINED)
    seen = canvas.picture(tokens, last.y, 104, _shown(pixels))
    canvas.arrow(before.bottom, last.top)
    canvas.arrow(last.left, seen.right)


def _ground_truth(canvas: Canvas, pixels: Tensor, features: Box, schedule: Schedule) -> None:
    spine, tokens, decoded = 770, 990, 1250
    heads = {tokens: "tokens $g_k$", decoded: "decode to $I_k$"}
    _titles(canvas, 796, "Ground truth (FlexVAR)", heads)
    for k, size in enumerate(schedule):
        y = _FIRST_ROW + k * _PITCH
        said = map_grid(canvas, tokens, y, down(pixels, size))
        canvas.arrow((spine, y), said.left, words="down, Q" if not k else "")
        full = pixels.shape[-1] // schedule[-1][1]
        small = down(pixels, (size[0] * full, size[1] * full))
        seen = canvas.picture(decoded, y, _SIDE, _shown(small))
        canvas.arrow(said.right, seen.left, words="decoder" if not k else "")
        canvas.text(tokens, y + 80, size_text(size), size=SMALL)
        canvas.text(decoded, y + 80, f"{size_text(small.shape[-2:])} px", size=SMALL)
    canvas.line((spine, _TURN), (spine, _FIRST_ROW + (len(schedule) - 1) * _PITCH))


def _titles(canvas: Canvas, left: float, title: str, heads: dict[int, str]) -> None:
    canvas.text(left, _FIRST_ROW - 160, title, size=HEAD, bold=True, align="left")
    for x, words in heads.items():
        canvas.text(x, _FIRST_ROW - 104, words)
