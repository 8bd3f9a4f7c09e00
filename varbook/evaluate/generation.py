"""Quality of generated images: distance, score, and whether the judge recognises the class."""

import torch
import torch.nn.functional as F
from torch import Tensor

from varbook.errors import VarbookError
from varbook.evaluate.fidelity import fidelity
from varbook.evaluate.image_checks import to_unit
from varbook.evaluate.translation import look
from varbook.features.imagenet_judge import AnyJudge


def resized(images: Tensor, size: int | tuple[int, int]) -> Tensor:
    """Return images (N, 3, H, W), uint8 or in [-1, 1], at another size as floats in [-1, 1].

    Bicubic interpolation with antialiasing.
    """
    height, width = (size, size) if isinstance(size, int) else size
    x = to_unit(images) * 2 - 1
    if x.shape[-2:] == (height, width):
        return x
    # Bicubic weights are negative in places, so that the result may leave the range.
    return F.interpolate(x, size=(height, width), mode="bicubic", antialias=True).clamp(-1, 1)


def recognised(judge: AnyJudge, images: Tensor, labels: Tensor) -> Tensor:
    """Return, per image (N, 3, H, W), whether the judge sees its class `labels` (N,): bool (N,)."""
    return look(judge, images).species.argmax(-1) == labels.cpu()


def judge_samples(
    judge: AnyJudge, images: Tensor, labels: Tensor, reference: Tensor, *, describe: str
) -> dict:
    """Return distance and score (FD-toy and IS-toy, or as the judge names them), precision and recall
    of images (N, 3, H, W) against `reference`.

    Also the judge's accuracy on their class `labels` (N,), and the metric card. Each set
    needs 10 images or more.
    """
    measured = fidelity(
        images,
        reference,
        judge,
        metrics=("frechet", "inception", "precision", "recall"),
        describe=describe,
    )
    return {
        measured["frechet"].name: measured["frechet"].value,
        measured["inception"].name: measured["inception"].value,
        "precision": measured["precision"].value,
        "recall": measured["recall"].value,
        "taken for its class": recognised(judge, images, labels).float().mean().item(),
        "card": measured["frechet"].as_dict()["card"],
    }


def detail(images: Tensor) -> Tensor:
    """Return the fine detail (N,) of images (N, 3, H, W): the mean step between neighbours.

    In grey levels of 255.
    """
    x = to_unit(images) * 255
    if min(x.shape[-2:]) < 2:
        raise VarbookError("A step between neighbours needs images of at least 2 x 2 pixels.")
    across = x.diff(dim=3).abs().mean((1, 2, 3))  # N
    down = x.diff(dim=2).abs().mean((1, 2, 3))  # N
    return (across + down) / 2


def spectrum(images: Tensor) -> Tensor:
    """Return the mean power of square images (N, 3, S, S) at 0, 1 ... S/2 waves per side.

    The result is (S/2 + 1,): blur lowers its end, ripples raise it.
    """
    x = to_unit(images).mean(1)  # N S S
    if x.shape[-2] != x.shape[-1]:
        raise VarbookError(
            f"Waves per side are counted on square images, not on {x.shape[-2]} x {x.shape[-1]} pixels."
        )
    x = x - x.mean((1, 2), keepdim=True)  # the mean colour is not a detail
    side = x.shape[-1]
    power = torch.fft.fft2(x, norm="ortho").abs().square().mean(0)  # S S
    waves = torch.fft.fftfreq(side) * side
    ring = (waves[:, None].square() + waves[None].square()).sqrt().round().long()  # S S
    inside = ring <= side // 2
    total = torch.zeros(side // 2 + 1).index_add(0, ring[inside], power[inside])
    return total / torch.bincount(ring[inside], minlength=side // 2 + 1)
