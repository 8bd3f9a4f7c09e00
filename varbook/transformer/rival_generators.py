"""The rivals of FlexVAR table 2: other ways to draw a map of codes, each the next-scale network
with another schedule.

| family | what one pass sees | schedule |
|---|---|---|
| raster order (LlamaGen, AiM) | all codes before this one, line by line | as many scales as tokens, each of one token |
| masked prediction (MaskGIT) | the codes that are known so far, anywhere | one scale: the whole map |
| latent diffusion (DiT) | the whole map under noise | one scale, features instead of codes, the time in the condition |
"""

import math
from dataclasses import replace

import torch
from torch import Tensor, nn

from varbook.errors import VarbookError
from varbook.tokenizer.schedule import Scale
from varbook.transformer.model import NextScaleConfig, NextScaleModel


def raster(config: NextScaleConfig) -> NextScaleConfig:
    """Return `config` for raster order: "scales" of one token each, which see the code before them."""
    height, width = config.schedule[-1]
    return replace(
        config, schedule=((1, 1),) * (height * width), positions="fixed", step_embedding=False
    )


def masked(config: NextScaleConfig) -> NextScaleConfig:
    """Return `config` for masked prediction: one scale, every token of which sees every other."""
    return replace(
        config, schedule=config.schedule[-1:], positions="scalable", step_embedding=False
    )


def time_waves(t: Tensor, channels: int) -> Tensor:
    """Return sines and cosines (B, C) of times (B,) in [0, 1], slow and fast."""
    frequencies = 1000 * 10_000 ** (-torch.arange(channels // 2, device=t.device) / (channels // 2))
    angles = t[:, None] * frequencies  # B C/2
    return torch.cat((angles.sin(), angles.cos()), 1)


class DiffusionModel(nn.Module):
    """Says of a noisy map which way the noise lies: DiT's network over the features of a tokenizer.

    With the angle a = pi t / 2 the noisy map is x = cos(a) clean + sin(a) noise, and the answer is
    v = cos(a) noise - sin(a) clean, from which both can be had. (DiT predicts the noise; v says the
    same and stays useful where t is near 1.)
    """

    mean: Tensor
    std: Tensor

    def __init__(self, config: NextScaleConfig):
        super().__init__()
        self.config = replace(masked(config), vocab_size=config.code_dim)
        self.net = NextScaleModel(self.config)
        self.time = nn.Sequential(
            nn.Linear(config.width, config.width), nn.SiLU(), nn.Linear(config.width, config.width)
        )
        # Features are brought to mean 0 and variance 1 per channel, as latent diffusion does with
        # one factor for all.
        self.register_buffer("mean", torch.zeros(1, config.code_dim, 1, 1))
        self.register_buffer("std", torch.ones(1, config.code_dim, 1, 1))

    @property
    def latent(self) -> Scale:
        """The size of the map."""
        return self.config.schedule[0]

    def measure(self, features: Tensor) -> None:
        """Take mean and spread of every channel from features (N, C, h, w)."""
        self.mean.copy_(features.mean((0, 2, 3), keepdim=True))
        self.std.copy_(features.std((0, 2, 3), keepdim=True))

    def normalise(self, features: Tensor) -> Tensor:
        """Return features (B, C, h, w) as diffusion sees them."""
        return (features - self.mean) / self.std

    def restore(self, x: Tensor) -> Tensor:
        """Return the features that `normalise` made into x."""
        return x * self.std + self.mean

    def forward(self, x: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        """Return v (B, C, h, w) for noisy maps x of that
        shape, times (B,) in [0, 1] and labels (B,).
        """
        condition = self.net.condition(labels) + self.time(time_waves(t, self.config.width))  # B C
        tokens = self.net.embed([x], condition, self.config.schedule)  # B h*w C
        # One scale and nothing before it: every token attends to every other.
        out = self.net.step(
            tokens, condition, self.net.modulations(condition), self.net.new_caches()
        )
        return out.transpose(1, 2).reshape(x.shape)


def diffusion_step(x: Tensor, v: Tensor, t: float, to: float) -> Tensor:
    """Move noisy maps from time t to time `to`, less noise
    or more, if v is right: one step of DDIM (eta = 0).
    """
    a, b = math.pi / 2 * t, math.pi / 2 * to
    clean, noise = math.cos(a) * x - math.sin(a) * v, math.sin(a) * x + math.cos(a) * v
    return math.cos(b) * clean + math.sin(b) * noise


def make_rival(name: str, config: NextScaleConfig) -> NextScaleModel | DiffusionModel:
    """Return the network of a rival, of the size of the next-scale
    model of `config`; VarbookError for an unknown name.
    """
    if name == "raster":
        return NextScaleModel(raster(config))
    if name == "masked":
        return NextScaleModel(masked(config))
    if name == "diffusion":
        return DiffusionModel(config)
    raise VarbookError(f'There is no rival named {name!r}; use "raster", "masked" or "diffusion".')
