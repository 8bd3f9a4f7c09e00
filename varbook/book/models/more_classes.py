"""Photographs of two domains among those of many classes, so that a model that is fine-tuned to
translate knows more of the world than the two.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from varbook.book.models.profiles import Profile
from varbook.book.models.sources import Domains, Folders, digest_of, unless_known
from varbook.data.crops import centre_crop
from varbook.data.folders import class_files, file_contents, load_parts
from varbook.errors import VarbookError
from varbook.paths import data_folder, not_there


@dataclass(frozen=True)
class MoreClasses(Folders):
    """Photographs of two domains, as `Folders` has them, and of more classes, which tokenizer and
    next-scale model learn beside these; CycleVAR sees the two domains alone.

    `more` names data sets below `paths.data_places()` whose folder `train` holds one folder per
    class: their classes follow those of the domains, in the order of their names. Each picture of a
    domain stands `often` times among all. `published` says of a data set how many training pictures
    it had, and the digest of them, when the runs were trained that come with the book: these are
    found without it.
    """

    more: tuple[str, ...] = ()
    often: int = 1
    published: Mapping[str, tuple[int, str]] = field(default_factory=dict, hash=False)

    def missing(self) -> str | None:
        """Return None, or, where pictures are not there, a sentence that says what to do."""
        lost = [name for name in self.more if not data_folder(name)]
        if lost:
            return not_there(f"photographs of {' and of '.join(lost)}", self.advice)
        return super().missing()

    def more_files(self) -> dict[str, list[Path]]:
        """Return class -> files of each class beside the domains; VarbookError where a data set is
        missing, or two classes have one name.
        """
        classes: dict[str, list[Path]] = {}
        for name in self.more:
            found = self._classes_of(name)
            twice = sorted(classes.keys() & found.keys())
            if twice:
                raise VarbookError(
                    f"The class {twice[0]} is in {name} and in a data set before it: "
                    "give one of them another name."
                )
            classes |= found
        return classes

    def _classes_of(self, name: str) -> dict[str, list[Path]]:
        folder = data_folder(name)
        if folder is None:
            raise VarbookError(self.missing() or "")
        return class_files(folder / "train")

    def identity(self, domains: Domains, profile: Profile, size: int) -> dict:
        """Return what stands for the training pictures in the key of a run."""
        total = sum(self.counts(domains, profile)) + sum(n for n, _ in self.more_facts().values())
        return {"images": total, "often": self.often, "size": size} | self.trained_on(domains)

    def trained_on(self, domains: Domains) -> dict:
        """Return {"data": digest of the domains in their order and of all training files}, as
        `Folders` does.
        """
        more = [[name, digest] for name, (_, digest) in self.more_facts().items()]
        return unless_known("data", [*self._told_apart(domains, "trainA", "trainB"), *more])

    def more_facts(self) -> dict[str, tuple[int, str]]:
        """Return data set -> the number of its training pictures and the digest of their classes and
        contents, as `published` has them where the set is not there; VarbookError where neither is.
        """
        facts = {}
        for name in self.more:
            if name in self.published and not data_folder(name):
                facts[name] = self.published[name]
                continue
            classes = self._classes_of(name)
            told = [[label, file_contents(files)] for label, files in classes.items()]
            facts[name] = (sum(map(len, classes.values())), digest_of(told))
        return facts

    def images_of_all(self, domains: Domains, profile: Profile, size: int) -> Tensor:
        """Return all training pictures, X, Y and the other classes, uint8 (N, 3, H, W), larger by
        the margin.
        """
        return torch.cat([images for images, _ in self._classes(domains, size)])

    def labelled(
        self, domains: Domains, profile: Profile, size: int
    ) -> tuple[Tensor, Tensor | list[str]]:
        """Return the middle of all training pictures, uint8 (N, 3, size, size), and their classes,
        long (N,).
        """
        classes = self._classes(domains, size)
        labels = torch.tensor([label for _, label in classes])
        counts = torch.tensor([len(images) for images, _ in classes])
        images = torch.cat([centre_crop(images, size) for images, _ in classes])
        return images, labels.repeat_interleave(counts)

    def _classes(self, domains: Domains, size: int) -> list[tuple[Tensor, int]]:
        # training pictures, larger by the margin, and the class of each
        x, y = domains.values()
        if isinstance(x, str) or isinstance(y, str):
            raise VarbookError("Classes beside the domains need domains that are classes, too.")
        parts = self.parts(size)
        classes = [(parts["trainA"], x)] * self.often + [(parts["trainB"], y)] * self.often
        larger = round(size * self.margin)
        more = {f"train {name}": files for name, files in self.more_files().items()}
        loaded = load_parts(more, size, training_size=larger, crop=self.shape, profiles=False)
        first = max(x, y) + 1
        return classes + [(images, first + i) for i, images in enumerate(loaded.values())]
