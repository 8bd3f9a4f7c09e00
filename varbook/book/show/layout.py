"""Where labels, titles and pictures of a sheet stand: nothing overlaps and nothing is cut.

Row labels stand left of their row, against its pictures and as high as its middle; titles stand
centered above their column. A label is broken into lines, and so is a title that is wider than its
column; a column is at least as wide as the longest word of its titles.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from PIL import Image, ImageDraw, ImageFont

LINE = 1.25  # from one line to the next, relative to the size of the letters
NARROW = (9, 11, 14, 18, 24, 40)  # widths of the label column that are tried, in letter heights


@cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the font of all sheets, its letters `size` pixels high."""
    return ImageFont.load_default(size=size)


def wrapped(text: str, width: float, size: int) -> list[str]:
    """Return the lines of a text, no wider than `width` pixels where a word allows it.

    It is broken at spaces, but not at no-break spaces, which the font does not have: plain ones are
    drawn in their place.
    """
    lines: list[str] = []
    for word in _words(text):
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and font(size).getlength(joined) <= width:
            lines[-1] = joined
        elif word:
            lines.append(word)
    return lines


def _words(text: str) -> list[str]:
    return [word.replace("\N{NO-BREAK SPACE}", " ") for word in text.split(" ")]


def _widest(lines: Sequence[str], size: int) -> int:
    return int(max((font(size).getlength(line) for line in lines), default=0) + 0.999)


@dataclass(frozen=True)
class Row:
    """A row of a sheet: its label, titles above its pictures (none: []), and the pictures, with None
    where a place stays empty.
    """

    label: str
    titles: Sequence[str]
    pictures: Sequence[Image.Image | None]

    def widths(self) -> list[int]:
        """Return how wide each picture is, in pixels."""
        return [picture.width if picture else 0 for picture in self.pictures]


@dataclass(frozen=True)
class Text:
    """A line of text, and the point that its anchor (Pillow's, such as "ma") is put on."""

    words: str
    at: tuple[float, float]
    anchor: str
    size: int

    @property
    def box(self) -> tuple[float, float, float, float]:
        """What it covers: left, top, right, bottom."""
        left, top, right, bottom = font(self.size).getbbox(self.words, anchor=self.anchor)
        return left + self.at[0], top + self.at[1], right + self.at[0], bottom + self.at[1]


@dataclass(frozen=True)
class Layout:
    """A sheet, not drawn yet: its size in pixels, its texts, and its pictures with their left and
    upper edges.
    """

    size: tuple[int, int]
    labels: Sequence[Text]
    titles: Sequence[Text]
    pictures: Sequence[tuple[int, int, Image.Image]]

    def drawn(self) -> Image.Image:
        """Return the sheet, black letters on white."""
        canvas = Image.new("RGB", self.size, "white")
        draw = ImageDraw.Draw(canvas)
        for left, top, picture in self.pictures:
            canvas.paste(picture, (left, top))
        for text in (*self.labels, *self.titles):
            draw.text(text.at, text.words, "black", font(text.size), text.anchor)
        return canvas


def label_lines(labels: Sequence[str], heights: Sequence[float], size: int) -> list[list[str]]:
    """Return the lines of each row's label, in letters of `size` pixels: of the narrowest label column
    in which all fit the `heights` of their rows.
    """
    lines = [[label] for label in labels]
    for letters in NARROW:
        lines = [wrapped(label, letters * size, size) for label in labels]
        fits = zip(lines, heights, strict=True)
        if all(len(label) * LINE * size <= height for label, height in fits):
            break
    return lines


def label_width(lines: Sequence[Sequence[str]], size: int) -> int:
    """Return how wide the column of labels of these `lines` is, in pixels, the space beside them
    included; 0 where no row has one.
    """
    widest = max(_widest(label, size) for label in lines)
    return widest + size // 2 + size // 6 if widest else 0


def column_widths(rows: Sequence[Row], flowing: bool, size: int) -> list[list[int]]:
    """Return for each row how wide its columns are, in pixels: those of all rows alike, or where
    pictures are `flowing`, each row's as wide as its own pictures.

    Columns of equally wide pictures are equally wide, be one title longer than the others.
    """
    own = []
    for row in rows:
        words = [_widest(_words(title), size) for title in row.titles]
        words += [0] * (len(row.pictures) - len(words))
        own.append([max(pair) for pair in zip(row.widths(), words, strict=False)])
    if flowing:
        return own
    longest = max(map(len, own))
    each = [max(widths[k] for widths in own if k < len(widths)) for k in range(longest)]
    if len({width for row in rows for width in row.widths() if width}) == 1:
        each = [max(each)] * longest
    return [each] * len(rows)


def laid_out(
    rows: Sequence[Row], *, size: int, gap: int, beside: int | None = None, flowing: bool = False
) -> Layout:
    """Return the layout of rows: letters of `size` pixels, `gap` pixels of white between pictures, or
    `beside` of them between those beside each other.

    Pictures stand in the middle of columns that all rows share, or, `flowing`, each row one after
    the other.
    """
    heights = [max((p.height for p in row.pictures if p), default=0) for row in rows]
    widths, line = column_widths(rows, flowing, size), round(LINE * size)
    lines = label_lines([row.label for row in rows], heights, size)
    margin = label_width(lines, size)
    labels: list[Text] = []
    titles: list[Text] = []
    pictures: list[tuple[int, int, Image.Image]] = []
    top, beside = 0, gap if beside is None else beside
    for row, columns, height, label in zip(rows, widths, heights, lines, strict=True):
        heads = [wrapped(t, w, size) for t, w in zip(row.titles, columns, strict=False)]
        deep = max(map(len, heads), default=0)
        top += deep * line + (size // 4 if deep else 0) + (size // 2 if deep and top else 0)
        height, left = max(height, len(label) * line), margin
        for k, words in enumerate(label):
            middle = top + height / 2 + (k - (len(label) - 1) / 2) * line
            labels.append(Text(words, (margin - size // 2, middle), "rm", size))
        for k, column in enumerate(columns[: len(row.pictures)]):
            head = heads[k] if k < len(heads) else []
            for n, words in enumerate(head):
                above = top - size // 4 - (len(head) - n) * line
                titles.append(Text(words, (left + column / 2, above), "ma", size))
            if picture := row.pictures[k]:
                corner = (column - picture.width) // 2, (height - picture.height) // 2
                pictures.append((left + corner[0], top + corner[1], picture))
            left += column + beside
        top += height + gap
    wide = max(sum(columns) + beside * len(columns) for columns in widths)
    return Layout((margin + wide, top), labels, titles, pictures)
