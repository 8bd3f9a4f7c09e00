"""What every measure checks first: that it was given images, and two sets that go together."""

import torch

from varbook.errors import VarbookError


def to_unit(images: torch.Tensor) -> torch.Tensor:
    """Return images (N,3,H,W), uint8 or float in [-1,1], as float32 in [0,1]; raise VarbookError if
    they are neither.
    """
    if not torch.is_tensor(images) or images.ndim != 4 or images.shape[1] != 3 or len(images) == 0:
        shape = tuple(images.shape) if torch.is_tensor(images) else type(images).__name__
        raise VarbookError(f"A measure needs images (N,3,H,W) with N of 1 or more, not {shape}.")
    if images.dtype == torch.uint8:
        return images.float() / 255
    if not images.is_floating_point():
        raise VarbookError(
            f"A measure needs images of uint8, or floats in [-1,1], not {images.dtype}."
        )
    if not bool(torch.isfinite(images).all()):
        raise VarbookError(
            "These images hold values that are not numbers; look at the model that made them."
        )
    # Half a grey step of slack: a model's output may overshoot, a picture in [0,255] may not slip
    # through.
    if float(images.amin()) < -1.5 or float(images.amax()) > 1.5:
        raise VarbookError(
            "Float images have to lie in [-1,1]; divide by 127.5 and subtract 1, or pass uint8."
        )
    return (images.float().clamp(-1, 1) + 1) / 2


def to_bytes(images: torch.Tensor) -> torch.Tensor:
    """Return images (N,3,H,W), uint8 or float in [-1,1], as uint8 on the CPU."""
    return (to_unit(images) * 255).round().to(torch.uint8).cpu()


def same_shape(a: torch.Tensor, b: torch.Tensor, what: str = "images") -> None:
    """Raise VarbookError unless `a` and `b` have one shape."""
    if a.shape != b.shape:
        raise VarbookError(
            f"These {what} do not go together: {tuple(a.shape)} and {tuple(b.shape)}."
        )
