"""How the published checkpoints name what our modules hold, and the strict way from theirs to ours.

A layout says for every tensor of ours which published tensor, or which ones one under the other, it
is made of. Everything is checked before anything is returned, so that a model is filled wholly or
not at all.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from varbook.errors import VarbookError

# Buffers of the published checkpoints: masks, counts and constants that our modules make
# themselves.
THEIR_BUFFERS = (
    "lvl_1L",
    "attn_bias_for_masking",
    "zero_k_bias",
    "ema_vocab_hit_SV",
    "codebook_used",
    "mask",
    "zero",
)
# Buffers of ours that no checkpoint needs to hold; both start at zero.
OUR_BUFFERS = ("zero_k_bias", "hits")
CHUNK = 4  # blocks of one chunk in Infinity's published transformer
LEVELS = 5  # resolutions of every published autoencoder


@dataclass(frozen=True)
class Layout:
    """One naming of tensors; `wrappers` are the dotted keys below which training files keep them."""

    names: Callable[[str], tuple[str, ...]]  # our name -> published names
    wrappers: tuple[str, ...]


def var_tokenizer_names(name: str) -> tuple[str, ...]:
    """Return the name in VAR's VQVAE.

    Its decoder counts levels from the finest, ours in the order of execution.
    """
    name = name.replace("pyramid.codebook.", "quantize.")
    name = re.sub(r"pyramid\.phi\.(\d+)\.conv", r"quantize.quant_resi.qresi_ls.\1", name)
    name = re.sub(
        r"\.mid\.(\d)",
        lambda match: ".mid." + ("block_1", "attn_1", "block_2")[int(match[1])],
        name,
    )
    name = re.sub(
        r"decoder\.levels\.(\d)", lambda match: f"decoder.up.{LEVELS - 1 - int(match[1])}", name
    )
    name = name.replace("encoder.levels.", "encoder.down.").replace(".res.", ".block.")
    return (_resample(name),)


def llamagen_tokenizer_names(name: str) -> tuple[str, ...]:
    """Return the names in LlamaGen's VQ-16, which FlexVAR kept.

    Queries, keys and values are three tensors there and one here.
    """
    name = name.replace("pyramid.codebook.", "quantize.").replace(".levels.", ".conv_blocks.")
    name = _resample(name)
    if ".qkv." not in name:
        return (name,)
    return tuple(name.replace(".qkv.", f".{part}.") for part in "qkv")


def _resample(name: str) -> str:
    return name.replace(
        ".resample.", ".downsample." if name.startswith("encoder") else ".upsample."
    )


def next_scale_names(name: str) -> tuple[str, ...]:
    """Return the name in the transformers of VAR and FlexVAR: only the positions differ."""
    return (name.replace("positions.table", "pos_1LC"),)


def infinity_names(name: str) -> tuple[str, ...]:
    """Return the name in Infinity's transformer with its blocks in one list: attention is called sa."""
    return (name.replace(".attn.", ".sa."),)


def infinity_chunk_names(name: str) -> tuple[str, ...]:
    """Return the name in Infinity's published transformer, whose blocks lie in chunks of four."""

    def chunk(match: re.Match) -> str:
        return f"block_chunks.{int(match[1]) // CHUNK}.module.{int(match[1]) % CHUNK}."

    return (re.sub(r"^blocks\.(\d+)\.", chunk, infinity_names(name)[0]),)


def infinity_tokenizer_names(name: str) -> tuple[str, ...]:
    """Return the name in Infinity's tokenizer.

    VAR's names, with every norm and convolution in a wrapper.
    """
    module, last = var_tokenizer_names(name)[0].rsplit(".", 1)
    kind = "norm" if module.rsplit(".", 1)[-1].startswith("norm") else "conv"
    return (f"{module}.{kind}.{last}",)


VAR_TOKENIZER = Layout(var_tokenizer_names, ("trainer.vae_local",))
LLAMAGEN_TOKENIZER = Layout(llamagen_tokenizer_names, ("model",))
NEXT_SCALE = Layout(next_scale_names, ("trainer.var_wo_ddp",))
INFINITY = Layout(infinity_chunk_names, ("trainer.gpt_fsdp",))
INFINITY_TOKENIZER = Layout(infinity_tokenizer_names, ("vae",))


def _last(name: str) -> str:
    return name.rsplit(".", 1)[-1]


def published_shapes(model: nn.Module, layout: Layout) -> dict[str, torch.Size]:
    """Return name and shape of every tensor that a published checkpoint of `model` must hold.

    Buffers are left out.
    """
    shapes: dict[str, torch.Size] = {}
    for name, tensor in model.state_dict().items():
        if _last(name) not in OUR_BUFFERS:
            parts = layout.names(name)
            shapes |= dict.fromkeys(
                parts, torch.Size((len(tensor) // len(parts), *tensor.shape[1:]))
            )
    return shapes


def unwrap(content: dict, layout: Layout) -> dict:
    """Return the named tensors inside a training's checkpoint, or `content` where it has them itself."""
    for wrapper in layout.wrappers:
        inside: object = content
        for key in wrapper.split("."):
            inside = inside.get(key) if isinstance(inside, dict) else None
        if isinstance(inside, dict):
            return inside
    return content


def convert(content: dict, model: nn.Module, layout: Layout, source: str) -> dict[str, Tensor]:
    """Return the state for `model` (its own names) from what the file `source` holds.

    Raises VarbookError that names the first tensor that is missing, extra, misshaped or no tensor
    of floats.
    """
    theirs = {
        name: value
        for name, value in unwrap(content, layout).items()
        if _last(str(name)) not in THEIR_BUFFERS
    }
    expected = published_shapes(model, layout)
    missing = next((name for name in expected if name not in theirs), None)
    if missing:
        raise VarbookError(f"{source} does not fit the model: the tensor {missing!r} is missing.")
    extra = next((name for name in theirs if name not in expected), None)
    if extra:
        raise VarbookError(f"{source} does not fit the model: {extra!r} has no place in it.")
    for name, shape in expected.items():
        value = theirs[name]
        if not isinstance(value, Tensor) or not value.is_floating_point():
            raise VarbookError(
                f"{source} does not fit the model: {name!r} holds no floating-point numbers."
            )
        if value.shape != shape:
            raise VarbookError(
                f"{source} does not fit the model: {name!r} has the shape {tuple(value.shape)}, not {tuple(shape)}."
            )
    state = {}
    for name, own in model.state_dict().items():
        if _last(name) in OUR_BUFFERS:
            state[name] = torch.zeros(own.shape)
            continue
        parts = [theirs[part] for part in layout.names(name)]
        state[name] = parts[0] if len(parts) == 1 else torch.cat(parts)
    return state
