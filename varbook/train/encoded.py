"""What a next-scale model is trained on: the tokenizer's features, made beforehand where the images
fit into memory, and batch by batch where they do not.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from varbook.data.images import to_float
from varbook.data.shards import Crops, Rows
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.train.fit_next_scale import encode_all


@dataclass(frozen=True, eq=False)
class EncodedCrops:
    """The features of every crop of a set on disk, encoded when a loop asks for their rows."""

    tokenizer: Tokenizer
    crops: Crops
    device: torch.device
    batch: int = 64  # images that are encoded at once

    def __len__(self) -> int:
        return len(self.crops)

    @torch.no_grad()
    def __getitem__(self, rows: Tensor) -> Tensor:
        """Return the features of the crops `rows` (B,) on `device`: (B, C, h, w)."""
        images = to_float(self.crops[rows]).to(self.device, memory_format=torch.channels_last)
        return torch.cat([self.tokenizer.encode(part).float() for part in images.split(self.batch)])


def encoded(
    tokenizer: Tokenizer, images: Tensor | Crops, labels: Tensor | None, device: torch.device
) -> tuple[Rows, Rows]:
    """Return features and labels, row by row, for `fit_next_scale` and the rival generators.

    Images in memory, uint8 (N, 3, H, W) with labels (N, ...), are encoded now, and their mirror
    images as well: 2N rows. Crops are encoded when they are drawn, and bring labels of their own.
    """
    if isinstance(images, Tensor):
        assert labels is not None
        return encode_all(tokenizer, images, device), torch.cat((labels, labels))
    return EncodedCrops(tokenizer.to(device).eval(), images, device), images.labels
