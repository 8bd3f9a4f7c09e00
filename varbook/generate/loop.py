"""The loop over scales: predict a token map, add it
to the latent, show the model the latent, go on.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from varbook.errors import VarbookError
from varbook.generate.sampling import (
    PLAIN,
    Drawing,
    Generators,
    guidance_and_top_k,
    guide,
    sample_tokens,
)
from varbook.tokenizer.schedule import Schedule, check_schedule
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.transformer.checks import check_labels, check_precision
from varbook.transformer.model import NextScaleModel


class Generated(NamedTuple):
    """What one run of the loop gives."""

    images: Tensor  # B 3 H W in [-1, 1]
    tokens: list[Tensor]  # per scale, long (B, h, w)
    latents: list[Tensor]  # the feature map after each scale, for looking at the steps


class Forced(NamedTuple):
    """Codes that are given, not drawn: one entry per scale from the coarsest on; scales beyond the
    last entry are drawn freely.
    """

    tokens: list[Tensor]  # per scale, long (B or 1, h, w)
    masks: list[Tensor]  # per scale, bool (B or 1, h, w): True where the code is given


def check_forced(forced: Forced | None, schedule: Schedule, count: int) -> Forced:
    """Return `forced`, empty for None, where its maps have the sizes of the first scales of
    `schedule`, and are one or `count` of each; else VarbookError.
    """
    forced = forced or Forced([], [])
    sizes = [tuple(codes.shape[-2:]) for codes in forced.tokens]
    masked = [tuple(mask.shape[-2:]) for mask in forced.masks]
    if sizes != masked or sizes != list(schedule[: len(sizes)]):
        raise VarbookError(
            f"The forced codes have the sizes {sizes}, which are not those of the masks or of the schedule; "
            f"take both for the first scales of {schedule}."
        )
    given = {len(maps) for maps in (*forced.tokens, *forced.masks)}
    if not given <= {1, count}:
        raise VarbookError(
            f"{max(given - {1, count})} images and {count} labels do not go together: give a label for each image."
        )
    return forced


@torch.no_grad()
def generate(
    model: NextScaleModel,
    tokenizer: Tokenizer,
    labels: Tensor,
    schedule: Schedule | None = None,
    drawing: Drawing = PLAIN,
    *,
    forced: Forced | None = None,
    generator: Generators = None,
) -> Generated:
    """Generate one image per class label (B,), or text (B, T) for a model that reads, scale by
    scale (FlexVAR eqs. 2 and 6).

    VAR and FlexVAR differ in the tokenizer's pyramid alone: what a scale adds, and
    what the next one sees. `forced` codes take the place of drawn ones: all editing
    is made of this (FlexVAR section 4.4, `varbook.generate.editing`). A list of
    generators, one per image, makes each image independent of the others. Raises
    VarbookError for a schedule, labels or forced codes that the model cannot take, and for weights in
    half precision.
    """
    schedule = check_schedule(schedule or model.config.schedule)
    labels = check_labels(labels, reads=hasattr(model, "ids"))
    check_precision(model, tokenizer)
    if not labels.numel():
        raise VarbookError("There is nothing to generate: give at least one class label.")
    forced = check_forced(forced, schedule, len(labels))
    pyramid, codebook = tokenizer.pyramid, tokenizer.codebook
    steps, count, guided = len(schedule), len(labels), bool(drawing.guidance)
    # Rows 0..B-1 carry the class, rows B..2B-1 none: guidance compares the two.
    doubled = torch.cat((labels, model.no_condition(labels))) if guided else labels
    condition = model.sized(model.condition(doubled), schedule[-1])  # 2B C
    modulations, caches = model.modulations(condition), model.new_caches(schedule)
    latent, tokens, latents, seen = pyramid.start(count, schedule[-1]), [], [], None
    for k, size in enumerate(schedule):
        x = model.embed([seen], condition, schedule, first=k)  # 2B h*w C
        logits = model.step(x, condition, modulations, caches)  # 2B h*w V
        strength, top_k = guidance_and_top_k(drawing, k, steps, size)
        if guided:
            logits = guide(logits[:count], logits[count:], strength)  # B h*w V
        choices = sample_tokens(
            codebook.split(logits),
            top_k=top_k,
            top_p=drawing.top_p,
            temperature=drawing.temperature,
            generator=generator,
        )
        indices = codebook.from_choices(choices).view(count, *size)  # B h w
        if k < len(forced.tokens):
            indices = torch.where(forced.masks[k], forced.tokens[k], indices)
        tokens.append(indices)
        codes = codebook.lookup(indices).permute(0, 3, 1, 2)  # B C h w
        latent = pyramid.add(latent, codes, k, steps)
        latents.append(latent)
        if k + 1 < steps:
            seen = pyramid.next_input(latent, schedule[k + 1])  # B C h w
            seen = torch.cat((seen, seen)) if guided else seen
    return Generated(tokenizer.decode(latent).clamp(-1, 1), tokens, latents)
