"""Files that may be pictures: which ones Pillow opens, their headers and their pixels.

A bad file is marked and never stops the others.
"""

import hashlib
import json
import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from varbook.data.array_cache import kept
from varbook.data.folders import (
    DECODER_VERSION,
    ENOUGH,
    cache_folder,
    file_states,
    fingerprint,
    squared,
)
from varbook.data.folders import PARTS as FOLDER_PARTS
from varbook.data.images import open_rgb, readable_suffixes
from varbook.errors import VarbookError
from varbook.paths import home

PARTS = ("images", "prints", "broken")
HEIC = (".heic", ".heif", ".hif")
ORIENTATION = 274  # the EXIF tag; from 5 on width and height change places


@dataclass(frozen=True)
class Header:
    """What a file says of itself before it is decoded.

    Its upright size, whether it has further frames, and what is wrong with it ("": nothing).
    """

    file: Path
    width: int = 0
    height: int = 0
    frames: bool = False
    fault: str = ""


def read_header(file: Path) -> Header:
    """Return the header of one file; a fault is named in it, never raised."""
    suffix = file.suffix.lower()
    if suffix in HEIC and suffix not in readable_suffixes():
        return Header(file, fault="HEIC (pip install pillow-heif reads it)")
    if suffix not in readable_suffixes():
        return Header(file, fault=f"no picture ({suffix or 'no suffix'})")
    try:
        if file.stat().st_size == 0:
            return Header(file, fault="empty")
        with Image.open(file) as picture:
            width, height = picture.size
            if picture.getexif().get(ORIENTATION, 1) >= 5:
                width, height = height, width
            return Header(file, width, height, bool(getattr(picture, "is_animated", False)))
    except UnidentifiedImageError:
        return Header(file, fault="something else than a picture")
    except PermissionError:
        return Header(file, fault="not to be read")
    except Exception:  # a decoder may fail on a damaged file in whatever way
        return Header(file, fault="broken")


def read_headers(files: list[Path]) -> list[Header]:
    """Return the header of every file, read by several threads."""
    # Pillow warns of every odd header; what matters is said once, in the headers' faults.
    with (
        warnings.catch_warnings(action="ignore"),
        ThreadPoolExecutor(max(4, os.cpu_count() or 1)) as pool,
    ):
        return list(pool.map(read_header, files))


@dataclass(frozen=True)
class Decoded:
    """Images uint8 (N, 3, size, size), fingerprints of their full pixels, and which broken.

    Fingerprints are uint64 (N,); `broken` is bool (N,), and those images are black.
    """

    images: np.ndarray
    prints: np.ndarray
    broken: np.ndarray


def decode_files(
    files: Sequence[Path],
    size: int,
    *,
    crop: str = "resize",
    shown: Callable[[Iterable], Iterable] = iter,
) -> Decoded:
    """Return the pictures of any files as squares of `size` pixels, in the order of the files.

    A broken one is marked, not raised. They are decoded once and kept below VARBOOK_HOME. `shown`
    may put a progress bar around the work; `crop` is one of varbook.data.folders.CROPS.
    """
    states = [_state(file) for file in files]
    text = json.dumps([DECODER_VERSION, "files", states, size, crop, "as seen"])
    target = home() / "cache" / "photographs" / hashlib.sha256(text.encode()).hexdigest()[:20]
    with warnings.catch_warnings(action="ignore"):
        parts = kept(target, PARTS, lambda scratch: _decode(files, size, crop, scratch, shown))
    return Decoded(*parts)


def _state(file: Path) -> tuple[str | int, ...]:
    try:
        ((_, *times),) = file_states([file])
        return str(file.resolve()), *times
    except (VarbookError, OSError):  # gone since it was listed: it is marked as broken
        return str(file), -1, -1, -1


def _decode(files: Sequence[Path], size: int, crop: str, scratch: Path, shown) -> None:
    images = np.zeros((len(files), 3, size, size), dtype=np.uint8)
    prints = np.zeros(len(files), dtype=np.uint64)
    broken = np.zeros(len(files), dtype=bool)

    def decode(index: int) -> None:
        try:
            picture = open_rgb(files[index], enough=ENOUGH * size)
        except VarbookError:
            broken[index] = True
            return
        prints[index] = fingerprint(picture)
        images[index] = np.asarray(squared(picture, size, crop)).transpose(2, 0, 1)

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for _ in shown(pool.map(decode, range(len(files)))):
            pass
    arrays: tuple[np.ndarray, ...] = (images, prints, broken)
    for part, values in zip(PARTS, arrays, strict=True):
        np.save(scratch / f"{part}.npy", values)


def remember(
    files: Sequence[Path], size: int, images: np.ndarray, prints: np.ndarray, crop: str = "resize"
) -> None:
    """Keep decoded pictures (N, 3, size, size) and their fingerprints (N,) where
    `varbook.data.folders` looks for those of `files`, so that nothing is decoded twice.
    """

    def write(scratch: Path) -> None:
        for part, values in zip(FOLDER_PARTS, (images, prints), strict=True):
            np.save(scratch / f"{part}.npy", values)

    kept(cache_folder(files, size, crop), FOLDER_PARTS, write)
