"""Distances between two sets of images, computed by torch-fidelity and named after their features."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import Dataset

from varbook import paths
from varbook.errors import VarbookError
from varbook.evaluate.card import Measured, MetricCard, evaluator
from varbook.evaluate.image_checks import same_size, to_bytes
from varbook.features import mobilenet
from varbook.features.imagenet_judge import AnyJudge, ImageNetJudge
from varbook.features.judge import VERSION, Judge

# The file that torch-fidelity leaves in torch.hub's cache once it has fetched the Inception of FID.
INCEPTION_FILE = "weights-inception-2015-12-05-6726825d.pth"
METRICS = ("frechet", "kernel", "inception", "precision", "recall")
# What torch-fidelity calls them, and what they are called here with Inception's features and with
# any others.
KEYS = {
    "frechet": ("frechet_inception_distance", "FID", "FD"),
    "kernel": ("kernel_inception_distance_mean", "KID", "KD"),
    "inception": ("inception_score_mean", "IS", "IS"),
    "precision": ("precision", "precision-inception", "precision"),
    "recall": ("recall", "recall-inception", "recall"),
}


class ImageSet(Dataset[Tensor]):
    """uint8 images (N, 3, H, W) in the form that torch-fidelity reads."""

    def __init__(self, images: Tensor):
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        return self.images[index]


def _register(
    name: str, features: Callable[[Tensor], Tensor], scores: Callable[[Tensor], Tensor]
) -> str:
    """Register two functions of images (B, 3, H, W) in [-1, 1] with torch-fidelity under `name`.

    `features` returns (B, C), `scores` the class scores (B, K).
    """
    from torch_fidelity import FeatureExtractorBase
    from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY, register_feature_extractor

    class Extractor(FeatureExtractorBase):
        def __init__(self, name, features_list, **unused):
            super().__init__(name, features_list)

        @staticmethod
        def get_provided_features_list():
            return "features", "scores"

        @staticmethod
        def get_default_feature_layer_for_metric(metric):
            return "scores" if metric == "isc" else "features"

        @staticmethod
        def can_be_compiled():
            return False

        def forward(self, images):
            x = images.float() / 127.5 - 1
            functions = {"features": features, "scores": scores}
            return tuple(functions[name](x).float() for name in self.features_list)

    if name not in FEATURE_EXTRACTORS_REGISTRY:
        register_feature_extractor(name, Extractor)
    return name


def _register_judge(judge: Judge) -> str:
    # The name holds the weights' hash: two judges must not share an entry, and one needs no second.
    judge.eval()
    state = b"".join(
        tensor.detach().cpu().contiguous().numpy().tobytes()
        for tensor in judge.state_dict().values()
    )
    device = next(judge.parameters()).device
    name = f"varbook-toy-{hashlib.sha256(state).hexdigest()[:12]}-{device}"
    return _register(
        name, lambda x: judge.features(x.to(device)), lambda x: judge(x.to(device)).species
    )


def _register_mobilenet(device: torch.device) -> str:
    name = f"varbook-mobilenet-{device}"
    network = mobilenet.load_mobilenet().to(device)
    resized = mobilenet.at_training_size
    # Row 0 is "background", no class of ImageNet: an inception score leaves it out.
    return _register(
        name,
        lambda x: network(resized(x.to(device))),
        lambda x: network.logits(resized(x.to(device)))[:, 1:],
    )


def inception_cached() -> bool:
    """Return whether torch.hub's cache holds the Inception weights of FID."""
    return (Path(torch.hub.get_dir()) / "checkpoints" / INCEPTION_FILE).is_file()


def choose_features() -> str:
    """Return "inception" or "mobilenet", the first whose weights are here.

    Raises VarbookError where neither is.
    """
    if inception_cached():
        return "inception"
    if paths.weights_file(mobilenet.FILE):
        return "mobilenet"
    raise VarbookError(
        f"No features for a Frechet distance are here: put {INCEPTION_FILE} into torch.hub's cache, "
        f"{mobilenet.FILE} into a folder named by VARBOOK_WEIGHTS, or pass the toy world's judge."
    )


def extractor_for(features: str | AnyJudge) -> tuple[str, str, str | None]:
    """Return torch-fidelity's name of an extractor, a description, and the suffix of metric names.

    `features` is "auto", "inception", "mobilenet" or a Judge; the suffix is None for Inception,
    whose numbers keep the plain names (FID). Raises VarbookError for other features or missing
    weights.
    """
    if isinstance(features, Judge):
        return _register_judge(features), f"toy judge v{VERSION}, pooled", "toy"
    if isinstance(features, ImageNetJudge):
        features = features.extractor
    features = choose_features() if features == "auto" else features
    if features == "mobilenet":
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        return _register_mobilenet(device), "MobileNetV2 1.0 (ImageNet), 1280 pooled", "mobilenet"
    if features != "inception":
        raise VarbookError(
            f'Fidelity is measured with "auto", "inception", "mobilenet" or a judge, not {features!r}.'
        )
    if not inception_cached():
        raise VarbookError(
            f'FID needs {INCEPTION_FILE} in torch.hub\'s cache; put it there, or choose "mobilenet".'
        )
    return "inception-v3-compat", "Inception v3 (2015-12-05), 2048 pooled", None


def _protocol(metric: str, smallest: int) -> str:
    if metric == "kernel":
        return f"cubic kernel, mean over 100 subsets of {min(1000, smallest)}"
    splits = "class scores of the judged images, mean over 10 splits; needs no reference"
    return {"frechet": "Gaussians fitted to each set", "inception": splits}.get(
        metric, "3 nearest neighbours"
    )


def fidelity(
    images: Tensor,
    reference: Tensor,
    features: str | AnyJudge = "auto",
    *,
    metrics: tuple[str, ...] = ("frechet", "kernel"),
    describe: str = "real images",
    seed: int = 2020,
    batch: int = 64,
) -> dict[str, Measured]:
    """Return each of `metrics` (of METRICS) of `images` against `reference`, with its metric card.

    Both are (N, 3, H, W), uint8 or in [-1, 1]. The features are those of "inception", "mobilenet"
    or a Judge, "auto" the first of the two whose weights are here. Raise VarbookError for unknown
    metrics, too few images (10 or more are needed), sets of two sizes, or missing weights.
    """
    unknown = [metric for metric in metrics if metric not in METRICS]
    if unknown or not metrics:
        raise VarbookError(f"There are no metrics {unknown}; choose some of {', '.join(METRICS)}.")
    images = to_bytes(images)
    reference = to_bytes(reference)
    same_size(images, reference)
    smallest = min(len(images), len(reference))
    if smallest < 10:
        raise VarbookError(
            f"A distance between sets needs 10 images or more in each, not {smallest}."
        )
    import torch_fidelity

    extractor, description, suffix = extractor_for(features)
    raw = torch_fidelity.calculate_metrics(
        input1=ImageSet(images),
        input2=ImageSet(reference),
        feature_extractor=extractor,
        fid="frechet" in metrics,
        kid="kernel" in metrics,
        isc="inception" in metrics,
        prc="precision" in metrics or "recall" in metrics,
        kid_subset_size=min(1000, smallest),
        rng_seed=seed,
        batch_size=batch,
        cuda=torch.cuda.is_available(),
        cache=False,
        save_cpu_ram=True,  # or it starts four processes for pictures that are in memory already
        verbose=False,
    )
    measured = {}
    for metric in metrics:
        key, with_inception, stem = KEYS[metric]
        card = MetricCard(
            evaluator("torch-fidelity"),
            description,
            len(images),
            len(reference),
            describe,
            _protocol(metric, smallest),
            seed if metric in ("kernel", "inception") else None,
        )
        measured[metric] = Measured(
            f"{stem}-{suffix}" if suffix else with_inception, raw[key], card
        )
    return measured


def frechet(
    images: Tensor,
    reference: Tensor,
    features: str | AnyJudge = "auto",
    describe: str = "real images",
) -> Measured:
    """Return the Frechet distance of `images` to `reference`, both (N, 3, H, W).

    It is called FID, FD-mobilenet or FD-toy, after its features.
    """
    return fidelity(images, reference, features, metrics=("frechet",), describe=describe)["frechet"]


def kernel(
    images: Tensor,
    reference: Tensor,
    features: str | AnyJudge = "auto",
    describe: str = "real images",
) -> Measured:
    """Return the kernel distance of `images` to `reference`, both (N, 3, H, W).

    It is called KID, KD-mobilenet or KD-toy, after its features.
    """
    return fidelity(images, reference, features, metrics=("kernel",), describe=describe)["kernel"]
