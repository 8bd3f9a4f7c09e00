"""Vector quantization: from vectors to tokens and codes, and the gradient's way past the choice."""

import torch

from varbook.book.show.drawing.canvas import Canvas, shape_text
from varbook.book.show.drawing.palette import (
    FROZEN,
    GRADIENT,
    HEAD,
    LOSS,
    SMALL,
    TRAINED,
)
from varbook.tokenizer.codebook import Codebook

_CELLS, _CELL, _Y = 4, 44, 300  # a map of 4 x 4, its cells, the height of the row


def quantization(book: Codebook, seed: int = 0) -> Canvas:
    """Return the drawing of vector quantization (CycleVAR eq. 1, FlexVAR eq. 4) with a codebook of
    the size of `book`: features, tokens, codes, and the straight-through gradient.

    Vectors are colours here; six codes stand for all.
    """
    generator = torch.Generator().manual_seed(seed)
    codes = torch.tensor(
        ((0.95, 0.70, 0.30), (0.35, 0.62, 0.88), (0.85, 0.42, 0.36), (0.50, 0.75, 0.52))
        + ((0.66, 0.50, 0.80), (0.80, 0.75, 0.45))
    )
    chosen = torch.randint(len(codes), (_CELLS, _CELLS), generator=generator)
    noise = 0.09 * torch.randn(_CELLS, _CELLS, 3, generator=generator)
    features = (codes[chosen] + noise).clamp(0, 1)
    tokens = torch.cdist(features.view(-1, 3), codes).argmin(1).view(_CELLS, _CELLS)
    canvas = Canvas(
        690,
        "A map of vectors. Each is compared with all codes of the codebook, the number of the nearest "
        "is its token, and looking it up gives the code map. The gradient does not pass the choice; "
        "it is handed from the code map straight to the vectors.",
    )
    canvas.text(40, 52, "Vectors, tokens, codes", size=HEAD, bold=True, align="left")
    _row(canvas, book, features, tokens, codes)
    _codebook(canvas, book, codes)
    return canvas


def _row(
    canvas: Canvas,
    book: Codebook,
    features: torch.Tensor,
    tokens: torch.Tensor,
    codes: torch.Tensor,
) -> None:
    cells = (_CELLS, _CELLS)
    vectors = canvas.grid(140, _Y, cells, _CELL, features.numpy())
    nearest = canvas.box(390, _Y, 150, 76, "nearest", fill=FROZEN)
    numbers = canvas.grid(640, _Y, cells, _CELL, "#ffffff", edge="#94a4a2")
    for i, row in enumerate(tokens.tolist()):
        for j, token in enumerate(row):
            x = 640 + (j - (_CELLS - 1) / 2) * _CELL
            canvas.text(x, _Y + (i - (_CELLS - 1) / 2) * _CELL, str(token), size=SMALL, box=numbers)
    lookup = canvas.box(870, _Y, 130, 76, "look up", fill=FROZEN)
    mapped = canvas.grid(1090, _Y, cells, _CELL, codes[tokens].numpy())
    loss = canvas.box(1310, _Y, 130, 76, "decoder,\nloss", fill=LOSS, size=SMALL)
    stages = (vectors, nearest, numbers, lookup, mapped, loss)
    for a, b in zip(stages, stages[1:], strict=False):
        canvas.arrow(a.right, b.left)
    shapes = {
        140: ("features $f$", ("B", book.code_dim, "h", "w")),
        640: ("tokens", ("B", "h", "w")),
    }
    shapes[1090] = ("codes $q$", ("B", book.code_dim, "h", "w"))
    for x, (name, shape) in shapes.items():
        canvas.text(x, _Y - 150, name)
        canvas.text(x, _Y - 114, shape_text(*shape), size=SMALL)
    low, stop = _Y + 118, 486
    canvas.arrow((1310, _Y + 40), (1310, low + 34), (140, low + 34), (140, _Y + 92), gradient=True)
    canvas.text(640, low + 60, "straight through", size=SMALL, ink=GRADIENT)
    canvas.arrow((1060, _Y + 92), (1060, low), (stop, low), gradient=True, head=False)
    canvas.stop(stop, low)
    canvas.text(stop - 16, low, "no gradient", size=SMALL, ink=GRADIENT, align="right")


def _codebook(canvas: Canvas, book: Codebook, codes: torch.Tensor) -> None:
    y = 580
    canvas.box(700, y + 12, 1320, 140, fill=TRAINED, behind=True)
    words = f"codebook {shape_text(book.vocab_size, book.code_dim)}, learned"
    canvas.text(80, y + 12, words, align="left")
    x = 620
    for number, code in enumerate(codes):
        canvas.grid(x, y, (1, 1), 52, code.view(1, 1, 3).numpy())
        canvas.text(x, y + 52, str(number), size=SMALL)
        x += 96
    canvas.text(x - 20, y, f"... {book.vocab_size - 1}", align="left")
