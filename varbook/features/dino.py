"""DINO's ViT-B/8, as far as its last keys: the descriptors of the structure distance that the
papers report.
"""

from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from varbook.errors import VarbookError
from varbook.features.squeezenet import fill

# The name under which torch.hub keeps the checkpoint that DINO's authors published.
FILE = "dino_vitbase8_pretrain.pth"
PATCH = 8
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Attention(nn.Module):
    """Self-attention over (B,T,C), named as in the checkpoint."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        parts = self.qkv(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # 3 B H T C/H
        return self.proj(F.scaled_dot_product_attention(*parts).transpose(1, 2).flatten(2))  # B T C


class Block(nn.Module):
    """Attention and a two-layer perceptron, each on the normalised input and added to it."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.attn = Attention(width, heads)
        self.mlp = nn.ModuleDict(
            {"fc1": nn.Linear(width, 4 * width), "fc2": nn.Linear(4 * width, width)}
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp["fc2"](F.gelu(self.mlp["fc1"](self.norm2(x))))


class Dino(nn.Module):
    """Frozen vision transformer, by default ViT-B/8; input (B,3,H,W) in [-1,1], resized to `side` x
    `side` pixels.
    """

    def __init__(self, width: int = 768, heads: int = 12, depth: int = 12, side: int = 224):
        super().__init__()
        self.side = side
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, (side // PATCH) ** 2 + 1, width))
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, width, PATCH, PATCH)})
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=1e-6)

    def keys(self, images: torch.Tensor) -> torch.Tensor:
        """Return the keys of the last block for the class token and all patches, heads side by side: (B,785,768) for
        ViT-B/8.
        """
        size = (self.side, self.side)
        if images.shape[2:] != size:
            images = F.interpolate(
                images, size=size, mode="bilinear", antialias=True, align_corners=False
            )
        mean, std = (
            torch.tensor(c, device=images.device)[:, None, None]
            for c in (IMAGENET_MEAN, IMAGENET_STD)
        )
        x = (
            self.patch_embed["proj"](((images + 1) / 2 - mean) / std).flatten(2).transpose(1, 2)
        )  # B T-1 C
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], dim=1) + self.pos_embed  # B T C
        for block in self.blocks[:-1]:
            x = block(x)
        last = self.blocks[-1]
        return last.attn.qkv(last.norm1(x)).chunk(3, dim=2)[1]  # B T C


def checkpoint() -> Path | None:
    """Return the checkpoint in torch.hub's cache, or None."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / FILE
    return path if path.is_file() else None


def load_dino(path: Path | str | None = None) -> Dino:
    """Return the frozen network with the checkpoint at `path` (None: torch.hub's cache); raise
    VarbookError if it is missing.
    """
    found = Path(path) if path is not None else checkpoint()
    if found is None or not found.is_file():
        raise VarbookError(
            f"DINO's checkpoint {found or FILE} is not there; put it into {torch.hub.get_dir()}/checkpoints, "
            'or measure structure with "mobilenet" or a judge.'
        )
    try:
        weights = torch.load(found, map_location="cpu", weights_only=True)
    except Exception as error:
        raise VarbookError(f"DINO's checkpoint {found} cannot be read; fetch it again.") from error
    return fill(Dino(), weights, str(found))
