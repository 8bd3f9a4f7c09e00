"""Checks that every measure makes first: are these images, and do two sets match?"""

from typing import Protocol

import torch
from torch import Tensor

from varbook.errors import VarbookError


class Images(Protocol):
    """A set of images that is read one by one: uint8 (3, H, W) each."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Tensor: ...


LUMA = (0.299, 0.587, 0.114)  # of red, green and blue in luminance (ITU-R BT.601)


def to_unit(images: Tensor) -> Tensor:
    """Return images (N, 3, H, W), uint8 or floats in [-1, 1], as float32 in [0, 1].

    Raises VarbookError for anything else.
    """
    if (
        not torch.is_tensor(images)
        or images.ndim != 4
        or images.shape[1] != 3
        or not images.numel()
    ):
        shape = tuple(images.shape) if torch.is_tensor(images) else type(images).__name__
        raise VarbookError(f"A measure needs images (N, 3, H, W), one or more, not {shape}.")
    if images.dtype == torch.uint8:
        return images.float() / 255
    if not images.is_floating_point():
        raise VarbookError(
            f"A measure needs images of uint8, or floats in [-1, 1], not {images.dtype}."
        )
    if not bool(torch.isfinite(images).all()):
        raise VarbookError(
            "These images hold values that are not numbers; look at the model that made them."
        )
    # Half a range of slack: a model's output may overshoot, but images in [0, 255] must not pass.
    if float(images.amin()) < -1.5 or float(images.amax()) > 1.5:
        raise VarbookError(
            "Float images have to lie in [-1, 1]; divide by 127.5 and subtract 1, or pass uint8."
        )
    return (images.float().clamp(-1, 1) + 1) / 2


def luminance(images: Tensor) -> Tensor:
    """Return the luminance (N, H, W) in [0, 1] of images (N, 3, H, W), uint8 or in [-1, 1]."""
    weights = torch.tensor(LUMA, device=images.device)[:, None, None]
    return (to_unit(images) * weights).sum(dim=1)  # N H W


def to_bytes(images: Tensor) -> Tensor:
    """Return images (N, 3, H, W), uint8 or float in [-1, 1], as uint8 on the CPU."""
    return (to_unit(images) * 255).round().to(torch.uint8).cpu()


def same_size(a: Tensor, b: Tensor) -> None:
    """Raise VarbookError unless the pictures of `a` and `b` (..., H, W) have one size."""
    if a.shape[-2:] != b.shape[-2:]:
        sizes = (" x ".join(map(str, x.shape[-2:])) for x in (a, b))
        raise VarbookError(
            f"A distance between sets needs pictures of one size, not {' and '.join(sizes)}: their "
            "sharpness would count as a difference; resize one set first (evaluate.generation.resized)."
        )


def same_shape(a: Tensor, b: Tensor, names: str = "images") -> None:
    """Raise VarbookError unless `a` and `b` have one shape."""
    if a.shape != b.shape:
        raise VarbookError(
            f"These {names} do not go together: {tuple(a.shape)} and {tuple(b.shape)}."
        )
