"""DINO's ViT-B/8 up to its last keys: the descriptors of the papers' structure distance."""

from pathlib import Path
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from varbook.errors import VarbookError
from varbook.features.squeezenet import fill

# The name under which torch.hub keeps the checkpoint that DINO's authors published.
FILE = "dino_vitbase8_pretrain.pth"
PATCH = 8
IMAGENET_MEAN = (0.485, 0.456, 0.406)  # red, green, blue in [0, 1]
IMAGENET_STD = (0.229, 0.224, 0.225)


class Attention(nn.Module):
    """Self-attention over (B, T, C), named as in the checkpoint."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        parts = self.qkv(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # 3 B H T C/H
        return self.proj(F.scaled_dot_product_attention(*parts).transpose(1, 2).flatten(2))  # B T C


class Block(nn.Module):
    """Attention and a two-layer perceptron, each on the normalised input and added to it."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.attn = Attention(width, heads)
        self.mlp = nn.ModuleDict(
            {"fc1": nn.Linear(width, 4 * width), "fc2": nn.Linear(4 * width, width)}
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp["fc2"](F.gelu(self.mlp["fc1"](self.norm2(x))))


class Dino(nn.Module):
    """Frozen vision transformer, by default ViT-B/8.

    Input (B, 3, H, W) in [-1, 1], resized to `side` x `side` pixels.
    """

    def __init__(self, width: int = 768, heads: int = 12, depth: int = 12, side: int = 224):
        super().__init__()
        self.side = side
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, (side // PATCH) ** 2 + 1, width))
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, width, PATCH, PATCH)})
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=1e-6)

    def keys(self, images: Tensor) -> Tensor:
        """Return the keys of the last block, all heads side by side: (B, 785, 768) for ViT-B/8.

        One for the class token, then one per patch.
        """
        size = (self.side, self.side)
        if images.shape[2:] != size:
            images = F.interpolate(
                images, size=size, mode="bilinear", antialias=True, align_corners=False
            )
        mean = torch.tensor(IMAGENET_MEAN, device=images.device)[:, None, None]
        std = torch.tensor(IMAGENET_STD, device=images.device)[:, None, None]
        patches = self.patch_embed["proj"](((images + 1) / 2 - mean) / std)  # B C side/8 side/8
        x = patches.flatten(2).transpose(1, 2)  # B T-1 C
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], dim=1) + self.pos_embed  # B T C
        for block in self.blocks[:-1]:
            x = block(x)
        last = cast(Block, self.blocks[-1])
        # The keys of the last block are all that is asked for: it is not run to its end.
        return last.attn.qkv(last.norm1(x)).chunk(3, dim=2)[1]  # B T C


def checkpoint() -> Path | None:
    """Return the checkpoint in torch.hub's cache, or None."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / FILE
    return path if path.is_file() else None


def load_dino(path: Path | str | None = None) -> Dino:
    """Return the frozen network with the checkpoint at `path`; VarbookError if it is missing.

    Without a path it is looked for in torch.hub's cache.
    """
    file = Path(path) if path is not None else checkpoint()
    if file is None or not file.is_file():
        raise VarbookError(
            f"DINO's checkpoint {file or FILE} is not there; put it into {torch.hub.get_dir()}/checkpoints, "
            'or measure structure with "mobilenet" or a judge.'
        )
    try:
        weights = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        raise VarbookError(f"DINO's checkpoint {file} cannot be read; fetch it again.") from error
    return fill(Dino(), weights, str(file))
