"""A task's pictures from shards of a set that is too large for the memory: ImageNet, OpenImages."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from varbook.book.models.profiles import Profile
from varbook.book.models.sources import Domains, ImageSet, Size
from varbook.data.folders import file_states
from varbook.data.shards import MANIFEST, Crops, Shards, open_shards
from varbook.errors import VarbookError
from varbook.paths import data_folder, not_there
from varbook.train.steps import Draw, draw_batch

HELD_OUT_SEED = 4  # of the pictures that chapters 02 to 07 hold out, in every task
TRAIN_SEED = 1  # of those that a chapter takes from the training pictures
# The toy world's animals that ImageNet has too, each as its most usual class, and a bear: it has no
# giraffe.
ANIMALS = {
    "horse": 339,
    "zebra": 340,
    "cow": 345,
    "camel": 354,
    "elephant": 386,
    "sheep": 348,
    "pig": 341,
    "dog": 207,
    "cat": 281,
    "rabbit": 330,
    "lion": 291,
    "bear": 294,
}


@dataclass(frozen=True)
class LabelledSet(ImageSet):
    """Photographs with their classes: `labels` long (N,), as a `ToySet` has them."""

    labels: Tensor


@dataclass(frozen=True)
class Streamed:
    """Photographs in shards, classes and all: `train` and `val` of the folder `name` below
    `paths.data_places()`. A loop crops and mirrors them at random as it draws them.

    A domain is one class, its pictures in memory.
    """

    name: str
    advice: str
    rendered: ClassVar[bool] = False

    def missing(self) -> str | None:
        """Return None, or, where the shards are not there, a sentence that says what to do."""
        if data_folder(self.name):
            return None
        return not_there(f"shards of {self.name}", self.advice)

    def shards(self, part: str = "train") -> Shards:
        """Return the shards of "train" or "val"; VarbookError where they are missing."""
        folder = data_folder(self.name)
        if folder is None:
            raise VarbookError(self.missing() or "")
        manifest = folder / part / MANIFEST
        state = tuple(file_states([manifest])) if manifest.is_file() else ()
        return _open_shards(folder / part, state)

    def counts(self, domains: Domains, profile: Profile) -> tuple[int, ...]:
        """Return the number of training pictures of each domain."""
        labels = self.shards().places[:, 3]
        return tuple(int(np.sum(labels == target)) for target in domains.values())

    def identity(self, domains: Domains, profile: Profile, size: int) -> dict:
        """Return what stands for the training pictures in the key of a run."""
        return {"images": len(self.shards()), "size": size} | self.trained_on(domains)

    def trained_on(self, domains: Domains) -> dict:
        """Return {"data": digest of the shards}."""
        return {"data": self.shards().identity[:12]}

    def pair(self, domains: Domains) -> dict:
        """Return {"domains": (name, class) of X and Y}, which no digest of the shards knows."""
        return {"domains": list(domains.items())}

    def held_out(self, domains: Domains) -> dict:
        """Return {"held out": digest of the shards of "val"}, {} where there are none."""
        folder = data_folder(self.name)
        there = folder is not None and (folder / "val").is_dir()
        return {"held out": self.shards("val").identity[:12]} if there else {}

    def draw(self, size: int) -> Draw:
        """Return what makes float batches out of `Crops`, whose rows are random crops already."""
        return draw_batch

    def images_of_all(self, domains: Domains, profile: Profile, size: int) -> Crops:
        """Return all training pictures as random crops (N, 3, size, size), none of them read."""
        return Crops(self.shards(), size)

    def labelled(self, domains: Domains, profile: Profile, size: int) -> tuple[Crops, None]:
        """Return the same; crops bring their classes."""
        return Crops(self.shards(), size), None

    def domain(
        self, domains: Domains, name: str, profile: Profile, size: int, held_out: bool
    ) -> ImageSet:
        """Return the middle squares of one class: for training, or of "val", held out."""
        if name not in domains:
            raise VarbookError(f"There is no domain {name!r}; use {' or '.join(domains)}.")
        shards = self.shards("val" if held_out else "train")
        (rows,) = np.nonzero(shards.places[:, 3] == domains[name])
        return ImageSet(shards.middle(torch.from_numpy(rows), size))

    def sample(
        self, profile: Profile, count: int, size: Size, seed: int, classes: Mapping[str, int]
    ) -> LabelledSet:
        """Return the middles of `count` pictures of `classes` (empty: of all), at any size:
        held-out ones, with TRAIN_SEED training pictures. VarbookError where there are not so many.

        With HELD_OUT_SEED they are among the first `profile.held_out` of one fixed order, with any
        other seed among the rest: what is compared with those shares no picture with them.
        """
        shards = self.shards("train" if seed == TRAIN_SEED else "val")
        rows = torch.randperm(len(shards), generator=torch.Generator().manual_seed(0))
        if seed == HELD_OUT_SEED:
            rows = rows[: max(profile.held_out, count)]
        elif seed != TRAIN_SEED:
            rest = rows[profile.held_out :]
            rows = rest[torch.randperm(len(rest), generator=torch.Generator().manual_seed(seed))]
        if classes:
            wanted = torch.tensor(list(classes.values()))
            rows = rows[torch.isin(shards.labels[rows], wanted)]
        if len(rows) < count:
            raise VarbookError(
                f"{shards.folder} has {len(rows)} pictures for this, and {count} are needed: "
                "prepare more of them, or hold out fewer in the profile."
            )
        rows = rows[:count]
        height, width = (size, size) if isinstance(size, int) else size
        side = max(height, width)
        images = shards.middle(rows, side)  # N 3 side side
        top, left = (side - height) // 2, (side - width) // 2
        images = images[:, :, top : top + height, left : left + width]
        return LabelledSet(images, shards.labels[rows])


@functools.lru_cache(maxsize=8)
def _open_shards(folder: Path, state: tuple) -> Shards:
    # Opened anew where the manifest has another state.
    return open_shards(folder)
