"""FID and IS against a published reference batch.

The batch is an npz file with 10,000 images and the statistics of the whole data set.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from varbook.errors import VarbookError
from varbook.evaluate.card import Measured, MetricCard, evaluator
from varbook.evaluate.fidelity import ImageSet, extractor_for
from varbook.evaluate.image_checks import Images, same_size
from varbook.features.judge import Judge

PUBLISHED_BATCH = "https://openaipublic.blob.core.windows.net/diffusion/jul-2021/ref_batches/imagenet/256/VIRTUAL_imagenet256_labeled.npz"
FEWEST = 10  # images below which a distance between sets says nothing


@dataclass(frozen=True)
class ReferenceBatch:
    """The images and statistics that generated images are compared with.

    The statistics are those of Inception's features, whatever features are used here.
    """

    name: str
    images: Tensor  # uint8 (N, 3, H, W)
    mu: np.ndarray | None  # (2048,), over the whole data set, not these images alone
    sigma: np.ndarray | None  # (2048, 2048)


def read_reference(path: str | Path) -> ReferenceBatch:
    """Read a reference batch: `arr_0` (N, H, W, 3) uint8 and, where present, `mu` and `sigma`.

    Raises VarbookError for a missing, damaged or other file.
    """
    path = Path(path)
    if not path.is_file():
        raise VarbookError(
            f"There is no reference batch at {path}; the papers' is {PUBLISHED_BATCH}."
        )
    try:
        with np.load(path, allow_pickle=False) as archive:
            images = torch.from_numpy(archive["arr_0"]).permute(0, 3, 1, 2)  # N 3 H W
            statistics = [
                archive[name] if name in archive.files else None for name in ("mu", "sigma")
            ]
    except Exception as error:
        raise VarbookError(
            f"{path} is not a reference batch, or damaged ({error}); fetch it again."
        ) from error
    if images.dtype != torch.uint8 or images.shape[1] != 3:
        raise VarbookError(
            f"The images of {path} must be uint8 (N, H, W, 3), not {images.dtype} {tuple(images.shape)}."
        )
    return ReferenceBatch(path.name, images, *statistics)


def features_of(images: Images, extractor: str, batch: int) -> tuple[Tensor, Tensor]:
    """Return the features (N, C) and class scores (N, K) of torch-fidelity's `extractor`."""
    from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY
    from torch_fidelity.utils import create_feature_extractor, get_featuresdict_from_dataset

    kind = FEATURE_EXTRACTORS_REGISTRY[extractor]
    cuda = torch.cuda.is_available()
    layers = [kind.get_default_feature_layer_for_metric(metric) for metric in ("fid", "isc")]
    network = create_feature_extractor(extractor, layers, cuda=cuda, verbose=False)
    outputs = get_featuresdict_from_dataset(images, network, batch, cuda, True, False)
    return outputs[layers[0]], outputs[layers[1]]


def score(
    images: Images,
    reference: ReferenceBatch,
    features: str | Judge = "auto",
    *,
    describe: str = "",
    batch: int = 64,
) -> dict[str, Measured]:
    """Return Frechet distance and inception score of uint8 images (3, H, W).

    With Inception's features and a batch that brings statistics, that is FID as published; with
    others the batch's images are compared, and the numbers carry the features' name. `describe`
    (the sampling) becomes part of the card. Raises VarbookError for too few images, another size
    than the batch's, or missing weights.
    """
    if min(len(images), len(reference.images)) < FEWEST:
        raise VarbookError(
            f"A distance between sets needs {FEWEST} images or more in each, not {len(images)}."
        )
    same_size(images[0], reference.images)
    from torch_fidelity.metric_fid import (
        KEY_METRIC_FID,
        fid_features_to_statistics,
        fid_statistics_to_metric,
    )
    from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, isc_features_to_metric

    extractor, network, suffix = extractor_for(features)
    pooled, scores = features_of(images, extractor, batch)
    ours = fid_features_to_statistics(pooled)
    # The stored statistics are Inception's: with other features they would compare two worlds.
    stored = suffix is None and reference.mu is not None and reference.sigma is not None
    if suffix is None and reference.mu is not None and reference.sigma is not None:
        theirs = {
            "mu": reference.mu.astype(ours["mu"].dtype),
            "sigma": reference.sigma.astype(ours["sigma"].dtype),
        }
    else:
        theirs = fid_features_to_statistics(
            features_of(ImageSet(reference.images), extractor, batch)[0]
        )
    values = {
        "frechet": fid_statistics_to_metric(ours, theirs, False)[KEY_METRIC_FID],
        "inception": isc_features_to_metric(scores)[KEY_METRIC_ISC_MEAN],
    }
    against = f"{reference.name}, " + (
        "stored statistics of the whole data set" if stored else "its images"
    )
    names = {
        "frechet": "FID" if suffix is None else f"FD-{suffix}",
        "inception": "IS" if suffix is None else f"IS-{suffix}",
    }
    return {
        metric: Measured(
            names[metric],
            value,
            MetricCard(
                evaluator("torch-fidelity"),
                network,
                len(images),
                len(reference.images),
                against,
                describe,
            ),
        )
        for metric, value in values.items()
    }
