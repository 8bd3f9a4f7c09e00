"""Drawing with the rivals of FlexVAR table 2: token
after token, a few masks at a time, or out of noise.

Guidance has one strength throughout. All draw one map at the tokenizer's full scale, whose codes
are the picture (a ground-truth pyramid), and say in how many passes.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from varbook.generate.sampling import guide, sample_tokens
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.transformer.model import NextScaleModel
from varbook.transformer.rival_generators import DiffusionModel, diffusion_step


class Drawn(NamedTuple):
    """What a rival draws."""

    images: Tensor  # B 3 H W in [-1, 1]
    tokens: Tensor  # B h w
    passes: int  # runs of the network for one image (guidance counts once)


def doubled(labels: Tensor, no_condition: int) -> Tensor:
    """Return labels (2B,): first as given, then none, for guidance."""
    return torch.cat((labels, torch.full_like(labels, no_condition)))


def guided(both: Tensor, strength: float) -> Tensor:
    """Return the guided answer (B, ...) of a pass over `doubled` labels."""
    conditional, unconditional = both.chunk(2)
    return guide(conditional, unconditional, strength)


def image_of(tokenizer: Tokenizer, tokens: Tensor) -> Tensor:
    """Return the images of token maps (B, h, w) whose codes are the whole picture."""
    return tokenizer.decode(tokenizer.codebook.lookup(tokens).permute(0, 3, 1, 2)).clamp(-1, 1)


@torch.no_grad()
def draw_raster(
    model: NextScaleModel,
    tokenizer: Tokenizer,
    labels: Tensor,
    *,
    guidance: float = 1.5,
    top_k: int = 0,
    top_p: float = 0.0,
    generator: torch.Generator | None = None,
) -> Drawn:
    """Draw token after token, line by line: one pass each
    (LlamaGen). The map has the size of the tokenizer's training.
    """
    condition = model.condition(doubled(labels, model.config.classes))  # 2B C
    modulations, caches, tokens, seen = model.modulations(condition), model.new_caches(), [], None
    for k in range(len(model.config.schedule)):
        x = model.embed([seen], condition, model.config.schedule, first=k)  # 2B 1 C
        logits = guided(model.step(x, condition, modulations, caches), guidance)  # B 1 V
        tokens.append(sample_tokens(logits, top_k=top_k, top_p=top_p, generator=generator))  # B 1
        codes = tokenizer.codebook.lookup(tokens[-1])[..., None].transpose(1, 2)  # B Cv 1 1
        seen = torch.cat((codes, codes))
    drawn = torch.cat(tokens, 1).view(len(labels), *tokenizer.config.schedule[-1])  # B h w
    return Drawn(image_of(tokenizer, drawn), drawn, len(tokens))


def still_masked(done: float, places: int) -> int:
    """Return how many of `places` are still unknown when a
    share `done` of the passes is over: MaskGIT's cosine.
    """
    return math.floor(places * math.cos(math.pi / 2 * done))


@torch.no_grad()
def draw_masked(
    model: NextScaleModel,
    tokenizer: Tokenizer,
    labels: Tensor,
    *,
    passes: int = 8,
    guidance: float = 1.5,
    top_k: int = 0,
    top_p: float = 0.0,
    ranking_noise: float = 4.5,
    generator: torch.Generator | None = None,
) -> Drawn:
    """Draw all unknown tokens in each pass, and keep those the model is surest of (MaskGIT).

    `ranking_noise` is the strength of the Gumbel noise on that ranking,
    which falls to none over the passes; without it all images look alike.
    """
    height, width = model.config.schedule[0]
    places, conditions = height * width, doubled(labels, model.config.classes)
    tokens = torch.zeros(len(labels), places, dtype=torch.long, device=labels.device)
    known = torch.zeros_like(tokens, dtype=torch.bool)
    for k in range(passes):
        seen = visible(tokenizer, tokens, known, (height, width))
        logits = guided(model([torch.cat((seen, seen))], conditions), guidance)  # B L V
        drawn = sample_tokens(logits, top_k=top_k, top_p=top_p, generator=generator)  # B L
        tokens = torch.where(known, tokens, drawn)
        sure = logits.log_softmax(-1).gather(-1, tokens[..., None])[..., 0]  # B L
        chance = torch.rand(sure.shape, generator=generator).clamp(1e-9, 1 - 1e-9).to(sure.device)
        sure = sure - ranking_noise * (1 - (k + 1) / passes) * torch.log(-torch.log(chance))
        keep = places - still_masked((k + 1) / passes, places)
        best = sure.masked_fill(known, math.inf).topk(keep, -1).indices
        known = torch.zeros_like(known).scatter(1, best, True)
    drawn = tokens.view(-1, height, width)
    return Drawn(image_of(tokenizer, drawn), drawn, passes)


def visible(tokenizer: Tokenizer, tokens: Tensor, known: Tensor, latent: tuple[int, int]) -> Tensor:
    """Return what masked prediction sees (B, Cv, h, w): the codes of known tokens (B, L), nothing
    (zeros) at the others.
    """
    codes = tokenizer.codebook.lookup(tokens) * known[..., None]  # B L Cv
    return codes.transpose(1, 2).unflatten(2, latent)


def direction(
    model: DiffusionModel, x: Tensor, labels: Tensor, t: float, guidance: float = 0.0
) -> Tensor:
    """Return v (B, C, h, w) for noisy maps x at time t,
    guided towards `labels` (B,) where `guidance` is not 0.
    """
    now = torch.full((len(x),), t, device=x.device)
    if not guidance:
        return model(x, now, labels)
    conditions = doubled(labels, model.config.classes)
    return guided(model(torch.cat((x, x)), torch.cat((now, now)), conditions), guidance)


@torch.no_grad()
def walk(
    model: DiffusionModel, x: Tensor, labels: Tensor, times: list[float], guidance: float = 0.0
) -> Tensor:
    """Take noisy maps x (B, C, h, w) along `times`, from the first to the last: falling towards a
    picture, rising towards noise.

    Without guidance a walk up and a walk down along the same times nearly cancel, which is what
    unpaired translation by diffusion (DDIB) is made of; a walk that starts halfway up is SDEdit.
    """
    for t, to in zip(times, times[1:], strict=False):
        v = direction(model, x, labels, t, guidance)
        x = diffusion_step(x, v, t, to)
    return x


@torch.no_grad()
def draw_diffusion(
    model: DiffusionModel,
    tokenizer: Tokenizer,
    labels: Tensor,
    *,
    passes: int = 25,
    guidance: float = 1.5,
    generator: torch.Generator | None = None,
) -> Drawn:
    """Draw out of noise in `passes` steps; the features are rounded to codes, as nothing else was
    ever decoded (DiT, LDM).
    """
    x = torch.randn(len(labels), model.config.code_dim, *model.latent, generator=generator).to(
        labels.device
    )
    x = walk(model, x, labels, [1 - k / passes for k in range(passes + 1)], guidance)
    tokens = tokenizer.codebook.nearest(model.restore(x).permute(0, 2, 3, 1))  # B h w
    return Drawn(image_of(tokenizer, tokens), tokens, passes)
