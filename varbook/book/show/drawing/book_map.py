"""The whole pipeline of the book, and which chapter builds which part."""

from varbook.book.chapters import CHAPTERS
from varbook.book.show.drawing.canvas import Box, Canvas
from varbook.book.show.drawing.palette import (
    CONDITION,
    DATA,
    FROZEN,
    HEAD,
    QUIET,
    SMALL,
    TRAINED,
    WHITE,
)

Part = tuple[str, str, tuple[str, ...]]
# What flows through what: name, colour, and the chapters that build it, by their notebooks' names.
ROWS: dict[str, tuple[Part, ...]] = {
    "Tokenize": (
        ("image", WHITE, ("start_here",)),
        ("encoder", TRAINED, ("two_pyramids",)),
        ("codes", DATA, ("vector_quantization", "bits_and_words")),
        ("pyramid", DATA, ("two_pyramids",)),
        ("token maps", DATA, ("two_pyramids",)),
    ),
    "Generate": (
        ("class, text", CONDITION, ("next_scale_prediction", "bits_and_words")),
        (
            "next-scale\nmodel",
            TRAINED,
            ("attention_from_zero", "next_scale_prediction", "ground_truth_prediction", "mamba"),
        ),
        ("sampling", DATA, ("next_scale_prediction", "flexible_generation")),
        ("decoder", FROZEN, ("two_pyramids",)),
        ("new image", WHITE, ("flexible_generation", "editing_without_training")),
    ),
    "Translate": (
        ("source", WHITE, ("cyclevar", "your_own_pictures")),
        ("next-scale\nmodel", TRAINED, ("cyclevar", "cyclevar_taken_apart")),
        ("SRQ", DATA, ("softmax_relaxed_quantization",)),
        ("decoder", FROZEN, ("two_pyramids",)),
        ("translation", WHITE, ("how_pictures_are_judged", "preference_study", "results")),
    ),
}
_FIRST, _PITCH, _LEFT, _STEP = 160, 216, 300, 240


def book_map() -> Canvas:
    """Return the map of the book: three pipelines, below each part the chapters that build or judge
    it, and the titles of all chapters.
    """
    lines = -(-len(CHAPTERS) // 2)
    canvas = Canvas(
        _FIRST + len(ROWS) * _PITCH + lines * 44 + 10,
        "Three pipelines, of parts with the numbers of the chapters that build them: an image is "
        "tokenized, an image is generated, an image is translated. Below, the chapters' titles.",
    )
    canvas.text(
        40, 52, "The parts, and the chapters that build them", size=HEAD, bold=True, align="left"
    )
    numbers = {one.slug: one.number for one in CHAPTERS.values()}
    for row, (name, parts) in enumerate(ROWS.items()):
        y = _FIRST + row * _PITCH
        canvas.text(40, y, name, bold=True, align="left")
        before: Box | None = None
        for column, (words, fill, slugs) in enumerate(parts):
            x = _LEFT + column * _STEP
            edge = QUIET if fill == WHITE else None
            made = canvas.box(x, y, 190, 88, words, fill=fill, edge=edge)
            if before is not None:
                canvas.arrow(before.right, made.left)
            _chips(canvas, x, y + 74, sorted(numbers[slug] for slug in slugs))
            before = made
    _titles(canvas, _FIRST + len(ROWS) * _PITCH, lines)
    return canvas


def _chips(canvas: Canvas, x: float, y: float, numbers: list[str]) -> None:
    for i, number in enumerate(numbers):
        place = x + (i - (len(numbers) - 1) / 2) * 64
        canvas.box(place, y, 58, 38, number, fill=WHITE, edge=QUIET, size=SMALL)


def _titles(canvas: Canvas, y: float, lines: int) -> None:
    for i, one in enumerate(CHAPTERS.values()):
        x, level = (40 if i < lines else 720), y + (i % lines) * 44
        canvas.text(x, level, one.number, size=SMALL, bold=True, align="left")
        canvas.text(x + 66, level, one.title, size=SMALL, align="left")
