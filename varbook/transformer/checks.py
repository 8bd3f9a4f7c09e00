"""What a next-scale model may be made of and asked for: the one place that refuses the rest."""

import torch
from torch import Tensor, nn

from varbook.config import check_whole
from varbook.errors import VarbookError
from varbook.tokenizer.schedule import check_latent


def check_model(config) -> None:
    """Raise VarbookError where no model can be built from a `NextScaleConfig`."""
    # Scales need not grow: in raster order each is one token.
    if not isinstance(config.schedule, (tuple, list)) or not config.schedule:
        raise VarbookError(f"A model needs a schedule of scales, not {config.schedule!r}.")
    for scale in config.schedule:
        check_latent(scale)
    for name in ("code_dim", "depth", "width", "heads", "mamba_state"):
        check_whole(name, getattr(config, name), 1)
    for name in ("classes", "bits"):
        check_whole(name, getattr(config, name), 0)
    check_whole("vocab_size", config.vocab_size, 0 if config.bits else 1)
    if config.size_told and hasattr(config, "words"):
        raise VarbookError(
            "A model that reads is not told the size of its picture: leave size_told at False."
        )
    if config.width % config.heads:
        raise VarbookError(
            f"The width {config.width} cannot be shared by {config.heads} heads: make it a multiple of them."
        )
    if config.width < 4:
        raise VarbookError(f"A width of {config.width} has no room for positions: take 4 or more.")


def check_labels(labels: object, reads: bool = False) -> Tensor:
    """Return class labels (B,), or word ids (B, T) of a model that `reads`, where they are whole
    numbers in a tensor of that shape; VarbookError where not.
    """
    wanted = 'word ids (B, T), made with model.ids(["a horse"])' if reads else "class labels (B,)"
    told = f"{wanted} as a tensor of whole numbers, such as torch.tensor([0, 3])"
    if not isinstance(labels, Tensor):
        raise VarbookError(f"A model is asked for {told}, not {type(labels).__name__}.")
    if labels.dtype not in (torch.int64, torch.int32) or labels.ndim != (2 if reads else 1):
        raise VarbookError(
            f"A model is asked for {told}, not {labels.dtype} of shape {tuple(labels.shape)}."
        )
    return labels


def check_precision(*modules: nn.Module) -> None:
    """Raise VarbookError where weights are stored in half precision: sums over scales need all
    digits, and `varbook.device.autocast` computes in bfloat16 where that is fast.
    """
    for module in modules:
        kind = next((p.dtype for p in module.parameters() if p.dtype.itemsize < 4), None)
        if kind:
            raise VarbookError(
                f"The weights of {type(module).__name__} are stored as {kind}: call .float() on it; "
                "varbook.device.autocast computes in bfloat16 where that is fast."
            )
