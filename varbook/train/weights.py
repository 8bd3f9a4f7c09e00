"""Tensors on disk: safetensors plus a JSON beside it, written atomically, checked when read."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from varbook.device import pick_device, precision
from varbook.errors import VarbookError, told
from varbook.files import remedy, write_atomically

# Matrices from this size on are stored with eight bits a number and one scale a row: a quarter of
# the size, and what is lost (0.4 % of a row's largest entry) is far below what the models can tell.
# Numbers are measured after the rounding.
ROUNDED_FROM = 32_768
ANEW = "delete it and run again"


def serialised(tensors: dict[str, Tensor]) -> tuple[bytes, str]:
    """Return what a safetensors file of these tensors holds, and its sha256."""
    content = save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})
    return content, hashlib.sha256(content).hexdigest()


def save_tensors(path: Path, tensors: dict[str, Tensor]) -> str:
    """Write tensors to a safetensors file, flushed to the disk, and return the file's sha256;
    VarbookError where the system refuses.
    """
    content, sha256 = serialised(tensors)
    with told(path, "written"):
        write_atomically(path, content, flush=True)
    return sha256


def load_tensors(path: Path, sha256: str | None = None) -> dict[str, Tensor]:
    """Read a safetensors file; VarbookError where it is missing, not to be read, damaged or not the
    file whose `sha256` was recorded.
    """
    if not path.exists():
        raise VarbookError(
            f"There is no checkpoint at {path}; run the chapter that trains it, or give another path."
        )
    with told(path, "read"):
        content = path.read_bytes()
    if sha256 and hashlib.sha256(content).hexdigest() != sha256:
        raise VarbookError(
            f"The checkpoint {path} is damaged (its checksum is wrong); {remedy(path, ANEW)}."
        )
    try:
        return load(content)
    except Exception:
        raise VarbookError(
            f"The checkpoint {path} is damaged or no safetensors file; {remedy(path, ANEW)}."
        ) from None


def odd_number(tensors: Mapping[str, Tensor]) -> str | None:
    """Return the name of the first tensor that holds an infinite or undefined number, or None."""
    return next((name for name, tensor in tensors.items() if not tensor.isfinite().all()), None)


def check_sound(tensors: Mapping[str, Tensor], training: str) -> None:
    """Raise VarbookError, which tells of `training` ("The training ... after step 7"), where a
    tensor that is to be saved holds infinite or undefined numbers.
    """
    odd = odd_number(tensors)
    if odd:
        raise went_wrong(training, f"{odd!r} holds infinite or undefined numbers")


def went_wrong(training: str, fault: str) -> VarbookError:
    """Return the error of a training whose numbers are no longer finite: what is at fault, what
    is kept, and what helps.
    """
    coarse = precision(pick_device()) == torch.bfloat16
    exact = ", or train in float32 (VARBOOK_PRECISION=float32)" if coarse else ""
    return VarbookError(
        f"{training} went wrong: {fault}; what was saved before stays, and nothing is kept as "
        f"finished: lower its learning rate (lr) in the profile{exact}."
    )


def pack(model: nn.Module) -> dict[str, Tensor]:
    """Return the model's state, large matrices rounded to
    eight bits with a scale per row (`name//scale`).
    """
    packed = {}
    for name, tensor in model.state_dict().items():
        if tensor.ndim < 2 or tensor.numel() < ROUNDED_FROM or not tensor.is_floating_point():
            packed[name] = tensor
            continue
        rows = tensor.detach().float().flatten(1)
        scale = rows.abs().amax(1, keepdim=True).clamp_min(1e-12) / 127
        packed[name] = (rows / scale).round().to(torch.int8).view(tensor.shape)
        packed[f"{name}//scale"] = scale
    return packed


def unpack(
    model: nn.Module, packed: dict[str, Tensor], path: Path | str = "the checkpoint"
) -> None:
    """Load what `pack` made into `model`, strictly: VarbookError names the first tensor that is
    missing, extra, misshaped, of another kind, or holds what is not a finite number.
    """
    own = model.state_dict()
    shapes = {name: tensor.shape for name, tensor in own.items()}
    # A float tensor that was stored in eight bits is nothing without the scales of its rows.
    rounded = [
        name
        for name in own
        if own[name].is_floating_point() and name in packed and packed[name].dtype == torch.int8
    ]
    shapes |= {f"{name}//scale": torch.Size((len(own[name]), 1)) for name in rounded}
    extra = sorted(set(shapes) ^ set(packed))
    if extra:
        raise VarbookError(
            f"{path} does not fit the model: the tensor {extra[0]!r} is {'missing' if extra[0] in shapes else 'not in the model'}."
        )
    wrong = next((name for name in shapes if shapes[name] != packed[name].shape), None)
    if wrong:
        raise VarbookError(
            f"{path} does not fit the model: {wrong!r} has the shape {tuple(packed[wrong].shape)}, not {tuple(shapes[wrong])}."
        )
    other = next((name for name in shapes if not _same_kind(own.get(name), packed[name])), None)
    if other:
        raise VarbookError(
            f"{path} does not fit the model: {other!r} holds {packed[other].dtype}, not numbers of the model's kind."
        )
    odd = odd_number(packed)
    if odd:
        raise VarbookError(
            f"{path} is unusable: {odd!r} holds infinite or undefined numbers; delete it and train that model again."
        )
    scaled = {
        name: (packed[name].flatten(1).float() * packed[f"{name}//scale"]).view(own[name].shape)
        for name in rounded
    }
    model.load_state_dict({name: scaled.get(name, packed[name]) for name in own})


def _same_kind(own: Tensor | None, stored: Tensor) -> bool:
    # Scales, and floats in eight bits, belong to a float of the model; precision may differ.
    if own is None or (own.is_floating_point() and stored.dtype == torch.int8):
        return own is not None or stored.is_floating_point()
    return own.dtype == stored.dtype or (own.is_floating_point() and stored.is_floating_point())
