"""The measures of a translation of photographs, where no truth is known: a foreign classifier, distances, structure."""

import torch

from varbook.errors import VarbookError
from varbook.evaluate.card import Measured, MetricCard
from varbook.evaluate.fidelity import fidelity
from varbook.evaluate.images import to_unit
from varbook.evaluate.structure import structure_distance
from varbook.features.mobilenet import IMAGENET_ROWS, at_training_size, load_mobilenet

FEWEST = 10  # images below which a distance between sets says nothing


def seen_as(images: torch.Tensor, to: str, batch: int = 16) -> Measured:
    """Return the share of photographs (N,3,H,W), uint8 or in [-1,1], that MobileNetV2 takes for `to` rather than its
    counterpart.

    `to` is "horse" or "zebra"; ImageNet's only horse is a sorrel, so the two are compared with each other alone.
    """
    if to not in IMAGENET_ROWS:
        raise VarbookError(f"Photographs are told apart as {' or '.join(IMAGENET_ROWS)}, not {to!r}.")
    network = load_mobilenet().to(images.device)
    rows = list(IMAGENET_ROWS.values())
    with torch.no_grad():
        parts = [network.logits(at_training_size(to_unit(part) * 2 - 1))[:, rows] for part in images.split(batch)]
    share = (torch.cat(parts).argmax(dim=1) == list(IMAGENET_ROWS).index(to)).float().mean().item()
    protocol = "share of images whose score of this class is the higher of the two"
    card = MetricCard("varbook", "MobileNetV2 1.0 (ImageNet)", len(images), 0, "none", protocol)
    return Measured(f"seen-as-{to}-mobilenet", share, card)


def photograph_report(
    source: torch.Tensor, translated: torch.Tensor, reference: torch.Tensor, to: str, describe: str = "test photographs"
) -> dict[str, Measured]:
    """Return every measure of photographs `translated` from `source` (N,3,H,W), against real ones of the target
    `reference`.

    Keys: frechet, kernel (of the features at hand), structure (to the source) and seen_as; the first two need ten
    images in each set and are left out where there are fewer.
    """
    found = {}
    if min(len(translated), len(reference)) >= FEWEST:
        found = fidelity(translated, reference, describe=f"{describe} of the target: {to}")
    return found | {"structure": structure_distance(translated, source), "seen_as": seen_as(translated, to)}
