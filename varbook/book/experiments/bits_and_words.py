"""What chapter 11 measures on its tokenizer of sign bits."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from varbook.evaluate.reconstruction import psnr
from varbook.tokenizer.bits import BinaryCodes, bit_entropy
from varbook.tokenizer.schedule import Schedule
from varbook.tokenizer.tokenizer import Tokenizer


@torch.no_grad()
def bit_report(tokenizer: Tokenizer, images: Tensor) -> dict[str, list[float]]:
    """Return for each scale the mean entropy of a bit over `images` (B, 3, H, W) in [-1, 1], and the
    PSNR in dB of the sum of all codes so far.
    """
    quantised = tokenizer.quantise(tokenizer.encode(images))
    decoded = [tokenizer.decode(latent).clamp(-1, 1) for latent in quantised.latents]
    assert isinstance(tokenizer.codebook, BinaryCodes)
    decibels = [psnr(picture, images).mean().item() for picture in decoded]
    return {"psnr": decibels, "entropy": bit_entropy(tokenizer.codebook, quantised.tokens)}


def bit_rows(
    schedule: Schedule, bits: int, report: Mapping[str, Sequence[float]]
) -> list[dict[str, Any]]:
    """Return one row for each scale of a `bit_report`, for tokens of so many `bits`."""
    return [
        {
            "scale": f"{height}x{width}",
            "bits": height * width * bits,
            "mean entropy of a bit": entropy,
            "PSNR of the sum so far": decibels,
        }
        for (height, width), entropy, decibels in zip(
            schedule, report["entropy"], report["psnr"], strict=True
        )
    ]
