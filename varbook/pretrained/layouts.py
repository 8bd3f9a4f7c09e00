"""How the published checkpoints name what our modules hold, and the strict way from theirs to ours.

A layout says for every tensor of ours which published tensor, or which ones one under the other, it
is made of. Everything is checked before anything is returned, so that a model is filled wholly or
not at all.
"""

import re
from collections.abc import Callable, Collection, Iterable
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
# What wrappers put before the name of every tensor, and how deep in a file tensors are looked for.
PREFIXES = ("module.", "_orig_mod.", "model.")
DEPTH = 3
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


def bare(content: dict) -> dict:
    """Return tensors by name without what wrappers of a training put before every name (`module.`
    of several cards, `_orig_mod.` of a compiled model).
    """
    names = [name for name, value in content.items() if isinstance(value, Tensor)]
    for prefix in PREFIXES:
        if names and all(str(name).startswith(prefix) for name in names):
            return bare({str(name).removeprefix(prefix): content[name] for name in names})
    return content


def candidates(content: dict, depth: int = DEPTH) -> dict[str, dict]:
    """Return dotted key -> dictionary for every place of a checkpoint that holds tensors by name."""
    found = {}
    if any(isinstance(value, Tensor) for value in content.values()):
        found[""] = bare(content)
    for key, value in content.items():
        if isinstance(value, dict) and depth:
            for inside, tensors in candidates(value, depth - 1).items():
                found[f"{key}.{inside}".rstrip(".")] = tensors
    return found


def unwrap(
    content: dict, layout: Layout, expected: Collection[str], source: str, part: str = ""
) -> dict:
    """Return the named tensors inside a training's checkpoint, or `content` where it has them itself.

    They are looked for under the layout's own keys first, then under any other. VarbookError where
    several places hold the model (its weights, and their moving average) and `part` names none.
    """
    places = candidates(content)
    if part and part not in places:
        raise VarbookError(f"{source} holds no {part!r}; it holds {_listed(places)}.")
    if part:
        return places[part]
    fitting = [key for key, tensors in places.items() if all(name in tensors for name in expected)]
    known = next((key for key in ("", *layout.wrappers) if key in fitting), None)
    if known is None and len(fitting) > 1:
        raise VarbookError(
            f"{source} holds the model more than once, as {_listed(fitting)}: choose one of them with `part`."
        )
    if known is not None or fitting:
        return places[fitting[0] if known is None else known]
    # None fits: what comes nearest is what the error speaks of.
    return max(places.values(), key=lambda found: len(set(found) & set(expected)), default=content)


def _listed(places: Iterable[str]) -> str:
    return ", ".join(repr(place) if place else "its own names" for place in places) or "no tensors"


def convert(
    content: dict, model: nn.Module, layout: Layout, source: str, part: str = ""
) -> dict[str, Tensor]:
    """Return the state for `model` (its own names) from what the file `source` holds; `part` names
    the dictionary in it, as in `unwrap`.

    Raises VarbookError that names the first tensor that is missing, extra, misshaped, no tensor of
    floats or not finite.
    """
    expected = published_shapes(model, layout)
    theirs = {
        name: value
        for name, value in unwrap(content, layout, expected, source, part).items()
        if _last(str(name)) not in THEIR_BUFFERS
    }
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
        if not value.isfinite().all():
            raise VarbookError(
                f"{source} is unusable: {name!r} holds infinite or undefined numbers; get it again."
            )
    state = {}
    for name, own in model.state_dict().items():
        if _last(name) in OUR_BUFFERS:
            state[name] = torch.zeros(own.shape)
            continue
        parts = [theirs[part] for part in layout.names(name)]
        state[name] = parts[0] if len(parts) == 1 else torch.cat(parts)
    return state
