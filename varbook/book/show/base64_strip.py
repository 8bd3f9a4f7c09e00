"""Pictures in a run record: a row of them as one PNG or JPEG, written as base64 text."""

import base64
import io

import torch
from PIL import Image
from torch import Tensor

from varbook.data.images import to_uint8


def encode_strip(images: Tensor, quality: int | None = None) -> str:
    """Return images (N, 3, H, W), uint8 or in [-1, 1], side by side as one PNG in base64; with a
    `quality` (of 100) as JPEG.
    """
    images = images if images.dtype == torch.uint8 else to_uint8(images)
    picture = Image.fromarray(torch.cat(list(images), dim=-1).permute(1, 2, 0).contiguous().numpy())
    data = io.BytesIO()
    if quality is None:
        picture.save(data, "PNG", optimize=True)
    else:
        picture.save(data, "JPEG", quality=quality, subsampling=0, optimize=True)
    return base64.b64encode(data.getvalue()).decode("ascii")


def decode_strip(text: str, count: int) -> Tensor:
    """Return the `count` images, uint8 (count, 3, H, W), of what `encode_strip` made."""
    picture = Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB")
    pixels = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8).view(
        picture.height, picture.width, 3
    )
    return torch.stack(pixels.permute(2, 0, 1).split(picture.width // count, dim=-1))
