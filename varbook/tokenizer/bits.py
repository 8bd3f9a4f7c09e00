"""Sign bits as codes: binary spherical quantization, one
more alternative to the nearest of learned vectors.

A code is a vector of d signs, divided by sqrt(d) so that it has unit length. No table is kept and
none is searched: the code nearest to a vector on the sphere is the signs of its entries, whatever
its length (BSQ: Zhao et al. 2024; Infinity: Han et al.).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from varbook import processes
from varbook.errors import VarbookError

LARGEST = 62  # bits that a whole number of 64 bits can hold as an index


class BinaryCodes(nn.Module):
    """The 2 ** d codes (+-1, ..., +-1) / sqrt(d); it is asked the same questions as `Codebook`.

    Bit i of an index says whether entry i of its code is positive.
    """

    normalise = True  # the codes lie on the unit sphere, and so does what is compared with them

    hits: Tensor  # d: how often each bit is positive

    def __init__(self, code_dim: int, *, entropy: float = 0.0, sharpness: float = 4.0):
        super().__init__()
        if not 1 <= code_dim <= LARGEST:
            raise VarbookError(
                f"A code has 1 to {LARGEST} bits, not {code_dim}: an index must fit into a whole number."
            )
        self.vocab_size = 2**code_dim
        self.code_dim = code_dim
        self.entropy = entropy  # weight of the entropy penalty
        self.sharpness = sharpness  # a higher one makes the soft bits of the penalty harder
        self.register_buffer("hits", torch.zeros(code_dim))

    def bits(self, indices: Tensor) -> Tensor:
        """Return the bits of `indices` (...), bool (..., d)."""
        places = torch.arange(self.code_dim, device=indices.device)
        return (indices[..., None] >> places) & 1 == 1

    def indices(self, bits: Tensor) -> Tensor:
        """Return the indices (...) in [0, 2 ** d) of `bits` (..., d)."""
        places = torch.arange(self.code_dim, device=bits.device)
        return (bits.long() << places).sum(-1)

    def split(self, logits: Tensor) -> Tensor:
        """Return the logits (..., 2 d) of a code as those of its choices (..., d, 2): minus, plus."""
        return logits.unflatten(-1, (self.code_dim, 2))

    def choices(self, indices: Tensor) -> Tensor:
        """Return the choices (..., d), 0 for minus and 1 for plus, that `indices` (...) stand for."""
        return self.bits(indices).long()

    def from_choices(self, choices: Tensor) -> Tensor:
        """Return the indices (...) that `choices` (..., d) make."""
        return self.indices(choices)

    def nearest(self, x: Tensor) -> Tensor:
        """Return the index of the code nearest in direction to each of `x` (..., d) -> (...): its
        signs; zero counts as negative.
        """
        return self.indices(x.detach() > 0)

    def lookup(self, indices: Tensor) -> Tensor:
        """Return the codes of `indices` (...) -> (..., d)."""
        return (self.bits(indices).to(self.hits.dtype) * 2 - 1) / math.sqrt(self.code_dim)

    def vectors(self) -> Tensor:
        """Return all codes (2 ** d, d); VarbookError where there
        are too many to be listed, which is the point of bits.
        """
        if self.code_dim > 16:
            raise VarbookError(
                f"{self.code_dim} bits make 2 ** {self.code_dim} codes, too many to list; use `lookup`."
            )
        return self.lookup(torch.arange(self.vocab_size, device=self.hits.device))

    def penalty(self, x: Tensor) -> Tensor:
        """Return what training adds for vectors `x` (N, ..., d), so that each bit is confident for
        each vector, and balanced over the batch (BSQ).

        The mean entropy of each soft bit minus the entropy of
        its mean, in bits, times `entropy`; gradients go to `x`.
        """
        if not self.entropy:
            return x.new_zeros(())
        chance = torch.sigmoid(
            2 * self.sharpness * F.normalize(x, dim=-1) * math.sqrt(self.code_dim)
        ).flatten(0, -2)  # N d
        return self.entropy * (
            binary_entropy(chance).mean() - binary_entropy(chance.mean(0)).mean()
        )

    @torch.no_grad()
    def count(self, indices: Tensor, decay: float = 0.95) -> None:
        """Update the moving average of how often each bit is positive."""
        self.hits.lerp_(self.bits(indices).flatten(0, -2).to(self.hits.dtype).mean(0), 1 - decay)

    def fill(self, features: Tensor, generator: torch.Generator) -> None:
        """Do nothing: there are no vectors to be placed."""

    def revive(self, features: Tensor, generator: torch.Generator, threshold: float = 0.0) -> int:
        """Return 0: no code can die, only a bit can become constant, against which `penalty` works."""
        return 0


def binary_entropy(chance: Tensor) -> Tensor:
    """Return the entropy in bits of coins that show
    heads with probability `chance` (...), in [0, 1].
    """
    chance = chance.clamp(1e-6, 1 - 1e-6)
    return -(chance * chance.log2() + (1 - chance) * (1 - chance).log2())


def bit_entropy(codes: BinaryCodes, tokens: list[Tensor]) -> list[float]:
    """Return, for each scale, the mean entropy of its bits over all images and places: 1 where
    every bit is a fair coin.
    """
    shares = [codes.bits(scale).flatten(0, -2).double().mean(0) for scale in tokens]  # each d
    return [binary_entropy(share).mean().item() for share in shares]


def flip(codes: BinaryCodes, tokens: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Return `tokens` (B, h, w) with bits flipped, each with
    one probability drawn per image from [0, strength).

    Bitwise self-correction (Infinity): the next scales
    learn to mend what the earlier ones got wrong.
    """
    chance = strength * processes.drawn(torch.rand, (len(tokens), 1, 1, 1), generator)
    wrong = (
        processes.drawn(torch.rand, (*tokens.shape, codes.code_dim), generator) < chance
    )  # B h w d
    return codes.indices(codes.bits(tokens) ^ wrong.to(tokens.device))
