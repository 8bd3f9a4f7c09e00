"""Folders of photographs as tensors: one folder, one per class, or the four of an unpaired task."""

import functools
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from varbook.data.array_cache import kept
from varbook.data.images import open_rgb, readable_suffixes
from varbook.errors import VarbookError, told
from varbook.paths import home

# Part of the cache's key: raise it where decoding or resizing changes.
DECODER_VERSION = 1
# Large JPEGs may be decoded at a half, a quarter or an eighth, if that is still so many times the
# size that is asked for: nothing is lost, and telephones' photographs take a fifth of the time.
ENOUGH = 8
CROPS = ("resize", "centre")
PARTS = ("images", "prints")
UNPAIRED = ("trainA", "trainB", "testA", "testB")


def load_folder(
    folder: str | Path, size: int, *, crop: str = "resize", limit: int | None = None
) -> Tensor:
    """Return the photographs of a folder, in the order of their names, as uint8 (N, 3, size, size).

    `crop` is "resize" (the whole picture, its sides scaled apart) or "centre" (the central square);
    `limit` keeps the first ones only. Decoded pictures are kept below VARBOOK_HOME. A missing or
    empty folder, or a picture that cannot be decoded, raises VarbookError.
    """
    if limit is not None and limit < 1:
        raise VarbookError(
            f"A limit of {limit} pictures leaves none: give a positive number, or None for all."
        )
    return torch.from_numpy(_decoded(pictures_in(folder)[:limit], size, crop)[0])


def load_classes(
    root: str | Path, size: int, *, crop: str = "resize", limit: int | None = None
) -> tuple[Tensor, Tensor, tuple[str, ...]]:
    """Return photographs uint8 (N, 3, size, size), labels long (N,) and class names.

    `root` holds one folder per class. `limit` is per class. Raises VarbookError as `load_folder`
    does, and where there is no class folder.
    """
    names = _class_names(Path(root))
    parts = [load_folder(Path(root) / name, size, crop=crop, limit=limit) for name in names]
    labels = torch.arange(len(names)).repeat_interleave(torch.tensor([len(part) for part in parts]))
    return torch.cat(parts), labels, names


def class_files(root: str | Path) -> dict[str, list[Path]]:
    """Return class -> its picture files, for a folder `root` that holds one folder per class.

    Raises VarbookError where there is no class folder, or one that holds no pictures.
    """
    return {name: pictures_in(Path(root) / name) for name in _class_names(Path(root))}


def _class_names(root: Path) -> tuple[str, ...]:
    entries = (entry for entry in _existing(root).iterdir() if not entry.name.startswith("."))
    names = tuple(sorted(entry.name for entry in entries if entry.is_dir()))
    if not names:
        raise VarbookError(
            f"The folder {root} holds no class folders: give the pictures of every class one of their own."
        )
    return names


def unpaired(
    root: str | Path, size: int, *, crop: str = "resize", limit: int | None = None
) -> dict[str, Tensor]:
    """Return trainA, trainB, testA, testB of an unpaired data set as uint8 (N, 3, size, size) each.

    A test picture whose pixels are in a training folder too is left out (horse2zebra has one), and
    `limit` is per folder. Raises VarbookError where one of the four folders is missing or empty, or
    a picture cannot be decoded.
    """
    parts = load_parts(unpaired_files(root), size, crop=crop)
    # The limit comes last: whether a test picture is held out must not depend on how many are asked
    # for.
    return {name: images[:limit] for name, images in parts.items()}


def unpaired_files(root: str | Path) -> dict[str, list[Path]]:
    """Return trainA, trainB, testA, testB -> the picture files of these folders in `root`.

    Raises VarbookError where one of the four is missing or empty.
    """
    root = _existing(Path(root))
    missing = [name for name in UNPAIRED if not (root / name).is_dir()]
    if missing:
        raise VarbookError(
            f"The unpaired data set {root} lacks {', '.join(missing)}: "
            f"it needs the folders {', '.join(UNPAIRED)}."
        )
    return {name: pictures_in(root / name) for name in UNPAIRED}


def load_parts(
    files: Mapping[str, Sequence[Path]],
    size: int,
    *,
    training_size: int | None = None,
    crop: str = "resize",
    profiles: bool = True,
) -> dict[str, Tensor]:
    """Return the pictures of each part of `files` (trainA, trainB, testA, testB) as uint8 tensors.

    Test pictures are (N, 3, size, size); training pictures are `training_size` pixels a side where
    that is given, to be cropped. A test picture whose pixels are in a training part too is left
    out. Without `profiles` the numbers are those that are stored (see `images.open_rgb`). Raises
    VarbookError as `load_folder` does, of all parts at once, and where no test picture is left.
    """
    sides = {name: (training_size or size) if name.startswith("train") else size for name in files}
    decoded, faults = {}, []
    for name, part in files.items():
        try:
            decoded[name] = _decoded(part, sides[name], crop, profiles)
        except VarbookError as error:
            faults.append(str(error))
    if faults:
        raise VarbookError(" ".join(faults))
    seen = np.concatenate([prints for name, (_, prints) in decoded.items() if "train" in name])
    parts = {
        name: torch.from_numpy(images if "train" in name else images[~np.isin(prints, seen)])
        for name, (images, prints) in decoded.items()
    }
    for name, images in parts.items():
        if files[name] and not len(images):
            raise VarbookError(
                f"Every picture of {name} is in a training folder, too, so that none is left to "
                "measure on: put others there."
            )
    return parts


def file_facts(files: Sequence[Path]) -> list[tuple[str, int, int]]:
    """Return (name, bytes, time of the last change in ns) of each file: they differ where a file
    was changed or exchanged. Names are relative to the folder that holds all of the files.
    """
    return [(name, size, written) for name, size, written, _ in file_states(files)]


def file_states(files: Sequence[Path]) -> list[tuple[str, int, int, int]]:
    """Return `file_facts` of each file with the time in ns at which the system last touched it,
    which nobody can set: a picture that took another's place together with its times has another.

    VarbookError where a file is gone.
    """
    if not files:
        return []
    root = os.path.commonpath([file.absolute().parent for file in files])
    with told(verb="read"):
        states = ((os.path.relpath(file.absolute(), root), file.stat()) for file in files)
        return [
            (name, state.st_size, state.st_mtime_ns, state.st_ctime_ns) for name, state in states
        ]


def file_contents(files: Sequence[Path]) -> list[tuple[str, str]]:
    """Return (name, digest of its bytes) of each file, as named by `file_facts`: the same on every
    machine and at every time. VarbookError where a file cannot be read.
    """
    return list(_file_contents(tuple(files), tuple(file_states(files))))


@functools.lru_cache(maxsize=64)  # parts and classes: the photographs of 28 classes have thirty
def _file_contents(
    files: tuple[Path, ...], states: tuple[tuple[str, int, int, int], ...]
) -> tuple[tuple[str, str], ...]:
    # Keys are asked for many times in a chapter; the states say whether the bytes are the same.
    def digest(file: Path) -> str:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()[:20]

    with told(verb="read"), ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        digests = list(pool.map(digest, files))
    return tuple((name, code) for (name, *_), code in zip(states, digests, strict=True))


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise VarbookError(
            f"There is no folder {folder}: check the path, or fetch photographs with data_scripts/fetch_horse2zebra.py"
            " and name their place in VARBOOK_DATA."
        )
    return folder


def pictures_in(folder: str | Path) -> list[Path]:
    """Return the picture files of a folder in the order of their names; VarbookError where there
    are none.
    """
    entries = (
        entry for entry in _existing(Path(folder)).iterdir() if not entry.name.startswith(".")
    )
    files = sorted(entry for entry in entries if entry.suffix.lower() in readable_suffixes())
    if not files:
        raise VarbookError(f"The folder {folder} holds no pictures: check the path.")
    return files


def _decoded(
    files: Sequence[Path], size: int, crop: str, profiles: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Return images uint8 (N, 3, size, size) and a fingerprint of each one's pixels, uint64 (N,)."""
    if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1:
        raise VarbookError(
            f"Photographs are loaded as squares of a positive number of pixels, got {size!r}."
        )
    if crop not in CROPS:
        raise VarbookError(f"There is no crop {crop!r}: use one of {', '.join(CROPS)}.")
    if not files:
        return np.empty((0, 3, size, size), dtype=np.uint8), np.empty(0, dtype=np.uint64)
    lost = [file for file in files if not file.is_file()]
    if lost:  # a link that leads nowhere, a folder that is named like a picture
        raise VarbookError(f"{_listed(lost)} cannot be opened: remove or replace what is named.")
    target = cache_folder(files, int(size), crop, profiles)
    images, prints = kept(
        target, PARTS, lambda scratch: _decode(files, int(size), crop, profiles, scratch)
    )
    return images, prints


def _listed(files: Sequence[Path]) -> str:
    names = ", ".join(file.name for file in files)
    return (
        str(files[0]) if len(files) == 1 else f"{len(files)} files of {files[0].parent} ({names})"
    )


def cache_folder(files: Sequence[Path], size: int, crop: str, profiles: bool = True) -> Path:
    """Return where decoded pictures are kept: another folder for other files, or changed ones."""
    # A file that was changed has another length or time, so that the pictures are decoded again.
    root = Path(os.path.commonpath([file.absolute().parent for file in files])).resolve()
    how = [DECODER_VERSION, str(root), file_states(files), size, crop]
    text = json.dumps([*how, "as seen"] if profiles else how)
    return home() / "cache" / "photographs" / hashlib.sha256(text.encode()).hexdigest()[:20]


def _decode(files: Sequence[Path], size: int, crop: str, profiles: bool, scratch: Path) -> None:
    """Decode the files into images.npy and prints.npy of the folder `scratch`; VarbookError names
    all that cannot be decoded.
    """
    images = np.empty((len(files), 3, size, size), dtype=np.uint8)
    prints = np.empty(len(files), dtype=np.uint64)

    def decode(index: int) -> VarbookError | None:
        try:
            picture = open_rgb(files[index], enough=ENOUGH * size, profiles=profiles)
        except VarbookError as error:
            return error
        prints[index] = fingerprint(picture)
        images[index] = np.asarray(squared(picture, size, crop)).transpose(2, 0, 1)
        return None

    # Pillow decodes and resizes outside Python's lock, so threads are enough.
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        faults = dict(zip(files, pool.map(decode, range(len(files))), strict=True))
    broken = {file: error for file, error in faults.items() if error}
    if len(broken) == 1:
        raise next(iter(broken.values()))
    if broken:
        raise VarbookError(f"{_listed(list(broken))} cannot be decoded: remove or replace these.")
    np.save(scratch / "images.npy", images)
    np.save(scratch / "prints.npy", prints)


def fingerprint(picture: Image.Image) -> int:
    """Return 64 bits by which a picture of these very pixels is known again."""
    key = str(picture.size).encode()
    return int.from_bytes(hashlib.blake2b(picture.tobytes(), digest_size=8, key=key).digest())


def squared(picture: Image.Image, size: int, crop: str) -> Image.Image:
    """Return a picture as a square of `size` pixels.

    Its sides are scaled apart ("resize"), or its middle is taken ("centre").
    """
    if crop == "centre":
        side = min(picture.size)
        left = (picture.width - side) // 2
        top = (picture.height - side) // 2
        picture = picture.crop((left, top, left + side, top + side))
    if picture.size == (size, size):
        return picture
    return picture.resize((size, size), Image.Resampling.LANCZOS)
