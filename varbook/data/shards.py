"""Data sets too large for the memory: pictures in tar files, decoded and cropped batch by batch.

data_scripts/make_shards.py writes the files in webdataset's layout, `name.jpg` and `name.cls` one
behind the other, beside a table of where each picture begins. With that table any rows of the set
can be read in any order, and `Crops` answers like a tensor of images: a loop draws its rows as from
one in memory. So a batch follows from the seed and the step alone: a training resumes to the same
bits after a kill, and sees the same pictures with one process and with sixteen.
"""

import functools
import io
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from varbook.data.images import to_tensor
from varbook.errors import VarbookError

MANIFEST = "manifest.json"
MARGIN = 1.125  # short side of a picture over the side of a crop (VAR: 288 pixels for 256)
VIEWS = 2**20  # ways in which a picture is cropped and mirrored
MAKE = "make them with data_scripts/make_shards.py"


class Rows(Protocol):
    """What a loop draws its batches from: a tensor (N, ...), or a set that answers like one."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def __getitem__(self, rows: Tensor) -> Tensor:
        """Return the rows (B,) as (B, ...)."""


@dataclass(frozen=True, eq=False)
class Shards:
    """A set of N labelled pictures on disk; it holds their places, never their pixels."""

    folder: Path
    classes: tuple[str, ...]  # the names behind the labels; empty for a set without classes
    files: tuple[str, ...]
    places: np.ndarray  # int64 (N, 4): file, first byte, length in bytes, label
    identity: str  # digest over the contents of all files

    def __len__(self) -> int:
        return len(self.places)

    @functools.cached_property
    def labels(self) -> Tensor:
        """The class of every picture, long (N,); zeros for a set without classes."""
        return torch.from_numpy(self.places[:, 3].copy())

    def picture(self, row: int) -> Image.Image:
        """Decode picture `row` as RGB; VarbookError where its file is cut short or damaged."""
        file, first, length, _ = (int(number) for number in self.places[row])
        path = self.folder / self.files[file]
        try:
            with path.open("rb") as shard:
                shard.seek(first)
                content = shard.read(length)
            with Image.open(io.BytesIO(content)) as picture:
                return picture.convert("RGB")
        except Exception as error:  # a decoder may fail on a damaged file in whatever way
            raise VarbookError(
                f"Picture {row} of {path} cannot be read ({error}): delete that file and {MAKE} again."
            ) from error

    def squares(self, rows: Tensor, size: int, where: Tensor) -> Tensor:
        """Return a square of each picture of `rows` (B,), uint8 (B, 3, size, size).

        The short side is first brought to 1.125 * `size` pixels. `where` (B, 3) in [0, 1) says how
        far down and how far to the right the square lies, and, from a half on, to mirror it.
        """

        def cut(job: tuple[int, list[float]]) -> Tensor:
            row, (down, right, mirror) = job
            picture = scaled(self.picture(row), round(MARGIN * size))
            top = int(down * (picture.height - size + 1))
            left = int(right * (picture.width - size + 1))
            square = to_tensor(picture.crop((left, top, left + size, top + size)))  # 3 size size
            return square.flip(-1) if mirror >= 0.5 else square

        # Pillow decodes and resizes outside Python's lock, so threads are enough.
        with ThreadPoolExecutor(min(len(rows) or 1, os.cpu_count() or 1)) as pool:
            return torch.stack(list(pool.map(cut, zip(rows.tolist(), where.tolist(), strict=True))))

    def middle(self, rows: Tensor, size: int) -> Tensor:
        """Return the middle square of each picture of `rows` (B,), uint8 (B, 3, size, size): what
        is shown and measured is never cropped at random.
        """
        return self.squares(rows, size, torch.tensor([0.5, 0.5, 0.0]).expand(len(rows), 3))


@dataclass(frozen=True, eq=False)
class Crops:
    """Random crops of a set of N pictures, half of them mirrored, as a tensor of N * VIEWS images
    would hold them: row i + N * v is picture i in view v, and always the same crop.
    """

    shards: Shards
    size: int  # side of a crop in pixels

    def __len__(self) -> int:
        return len(self.shards) * VIEWS

    def __getitem__(self, rows: Tensor) -> Tensor:
        """Return the crops of `rows` (B,), uint8 (B, 3, size, size)."""
        where = [
            torch.rand(3, generator=torch.Generator().manual_seed(row)) for row in rows.tolist()
        ]
        return self.shards.squares(rows % len(self.shards), self.size, torch.stack(where))

    @property
    def labels(self) -> "RepeatedLabels":
        """The class of every crop."""
        return RepeatedLabels(self.shards.labels)


@dataclass(frozen=True, eq=False)
class RepeatedLabels:
    """Labels (N,) of pictures, as the labels of their N * VIEWS crops."""

    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels) * VIEWS

    def __getitem__(self, rows: Tensor) -> Tensor:
        """Return the labels of `rows` (B,), long (B,)."""
        return self.labels[rows % len(self.labels)]


def scaled(picture: Image.Image, side: int) -> Image.Image:
    """Return `picture` with its short side at `side` pixels and its shape kept.

    A picture that has this size already is returned itself.
    """
    short = min(picture.size)
    if short == side:
        return picture
    width, height = (max(side, round(length * side / short)) for length in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def open_shards(folder: str | Path) -> Shards:
    """Return the set that make_shards.py wrote into `folder`.

    VarbookError where the manifest, a file or its table is missing, or a file has another length
    than the manifest says.
    """
    folder = Path(folder)
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        classes, identity = tuple(manifest["classes"]), str(manifest["identity"])
        files = {_plain(entry["file"]): entry["bytes"] for entry in manifest["shards"]}
        short = [file for file in files if (folder / file).stat().st_size != files[file]]
        tables = [] if short else [_table(folder / file, len(classes)) for file in files]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise VarbookError(f"{folder} holds no complete shards ({error}): {MAKE}.") from error
    if short:
        raise VarbookError(
            f"{folder / short[0]} is not as long as {MANIFEST} says: delete it and {MAKE} again."
        )
    if not sum(map(len, tables)):
        raise VarbookError(f"{folder} holds no pictures: {MAKE}.")
    places = [
        np.column_stack((np.full(len(table), number), table)) for number, table in enumerate(tables)
    ]
    return Shards(folder, classes, tuple(files), np.concatenate(places).astype(np.int64), identity)


def _plain(name: str) -> str:
    if Path(name).name != name or not name:
        raise ValueError(f"{name!r} is not the name of a file beside {MANIFEST}")
    return name


def _table(shard: Path, classes: int) -> np.ndarray:
    """Return where the pictures of a shard lie, int64 (N, 3): first byte, length, label; ValueError
    where a place lies outside of the shard.
    """
    table = np.load(shard.with_suffix(".npy"))
    if table.ndim != 2 or table.shape[1] != 3 or not np.issubdtype(table.dtype, np.integer):
        raise ValueError(f"{shard.with_suffix('.npy')} is not a table of pictures")
    first, length, label = table.T
    ends = first + length
    if (table < 0).any() or (ends > shard.stat().st_size).any() or (label >= max(classes, 1)).any():
        raise ValueError(f"{shard.with_suffix('.npy')} names places outside of its shard")
    return table
