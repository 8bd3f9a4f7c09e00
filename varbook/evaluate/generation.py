"""How good generated images of the toy world are: distance and score on the judge's features, and
whether it sees the class.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from varbook.evaluate.fidelity import fidelity
from varbook.evaluate.image_checks import to_unit
from varbook.evaluate.translation import look
from varbook.features.judge import Judge


def resized(images: Tensor, size: int | tuple[int, int]) -> Tensor:
    """Return images (N, 3, H, W), uint8 or in [-1, 1], at another size as floats in [-1, 1]:
    bicubic, with antialiasing.
    """
    size = (size, size) if isinstance(size, int) else tuple(size)
    x = to_unit(images) * 2 - 1
    return (
        x
        if x.shape[-2:] == size
        else F.interpolate(x, size=size, mode="bicubic", antialias=True).clamp(-1, 1)
    )


def recognised(judge: Judge, images: Tensor, labels: Tensor) -> Tensor:
    """Return, image by image, whether the judge takes images (N, 3, H, W) for their class `labels`
    (N,): bool (N,).
    """
    return look(judge, images).species.argmax(-1) == labels.cpu()


def judge_samples(
    judge: Judge, images: Tensor, labels: Tensor, reference: Tensor, *, describe: str
) -> dict:
    """Return FD-toy, IS-toy, precision and recall of images (N, 3, H, W) against `reference`, how
    many are taken for their class (the share of N), and the metric card; 10 images or more in each
    set.
    """
    found = fidelity(
        images,
        reference,
        judge,
        metrics=("frechet", "inception", "precision", "recall"),
        describe=describe,
    )
    return {
        "FD-toy": found["frechet"].value,
        "IS-toy": found["inception"].value,
        "precision": found["precision"].value,
        "recall": found["recall"].value,
        "taken for its class": recognised(judge, images, labels).float().mean().item(),
        "card": found["frechet"].as_dict()["card"],
    }


def detail(images: Tensor) -> Tensor:
    """Return how much fine detail images (N, 3, H, W) hold: the mean absolute step from pixel to
    pixel, in grey levels of 255 (N,).
    """
    x = to_unit(images) * 255
    across, along = x.diff(dim=3).abs().mean((1, 2, 3)), x.diff(dim=2).abs().mean((1, 2, 3))
    return (across + along) / 2


def spectrum(images: Tensor) -> Tensor:
    """Return the mean power of square images (N, 3, S, S) at 0, 1 ... S/2 waves per side (S/2 +
    1,): where blur and ripples show.
    """
    x = to_unit(images).mean(1)  # N S S
    side = x.shape[-1]
    power = (
        torch.fft.fft2(x - x.mean((1, 2), keepdim=True), norm="ortho").abs().square().mean(0)
    )  # S S
    waves = torch.fft.fftfreq(side) * side
    ring = (waves[:, None].square() + waves[None].square()).sqrt().round().long()  # S S
    inside = ring <= side // 2
    total = torch.zeros(side // 2 + 1).index_add(0, ring[inside], power[inside])
    return total / torch.bincount(ring[inside], minlength=side // 2 + 1)
