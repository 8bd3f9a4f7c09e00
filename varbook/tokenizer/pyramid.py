"""Pyramids: how a feature map becomes token maps at several scales, and token maps become a feature
map again.

One loop (`Pyramid.forward`) serves both papers. A pyramid differs from another in three short
methods:

| | residual (VAR) | ground truth (FlexVAR) |
|---|---|---|
| `target`: what scale k must say | the rest that is still missing | the feature map itself, made smaller |
| `add`: the picture after scale k | the sum so far + phi(up(codes)) | the codes of scale k alone |
| `next_input`: what the next scale sees | the sum so far, made smaller | the codes of scale k, made larger |
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from varbook.errors import VarbookError
from varbook.tokenizer.bits import BinaryCodes
from varbook.tokenizer.codebook import Codebook
from varbook.tokenizer.schedule import Scale, Schedule, check_schedule


class Quantised(NamedTuple):
    """What a pyramid makes of a feature map: one entry per scale, coarse to fine."""

    pictures: list[
        Tensor
    ]  # after scale k, B C h w: VAR's running sum (latent size), FlexVAR's codes (own size)
    tokens: list[Tensor]  # code indices, B h_k w_k
    targets: list[Tensor]  # the vectors that were quantised, B C h_k w_k
    loss: Tensor  # codebook and commitment loss, scalar
    used: list[
        Tensor
    ]  # the code indices that were added to the picture: `tokens`, unless they were disturbed


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
    """The contract that every pyramid keeps; the subclasses fill in `target`, `add` and
    `next_input`.
    """

    def __init__(self, codebook: Codebook | BinaryCodes, beta: float = 0.25):
        super().__init__()
        self.codebook, self.beta = codebook, beta

    def target(self, f: Tensor, picture: Tensor, size: Scale) -> Tensor:
        """Return what scale `size` = (h, w) must encode, given the features `f` and the picture so
        far -> (B, C, h, w).
        """
        raise NotImplementedError

    def add(self, picture: Tensor, codes: Tensor, k: int, steps: int) -> Tensor:
        """Return the picture after the code map `codes` (B, C, h_k, w_k) of scale k (from 0) of
        `steps` is added to it.
        """
        raise NotImplementedError

    def next_input(self, picture: Tensor, size: Scale) -> Tensor:
        """Return what the next-scale model sees before it predicts scale `size` = (h, w) -> (B, C,
        h, w).
        """
        raise NotImplementedError

    def start(self, batch: int, latent: Scale) -> Tensor:
        """Return the picture before any scale: zeros (B, C, h, w) of the latent's size."""
        return self.codebook.hits.new_zeros(batch, self.codebook.code_dim, *latent)

    def distance(self, f: Tensor, picture: Tensor, target: Tensor) -> Tensor:
        """Return the codebook loss plus beta times the commitment loss of one scale."""
        raise NotImplementedError

    def forward(
        self, f: Tensor, schedule: Schedule, disturb: Callable[[Tensor], Tensor] | None = None
    ) -> Quantised:
        """Quantise the feature map `f` (B, C, h, w) over `schedule`, whose last scale is (h, w).

        The last picture of VAR, and every picture of FlexVAR, passes gradients straight through to `f`. `disturb` changes the
        indices of a scale before its codes are added, so that the finer scales must mend it (Infinity's self-correction).
        Raises VarbookError for a schedule that does not fit.
        """
        schedule = check_schedule(schedule, tuple(f.shape[-2:]))
        with torch.autocast(
            f.device.type, enabled=False
        ):  # small differences decide which code is nearest
            f = f.float()
            picture, out = (
                self.start(len(f), schedule[-1]),
                Quantised([], [], [], f.new_zeros(()), []),
            )
            loss = out.loss
            for k, size in enumerate(schedule):
                target = self.target(f, picture, size)  # B C h w
                tokens = self.codebook.nearest(target.permute(0, 2, 3, 1))  # B h w
                used = disturb(tokens) if disturb else tokens
                codes = self.codebook.lookup(used).permute(0, 3, 1, 2)  # B C h w
                picture = self.add(picture, codes, k, len(schedule))
                loss = loss + self.distance(f, picture, target) / len(schedule)
                out.pictures.append(self.straight_through(f, picture, target))
                out.tokens.append(tokens)
                out.used.append(used)
                out.targets.append(target.detach())
        return out._replace(loss=loss)

    def straight_through(self, f: Tensor, picture: Tensor, target: Tensor) -> Tensor:
        """Return `picture` in value whose gradient goes to the features as if nothing had been
        quantised (CycleVAR footnote 2).
        """
        raise NotImplementedError

    def decode(self, tokens: list[Tensor]) -> Tensor:
        """Return the picture (B, C, h, w) that the token maps (each B, h_k, w_k) describe."""
        latent = tuple(tokens[-1].shape[-2:])
        picture = self.start(len(tokens[0]), latent)
        for k, indices in enumerate(tokens):
            picture = self.add(
                picture, self.codebook.lookup(indices).permute(0, 3, 1, 2), k, len(tokens)
            )
        return picture

    def teacher_inputs(self, tokens: list[Tensor]) -> list[Tensor]:
        """Return what the next-scale model sees for scales 2 to K while it is trained: list of (B,
        C, h_k, w_k).
        """
        latent = tuple(tokens[-1].shape[-2:])
        picture, inputs = self.start(len(tokens[0]), latent), []
        for k, indices in enumerate(tokens[:-1]):
            picture = self.add(
                picture, self.codebook.lookup(indices).permute(0, 3, 1, 2), k, len(tokens)
            )
            inputs.append(self.next_input(picture, tuple(tokens[k + 1].shape[-2:])))
        return inputs


class ResidualPyramid(Pyramid):
    """VAR's pyramid: each scale encodes what the coarser ones left over, after a small convolution
    phi.
    """

    def __init__(self, codebook: Codebook, *, shared_phi: int = 4, beta: float = 0.25):
        super().__init__(codebook, beta)
        self.phi = nn.ModuleList(Phi(codebook.code_dim) for _ in range(shared_phi))

    def target(self, f: Tensor, picture: Tensor, size: Scale) -> Tensor:
        """Return the rest, f minus the sum so far, made smaller (FlexVAR eq. 1)."""
        return down(f.detach() - picture.detach(), size)

    def add(self, picture: Tensor, codes: Tensor, k: int, steps: int) -> Tensor:
        """Return sum + phi_k(up(codes))."""
        return picture + self.phi[phi_index(k, steps, len(self.phi))](
            up(codes, tuple(picture.shape[-2:]))
        )

    def next_input(self, picture: Tensor, size: Scale) -> Tensor:
        """Return the sum so far at the next scale's size."""
        return down(picture, size)

    def distance(self, f: Tensor, picture: Tensor, target: Tensor) -> Tensor:
        """Compare the cumulative sum after each scale with all of f, as VAR does, not each residual
        with its codes.
        """
        return F.mse_loss(picture, f.detach()) + self.beta * F.mse_loss(f, picture.detach())

    def straight_through(self, f: Tensor, picture: Tensor, target: Tensor) -> Tensor:
        """Pass the gradient of the sum on to f."""
        return f + (picture - f).detach()


class BitPyramid(ResidualPyramid):
    """Infinity's pyramid of sign bits: residual as VAR's, without phi, enlarged and shown to the
    model linearly resized.
    """

    def __init__(self, codebook: BinaryCodes, *, beta: float = 0.25):
        super().__init__(codebook, shared_phi=0, beta=beta)

    def add(self, picture: Tensor, codes: Tensor, k: int, steps: int) -> Tensor:
        """Return sum + up(codes)."""
        return picture + linear(codes, tuple(picture.shape[-2:]))

    def next_input(self, picture: Tensor, size: Scale) -> Tensor:
        """Return the sum so far at the next scale's size."""
        return linear(picture, size)

    def distance(self, f: Tensor, picture: Tensor, target: Tensor) -> Tensor:
        """Commit the features to the sum, in units of a code's length (no code can move towards
        them), and keep bits in balance.
        """
        soft = down(f, tuple(target.shape[-2:]))
        soft = target + (soft - soft.detach())  # the target is cut off from f; the penalty is for f
        commitment = f.shape[1] * F.mse_loss(f, picture.detach())
        return self.beta * commitment + self.codebook.penalty(soft.permute(0, 2, 3, 1))


class GroundTruthPyramid(Pyramid):
    """FlexVAR's pyramid: each scale encodes the whole picture at its own size (FlexVAR eqs. 3 to
    5).
    """

    def target(self, f: Tensor, picture: Tensor, size: Scale) -> Tensor:
        """Return the feature map itself, made smaller."""
        return down(f, size)

    def add(self, picture: Tensor, codes: Tensor, k: int, steps: int) -> Tensor:
        """Return the codes: they replace the picture."""
        return codes

    def next_input(self, picture: Tensor, size: Scale) -> Tensor:
        """Return the previous scale's codes at the next scale's size."""
        return up(picture, size)

    def distance(self, f: Tensor, picture: Tensor, target: Tensor) -> Tensor:
        """Compare the codes with the features at this scale (the L_vae of FlexVAR eq. 5 takes (f_k,
        q_k)).
        """
        if self.codebook.normalise:
            target = F.normalize(target, dim=1)
        return F.mse_loss(picture, target.detach()) + self.beta * F.mse_loss(
            target, picture.detach()
        )

    def straight_through(self, f: Tensor, picture: Tensor, target: Tensor) -> Tensor:
        """Pass the gradient of each scale on to the features at that scale."""
        if self.codebook.normalise:
            target = F.normalize(target, dim=1)
        return target + (picture - target).detach()


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
    """Return which of the `shared` convolutions serves scale k (from 0) of `steps`: the nearest of
    evenly spread ticks.

    A tie goes to the coarser one. (VAR's code breaks the tie of 5 and 7 scales the other way; its
    checkpoints have 10.)
    """
    if (steps, shared) == (10, 4):
        return PHI_OF_TEN[k]
    ticks = [
        1 / (3 * shared) + i * (1 - 2 / (3 * shared)) / max(shared - 1, 1) for i in range(shared)
    ]
    position = k / (steps - 1) if steps > 1 else 0.0
    return min(range(shared), key=lambda i: abs(ticks[i] - position))


def make_pyramid(
    kind: str, codebook: Codebook | BinaryCodes, *, shared_phi: int = 4, beta: float = 0.25
) -> Pyramid:
    """Return the pyramid named `kind`: "residual" (VAR; of sign bits: Infinity) or "ground_truth"
    (FlexVAR; one scale: LlamaGen).
    """
    if kind == "residual" and isinstance(codebook, BinaryCodes):
        return BitPyramid(codebook, beta=beta)
    if kind == "residual":
        return ResidualPyramid(codebook, shared_phi=shared_phi, beta=beta)
    if kind == "ground_truth":
        return GroundTruthPyramid(codebook, beta=beta)
    raise VarbookError(f'There is no pyramid named {kind!r}; use "residual" or "ground_truth".')
