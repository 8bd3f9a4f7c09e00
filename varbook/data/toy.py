"""The toy world as data sets: images, labels, silhouettes and scenes, cached on disk."""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from varbook.config import check_real
from varbook.data.array_cache import kept
from varbook.data.images import check_size
from varbook.data.render_parallel import Order, render_files, scene_at
from varbook.errors import VarbookError
from varbook.paths import home
from varbook.world.draw import WORLD_VERSION, render, silhouette
from varbook.world.scene import COATS, SPECIES, Scene, caption, flip, sample_scene, with_coat

PARTS = ("images", "masks", "labels")


@dataclass(frozen=True)
class ToySet:
    """Images of the toy world with everything that is known about them.

    `images` uint8 (N, 3, H, W), `labels` long (N,), `silhouettes` bool (N, H, W).
    """

    images: Tensor
    labels: Tensor
    silhouettes: Tensor
    order: Order

    def __len__(self) -> int:
        return len(self.images)

    @cached_property
    def scenes(self) -> list[Scene]:
        """The N scenes, sampled again from their seeds when first asked for."""
        return [scene_at(self.order, index) for index in range(len(self))]

    @cached_property
    def captions(self) -> list[str]:
        """The N captions."""
        return [caption(scene) for scene in self.scenes]


def toy_images(
    count: int,
    size: int | tuple[int, int] = 64,
    *,
    seed: int,
    species: str | tuple[str, ...] | None = None,
    weights: dict[str, float] | None = None,
    night: bool = False,
    flat: bool = False,
) -> ToySet:
    """Return `count` (>= 1) toy images of `size`, an int or (height, width).

    The same arguments give the same images. `species` None means all of SPECIES; `weights` makes
    some more frequent (1 where a name is missing). Pose and land of scene i depend on (seed, i)
    alone: for unpaired sets of two domains use two seeds, or every picture has its counterpart in
    the other set. Kept below VARBOOK_HOME; bad arguments raise VarbookError.
    """
    order = _order(size, seed, species, weights, night, flat)
    if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 1:
        raise VarbookError(f"toy_images needs a count of at least 1, got {count!r}.")
    count = int(count)
    images, masks, labels = kept(
        _folder(order, count), PARTS, lambda scratch: render_files(order, count, scratch)
    )
    bits = np.unpackbits(masks, axis=1, count=order.height * order.width)
    shapes = bits.reshape(count, order.height, order.width).astype(bool)
    return ToySet(
        torch.from_numpy(images), torch.from_numpy(labels), torch.from_numpy(shapes), order
    )


def _order(size, seed, species, weights, night, flat) -> Order:
    height, width = check_size(size)
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise VarbookError(f"toy_images needs a whole number as its seed, got {seed!r}.")
    asked = SPECIES if species is None else species
    asked = (asked,) if isinstance(asked, str) else tuple(asked)
    for name in (*asked, *(weights or {})):
        if name not in SPECIES:
            raise VarbookError(
                f"There is no species {name!r} in the toy world: use some of {', '.join(SPECIES)}."
            )
    names = tuple(name for name in SPECIES if name in asked)
    given = {n: check_real(f"The weight of {n}", v) for n, v in (weights or {}).items()}
    shares = tuple(given.get(name, 1.0) for name in names)
    if not names or min(shares) < 0 or not 0 < sum(shares) < float("inf"):
        raise VarbookError(
            "The weights of the species must not be negative, and at least one must be above zero."
        )
    return Order(int(seed), height, width, names, shares, bool(night), bool(flat))


def _folder(order: Order, count: int) -> Path:
    # Labels are places in SPECIES: in another order they would be others.
    text = json.dumps([WORLD_VERSION, SPECIES, count, asdict(order)], sort_keys=True)
    return home() / "cache" / "toy" / hashlib.sha256(text.encode()).hexdigest()[:20]


__all__ = [
    "COATS",
    "SPECIES",
    "WORLD_VERSION",
    "Order",
    "Scene",
    "ToySet",
    "caption",
    "flip",
    "render",
    "sample_scene",
    "silhouette",
    "toy_images",
    "with_coat",
]
