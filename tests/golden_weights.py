"""The weights behind the golden vectors: a pure function of a tensor's published name, its shape
and a seed.
"""

import math
import re
import zlib
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

GOLDEN = Path(__file__).parent / "golden"
# Buffers that the published models build themselves.
LEFT_AS_BUILT = (
    "lvl_1L",
    "attn_bias_for_masking",
    "zero_k_bias",
    "ema_vocab_hit_SV",
    "codebook_used",
)
# How the models of the golden vectors are smaller than the published ones: every side of every
# tensor.
SMALLER = {
    "var-tokenizer": {160: 32, 320: 64, 640: 128, 1920: 384, 4096: 512, 10: 4},
    "flexvar-tokenizer": {8912: 512},
    "var-d16": {
        1024: 128,
        2048: 256,
        3072: 384,
        4096: 512,
        6144: 768,
        1001: 11,
        16: 2,
        680: 30,
        10: 4,
    },
    "flexvar-d16": {
        1024: 128,
        2048: 256,
        3072: 384,
        4096: 512,
        6144: 768,
        1001: 11,
        16: 2,
        680: 30,
        8912: 512,
    },
    "var-d36": {
        2304: 128,
        4608: 256,
        6912: 384,
        9216: 512,
        13824: 768,
        4096: 512,
        1001: 11,
        36: 2,
        2240: 30,
        10: 4,
    },
}

Shapes = dict[str, tuple[int, ...]]


def golden(kind: str) -> dict[str, Tensor]:
    """Return the golden vectors of "var" or "flexvar", with the image that both were shown."""
    return load_file(GOLDEN / f"{kind}_tiny.safetensors") | load_file(GOLDEN / "image.safetensors")


def listed(name: str) -> tuple[Shapes, dict[str, int]]:
    """Return the tensors that keys.txt lists for a published model, and its totals: tensors,
    numbers, parameters.
    """
    text = (GOLDEN / "keys.txt").read_text()
    totals, rows = re.search(rf"^== {name} (.*)\n((?:[^=].*\n)*)", text, re.MULTILINE).groups()
    counts = {what: int(count) for what, count in re.findall(r"(\w+) (\d+)", totals)}
    return {
        key: tuple(map(int, sides.split("x")))
        for key, sides in (row.split() for row in rows.splitlines())
    }, counts


def with_blocks(shapes: Shapes, depth: int) -> Shapes:
    """Return `shapes` with `depth` blocks in place of the first one."""
    first = {key: shape for key, shape in shapes.items() if key.startswith("blocks.0.")}
    more = {
        key.replace("blocks.0.", f"blocks.{n}."): shape
        for n in range(1, depth)
        for key, shape in first.items()
    }
    return shapes | more


def resized(shapes: Shapes, sides: dict[int, int]) -> Shapes:
    """Return `shapes` with sides replaced."""
    return {key: tuple(sides.get(side, side) for side in shape) for key, shape in shapes.items()}


def golden_tensor(name: str, shape: tuple[int, ...], seed: int = 0) -> Tensor:
    """Return the weight called `name` in the published layout: seeded normals, scaled by what the
    tensor is for.
    """
    noise = torch.randn(
        shape, generator=torch.Generator().manual_seed(zlib.crc32(f"{seed}:{name}".encode()))
    )
    if "scale_mul" in name:
        return 0.1 * noise + math.log(4)
    if name.endswith("embedding.weight"):  # the codebook
        return noise
    if "emb" in name or name.startswith("pos_"):
        return 0.5 * noise
    if noise.ndim == 1:
        return 1 + 0.1 * noise if name.endswith("weight") else 0.1 * noise
    return noise / math.sqrt(noise.numel() / shape[0])  # by the number of inputs


def golden_state(name: str, depth: int = 2) -> dict[str, Tensor]:
    """Return a checkpoint of the small model in the layout of the published `name`; the buffers
    hold nonsense.
    """
    shapes = resized(with_blocks(listed(name)[0], depth), SMALLER[name])
    left = {key for key in shapes if key.rsplit(".", 1)[-1] in LEFT_AS_BUILT}
    return {
        key: torch.full(shape, 7.0) if key in left else golden_tensor(key, shape)
        for key, shape in shapes.items()
    }
