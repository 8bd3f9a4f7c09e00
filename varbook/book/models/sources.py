"""Where a task's pictures come from: the toy world, which draws them, or folders of photographs
(`streamed` has the third: shards of a set that is too large for the memory).

All answer the same questions, for the `domains` of a task (name -> class or prompt, first X then
Y). Sets of training pictures are made when they are asked for; how many there are, and what of them
goes into the key of a run, is known before that: `trained_on` of the training pictures, `pair` of
which of them are X and Y, `held_out` of those that are measured on.
"""

import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from varbook.book.models.profiles import Profile
from varbook.config import plain
from varbook.data.crops import centre_crop, random_crops
from varbook.data.folders import (
    UNPAIRED,
    file_contents,
    file_facts,
    file_states,
    load_parts,
    unpaired_files,
)
from varbook.data.toy import ToySet, toy_images
from varbook.errors import VarbookError
from varbook.paths import data_folder, not_there
from varbook.train.steps import Draw, draw_batch
from varbook.world.draw import WORLD_VERSION
from varbook.world.scene import SPECIES

Domains = Mapping[str, int | str]
Size = int | tuple[int, int]  # of pictures in pixels: the side, or (height, width)
# Of the pictures on which the runs were trained and measured that come with the book: their records
# are older than these digests and hold none, so that the same pictures find the same runs.
KNOWN_PICTURES = frozenset(
    (
        *("0c589e8ccee6", "91fcd9d9f772", "1a627b619d5a"),  # the toy world's horses and zebras
        *("ed956861e4f6", "82dc1437f887", "097a79ac2353"),  # with captions, by day and by night
        *("838277578317", "7177829586e4"),  # the same, as photographs and flat
        *("8850fa6adf57", "fdce31824770"),  # horse2zebra as published: training and test pictures
        *("605358521f94", "cd2d7ab41efd"),  # the streets of chapter 11's record
    )
)


def digest_of(facts: object) -> str:
    """Return twelve digits that stand for `facts`, of which `plain` makes JSON."""
    text = json.dumps(plain(facts), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def unless_known(name: str, facts: object) -> dict:
    """Return {name: twelve digits of `facts`}, or {} where they stand in KNOWN_PICTURES."""
    digest = digest_of([name, facts])
    return {} if digest in KNOWN_PICTURES else {name: digest}


@dataclass(frozen=True)
class Scenes:
    """One set of scenes of the toy world, as arguments of `toy_images`."""

    seed: int  # sets with different seeds share no scene
    share: int = 1  # it holds one in `share` of the profile's training images
    species: str | tuple[str, ...] | None = None  # None: all
    weights: Mapping[str, float] | None = field(default=None, hash=False)  # None: all alike
    night: bool = False
    flat: bool = False


@dataclass(frozen=True)
class World:
    """Pictures of the toy world. What is held out of two domains shows the same scenes: hidden
    pairs.
    """

    images: str  # which of `profile.images` says how many training images there are
    training: tuple[Scenes, ...]  # all that tokenizer, next-scale model and judge see
    domains: Mapping[str, Scenes] = field(hash=False)  # training pictures of each domain
    held_out_seed: int
    rendered: ClassVar[bool] = True  # at every size and shape, the same scenes

    def missing(self) -> str | None:
        """Return None: the toy world is everywhere."""
        return None

    def counts(self, domains: Domains, profile: Profile) -> tuple[int, ...]:
        """Return the number of training pictures of each domain."""
        return tuple(self._count(self.domains[name], profile) for name in domains)

    def identity(self, domains: Domains, profile: Profile, size: int) -> dict:
        """Return what stands for the training pictures in the key of a run."""
        first = self.training[0]
        shown = {"weights": first.weights} if first.weights else {"species": first.species}
        images = profile.images[self.images]
        world = {"version": WORLD_VERSION, "images": images, "size": size} | shown
        return {"world": world} | self.trained_on(domains)

    def trained_on(self, domains: Domains) -> dict:
        """Return {"data": digest of all training scenes and of the order of the classes}, {} for
        the worlds of the book's own runs.
        """
        return unless_known("data", [self.training, SPECIES])

    def pair(self, domains: Domains) -> dict:
        """Return {"pair": digest of the domains in their order, with their targets and scenes},
        {} for those of the book's own runs.
        """
        return unless_known("pair", self._domains(domains))

    def held_out(self, domains: Domains) -> dict:
        """Return {"held out": digest of the scenes that are measured on}, {} for those of the
        book's own runs.
        """
        return unless_known("held out", [self.held_out_seed, self._domains(domains)])

    def _domains(self, domains: Domains) -> list:
        return [[name, target, self.domains.get(name)] for name, target in domains.items()]

    def draw(self, size: int) -> Draw:
        """Return what makes float batches out of a set: pictures mirrored half of the time."""
        return draw_batch

    def training_sets(self, profile: Profile, size: Size, most: int | None = None) -> list[ToySet]:
        """Return all training pictures, with labels, captions, silhouettes and scenes; of each set
        the first `most` (None: all), which are the same scenes at every size.
        """
        return [
            self._render(scenes, min(most or count, count), size, scenes.seed)
            for scenes in self.training
            for count in [self._count(scenes, profile)]
        ]

    def images_of_all(self, domains: Domains, profile: Profile, size: int) -> Tensor:
        """Return all training pictures, uint8 (N, 3, size, size)."""
        return torch.cat([part.images for part in self.training_sets(profile, size)])

    def labelled(
        self, domains: Domains, profile: Profile, size: Size, most: int | None = None
    ) -> tuple[Tensor, Tensor | list[str]]:
        """Return all training pictures, uint8 (N, 3, H, W), or `most` of each set, and their
        classes, long (N,), or, where domains are asked for by prompts, their N captions.
        """
        sets = self.training_sets(profile, size, most)
        images = torch.cat([part.images for part in sets])
        if all(isinstance(target, str) for target in domains.values()):
            return images, [caption for part in sets for caption in part.captions]
        return images, torch.cat([part.labels for part in sets])

    def domain(
        self, domains: Domains, name: str, profile: Profile, size: int, held_out: bool
    ) -> ToySet:
        """Return the pictures of one domain (or of another one of the world's): for training, or
        held out.
        """
        if name not in self.domains:
            raise VarbookError(f"There is no domain {name!r}; use {', '.join(self.domains)}.")
        scenes = self.domains[name]
        if held_out:
            return self._render(scenes, profile.held_out, size, self.held_out_seed)
        return self._render(scenes, self._count(scenes, profile), size, scenes.seed)

    def _count(self, scenes: Scenes, profile: Profile) -> int:
        return max(profile.images[self.images] // scenes.share, 1)

    def sample(
        self, profile: Profile, count: int, size: Size, seed: int, classes: Mapping[str, int]
    ) -> ToySet:
        """Return `count` scenes of the species `classes` (empty: of all), others with each seed."""
        return toy_images(count, size, seed=seed, species=tuple(classes) or None)

    @staticmethod
    def _render(scenes: Scenes, count: int, size: Size, seed: int) -> ToySet:
        return toy_images(
            count,
            size,
            seed=seed,
            species=scenes.species,
            weights=dict(scenes.weights) if scenes.weights else None,
            night=scenes.night,
            flat=scenes.flat,
        )


@dataclass(frozen=True)
class ImageSet:
    """Photographs of one domain: `images` uint8 (N, 3, H, W), as a `ToySet` has them."""

    images: Tensor

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class Folders:
    """Photographs of two domains in four parts, trainA, trainB, testA and testB.

    They are those of the data set `name` below `paths.data_places()`, or, for pictures of one's
    own, the `files` of each part. Training pictures are loaded larger than they are used, by
    `margin`, and cropped at random: 286 -> 256 pixels in CycleVAR section 4.1.
    """

    name: str
    files: Mapping[str, Sequence[Path]] | None = field(default=None, hash=False)
    shape: str = "resize"  # how a picture becomes a square: see `data.folders.CROPS`
    margin: float = 286 / 256  # 1: the whole picture, mirrored half of the time
    advice: str = "name the place of its folder in VARBOOK_DATA"
    rendered: ClassVar[bool] = False

    def missing(self) -> str | None:
        """Return None, or, where the pictures are not there, a sentence that says what to do."""
        if self.files is not None or data_folder(self.name):
            return None
        return not_there(f"photographs of {self.name}", self.advice)

    def parts_files(self) -> Mapping[str, Sequence[Path]]:
        """Return the files of each part; VarbookError where they are missing."""
        if self.files is not None:
            return self.files
        folder = data_folder(self.name)
        if folder is None:
            raise VarbookError(self.missing() or "")
        return unpaired_files(folder)

    def counts(self, domains: Domains, profile: Profile) -> tuple[int, ...]:
        """Return the number of training pictures of each domain; nothing is decoded."""
        files = self.parts_files()
        return len(files["trainA"]), len(files["trainB"])

    def identity(self, domains: Domains, profile: Profile, size: int) -> dict:
        """Return what stands for the training pictures in the key of a run."""
        total = sum(self.counts(domains, profile))
        return {"images": total, "size": size} | self.trained_on(domains)

    def trained_on(self, domains: Domains) -> dict:
        """Return {"data": digest of the domains in their order and of the training files}: other,
        changed or exchanged pictures are another run.

        Files of one's own are told apart by names, lengths and times; those of a data set with a
        name, which may lie anywhere, by names and contents. {} for what the book's own runs saw.
        """
        return unless_known("data", self._told_apart(domains, "trainA", "trainB"))

    def pair(self, domains: Domains) -> dict:
        """Return {}: `trained_on` says which pictures are X and Y."""
        return {}

    def held_out(self, domains: Domains) -> dict:
        """Return {"held out": digest of the test files, likewise}; {} for those on which the book's
        own runs were measured.
        """
        return unless_known("held out", self._told_apart(domains, "testA", "testB"))

    def _told_apart(self, domains: Domains, *parts: str) -> list:
        files = self.parts_files()
        facts = file_contents if self.files is None else file_facts
        return [list(domains.items()), *(facts(files[part]) for part in parts)]

    def draw(self, size: int) -> Draw:
        """Return what makes float batches out of a set: random crops where there is a margin."""
        return random_crops(size) if self.margin > 1 else draw_batch

    def parts(self, size: int) -> dict[str, Tensor]:
        """Return trainA, trainB (larger by the margin), testA, testB as uint8 (N, 3, H, W); of test
        pictures those that are in no training part. VarbookError where they are missing.
        """
        files = tuple((part, tuple(self.parts_files()[part])) for part in UNPAIRED)
        states = tuple(tuple(file_states(part)) for _, part in files)
        # One's own pictures as they are seen; published ones as the published code reads them,
        # which passes over the colour profiles that a tenth of horse2zebra carries.
        seen = self.files is not None
        larger = round(size * self.margin)
        return dict(_decoded_parts(files, states, size, larger, self.shape, seen))

    def images_of_all(self, domains: Domains, profile: Profile, size: int) -> Tensor:
        """Return all training pictures, X before Y, uint8 (N, 3, H, W), larger by the margin."""
        parts = self.parts(size)
        return torch.cat((parts["trainA"], parts["trainB"]))

    def labelled(
        self, domains: Domains, profile: Profile, size: int
    ) -> tuple[Tensor, Tensor | list[str]]:
        """Return the middle of all training pictures, uint8 (N, 3, size, size), and the class, long
        (N,), or the prompt of each one's domain.
        """
        images = centre_crop(self.images_of_all(domains, profile, size), size)
        targets = list(domains.values())
        counts = self.counts(domains, profile)
        prompts = [target for target in targets if isinstance(target, str)]
        if prompts:
            return images, [
                p for p, count in zip(prompts, counts, strict=True) for _ in range(count)
            ]
        return images, torch.tensor(targets).repeat_interleave(torch.tensor(counts))

    def domain(
        self, domains: Domains, name: str, profile: Profile, size: int, held_out: bool
    ) -> ImageSet:
        """Return the pictures of one domain: for training (larger by the margin), or held out."""
        if name not in domains:
            raise VarbookError(f"There is no domain {name!r}; use {' or '.join(domains)}.")
        letter = "AB"[list(domains).index(name)]
        return ImageSet(self.parts(size)[f"{'test' if held_out else 'train'}{letter}"])

    def sample(
        self, profile: Profile, count: int, size: Size, seed: int, classes: Mapping[str, int]
    ) -> ToySet:
        """Raise VarbookError: folders have domains, and no classes to choose pictures of."""
        raise VarbookError(f"{self.name} has domains: ask for the pictures of one of them.")


@functools.lru_cache(maxsize=2)
def _decoded_parts(
    files: tuple[tuple[str, tuple[Path, ...]], ...],
    states: tuple,
    size: int,
    training_size: int,
    shape: str,
    profiles: bool,
) -> dict[str, Tensor]:
    # In memory for the two sets that a chapter uses, as long as their files have these states; on
    # disk for longer (see `data.array_cache`).
    return load_parts(dict(files), size, training_size=training_size, crop=shape, profiles=profiles)
