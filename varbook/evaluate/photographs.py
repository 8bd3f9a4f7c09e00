"""Measures of translated photographs, whose true translation is not known.

A classifier that no training used, distances between sets, and structure.
"""

import torch
from torch import Tensor

from varbook.data.crops import centre_crop
from varbook.data.images import evenly_spaced
from varbook.errors import VarbookError
from varbook.evaluate.card import Measured, MetricCard
from varbook.evaluate.fidelity import fidelity
from varbook.evaluate.image_checks import to_unit
from varbook.evaluate.structure import structure_distance
from varbook.features.mobilenet import IMAGENET_ROWS, at_training_size, load_mobilenet

FEWEST = 10  # images below which a distance between sets says nothing


def seen_as(images: Tensor, to: str, batch: int = 16) -> Measured:
    """Return the share of photographs (N, 3, H, W) that MobileNetV2 classifies as `to`.

    Images are uint8 or in [-1, 1]. `to` is "horse" or "zebra"; ImageNet's only horse is a sorrel,
    so the two are compared with each other alone.
    """
    if to not in IMAGENET_ROWS:
        raise VarbookError(
            f"Photographs are told apart as {' or '.join(IMAGENET_ROWS)}, not {to!r}."
        )
    network = load_mobilenet().to(images.device)
    rows = list(IMAGENET_ROWS.values())
    with torch.no_grad():
        parts = [
            network.logits(at_training_size(to_unit(part) * 2 - 1))[:, rows]
            for part in images.split(batch)
        ]
    share = (torch.cat(parts).argmax(dim=1) == list(IMAGENET_ROWS).index(to)).float().mean().item()
    protocol = "share of images whose score of this class is the higher of the two"
    card = MetricCard("varbook", "MobileNetV2 1.0 (ImageNet)", len(images), 0, "none", protocol)
    return Measured(f"seen-as-{to}-mobilenet", share, card)


def domain_report(
    source: Tensor,
    translated: Tensor,
    reference: Tensor,
    describe: str = "test photographs of the target",
) -> dict[str, Measured]:
    """Return the distances of `translated` (N, 3, H, W) to `reference` and to its source's layout.

    `reference` are real photographs of the target, `source` those that were translated. Keys:
    frechet, kernel (of the features at hand) and structure; the first two need ten images in each
    set and are left out where there are fewer.
    """
    distances = _distances(translated, reference, describe)
    return distances | {"structure": structure_distance(translated, source)}


def _distances(images: Tensor, reference: Tensor, describe: str) -> dict[str, Measured]:
    if min(len(images), len(reference)) < FEWEST:
        return {}
    return fidelity(images, reference, describe=describe)


def real_report(
    training: Tensor,
    reference: Tensor,
    count: int,
    describe: str = "test photographs of the target",
) -> dict[str, Measured]:
    """Return the distances of real photographs of the target to `reference`, others of them: what
    a perfect translation has at these counts, and no number beside it means anything without.

    `training` (N, 3, H, W) are photographs of the target of which none is in `reference` (M, 3, S, S);
    `count` of them, evenly spaced, or all where there are fewer, are cut to its size. Keys: frechet
    and kernel, left out where a set has fewer than ten.
    """
    # A Frechet distance compares more moments than there are pictures: it is far from 0 for equals.
    real = evenly_spaced(training, min(count, len(training)))
    return _distances(centre_crop(real, reference.shape[-1]), reference, describe)


def photograph_report(
    source: Tensor,
    translated: Tensor,
    reference: Tensor,
    to: str,
    describe: str = "test photographs",
) -> dict[str, Measured]:
    """Return `domain_report` and `seen_as` for photographs translated `to` "horse" or "zebra"."""
    return domain_report(source, translated, reference, f"{describe} of the target: {to}") | {
        "seen_as": seen_as(translated, to)
    }


class DomainProbe:
    """A linear classifier of two sets of photographs on MobileNetV2's frozen features.

    `first` and `second` are examples (N, 3, H, W), uint8 or in [-1, 1], of the two domains. No loss
    of a generator uses it.
    """

    def __init__(self, first: Tensor, second: Tensor, ridge: float = 10.0):
        self.network = load_mobilenet()
        x = torch.cat([self.features(first), self.features(second)])  # N 1280
        y = torch.cat((-torch.ones(len(first)), torch.ones(len(second)))).double()
        self.mean = x.mean(0)
        self.spread = x.std(0) + 1e-3  # a feature that never varies must not be divided by zero
        x = (x - self.mean) / self.spread
        # Ridge regression in its dual form: there are fewer examples than features.
        kernel = x @ x.T + ridge * len(x) * torch.eye(len(x), dtype=x.dtype)  # N N
        self.weights = x.T @ torch.linalg.solve(kernel, y - y.mean())  # 1280
        self.offset = y.mean()

    @torch.no_grad()
    def features(self, images: Tensor, batch: int = 32) -> Tensor:
        """Return the pooled features (N, 1280) of images (N, 3, H, W)."""
        parts = images.cpu().split(batch)
        features = [self.network(at_training_size(to_unit(part) * 2 - 1)) for part in parts]
        return torch.cat(features).double()  # double: the system solved with them is badly scaled

    def seen_as_second(self, images: Tensor) -> float:
        """Return the share of images (N, 3, H, W) that look more like the second domain's."""
        scores = (self.features(images) - self.mean) / self.spread @ self.weights + self.offset
        return (scores > 0).double().mean().item()
