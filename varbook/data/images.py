"""Pictures as uint8 (data sets), as floats in [-1, 1] (models) and as files."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from varbook.errors import VarbookError

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")


def to_float(image: Tensor) -> Tensor:
    """Map uint8 in [0, 255] to float32 in [-1, 1], any shape; a floating tensor raises
    VarbookError.
    """
    if image.dtype != torch.uint8:
        raise VarbookError(
            f"to_float expects uint8 pictures, got {image.dtype}: they may be in [-1, 1] already."
        )
    return image.float() / 127.5 - 1


def to_uint8(image: Tensor) -> Tensor:
    """Map floats in [-1, 1] to uint8 in [0, 255], any shape, rounding and clipping; uint8 raises
    VarbookError.
    """
    if not image.is_floating_point():
        raise VarbookError(
            f"to_uint8 expects floats in [-1, 1], got {image.dtype}: they may be uint8 already."
        )
    return ((image.detach().float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def open_rgb(path: str | Path, enough: int | None = None) -> Image.Image:
    """Decode a picture file as upright 8-bit RGB (EXIF rotation applied); missing or broken raises
    VarbookError.

    With `enough`, a large JPEG may come at a half, a quarter or an eighth of its size, both sides
    `enough` pixels or more: several times faster.
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
    """Return (height, width) in pixels of `size`, an int or a pair; below 1 or not whole raises
    VarbookError.
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
    return (
        torch.from_numpy(np.array(picture, dtype=np.uint8)).permute(2, 0, 1).contiguous()
    )  # 3 H W


def load_image(path: str | Path, size: int | tuple[int, int] | None = None) -> Tensor:
    """Read one picture as uint8 (3, H, W), resized to `size` (int or (height, width)) where it is
    given.

    Raises VarbookError where the file is missing or cannot be decoded.
    """
    picture = open_rgb(path)
    if size is not None:
        height, width = check_size(size)
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    return to_tensor(picture)


def save_image(image: Tensor, path: str | Path) -> Path:
    """Write one picture (3, H, W), uint8 or floats in [-1, 1], in the format of the path's suffix;
    return the path.

    Raises VarbookError where the shape or the suffix is not that of a picture.
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
    Image.fromarray(pixels.cpu().permute(1, 2, 0).contiguous().numpy()).save(path)
    return path
