"""Whole sets of images through a translator, or through its tokenizer alone, in batches."""

from typing import Any, Protocol

import torch
from torch import Tensor, nn

from varbook.config import check_whole
from varbook.data.images import to_float
from varbook.device import pick_device
from varbook.errors import VarbookError
from varbook.tokenizer.tokenizer import Tokenizer


class Translator(Protocol):
    """What translates: CycleVAR, or a rival that is called as CycleVAR is."""

    @property
    def model(self) -> nn.Module:
        """What is trained; one that reads prompts has `ids`, which turns them into word ids."""

    def __call__(self, image: Tensor, target: Tensor, /) -> Tensor:
        """Translate images (B, 3, H, W) in [-1, 1] into targets (B,) or (B, T)."""


def check_images(images: Tensor, batch: int) -> None:
    """Raise VarbookError where `images` are not one or more of shape (N, 3, H, W), or `batch` is no
    number of them.
    """
    check_whole("A batch", batch, 1)
    if not isinstance(images, Tensor) or images.ndim != 4 or images.shape[1] != 3:
        shape = tuple(images.shape) if isinstance(images, Tensor) else type(images).__name__
        raise VarbookError(f"Images are one tensor (N, 3, H, W), not {shape}.")
    if not len(images):
        raise VarbookError("There is no image to translate: give at least one.")


@torch.no_grad()
def translate_all(
    translator: Translator, images: Tensor, target: int | str, batch: int = 32
) -> Tensor:
    """Translate uint8 images (N, 3, H, W) into class, or prompt,
    `target` -> floats (N, 3, H, W) in [-1, 1] on the CPU.

    VarbookError where there is no image, or `batch` or `target` is not valid.
    """
    check_images(images, batch)
    model: Any = translator.model  # one that reads prompts has `ids`
    device = next(model.parameters()).device
    if isinstance(target, str) and not hasattr(model, "ids"):
        raise VarbookError(f"This model translates into classes by number, not into {target!r}.")
    if isinstance(target, str):
        label = model.ids([target])[0]  # T
    else:
        label = torch.tensor(check_whole("A target's class", target, 0), device=device)
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
    check_images(images, batch)
    device = pick_device()
    return torch.cat(
        [tokenizer.reconstruct(to_float(rows).to(device))[-1].cpu() for rows in images.split(batch)]
    )
