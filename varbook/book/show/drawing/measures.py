"""What this book measures on pictures: between two sets, between two pictures, and on one."""

from varbook.book.show.drawing.canvas import Box, Canvas, shape_text
from varbook.book.show.drawing.palette import DATA, FROZEN, HEAD, QUIET, SMALL, WHITE
from varbook.features.judge import Judge

_NAME, _PICTURES, _NETWORK, _SEEN, _NUMBER = 40, 330, 590, 860, 1200
_FIRST, _PITCH, _HIGH = 200, 250, 62


def measures(judge: Judge, size: int) -> Canvas:
    """Return the drawing of the book's measures, in three rows: sets of pictures, pairs, and single
    pictures, each through a frozen network; shapes are those of `judge` at `size` pixels.
    """
    widths = judge.config.widths
    pooled = shape_text("N", widths[1] + widths[2])
    maps = shape_text(widths[2], size // 8, size // 8)
    canvas = Canvas(
        _FIRST + 2 * _PITCH + 76,
        "Three rows. Two sets of pictures go through a frozen network to two clouds of features, which "
        "are compared. Two pictures go to two maps, compared place by place, or each with itself. One "
        "picture goes to a class.",
    )
    heads = {_PICTURES: "pictures", _NETWORK: "frozen", _SEEN: "what it sees", _NUMBER: "number"}
    for x, words in heads.items():
        canvas.text(x, 56, words, size=HEAD, bold=True)
    ends = (("FD, KD", "the two clouds"), ("precision, recall", "each point and a cloud"))
    _row(canvas, 0, "Two sets", ("real", "made"), "network", ("cloud", pooled), ends)
    ends = (("LPIPS", "the same place in both"), ("structure distance", "each map with itself"))
    _row(canvas, 1, "Two pictures", ("source", "translation"), "network", ("map", maps), ends)
    classes = len(judge.config.species)
    end = (("accuracy", "share of right answers"),)
    _row(canvas, 2, "One picture", ("made",), "judge", ("scores", shape_text(classes)), end)
    return canvas


def _row(
    canvas: Canvas,
    row: int,
    name: str,
    pictures: tuple[str, ...],
    network: str,
    seen: tuple[str, str],
    ends: tuple[tuple[str, str], ...],
) -> None:
    """Draw one row: its pictures, the network, what it makes of each, and the numbers."""
    y = _FIRST + row * _PITCH - (40 if len(pictures) == 1 else 0)
    canvas.text(_NAME, y, name, bold=True, align="left")
    frozen = canvas.box(
        _NETWORK, y, 150, _HIGH if len(pictures) == 1 else 170, network, fill=FROZEN
    )
    made: list[Box] = []
    for i, picture in enumerate(pictures):
        level = y + (i - (len(pictures) - 1) / 2) * 96
        start = canvas.box(_PICTURES, level, 180, _HIGH, picture, fill=WHITE, edge=QUIET)
        canvas.arrow(start.right, (frozen.left[0], level))
        made.append(canvas.box(_SEEN, level, 150, _HIGH, seen[0], fill=DATA))
        canvas.arrow((frozen.right[0], level), made[-1].left)
    canvas.text(_SEEN, made[-1].bottom[1] + 28, f"{seen[1]}{' each' * (len(made) > 1)}", size=SMALL)
    for i, (words, told) in enumerate(ends):
        level = y + (i - (len(ends) - 1) / 2) * 96
        end = canvas.box(_NUMBER, level, 290, 52, words, fill=WHITE, edge=QUIET)
        canvas.text(_NUMBER, level + 46, told, size=SMALL)
        for one in made:
            canvas.arrow(one.right, end.left)
