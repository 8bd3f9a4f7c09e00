"""Pyramids: how a feature map becomes token maps at several
scales, and token maps become a feature map again.

One loop (`Pyramid.forward`) serves both papers. A pyramid
differs from another in five short methods and one flag:

| | residual (VAR) | ground truth (FlexVAR) |
|---|---|---|
| `target`: what scale k encodes | the residual, downsampled | the feature map, downsampled |
| `add`: the latent after scale k | the sum so far + phi(up(codes)) | the codes of scale k alone |
| `next_input`: what the next scale sees | the sum so far, downsampled | the codes, upsampled |
| `distance`: the codebook's loss | the sum so far against the features | the codes against the target |
| `straight_through`: where gradients go | to the features | to the features at scale k |
| `cumulative` | scales add up: the last latent is complete | each latent is complete |

To add one: a subclass here and its row in PYRAMIDS.
"""

from collections.abc import Callable
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from varbook.errors import VarbookError
from varbook.tokenizer.bits import BinaryCodes
from varbook.tokenizer.codebook import Codebook
from varbook.tokenizer.schedule import Scale, Schedule, check_schedule, size_of


class Quantised(NamedTuple):
    """What a pyramid makes of a feature map: one entry per scale, coarse to fine."""

    # After scale k, B C h w: VAR's running sum (latent size), FlexVAR's codes (own size).
    latents: list[Tensor]
    tokens: list[Tensor]  # code indices, B h_k w_k
    targets: list[Tensor]  # the vectors that were quantized, B C h_k w_k
    loss: Tensor  # codebook and commitment loss, scalar
    used: list[Tensor]  # the indices that were added: `tokens`, unless they were disturbed


def down(x: Tensor, size: Scale) -> Tensor:
    """Make the map `x` (B, C, H, W) smaller by averaging areas -> (B, C, h, w)."""
    return x if x.shape[-2:] == torch.Size(size) else F.interpolate(x, size=size, mode="area")


def up(x: Tensor, size: Scale) -> Tensor:
    """Make the map `x` (B, C, h, w) larger by bicubic interpolation -> (B, C, H, W)."""
    return x if x.shape[-2:] == torch.Size(size) else F.interpolate(x, size=size, mode="bicubic")


def linear(x: Tensor, size: Scale) -> Tensor:
    """Resize the map `x` (B, C, h, w) by bilinear interpolation -> (B, C, H, W)."""
    return x if x.shape[-2:] == torch.Size(size) else F.interpolate(x, size=size, mode="bilinear")


class Pyramid(nn.Module):
    """The contract that every pyramid keeps; subclasses fill
    in the five methods that raise here, and `cumulative`.
    """

    # Does a scale add to the coarser ones, so that the last latent alone is complete?
    cumulative: bool

    def __init__(
        self, codebook: Codebook | BinaryCodes, *, shared_phi: int = 0, beta: float = 0.25
    ):
        super().__init__()
        self.codebook, self.beta = codebook, beta

    def target(self, f: Tensor, latent: Tensor, size: Scale) -> Tensor:
        """Return what scale `size` = (h, w) must encode, given
        the features `f` and the latent so far -> (B, C, h, w).
        """
        raise NotImplementedError

    def add(self, latent: Tensor, codes: Tensor, k: int, steps: int) -> Tensor:
        """Return the latent after the code map `codes` (B, C, h_k, w_k) of scale k (from 0) of
        `steps` is added to it.
        """
        raise NotImplementedError

    def next_input(self, latent: Tensor, size: Scale) -> Tensor:
        """Return what the next-scale model sees before it
        predicts scale `size` = (h, w) -> (B, C, h, w).
        """
        raise NotImplementedError

    def start(self, batch: int, size: Scale) -> Tensor:
        """Return the latent before any scale: zeros (B, C, h, w) of `size`."""
        return self.codebook.hits.new_zeros(batch, self.codebook.code_dim, *size)

    def distance(self, f: Tensor, latent: Tensor, target: Tensor) -> Tensor:
        """Return the codebook loss plus beta times the commitment loss of one scale."""
        raise NotImplementedError

    def forward(
        self, f: Tensor, schedule: Schedule, disturb: Callable[[Tensor], Tensor] | None = None
    ) -> Quantised:
        """Quantise the feature map `f` (B, C, h, w) over `schedule`, whose last scale is (h, w).

        The last latent of VAR, and every latent of FlexVAR, passes gradients straight
        through to `f`. `disturb` changes the indices of a scale before its codes are
        added, so that the finer scales must correct it (Infinity's self-correction).
        Raises VarbookError for a schedule that does not fit.
        """
        schedule = check_schedule(schedule, size_of(f))
        # Small differences decide which code is nearest, so bfloat16 would not do.
        with torch.autocast(f.device.type, enabled=False):
            f = f.float()
            latent, loss = self.start(len(f), schedule[-1]), f.new_zeros(())
            out = Quantised([], [], [], loss, [])
            for k, size in enumerate(schedule):
                target = self.target(f, latent, size)  # B C h w
                tokens = self.codebook.nearest(target.permute(0, 2, 3, 1))  # B h w
                used = disturb(tokens) if disturb else tokens
                codes = self.codebook.lookup(used).permute(0, 3, 1, 2)  # B C h w
                latent = self.add(latent, codes, k, len(schedule))
                loss = loss + self.distance(f, latent, target) / len(schedule)
                out.latents.append(self.straight_through(f, latent, target))
                out.tokens.append(tokens)
                out.used.append(used)
                out.targets.append(target.detach())
        return out._replace(loss=loss)

    def complete(self, latents: list[Tensor]) -> list[Tensor]:
        """Return those of the latents after each scale that can
        be decoded: every one, or the last where scales add up.
        """
        return latents[-1:] if self.cumulative else latents

    def straight_through(self, f: Tensor, latent: Tensor, target: Tensor) -> Tensor:
        """Return `latent` in value whose gradient goes to the features as if nothing had been
        quantised (CycleVAR footnote 2).
        """
        raise NotImplementedError

    def decode(self, tokens: list[Tensor]) -> Tensor:
        """Return the latent (B, C, h, w) that the token maps (each B, h_k, w_k) describe."""
        size = size_of(tokens[-1])
        latent = self.start(len(tokens[0]), size)
        for k, indices in enumerate(tokens):
            latent = self.add(
                latent, self.codebook.lookup(indices).permute(0, 3, 1, 2), k, len(tokens)
            )
        return latent

    def teacher_inputs(self, tokens: list[Tensor]) -> list[Tensor]:
        """Return what the next-scale model sees for scales 2
        to K while it is trained: list of (B, C, h_k, w_k).
        """
        size = size_of(tokens[-1])
        latent, inputs = self.start(len(tokens[0]), size), []
        for k, indices in enumerate(tokens[:-1]):
            latent = self.add(
                latent, self.codebook.lookup(indices).permute(0, 3, 1, 2), k, len(tokens)
            )
            inputs.append(self.next_input(latent, size_of(tokens[k + 1])))
        return inputs


class ResidualPyramid(Pyramid):
    """VAR's pyramid: each scale encodes what the coarser
    ones left over, after a small convolution phi.
    """

    cumulative = True

    def __init__(
        self, codebook: Codebook | BinaryCodes, *, shared_phi: int = 4, beta: float = 0.25
    ):
        super().__init__(codebook, beta=beta)
        self.phi = nn.ModuleList(Phi(codebook.code_dim) for _ in range(shared_phi))

    def target(self, f: Tensor, latent: Tensor, size: Scale) -> Tensor:
        """Return the residual, f minus the sum so far, downsampled (FlexVAR eq. 1)."""
        return down(f.detach() - latent.detach(), size)

    def add(self, latent: Tensor, codes: Tensor, k: int, steps: int) -> Tensor:
        """Return sum + phi_k(up(codes))."""
        return latent + self.phi[phi_index(k, steps, len(self.phi))](up(codes, size_of(latent)))

    def next_input(self, latent: Tensor, size: Scale) -> Tensor:
        """Return the sum so far at the next scale's size."""
        return down(latent, size)

    def distance(self, f: Tensor, latent: Tensor, target: Tensor) -> Tensor:
        """Compare the cumulative sum after each scale with all
        of f, as VAR does, not each residual with its codes.
        """
        return F.mse_loss(latent, f.detach()) + self.beta * F.mse_loss(f, latent.detach())

    def straight_through(self, f: Tensor, latent: Tensor, target: Tensor) -> Tensor:
        """Pass the gradient of the sum on to f."""
        return f + (latent - f).detach()


class BitPyramid(ResidualPyramid):
    """Infinity's pyramid of sign bits: residual as VAR's, without phi, enlarged and shown to the
    model linearly resized.
    """

    def __init__(
        self, codebook: Codebook | BinaryCodes, *, shared_phi: int = 0, beta: float = 0.25
    ):
        super().__init__(codebook, shared_phi=0, beta=beta)  # there is no phi

    def add(self, latent: Tensor, codes: Tensor, k: int, steps: int) -> Tensor:
        """Return sum + up(codes)."""
        return latent + linear(codes, size_of(latent))

    def next_input(self, latent: Tensor, size: Scale) -> Tensor:
        """Return the sum so far at the next scale's size."""
        return linear(latent, size)

    def distance(self, f: Tensor, latent: Tensor, target: Tensor) -> Tensor:
        """Commit the features to the sum, in units of a code's length (no code can move towards
        them), and keep bits in balance.
        """
        soft = down(f, size_of(target))
        soft = target + (soft - soft.detach())  # the target is cut off from f; the penalty is for f
        commitment = f.shape[1] * F.mse_loss(f, latent.detach())
        bits = cast(BinaryCodes, self.codebook)
        return self.beta * commitment + bits.penalty(soft.permute(0, 2, 3, 1))


class GroundTruthPyramid(Pyramid):
    """FlexVAR's pyramid: each scale encodes the whole
    feature map at its own size (FlexVAR eqs. 3 to 5).
    """

    cumulative = False

    def target(self, f: Tensor, latent: Tensor, size: Scale) -> Tensor:
        """Return the feature map itself, downsampled."""
        return down(f, size)

    def add(self, latent: Tensor, codes: Tensor, k: int, steps: int) -> Tensor:
        """Return the codes: they replace the latent."""
        return codes

    def next_input(self, latent: Tensor, size: Scale) -> Tensor:
        """Return the previous scale's codes at the next scale's size."""
        return up(latent, size)

    def distance(self, f: Tensor, latent: Tensor, target: Tensor) -> Tensor:
        """Compare the codes with the features at this scale
        (the L_vae of FlexVAR eq. 5 takes (f_k, q_k)).
        """
        if self.codebook.normalise:
            target = F.normalize(target, dim=1)
        return F.mse_loss(latent, target.detach()) + self.beta * F.mse_loss(target, latent.detach())

    def straight_through(self, f: Tensor, latent: Tensor, target: Tensor) -> Tensor:
        """Pass the gradient of each scale on to the features at that scale."""
        if self.codebook.normalise:
            target = F.normalize(target, dim=1)
        return target + (latent - target).detach()


class Phi(nn.Module):
    """VAR's phi: half the map as it is, half through a 3 x 3 convolution; smooths what bicubic
    enlargement leaves blocky.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) -> (B, C, H, W)."""
        return 0.5 * x + 0.5 * self.conv(x)


# For ten scales and four phi, two choices are exact ties that floating point decides; the published
# weights need this table.
PHI_OF_TEN = (0, 0, 1, 1, 1, 2, 2, 3, 3, 3)


def phi_index(k: int, steps: int, shared: int) -> int:
    """Return which of the `shared` convolutions serves scale k
    (from 0) of `steps`: the nearest of evenly spread ticks.

    A tie goes to the coarser one. (VAR's code breaks the tie
    of 5 and 7 scales the other way; its checkpoints have 10.)
    """
    if (steps, shared) == (10, 4):
        return PHI_OF_TEN[k]
    ticks = [
        1 / (3 * shared) + i * (1 - 2 / (3 * shared)) / max(shared - 1, 1) for i in range(shared)
    ]
    position = k / (steps - 1) if steps > 1 else 0.0
    return min(range(shared), key=lambda i: abs(ticks[i] - position))


# By the name in TokenizerConfig.pyramid; for sign bits Infinity's stands in VAR's place.
PYRAMIDS: dict[str, type[Pyramid]] = {
    "residual": ResidualPyramid,
    "ground_truth": GroundTruthPyramid,
}
PYRAMIDS_OF_BITS = PYRAMIDS | {"residual": BitPyramid}


def make_pyramid(
    kind: str, codebook: Codebook | BinaryCodes, *, shared_phi: int = 4, beta: float = 0.25
) -> Pyramid:
    """Return the pyramid named `kind`: "residual" (VAR; of sign bits: Infinity) or "ground_truth"
    (FlexVAR; one scale: LlamaGen). Raises VarbookError for another name.

    `shared_phi` is the number of convolutions of VAR's, `beta` the weight of the commitment loss.
    """
    table = PYRAMIDS_OF_BITS if isinstance(codebook, BinaryCodes) else PYRAMIDS
    if kind not in table:
        names = " or ".join(f'"{name}"' for name in table)
        raise VarbookError(f"There is no pyramid named {kind!r}; use {names}.")
    return table[kind](codebook, shared_phi=shared_phi, beta=beta)
