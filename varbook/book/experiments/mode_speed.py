"""How long one picture takes in parallel and in serial mode (CycleVAR table 3)."""

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor

from varbook.evaluate import cost
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.train.store import Run, hardware
from varbook.transformer.model import NextScaleModel
from varbook.translate.cyclevar import CycleVAR, CycleVARConfig

# A model, its tokenizer and one picture (1, 3, H, W) in [-1, 1].
Parts = tuple[NextScaleModel, Tokenizer, Tensor]


@torch.no_grad()
def seconds_of_modes(parts: Parts, label: int, repeats: int) -> dict[str, float]:
    """Return the seconds of transformer and SRQ for one picture, without encoder and decoder, in
    each mode: the median of `repeats` after a warm-up.
    """
    model, tokenizer, image = parts
    target = torch.full((1,), label, device=image.device)
    times = {}
    for mode in ("parallel", "serial"):
        translator = CycleVAR(tokenizer, model, CycleVARConfig(mode=mode)).eval()
        times[mode] = cost.seconds(
            partial(_latent, translator, translator.source(image), target), repeats
        )
    return times


def _latent(translator: CycleVAR, source: list[Tensor], target: Tensor) -> float:
    return translator.latent(source, target).sum().item()  # item() waits for a GPU


def speed_settings(main: Run, repeats: int) -> dict:
    """Return what the measured seconds depend on beside the study's model: the book's main model,
    the machine, and how often each is timed.
    """
    return {
        "repeats": repeats,
        "hardware": hardware(),
        "main": main.key,
        "what": "transformer and SRQ, one picture",
    }


def speed_rows(speed: Mapping[str, Mapping], paper: list[dict]) -> list[dict]:
    """Return one row a model with both times and their quotient; the paper's row is the last."""
    printed = {row["mode"].split()[0]: row["seconds"] for row in paper}
    return [
        {"model": name, **times, "serial / parallel": times["serial"] / times["parallel"]}
        for name, times in ({**speed, "the paper's": printed}).items()
    ]
