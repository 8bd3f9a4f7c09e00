"""How sure a distance between two sets of images is, and when one distance is surely below another.

A distance is taken again between random halves of both sets, drawn without replacement. Its spread
over the halves is the standard error of the distance between the whole sets: half as many images
double the variance, and that both halves come from the same few images takes as much away again.
Two sets that are held against the same reference are halved alike, so that what both owe to the
reference does not count as a difference.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from varbook.errors import VarbookError
from varbook.evaluate.card import Measured
from varbook.evaluate.fidelity import feature_rows, fidelity
from varbook.features.imagenet_judge import AnyJudge

ROUNDS = 40  # pairs of halves: their spread is then known to about a tenth of itself
SURE = 2.0  # standard errors by which two distances must differ to count as different
DISTANCES = ("frechet", "kernel")


def _factor(features: Tensor) -> Tensor:
    """Return a square root (R, C) of the covariance of features (N, C): its square is R^T R."""
    rows = (features - features.mean(0)) / (len(features) - 1) ** 0.5
    return torch.linalg.qr(rows, mode="r").R


def frechet_of_features(a: Tensor, b: Tensor) -> float:
    """Return the Frechet distance between Gaussians fitted to features (N, C) and (M, C)."""
    apart = (a.mean(0) - b.mean(0)).square().sum()
    of_a, of_b = _factor(a), _factor(b)
    # The trace of the root of a product of covariances is the sum of the singular values of the
    # product of their roots: no eigenvalues of C x C matrices, which have few images' rank anyway.
    shared = torch.linalg.svdvals(of_a @ of_b.T).sum()
    return (apart + of_a.square().sum() + of_b.square().sum() - 2 * shared).item()


def kernel_of_features(a: Tensor, b: Tensor) -> float:
    """Return the squared kernel distance of features (N, C) and (M, C): cubic kernel, unbiased."""

    def kernel(x: Tensor, y: Tensor) -> Tensor:
        return (x @ y.T / x.shape[1] + 1) ** 3

    def within(x: Tensor) -> Tensor:
        values = kernel(x, x)
        return (values.sum() - values.diagonal().sum()) / (len(x) * (len(x) - 1))

    return (within(a) + within(b) - 2 * kernel(a, b).mean()).item()


def halves_of_features(
    a: Tensor, b: Tensor, rounds: int = ROUNDS, seed: int = 0
) -> dict[str, list[float]]:
    """Return each of DISTANCES between `rounds` random halves of features (N, C) and (M, C).

    Sets of equal lengths are halved alike, whatever they are held against. VarbookError for sets of
    fewer than four.
    """
    if min(len(a), len(b)) < 4:
        raise VarbookError("Halves of a set need two images each: measure four images or more.")
    of_a, of_b = (torch.Generator().manual_seed(2 * seed + n) for n in (0, 1))
    values: dict[str, list[float]] = {name: [] for name in DISTANCES}
    for _ in range(rounds):
        x = a[torch.randperm(len(a), generator=of_a)[: len(a) // 2]]
        y = b[torch.randperm(len(b), generator=of_b)[: len(b) // 2]]
        values["frechet"].append(frechet_of_features(x, y))
        values["kernel"].append(kernel_of_features(x, y))
    return values


def sure_fidelity(
    images: Tensor,
    reference: Tensor,
    features: str | AnyJudge = "auto",
    *,
    metrics: tuple[str, ...] = DISTANCES,
    describe: str = "real images",
) -> dict[str, Measured]:
    """Return `fidelity`, its distances with what they are between halves of both sets."""
    measured = fidelity(images, reference, features, metrics=metrics, describe=describe)
    halves = halves_of_features(feature_rows(images, features), feature_rows(reference, features))
    # Five digits: records keep many of these lists.
    return {
        name: replace(one, halves=tuple(float(f"{x:.5g}") for x in halves.get(name, ())))
        for name, one in measured.items()
    }


def standard_error(halves: Sequence[float]) -> float:
    """Return the standard error of a distance from what it is between halves."""
    return statistics.stdev(halves)


def margin(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Return by how much two distances to one reference must differ to count as different, from
    what they are between halves; None where neither's halves are known.

    Where those of one are unknown, both are taken to be as unsure as the other.
    """
    if a and b:
        return SURE * standard_error([x - y for x, y in zip(a, b, strict=True)])
    known = a or b
    return SURE * 2**0.5 * standard_error(known) if known else None


def below(ours: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Say whether one distance (`Measured.as_dict()`) is below another to the same reference, by
    more than the `margin`; never where that is unknown.
    """
    needed = margin(ours.get("halves", ()), other.get("halves", ()))
    return needed is not None and other["value"] - ours["value"] > needed


def nearer(ours: Mapping[str, Mapping], other: Mapping[str, Mapping]) -> bool:
    """Say whether a set is surely nearer to a reference than another: by the Frechet and by the
    kernel distance, each by more than its `margin`. Both are metric -> `Measured.as_dict()`.
    """
    return all(below(ours[name], other[name]) for name in DISTANCES)
