"""How much of a codebook is used: a code that never occurs was paid for and says nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from varbook.errors import VarbookError


@dataclass(frozen=True)
class Usage:
    """Codes that occur at one scale: `used` of `codes`, `perplexity` the number of equally likely
    codes of the same entropy.
    """

    scale: str
    tokens: int
    used: int
    codes: int
    perplexity: float

    @property
    def share(self) -> float:
        """The share of the codebook that occurs, in [0,1]."""
        return self.used / self.codes


def histogram(tokens: torch.Tensor, codes: int) -> torch.Tensor:
    """Return how often each of `codes` codes occurs (V,) in long tokens of any shape; raise
    VarbookError for one out of range.
    """
    flat = tokens.reshape(-1).long().cpu()
    if flat.numel() == 0:
        raise VarbookError("There are no tokens to count.")
    if int(flat.min()) < 0 or int(flat.max()) >= codes:
        raise VarbookError(
            f"Tokens from {int(flat.min())} to {int(flat.max())} do not fit a codebook of {codes}."
        )
    return torch.bincount(flat, minlength=codes)


def perplexity(counts: torch.Tensor) -> float:
    """Return exp(entropy) of the counts (V,): V where all codes occur equally often, 1 where only
    one occurs.
    """
    share = counts.double() / counts.sum()
    return torch.exp(-torch.xlogy(share, share).sum()).item()


def usage(tokens: torch.Tensor, codes: int, scale: str = "all") -> Usage:
    """Return the usage of long tokens of any shape, drawn from a codebook of `codes`."""
    counts = histogram(tokens, codes)
    return Usage(scale, int(counts.sum()), int((counts > 0).sum()), codes, perplexity(counts))


def usage_per_scale(token_maps: Sequence[torch.Tensor], codes: int) -> list[Usage]:
    """Return one Usage per scale for long maps (N,h_k,w_k), then one called "all" over every scale
    together.
    """
    if not token_maps:
        raise VarbookError("There are no token maps to count.")
    rows = [usage(tokens, codes, f"{tokens.shape[-2]}x{tokens.shape[-1]}") for tokens in token_maps]
    everything = torch.cat([tokens.reshape(-1) for tokens in token_maps])
    return [*rows, usage(everything, codes)]


def frequency_loss(
    known: Sequence[torch.Tensor], asked: Sequence[torch.Tensor], codes: int
) -> list[float]:
    """Return, per scale, the nats per token of one who knows nothing but how often each code occurs
    at that scale.

    The frequencies are those of the long maps `known` (N,h_k,w_k), the loss is that on the maps
    `asked` (M,h_k,w_k).
    """
    losses = []
    for seen, wanted in zip(known, asked, strict=True):
        share = histogram(seen, codes).double() + 0.5  # half a count for what was never seen
        losses.append(-(share / share.sum()).log()[wanted.reshape(-1).cpu()].mean().item())
    return losses
