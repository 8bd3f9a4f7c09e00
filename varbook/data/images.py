"""Images as uint8 (data sets), as floats in [-1, 1] (models) and as files."""

import io
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageCms, ImageOps
from torch import Tensor

from varbook.errors import VarbookError

# What varbook writes; what it reads is `readable_suffixes`.
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
# Formats of which Pillow reads only the header, or that are pages and films rather than pictures.
NO_PICTURES = {"BUFR", "EPS", "FITS", "GRIB", "HDF5", "MPEG", "WMF"}


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


def check_picture(image: object) -> None:
    """Raise VarbookError where `image` is not a uint8 picture (3, H, W)."""
    if not isinstance(image, Tensor) or image.dtype != torch.uint8 or image.ndim != 3:
        told = f"{image.dtype} {tuple(image.shape)}" if isinstance(image, Tensor) else repr(image)
        raise VarbookError(f"A picture is uint8 (3, H, W), not {told}.")
    if image.shape[0] != 3:
        raise VarbookError(f"A picture has three colours, (3, H, W), not {tuple(image.shape)}.")


def evenly_spaced(images: Tensor, count: int) -> Tensor:
    """Return `count` of the images (N, C, H, W), evenly spaced over the set: none is chosen.

    Of fewer images some come more than once; VarbookError where there is none.
    """
    if not len(images):
        raise VarbookError("There are no pictures to choose from: give at least one.")
    return images[torch.linspace(0, len(images) - 1, count).round().long()]


@lru_cache(maxsize=1)
def readable_suffixes() -> frozenset[str]:
    """Return the suffixes of all picture files that this machine's Pillow opens.

    HEIC is among them where a plug-in is installed.
    """
    try:
        import pillow_heif

        pillow_heif.register_heif_opener()
    except ImportError:
        pass  # HEIC is then counted among what cannot be read
    Image.init()
    return frozenset(
        suffix
        for suffix, kind in Image.EXTENSION.items()
        if kind in Image.OPEN and kind not in NO_PICTURES
    )


def open_rgb(path: str | Path, enough: int | None = None, *, profiles: bool = True) -> Image.Image:
    """Decode an image file as it is seen: upright, in sRGB, 8 bits, on white where it is clear.

    Raises VarbookError where the file is missing or broken. With `enough`, a large JPEG may come at
    a half, a quarter or an eighth of its size, both sides `enough` pixels or more: several times
    faster. Without `profiles` the numbers are read as they are stored, as published code reads the
    published data sets. Of an animation, the first frame.
    """
    return on_white(*open_with_alpha(path, enough, profiles=profiles))


def on_white(rgb: Image.Image, alpha: Image.Image | None) -> Image.Image:
    """Return a picture on white where `alpha` (mode L) says that it is clear (None: nowhere)."""
    if alpha is None:
        return rgb
    # A transparent pixel has no colour of its own: white is what a page would show.
    sheet = Image.new("RGB", rgb.size, "white")
    sheet.paste(rgb, mask=alpha)
    return sheet


def open_with_alpha(
    path: str | Path, enough: int | None = None, *, profiles: bool = True
) -> tuple[Image.Image, Image.Image | None]:
    """Decode an image file as `open_rgb` does, but for what is transparent: return the colours and
    how opaque each pixel is (mode L), None where all are.
    """
    path = Path(path)
    if not path.is_file():
        raise VarbookError(f"There is no picture at {path}: check the path.")
    readable_suffixes()  # lets Pillow know of HEIC
    try:
        with Image.open(path) as picture:
            if enough and picture.format in ("JPEG", "MPO"):
                picture.draft(picture.mode, (enough, enough))
            picture.load()
            upright = ImageOps.exif_transpose(picture)
            alpha = _alpha(upright)
            if upright.mode.startswith("I;16") or upright.mode in ("I", "F"):
                upright = _eight_bits(upright, path)
            return to_srgb(upright, picture.info.get("icc_profile") if profiles else None), alpha
    except VarbookError:
        raise
    except Image.DecompressionBombError:
        raise VarbookError(
            f"The picture {path} has more pixels than can be taken: make it smaller first."
        ) from None
    except Exception as error:  # a decoder may fail on a damaged file in whatever way
        raise VarbookError(
            f"The picture {path} cannot be decoded: remove it or fetch it again."
        ) from error


def _alpha(picture: Image.Image) -> Image.Image | None:
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return None
    alpha = picture.convert("RGBA").getchannel("A")
    return None if alpha.getextrema() == (255, 255) else alpha


def _eight_bits(picture: Image.Image, path: Path) -> Image.Image:
    """Return a grey picture of 16 or 32 bits, or of floats, as 8 bits.

    White is 1 for floats, 65,535 for whole numbers that pass 255, else 255; VarbookError where a
    value lies beyond.
    """
    # Pillow's own conversion to 8 bits clips everything above 255 to white.
    values = np.asarray(picture, dtype=np.float64)
    low, high = float(values.min(initial=0)), float(values.max(initial=0))
    whole = bool(np.all(values == np.round(values)))
    if not np.isfinite(values).all() or low < 0 or high > (65535 if whole else 1):
        raise VarbookError(
            f"The picture {path} holds numbers from {low:g} to {high:g}: bring them to 0 to 1, or to 8 or 16 bits."
        )
    if not whole or (picture.mode == "F" and high <= 1):
        values = values * 255
    elif high > 255:
        values = values / 257
    return Image.fromarray(values.round().astype(np.uint8))


def to_srgb(picture: Image.Image, icc_profile: bytes | None) -> Image.Image:
    """Return a picture as RGB in sRGB, as every viewer shows it: its colours are converted where it
    carries a profile of another space (telephones: Display P3).

    A profile that is damaged or of another kind of picture is passed over, as viewers do.
    """
    mode = {"LA": "L", "La": "L", "1": "L", "RGBX": "RGB", "RGBA": "RGB", "RGBa": "RGB"}.get(
        picture.mode, picture.mode
    )
    if mode in ("P", "PA", "HSV", "YCbCr"):
        mode = "RGB"
    transform = _transform(icc_profile, mode) if icc_profile else None
    if transform is None:
        return picture.convert("RGB")
    colours = picture if picture.mode == mode else picture.convert(mode)
    return ImageCms.applyTransform(colours, transform) or colours


@lru_cache(maxsize=32)
def _transform(icc_profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return what brings pictures of a mode from a profile's space to sRGB; None where nothing
    would change, or the profile does not fit.
    """
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
        srgb = ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(profile, srgb, mode, "RGB")
        if mode != "RGB":
            return transform
        levels = np.arange(0, 256, 17, dtype=np.uint8)
        cube = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(64, 64, 3)
        seen = ImageCms.applyTransform(Image.fromarray(cube), transform)
        same = np.abs(np.asarray(seen).astype(int) - cube).max() <= 2
        return None if same else transform  # sRGB itself, as most cameras write it
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


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
