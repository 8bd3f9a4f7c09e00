"""How much of a codebook is used: a code that never occurs costs memory and carries nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from varbook.config import check_whole
from varbook.errors import VarbookError


@dataclass(frozen=True)
class Usage:
    """The codes that occur at one scale.

    `used` of `vocab_size` occur; `perplexity` is the number of equally likely codes of the same entropy.
    """

    scale: str
    tokens: int
    used: int
    vocab_size: int
    perplexity: float

    @property
    def share(self) -> float:
        """The share of the codebook that occurs, in [0, 1]."""
        return self.used / self.vocab_size


def histogram(tokens: Tensor, vocab_size: int) -> Tensor:
    """Return how often each of `vocab_size` codes occurs (V,) in long tokens of any shape.

    Raises VarbookError where there are no tokens or one is out of range.
    """
    check_whole("The size of a codebook", vocab_size)
    flat = tokens.reshape(-1).long().cpu()
    if flat.numel() == 0:
        raise VarbookError("There are no tokens to count.")
    if int(flat.min()) < 0 or int(flat.max()) >= vocab_size:
        raise VarbookError(
            f"Tokens from {int(flat.min())} to {int(flat.max())} do not fit a codebook of {vocab_size}."
        )
    return torch.bincount(flat, minlength=vocab_size)


def perplexity(counts: Tensor) -> float:
    """Return exp(entropy) of the counts (V,): V where all are equal, 1 where only one code occurs."""
    share = counts.double() / counts.sum()
    return torch.exp(-torch.xlogy(share, share).sum()).item()


def usage(tokens: Tensor, vocab_size: int, scale: str = "all") -> Usage:
    """Return the usage of long tokens of any shape, drawn from a codebook of `vocab_size` codes."""
    counts = histogram(tokens, vocab_size)
    return Usage(scale, int(counts.sum()), int((counts > 0).sum()), vocab_size, perplexity(counts))


def usage_per_scale(token_maps: Sequence[Tensor], vocab_size: int) -> list[Usage]:
    """Return one Usage per scale for long maps (N, h_k, w_k), and one called "all" over them."""
    if not token_maps:
        raise VarbookError("There are no token maps to count.")
    rows = [
        usage(tokens, vocab_size, f"{tokens.shape[-2]}x{tokens.shape[-1]}") for tokens in token_maps
    ]
    together = torch.cat([tokens.reshape(-1) for tokens in token_maps])
    return [*rows, usage(together, vocab_size)]


def frequency_loss(
    known: Sequence[Tensor], asked: Sequence[Tensor], vocab_size: int
) -> list[float]:
    """Return, per scale, the cross-entropy of a unigram model in nats per token.

    Its frequencies are those of the long maps `known` (N, h_k, w_k); the loss is measured on the
    maps `asked` (M, h_k, w_k). A next-scale model has to be better than this to have learnt
    anything.
    """
    losses = []
    for seen, tokens in zip(known, asked, strict=True):
        # Half a count more for every code, or one that was never seen would cost infinitely much.
        counts = histogram(seen, vocab_size).double() + 0.5
        log_share = (counts / counts.sum()).log()  # V
        losses.append(-log_share[tokens.reshape(-1).cpu()].mean().item())
    return losses
