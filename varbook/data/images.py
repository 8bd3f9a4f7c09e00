"""Images as uint8 (data sets), as floats in [-1, 1] (models) and as files."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from varbook.errors import VarbookError

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")


def to_float(image: Tensor) -> Tensor:
    """Map uint8 in [0, 255], any shape, to float32 in [-1, 1]; VarbookError for another type."""
    if image.dtype != torch.uint8:
        raise VarbookError(
            f"to_float expects uint8 pictures, got {image.dtype}: they may be in [-1, 1] already."
        )
    return image.float() / 127.5 - 1


def to_uint8(image: Tensor) -> Tensor:
    """Map floats in [-1, 1], any shape, to uint8 in [0, 255], rounded and clipped.

    Raises VarbookError for uint8.
    """
    if not image.is_floating_point():
        raise VarbookError(
            f"to_uint8 expects floats in [-1, 1], got {image.dtype}: they may be uint8 already."
        )
    return ((image.detach().float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def evenly_spaced(images: Tensor, count: int) -> Tensor:
    """Return `count` of the images (N, C, H, W), evenly spaced over the set: none is chosen."""
    return images[torch.linspace(0, len(images) - 1, count).round().long()]


def open_rgb(path: str | Path, enough: int | None = None) -> Image.Image:
    """Decode an image file as upright 8-bit RGB, its EXIF rotation applied.

    Raises VarbookError where the file is missing or broken. With `enough`, a large JPEG may come at
    a half, a quarter or an eighth of its size, both sides `enough` pixels or more: several times
    faster.
    """
    path = Path(path)
    if not path.is_file():
        raise VarbookError(f"There is no picture at {path}: check the path.")
    try:
        with Image.open(path) as picture:
            if enough and picture.format in ("JPEG", "MPO"):
                picture.draft(picture.mode, (enough, enough))
            picture.load()
            upright = ImageOps.exif_transpose(picture)
            if upright.mode.startswith("I;16") or upright.mode in ("I", "F"):
                return _sixteen_bit(upright)
            if "A" in upright.getbands() or "transparency" in upright.info:
                # A transparent pixel has no colour of its own: white is what a page would show.
                sheet = Image.new("RGBA", upright.size, "white")
                sheet.alpha_composite(upright.convert("RGBA"))
                upright = sheet
            return upright.convert("RGB")
    except Exception as error:  # a decoder may fail on a damaged file in whatever way
        raise VarbookError(
            f"The picture {path} cannot be decoded: remove it or fetch it again."
        ) from error


def _sixteen_bit(picture: Image.Image) -> Image.Image:
    # Pillow's own conversion to 8 bits clips everything above 255 to white.
    values = np.asarray(picture, dtype=np.float64)
    if picture.mode != "F" and values.max(initial=0) > 255:
        values = values / 257
    return Image.fromarray(values.clip(0, 255).round().astype(np.uint8)).convert("RGB")


def check_size(size: int | tuple[int, int]) -> tuple[int, int]:
    """Return (height, width) in pixels of `size`, an int or a pair.

    Raises VarbookError below 1 or where it is not whole.
    """
    pair = (size, size) if isinstance(size, int) else size
    whole = (
        isinstance(pair, (tuple, list))
        and len(pair) == 2
        and all(isinstance(n, (int, np.integer)) for n in pair)
    )
    if not whole or min(pair) < 1:
        raise VarbookError(
            f"A picture's size is a positive whole number or a pair (height, width), got {size!r}."
        )
    return int(pair[0]), int(pair[1])


def to_tensor(picture: Image.Image) -> Tensor:
    """Turn an RGB picture into a uint8 tensor (3, H, W)."""
    pixels = np.array(picture, dtype=np.uint8)  # H W 3
    return torch.from_numpy(pixels).permute(2, 0, 1).contiguous()  # 3 H W


def to_pil(image: Tensor) -> Image.Image:
    """Turn a uint8 tensor (3, H, W) into an RGB image of Pillow."""
    return Image.fromarray(image.cpu().permute(1, 2, 0).contiguous().numpy())  # H W 3


def resize_image(image: Tensor, height: int, width: int) -> Tensor:
    """Return a uint8 image (3, H, W) at another size (Lanczos), the same one where it has it."""
    if image.shape[-2:] == (height, width):
        return image
    return to_tensor(to_pil(image).resize((width, height), Image.Resampling.LANCZOS))


def load_image(path: str | Path, size: int | tuple[int, int] | None = None) -> Tensor:
    """Read one image as uint8 (3, H, W), resized to `size`, an int or (height, width), if given.

    Raises VarbookError where the file is missing or cannot be decoded.
    """
    picture = open_rgb(path)
    if size is not None:
        height, width = check_size(size)
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    return to_tensor(picture)


def save_image(image: Tensor, path: str | Path) -> Path:
    """Write one image (3, H, W), uint8 or floats in [-1, 1], and return the path.

    The path's suffix sets the format. Raises VarbookError where the shape or the suffix is not that
    of a picture.
    """
    path = Path(path)
    if image.dim() == 4 and len(image) == 1:
        image = image[0]
    if image.dim() != 3 or image.shape[0] != 3:
        raise VarbookError(
            f"save_image expects one picture of shape (3, H, W), got {tuple(image.shape)}."
        )
    if path.suffix.lower() not in SUFFIXES:
        raise VarbookError(
            f"save_image cannot write {path.name}: use one of {', '.join(SUFFIXES)}."
        )
    pixels = image if image.dtype == torch.uint8 else to_uint8(image)
    path.parent.mkdir(parents=True, exist_ok=True)
    to_pil(pixels).save(path)
    return path
