"""Images of any sizes through a translator of one size: brought to its square, or cut into tiles.

Squares of several images share a batch, and an image is given back as soon as its last square is
done: what is held at a time is one batch and the images that it touches, not the whole folder.
"""

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor

from varbook.config import check_whole
from varbook.data.images import check_picture, resize_image, to_uint8
from varbook.errors import VarbookError
from varbook.tokenizer.schedule import Scale
from varbook.translate.tiles import Canvas, places

LARGE = ("resize", "tiles")
# An image whose short side would have to grow further than this to make one tile is not cut: a
# strip of 1 x 30,000 pixels would become 60,000 tiles of nothing.
LARGEST_ENLARGEMENT = 8


def working_size(size: Scale, side: int, large: str, short_side: int | None = None) -> Scale:
    """Return the (height, width) at which an image of `size` is translated by a model of `side`.

    `large` is "resize" (the model's square) or "tiles" (the image's own size, or `short_side` for
    its shorter side, at least the model's). VarbookError for another word, and for an image that
    is too narrow to be cut.
    """
    check_whole("A model's side", side)
    for pixels in size:
        check_whole("A picture's side", pixels)
    if short_side is not None:
        check_whole("short_side", short_side)
    if large not in LARGE:
        raise VarbookError(f'Large images are handled by "resize" or "tiles", not by {large!r}.')
    if large == "resize":
        return side, side
    shortest = min(size)
    if side > LARGEST_ENLARGEMENT * shortest:
        raise VarbookError(
            f"An image of {size[0]} x {size[1]} pixels is too narrow to be cut into tiles of {side}; "
            'use large="resize".'
        )
    factor = max(short_side or shortest, side) / shortest
    return max(side, round(size[0] * factor)), max(side, round(size[1] * factor))


def count_squares(size: Scale, side: int, large: str, short_side: int | None = None) -> int:
    """Return how many squares of `side` pixels an image of `size` is translated in."""
    return len(places(*working_size(size, side, large, short_side), side, side // 2))


class _Image:
    """One image under way: its own size, the canvas that fills, the squares that are owed."""

    def __init__(self, size: Scale, side: int, large: str, short_side: int | None):
        self.size = size
        self.working = working_size(size, side, large, short_side)
        self.corners = places(*self.working, side, side // 2)
        self.canvas, self.owed = Canvas(3, *self.working), len(self.corners)

    def take(self, square: Tensor, corner: Scale) -> None:
        self.canvas.add(square, corner)
        self.owed -= 1

    def done(self) -> Tensor:
        return resize_image(to_uint8(self.canvas.image()), *self.size)


def translate_sizes(
    translate: Callable[[Tensor], Tensor],
    images: Iterable[Tensor],
    side: int,
    *,
    large: str = "resize",
    short_side: int | None = None,
    batch: int = 16,
) -> Iterator[Tensor]:
    """Yield the translations of uint8 images (3, H, W), each at its own size, in their order.

    `translate` maps uint8 squares (N, 3, side, side), at most `batch` of them, to floats in
    [-1, 1]; `large` and `short_side` are those of `working_size`. Images are asked for one at a
    time, when the last one is in work. VarbookError as `working_size` says,
    and for what is not an image.
    """
    check_whole("A batch", batch, 1)
    waiting: list[_Image] = []  # in the order of their coming; the first is given back first
    squares: list[tuple[_Image, Scale, Tensor]] = []

    def flush() -> None:
        if squares:
            new = translate(torch.stack([square for _, _, square in squares]))  # N 3 side side
            for (owner, corner, _), tile in zip(squares, new, strict=True):
                owner.take(tile.cpu(), corner)
            squares.clear()

    for image in images:
        check_picture(image)
        current = _Image((image.shape[-2], image.shape[-1]), side, large, short_side)
        waiting.append(current)
        pixels = resize_image(image, *current.working)
        for top, left in current.corners:
            square = pixels[:, top : top + side, left : left + side]  # 3 side side
            squares.append((current, (top, left), square))
            if len(squares) == batch:
                flush()
        while waiting and not waiting[0].owed:
            yield waiting.pop(0).done()
    flush()
    while waiting:
        yield waiting.pop(0).done()
