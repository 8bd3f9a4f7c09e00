"""The measures of a translation of photographs, where no truth is known: a foreign classifier,
distances, structure.
"""

import torch

from varbook.errors import VarbookError
from varbook.evaluate.card import Measured, MetricCard
from varbook.evaluate.fidelity import fidelity
from varbook.evaluate.image_checks import to_unit
from varbook.evaluate.structure import structure_distance
from varbook.features.mobilenet import IMAGENET_ROWS, at_training_size, load_mobilenet

FEWEST = 10  # images below which a distance between sets says nothing


def seen_as(images: torch.Tensor, to: str, batch: int = 16) -> Measured:
    """Return the share of photographs (N,3,H,W), uint8 or in [-1,1], that MobileNetV2 takes for
    `to` rather than its counterpart.

    `to` is "horse" or "zebra"; ImageNet's only horse is a sorrel, so the two are compared with each
    other alone.
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
    source: torch.Tensor,
    translated: torch.Tensor,
    reference: torch.Tensor,
    describe: str = "test photographs of the target",
) -> dict[str, Measured]:
    """Return the distances of photographs `translated` from `source` (N,3,H,W) to real ones of the
    target `reference`, and to the structure of the source.

    Keys: frechet, kernel (of the features at hand) and structure; the first two need ten images in
    each set and are left out where there are fewer.
    """
    found = {}
    if min(len(translated), len(reference)) >= FEWEST:
        found = fidelity(translated, reference, describe=describe)
    return found | {"structure": structure_distance(translated, source)}


def photograph_report(
    source: torch.Tensor,
    translated: torch.Tensor,
    reference: torch.Tensor,
    to: str,
    describe: str = "test photographs",
) -> dict[str, Measured]:
    """Return every measure of `domain_report`, and seen_as, for photographs of horses or zebras
    `translated` into `to`.
    """
    return domain_report(source, translated, reference, f"{describe} of the target: {to}") | {
        "seen_as": seen_as(translated, to)
    }


class DomainProbe:
    """Tells two sets of photographs apart by the features of MobileNetV2, which is fixed, with a
    line fitted to examples.

    `first` and `second` are examples (N,3,H,W), uint8 or in [-1,1], of the two domains; no loss of
    a generator knows it.
    """

    def __init__(self, first: torch.Tensor, second: torch.Tensor, ridge: float = 10.0):
        self.network = load_mobilenet()
        x = torch.cat([self.features(first), self.features(second)])  # N 1280
        y = torch.cat((-torch.ones(len(first)), torch.ones(len(second)))).double()
        self.mean, self.spread = x.mean(0), x.std(0) + 1e-3
        x = (x - self.mean) / self.spread
        # Ridge regression in its dual form: there are fewer examples than features.
        self.weights = x.T @ torch.linalg.solve(
            x @ x.T + ridge * len(x) * torch.eye(len(x), dtype=x.dtype), y - y.mean()
        )
        self.offset = y.mean()

    @torch.no_grad()
    def features(self, images: torch.Tensor, batch: int = 32) -> torch.Tensor:
        """Return the pooled features (N,1280) of images (N,3,H,W)."""
        return torch.cat(
            [
                self.network(at_training_size(to_unit(part) * 2 - 1))
                for part in images.cpu().split(batch)
            ]
        ).double()

    def seen_as_second(self, images: torch.Tensor) -> float:
        """Return the share of images (N,3,H,W) that look more like the second domain's."""
        scores = (self.features(images) - self.mean) / self.spread @ self.weights + self.offset
        return (scores > 0).double().mean().item()
