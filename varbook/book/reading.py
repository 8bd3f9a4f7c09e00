"""How long a notebook takes to read: an estimate."""

from collections.abc import Sequence

from varbook.book.markdown import displayed, words

# What a minute of reading is enough for.
WORDS, LINES, EQUATIONS, PICTURES = 160, 12, 1.5, 3
UNREAD = 2  # cells of code that are passed over: parameters and imports


def shows_picture(output: dict) -> bool:
    """Return whether a cell's output is a picture."""
    return any(kind.startswith("image/") for kind in output.get("data", {}))


def reading_minutes(cells: Sequence[dict]) -> int:
    """Return how long a notebook's `cells` take to read, in minutes, to the next five: an estimate
    from words, lines of code, displayed equations and pictures, without the exercises' thinking.
    """
    texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"][UNREAD:]
    counts = (
        (sum(map(words, texts)), WORDS),
        (sum(bool(line.strip()) for text in code for line in text.splitlines()), LINES),
        (sum(map(displayed, texts)), EQUATIONS),
        (sum(shows_picture(one) for cell in cells for one in cell.get("outputs", [])), PICTURES),
    )
    minutes = sum(count / a_minute for count, a_minute in counts)
    return max(5, 5 * round(minutes / 5))
