"""Structure distance: does a translated image keep the layout of its source?"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from varbook import paths
from varbook.errors import VarbookError
from varbook.evaluate.card import Measured, MetricCard
from varbook.evaluate.image_checks import same_shape, to_unit
from varbook.features import dino, mobilenet
from varbook.features.judge import VERSION, Judge

# The last block of 64 channels: 14 x 14 places of a 224 x 224 image, deep enough for parts, not yet
# for whole objects.
MOBILENET_BLOCK = 10


@dataclass(frozen=True)
class SpatialFeatures:
    """Local descriptors and their name: `maps` takes (B, 3, H, W) in [-1, 1] and returns (B, T, C)."""

    name: str
    maps: Callable[[Tensor], Tensor]


def _places(x: Tensor) -> Tensor:
    return x.flatten(2).transpose(1, 2)  # B T C


def _mobilenet() -> SpatialFeatures:
    network = mobilenet.load_mobilenet()
    return SpatialFeatures(
        "mobilenet",
        lambda x: _places(network.maps(mobilenet.at_training_size(x), (MOBILENET_BLOCK,))[0]),
    )


def _dino() -> SpatialFeatures:
    network = dino.load_dino()
    return SpatialFeatures("dino", network.keys)


def spatial_features(features: str | Judge = "auto") -> SpatialFeatures:
    """Return the descriptors of "dino", "mobilenet" or a Judge; "auto": the first that is here.

    Raise VarbookError if the weights are missing.
    """
    if isinstance(features, Judge):
        judge = features.eval()
        return SpatialFeatures(f"toy v{VERSION}", lambda x: _places(judge.maps(x)[2]))
    if features == "auto":
        features = "dino" if dino.checkpoint() else "mobilenet"
        if features == "mobilenet" and paths.weights_file(mobilenet.FILE) is None:
            raise VarbookError(
                "No features for a structure distance are here: put DINO's checkpoint into torch.hub's cache, "
                f"{mobilenet.FILE} into a folder named by VARBOOK_WEIGHTS, or pass a judge."
            )
    if features not in ("dino", "mobilenet"):
        raise VarbookError(
            f'Structure is measured with "auto", "dino", "mobilenet" or a judge, not {features!r}.'
        )
    return _dino() if features == "dino" else _mobilenet()


def self_similarity(descriptors: Tensor) -> Tensor:
    """Return the cosines (B, T, T) between all pairs of descriptors (B, T, C)."""
    unit = F.normalize(descriptors, dim=2, eps=1e-6)
    return unit @ unit.transpose(1, 2)


def structure_distances(a: Tensor, b: Tensor, spatial: SpatialFeatures, batch: int = 16) -> Tensor:
    """Return 100 times the mean squared difference (N,) of the self-similarities of two image sets.

    Both are (N, 3, H, W), uint8 or in [-1, 1]. With DINO's keys it is the structure distance of
    Splice (Tumanyan et al. 2022), in the scale of CycleVAR table 1.
    """
    same_shape(a, b)
    distances = []
    with torch.no_grad():
        for x, y in zip(a.split(batch), b.split(batch), strict=True):
            of_x = self_similarity(spatial.maps(to_unit(x) * 2 - 1))  # B T T
            of_y = self_similarity(spatial.maps(to_unit(y) * 2 - 1))  # B T T
            distances.append(100 * (of_x - of_y).square().mean(dim=(1, 2)))
    return torch.cat(distances)


def structure_distance(
    a: Tensor, b: Tensor, features: str | Judge = "auto", batch: int = 16
) -> Measured:
    """Return the mean structure distance of translations `a` to their sources `b` (N, 3, H, W).

    Named after its features: structure-dino, structure-mobilenet or structure-toy.
    """
    spatial = spatial_features(features)
    value = structure_distances(a, b, spatial, batch).mean().item()
    protocol = "mean over pairs of 100 x mean squared difference of cosine self-similarities"
    name = "structure-toy" if isinstance(features, Judge) else f"structure-{spatial.name}"
    card = MetricCard("varbook", spatial.name, len(a), len(b), "the source of each image", protocol)
    return Measured(name, value, card)
