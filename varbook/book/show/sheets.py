"""Sheets of images with readable labels: no pixel is blurred, and they are small enough for a
notebook.
"""

import io
import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from varbook.errors import VarbookError

GAP = 3  # pixels of white between two images
FONT = 13  # pixels: about 10 points beside the text of a notebook
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


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=FONT)


def _wrap(text: str, width: int) -> list[str]:
    # Greedy: a word that is wider than the line keeps a line of its own.
    lines: list[str] = []
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and _font().getlength(joined) <= width:
            lines[-1] = joined
        else:
            lines.append(word)
    return lines


def _cell(width: int, columns: int, margin: int, scale: int | None) -> int:
    """Return how wide a column of images is: a whole multiple of their `width`, so that every pixel
    stays square, or where that makes the sheet narrower than NARROWEST, what makes it so wide.
    """
    if scale:
        return width * scale
    whole = max(1, min(8, (INLINE_WIDTH - 130) // (columns * (width + GAP))))
    wanted = math.ceil((NARROWEST - margin) / columns) - GAP
    return max(width * whole, min(width * 8, wanted))


def sheet(
    rows: Mapping[str, object] | object,
    *,
    columns: int | None = None,
    titles: Sequence[str] | None = None,
    scale: int | None = None,
) -> Image.Image:
    """Return one picture of many images.

    `rows` maps a row's label to its images (see `to_arrays`), or is one set of images, broken into
    rows of `columns`. `titles` stand above the columns (labelled rows) or above each image (one
    set). `scale` is a whole factor of nearest-neighbour enlargement; where it is not given, every
    image fills its column, and the columns fit a notebook.
    """
    titles = list(titles or [])
    if isinstance(rows, Mapping):
        labels = [str(label) for label in rows]
        blocks = [to_arrays(images) for images in rows.values()]
        heads = [titles] + [[]] * len(blocks[1:])  # once, above the first row
    else:
        labels = []
        images = to_arrays(rows)
        columns = min(columns or 8, max(1, len(images)))
        starts = range(0, len(images), columns)
        blocks = [images[start : start + columns] for start in starts]
        heads = [titles[start : start + columns] for start in starts]  # above each image
    if not any(blocks):
        raise VarbookError("There is no image to show: the set is empty.")
    columns = max(len(images) for images in blocks)
    width = max(image.shape[1] for images in blocks for image in images)
    margin = min(160, 10 + _longest(labels)) if labels else 0
    cell = _cell(width, columns, margin, scale)
    strips = []
    for label, images, head in zip(labels or [""] * len(blocks), blocks, heads, strict=True):
        big = [_enlarged(image, cell, scale) for image in images]
        strips.append(_strip(label, big, head, columns, cell, margin))
    return _stacked(strips)


def _enlarged(image: np.ndarray, cell: int, scale: int | None) -> Image.Image:
    # Without a given scale a small map is enlarged to fill its cell: 1 x 1 is then as easy to see
    # as 8 x 8. First by a whole factor, then down to the cell: only the edges of pixels are mixed.
    factor = scale or math.ceil(cell / image.shape[1])
    big = Image.fromarray(np.ascontiguousarray(image))
    big = big.resize((big.width * factor, big.height * factor), Image.Resampling.NEAREST)
    if scale or big.width == cell:
        return big
    height = max(1, round(image.shape[0] * cell / image.shape[1]))
    return big.resize((cell, height), Image.Resampling.BOX)


def _longest(labels: Sequence[str]) -> int:
    return int(max(_font().getlength(label) for label in labels))


def _stacked(strips: Sequence[Image.Image]) -> Image.Image:
    canvas = Image.new("RGB", (strips[0].width, sum(strip.height for strip in strips)), "white")
    top = 0
    for strip in strips:
        canvas.paste(strip, (0, top))
        top += strip.height
    return canvas


def _strip(
    label: str,
    images: list[Image.Image],
    titles: Sequence[str],
    columns: int,
    cell: int,
    margin: int,
) -> Image.Image:
    wrapped = [_wrap(str(title), cell) for title in titles]
    head = (FONT + 3) * max((len(lines) for lines in wrapped), default=0)
    height = max((image.height for image in images), default=cell)
    canvas = Image.new("RGB", (margin + columns * (cell + GAP), head + height + GAP), "white")
    draw = ImageDraw.Draw(canvas)
    lines = _wrap(label, margin - 8) if margin else []
    for number, line in enumerate(lines):
        draw.text(
            (0, head + height / 2 + (number - len(lines) / 2) * (FONT + 3)),
            line,
            fill="black",
            font=_font(),
        )
    for column, lines in enumerate(wrapped):
        for number, line in enumerate(lines):
            place = (margin + column * (cell + GAP) + cell / 2, number * (FONT + 3))
            draw.text(place, line, fill="black", font=_font(), anchor="ma")
    for column, image in enumerate(images):
        canvas.paste(image, (margin + column * (cell + GAP), head))
    return canvas


def mosaic(rows: Mapping[str, object], *, scale: int = 2) -> Image.Image:
    """Return one picture of images of any sizes, row by labelled row, every pixel `scale` pixels
    large: sizes can be compared.
    """
    margin = 10 + _longest([str(label) for label in rows])
    strips = [
        (label, [_enlarged(image, 0, scale) for image in to_arrays(images)])
        for label, images in rows.items()
    ]
    widths = [sum(image.width + GAP for image in images) for _, images in strips]
    heights = [max(image.height for image in images) + GAP for _, images in strips]
    canvas = Image.new("RGB", (margin + max(widths), sum(heights)), "white")
    draw, top = ImageDraw.Draw(canvas), 0
    for (label, images), height in zip(strips, heights, strict=True):
        draw.text((0, top + height / 2), str(label), fill="black", font=_font(), anchor="lm")
        left = margin
        for image in images:
            canvas.paste(image, (left, top))
            left += image.width + GAP
        top += height
    return canvas


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
