"""Sheets of images with readable labels: wide enough to be looked at where they are saved, and small
enough for a notebook where they are shown.
"""

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from varbook.book.show.layout import Layout, Row, label_lines, label_width, laid_out
from varbook.errors import VarbookError

WIDTH = 1200  # pixels: a narrower saved sheet is a stamp on a screen of high density
NEARLY = 0.05  # a sheet that lacks this share of WIDTH gets wider gaps instead of larger images
LETTERS = 50  # a sheet is so many times as wide as its letters are high: 14 pixels at 700
SMALLEST = 13  # pixels: about 10 points beside the text of a notebook
GAP = SMALLEST // 4  # pixels of white between two images in a notebook; larger letters, wider gaps
INLINE_WIDTH = 900  # pixels: what a notebook's column shows
NARROWEST = 700  # pixels: a narrower sheet is a stamp on today's screens
INLINE_BYTES = 40_000  # a picture beyond this is compressed harder
UNSEEN = 1.5  # of 255: the root mean square error of colours below which fewer of them do
PLAIN_BYTES = 8_000  # beyond this 256 colours have to do


def to_arrays(images) -> list[np.ndarray]:
    """Return images as a list of uint8 arrays H W 3.

    Takes float tensors in [-1, 1] or uint8 tensors, (N,3,H,W), (N,1,H,W) or (3,H,W); uint8 arrays H
    W 3; boolean or float maps (N,H,W) in [0, 1]; PIL images; or a list of any of these.
    """
    if isinstance(images, Image.Image):
        return [np.asarray(images.convert("RGB"))]
    if isinstance(images, (list, tuple)):
        return [array for image in images for array in to_arrays(image)]
    if isinstance(images, np.ndarray) and images.ndim in (3, 4) and images.shape[-1] == 3:
        return list(images[None] if images.ndim == 3 else images)
    tensor = torch.as_tensor(images).detach().cpu()
    if tensor.ndim == 3 and tensor.shape[0] != 3:
        tensor = tensor[:, None].float() * 2 - 1  # N 1 H W: a map in [0, 1]
    tensor = tensor[None] if tensor.ndim == 3 else tensor
    if tensor.ndim != 4 or tensor.shape[1] not in (1, 3):
        raise VarbookError(f"Images must have the shape (N,3,H,W), not {tuple(tensor.shape)}.")
    if tensor.dtype != torch.uint8:
        tensor = ((tensor.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return list(tensor.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).numpy())  # H W 3


def times(height: int, width: int) -> str:
    """Return "8 x 16" that is not broken into two lines."""
    return f"{height} x {width}".replace(" ", "\N{NO-BREAK SPACE}")


def pixels(height: int, width: int | None = None) -> str:
    """Return "64 x 128 px", height first, that is not broken into two lines; without `width` that of
    a square.
    """
    return f"{times(height, height if width is None else width)}\N{NO-BREAK SPACE}px"


def amplified(before: Tensor, after: Tensor, factor: float) -> Tensor:
    """Return what `after` changes in `before`, images (N, 3, H, W) in [-1, 1], `factor` times as
    strong: grey, 0, where they are equal.
    """
    return (factor * (after - before)).clamp(-1, 1)


def _cells(images) -> list[np.ndarray | None]:
    # As `to_arrays`, with None for the empty places of a list.
    cells: list[np.ndarray | None] = []
    for one in images if isinstance(images, (list, tuple)) else [images]:
        cells += [None] if one is None else to_arrays(one)
    return cells


@dataclass(frozen=True)
class _Cells:
    """A row before its images are enlarged."""

    label: str
    titles: Sequence[str]
    images: Sequence[np.ndarray | None]

    def enlarged(self, cell: int, factor: int | None) -> Row:
        """Return the row with images ready to be shown (see `_enlarged`)."""
        ready = [None if x is None else _enlarged(x, cell, factor) for x in self.images]
        return Row(self.label, self.titles, ready)


def _rows(rows, titles, columns: int | None) -> list[_Cells]:
    if isinstance(rows, Mapping):
        sets = {str(label): _cells(images) for label, images in rows.items()}
        if isinstance(titles, Mapping):  # of each row
            if unknown := [str(label) for label in titles if label not in sets]:
                raise VarbookError(
                    f"There are titles for the row {unknown[0]!r}, but no such row: "
                    f"the rows are {', '.join(sets)}."
                )
            return [_Cells(label, titles.get(label, ()), sets[label]) for label in sets]
        longest = max(map(len, sets.values()), default=0)
        _refuse_more(titles, longest)
        step = max(columns or longest, 1)
        return [
            _Cells(label, () if n else titles[at : at + step], images[at : at + step])
            for at in range(0, longest, step)
            for n, (label, images) in enumerate(sets.items())
        ]
    images = _cells(rows)
    _refuse_more(titles, len(images))
    step = min(columns or 8, max(1, len(images)))
    starts = range(0, len(images), step)
    heads = [titles[at : at + step] for at in starts]
    return [
        _Cells("", head if any(head) else (), images[at : at + step])
        for at, head in zip(starts, heads, strict=True)
    ]


def _refuse_more(titles: Sequence[str], columns: int) -> None:
    if len(titles) > columns:
        raise VarbookError(f"{len(titles)} titles do not fit above {columns} columns of images.")


def sheet(
    rows: Mapping[str, object] | object,
    *,
    titles: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
    columns: int | None = None,
    true_sizes: bool = False,
    scale: int | None = None,
    inline: bool = False,
) -> Image.Image:
    """Return one picture of many images, at least WIDTH pixels wide, with readable labels.

    `rows` maps a row's label to its images (see `to_arrays`; None in a list leaves a place empty),
    or is one set of images. `titles` stand above the columns, or above each image of one set; a
    mapping gives each row its own, by its label, and the images of a row then follow each other
    without common columns. Rows of more than `columns` images go on in a further block below.

    Images are equally wide, so that a map of 1 x 1 is as easy to see as one of 8 x 8; with
    `true_sizes` their pixels are equally large instead. The widest one is enlarged by the smallest
    whole factor that makes the sheet wide enough: its pixels stay square and sharp. `scale` gives
    another factor for all, whatever the width. `inline`: for a notebook alone, just as wide as its
    column needs. Raises VarbookError for an empty set, for more titles than columns and for titles of
    a row that is not there.
    """
    return arranged(
        rows, titles=titles, columns=columns, true_sizes=true_sizes, scale=scale, inline=inline
    ).drawn()


def arranged(
    rows: Mapping[str, object] | object,
    *,
    titles: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
    columns: int | None = None,
    true_sizes: bool = False,
    scale: int | None = None,
    inline: bool = False,
) -> Layout:
    """Return the layout of `sheet`, not drawn yet."""
    kept, flowing = _rows(rows, titles or (), columns), isinstance(titles, Mapping)
    images = [image for row in kept for image in row.images if image is not None]
    if not images:
        raise VarbookError("There is no image to show: the set is empty.")
    if scale or inline:
        cell = 0 if scale else _inline_cell(kept, images)
        return _lettered([row.enlarged(cell, scale) for row in kept], flowing, SMALLEST)
    widest, factor, size = max(image.shape[1] for image in images), 0, WIDTH // LETTERS
    width = 0
    while width < (1 - NEARLY) * WIDTH:
        factor += 1
        each = factor if true_sizes else None
        ready = [row.enlarged(widest * factor, each) for row in kept]
        bare = [replace(row, titles=()) for row in ready]  # titles do not make up for small images
        width = laid_out(bare, size=size, gap=size // 4, flowing=flowing).size[0]
    return _lettered(ready, flowing, size, WIDTH)


def _lettered(rows: Sequence[Row], flowing: bool, least: int, width: int = 0) -> Layout:
    """Return the layout of rows in letters of `least` pixels, larger ones where the sheet is wide, and
    with gaps that make it at least `width` wide.
    """
    bare = [replace(row, titles=()) for row in rows]  # a long title does not make letters larger
    size, count = least, max(len(row.pictures) for row in rows)
    for _ in range(2):  # larger letters make labels, and with them the sheet, wider
        wide = laid_out(bare, size=size, gap=size // 4, flowing=flowing).size[0]
        size = max(least, round(wide / LETTERS))
    layout = laid_out(rows, size=size, gap=size // 4, flowing=flowing)
    if (short := width - layout.size[0]) > 0:
        wider = size // 4 + math.ceil(short / count)
        layout = laid_out(rows, size=size, gap=size // 4, beside=wider, flowing=flowing)
    return layout


def _inline_cell(kept: Sequence[_Cells], images: Sequence[np.ndarray]) -> int:
    """Return how wide a column of images is in a notebook: a whole multiple of the widest, or where
    that makes the sheet narrower than NARROWEST, what makes it so wide.
    """
    width, columns = max(x.shape[1] for x in images), max(len(row.images) for row in kept)
    likely = min(8 * width, (NARROWEST - 9 * SMALLEST) // columns)  # how high a row will be
    labels = label_lines([row.label for row in kept], [likely] * len(kept), SMALLEST)
    margin = label_width(labels, SMALLEST)
    whole = max(1, min(8, (INLINE_WIDTH - 130) // (columns * (width + GAP))))
    wanted = math.ceil((NARROWEST - margin) / columns) - GAP
    return max(width * whole, min(width * 8, wanted))


def _enlarged(image: np.ndarray, cell: int, factor: int | None) -> Image.Image:
    # Without a given factor a small map is enlarged to fill its cell. First by a whole factor, then
    # down to the cell: only the edges of pixels are mixed.
    times = factor or math.ceil(cell / image.shape[1])
    big = Image.fromarray(np.ascontiguousarray(image))
    big = big.resize((big.width * times, big.height * times), Image.Resampling.NEAREST)
    if factor or big.width == cell:
        return big
    height = max(1, round(image.shape[0] * cell / image.shape[1]))
    return big.resize((cell, height), Image.Resampling.BOX)


def _few_colours(picture: Image.Image) -> Image.Image:
    """Return a picture in as few colours as do not show, at most 256."""
    picture = picture.convert("RGB")
    pixels = np.asarray(picture, dtype=np.float32)
    for colours in (32, 64, 128):
        few = picture.quantize(colours, dither=Image.Dither.NONE)
        error = np.asarray(few.convert("RGB"), dtype=np.float32) - pixels
        if np.square(error).mean() < UNSEEN**2:
            return few
    return picture.quantize(256, dither=Image.Dither.NONE)


def jpeg(picture: Image.Image, quality: int) -> bytes:
    """Return a picture as a JPEG file of `quality` (1 to 95)."""
    data = io.BytesIO()
    picture.convert("RGB").save(data, "JPEG", quality=quality, optimize=True)
    return data.getvalue()


def _downsampled(picture: Image.Image, width: int) -> Image.Image:
    if picture.width <= width:
        return picture
    height = math.ceil(picture.height * width / picture.width)
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def for_notebook(picture: Image.Image, limit: int = INLINE_BYTES) -> tuple[str, bytes]:
    """Return (mime type, bytes) of a picture for a notebook: PNG, of 256 colours if need be, below
    `limit` bytes, else JPEG, of lower and lower quality and at last downsampled to NARROWEST pixels.

    It becomes no narrower than that, even where it then takes more bytes than `limit`.
    """
    picture = _downsampled(picture, INLINE_WIDTH)
    for shown, enough in ((picture, min(PLAIN_BYTES, limit)), (_few_colours(picture), limit)):
        data = io.BytesIO()
        shown.save(data, "PNG", optimize=True)
        if data.tell() <= enough:
            return "image/png", data.getvalue()
    narrow = _downsampled(picture, NARROWEST)
    for shown, quality in ((picture, 88), (picture, 75), (picture, 60), (narrow, 60), (narrow, 45)):
        small = jpeg(shown, quality)
        if len(small) <= limit:
            break
    return "image/jpeg", small


def to_picture(figure) -> Image.Image:
    """Return a matplotlib figure as an RGB picture at its own resolution (at most 100 dpi, but at
    least NARROWEST pixels wide); PIL images pass through.
    """
    if isinstance(figure, Image.Image):
        return figure.convert("RGB")
    drawn = _drawn(figure, min(100, figure.dpi))
    # How wide it is depends on what surrounds the axes, and is known only once it is drawn.
    if drawn.width < NARROWEST:
        drawn = _drawn(figure, math.ceil(min(100, figure.dpi) * NARROWEST / drawn.width))
    return drawn


def _drawn(figure, dpi: float) -> Image.Image:
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=dpi, metadata={"Software": None})
    data.seek(0)
    return Image.open(data).convert("RGB")
