"""Picture files as the commands take and leave them: which files a folder holds, which it holds
besides, and writing whole files only.
"""

import io
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from PIL import Image
from torch import Tensor

from varbook.archives import first_double
from varbook.data.images import SUFFIXES, readable_suffixes, to_pil
from varbook.data.picture_files import HEIC
from varbook.errors import VarbookError
from varbook.files import write_atomically

TRANSPARENT = (".png", ".webp", ".tif", ".tiff")


def list_images(source: Path) -> tuple[list[Path], dict[str, int]]:
    """Return the picture files of a folder by name, or the one file itself, and what else the
    folder holds: kind of entry -> how many (subfolders are not searched, hidden files not counted).

    VarbookError where there is no picture, which says what is there instead.
    """
    if source.is_file():
        if source.suffix.lower() not in readable_suffixes():
            kind = (
                counted({source.suffix.lower(): 1}).partition(" ")[2] or "a file without a suffix"
            )
            raise VarbookError(
                f"{source} is not a picture that this machine reads ({kind}): convert it to one of {', '.join(SUFFIXES)} first."
            )
        return [source], {}
    if not source.is_dir():
        raise VarbookError(f"There is no file or folder {source}: check the path.")
    entries = sorted(entry for entry in source.iterdir() if not entry.name.startswith("."))
    readable = readable_suffixes()
    files = [entry for entry in entries if entry.suffix.lower() in readable]
    others = Counter(
        "subfolder" if entry.is_dir() else entry.suffix.lower() or "file without a suffix"
        for entry in entries
        if entry.suffix.lower() not in readable
    )
    if not files:
        holds = f"it holds {counted(others)}" if others else "it is empty"
        hint = "; subfolders are not searched, name one of them" if others["subfolder"] else ""
        raise VarbookError(
            f"The folder {source} holds no pictures that this machine reads: {holds}{hint}."
        )
    return files, dict(others)


def counted(others: dict[str, int]) -> str:
    """Return "3 .heic (pip install pillow-heif reads them), 1 subfolder" for what `list_images` left
    out.
    """
    hints = dict.fromkeys(HEIC, " (pip install pillow-heif reads them)")
    return ", ".join(
        f"{count} {kind}{hints.get(kind, '')}" for kind, count in sorted(others.items())
    )


def out_name(picture: Path) -> str:
    """Return the name of a picture's result: its own, with .png in place of a suffix that is read
    and not written (an animation, a telephone's HEIC).
    """
    return picture.name if picture.suffix.lower() in SUFFIXES else picture.with_suffix(".png").name


def check_names(pictures: Sequence[Path]) -> None:
    """Raise VarbookError where the results of two pictures would be one file."""
    double = first_double(out_name(picture) for picture in pictures)
    if double:
        raise VarbookError(f"Two of the pictures would become {double}: rename one of them first.")


def header_size(path: Path) -> tuple[int, int] | None:
    """Return (height, width) as the file's first bytes say it, not turned upright; None where they
    cannot be read.
    """
    try:
        with Image.open(path) as image:
            return image.height, image.width
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def save(image: Tensor, path: Path, alpha: Image.Image | None = None) -> None:
    """Write a uint8 image (3, H, W) as `save_pil` does, as transparent as `alpha` (mode L, of the
    same size) says where the format can hold that.
    """
    picture = to_pil(image)
    if alpha is not None and path.suffix.lower() in TRANSPARENT:
        picture.putalpha(alpha)
    save_pil(picture, path)


def save_pil(image: Image.Image, path: Path) -> None:
    """Write an image in the format of the path's suffix, whole or not at all.

    OSError where the system refuses, ValueError where the format cannot hold the image (a WebP has
    at most 16,383 pixels a side).
    """
    content = io.BytesIO()
    Image.init()
    image.save(content, Image.EXTENSION[path.suffix.lower()], quality=95)
    write_atomically(path, content.getvalue())


def check_out_file(path: Path) -> Path:
    """Return a path to write a picture to; VarbookError where its suffix is not that of one, or a
    folder is there.
    """
    if path.suffix.lower() not in SUFFIXES or path.is_dir():
        raise VarbookError(
            f"{path} is not a picture file: name one that ends in {', '.join(SUFFIXES)}."
        )
    return path


def check_sources_stay(sources: Iterable[Path], targets: Iterable[Path]) -> None:
    """Raise VarbookError where a file to be written is one of the sources, be it behind a link."""
    originals = {_identity(source) for source in sources}
    for target in targets:
        if target.exists() and _identity(target) in originals:
            raise VarbookError(
                f"{target} is one of the pictures that are read: choose another folder, so that no original is lost."
            )


def _identity(path: Path) -> tuple[int, int] | str:
    try:
        status = os.stat(path)  # of what a link leads to
        return status.st_dev, status.st_ino
    except OSError:
        return str(path.resolve())
