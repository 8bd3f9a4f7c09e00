"""Whole sets of images through a translator, or through its tokenizer alone, in batches."""

from typing import Any, Protocol

import torch
from torch import Tensor, nn

from varbook.data.images import to_float
from varbook.device import pick_device
from varbook.tokenizer.tokenizer import Tokenizer


class Translator(Protocol):
    """What translates: CycleVAR, or a rival that is called as CycleVAR is."""

    @property
    def model(self) -> nn.Module:
        """What is trained; one that reads prompts has `ids`, which turns them into word ids."""

    def __call__(self, image: Tensor, target: Tensor, /) -> Tensor:
        """Translate images (B, 3, H, W) in [-1, 1] into targets (B,) or (B, T)."""


@torch.no_grad()
def translate_all(
    translator: Translator, images: Tensor, target: int | str, batch: int = 32
) -> Tensor:
    """Translate uint8 images (N, 3, H, W) into class, or prompt,
    `target` -> floats (N, 3, H, W) in [-1, 1] on the CPU.
    """
    model: Any = translator.model  # one that reads prompts has `ids`
    device = next(model.parameters()).device
    if isinstance(target, str):
        label = model.ids([target])[0]  # T
    else:
        label = torch.tensor(target, device=device)
    translated = []
    for rows in images.split(batch):
        labels = label.expand(len(rows), *label.shape)  # B, or B T
        translated.append(translator(to_float(rows).to(device), labels).clamp(-1, 1).cpu())
    return torch.cat(translated)


@torch.no_grad()
def render_all(tokenizer: Tokenizer, images: Tensor, batch: int = 64) -> Tensor:
    """Return uint8 images (N, 3, H, W) as the tokenizer renders them at its full scale, floats on
    the CPU that may leave [-1, 1] a little: no translation can be sharper than that.
    """
    device = pick_device()
    return torch.cat(
        [tokenizer.reconstruct(to_float(rows).to(device))[-1].cpu() for rows in images.split(batch)]
    )
