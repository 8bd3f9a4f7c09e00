"""The next-scale model that a text steers (Infinity):
the model of chapter 03 with four parts swapped.

| part | VAR, FlexVAR | here |
|---|---|---|
| condition | a class embedding (B, C) | the words of a text and one vector pooled from them |
| block | attention, feed-forward | attention, **cross-attention to the words**, feed-forward |
| positions | added to the tokens | queries and keys are rotated (rotary positions) |
| head | a logit for each code | two logits for each bit |

What other models call labels are word ids here, long (B, T):
0 is not a word, a negative number a word that is withheld.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from varbook.errors import VarbookError
from varbook.tokenizer.schedule import Schedule
from varbook.transformer.attention import KeyValueCache, RotaryLayout, SelfAttention, scale_groups
from varbook.transformer.block import Block
from varbook.transformer.cross import CrossAttention, TextPool
from varbook.transformer.model import NextScaleConfig, NextScaleModel
from varbook.transformer.positions import RotaryPositions
from varbook.transformer.words import WordEncoder


class TextEncoder(Protocol):
    """What turns prompts into features: `WordEncoder`, trained with the model, or
    `varbook.features.flan_t5.FlanT5`, frozen.
    """

    channels: int  # of a word's features

    def ids(self, prompts: Sequence[str]) -> Tensor:
        """Return word ids, long (B, T), 0 where a shorter prompt has ended."""

    def __call__(self, ids: Tensor) -> Tensor:
        """Return features (B, T, channels) of ids (B, T)."""


@dataclass(frozen=True)
class TextNextScaleConfig(NextScaleConfig):
    """Everything that shapes a text-conditioned model; `classes` means nothing here."""

    shared_adaln: bool = True
    # Vocabulary of the model's own encoder; (): another encoder is given to `set_encoder`.
    words: tuple[str, ...] = ()
    text_channels: int = 64  # features of a word; Flan-T5-XL 2048
    text_length: int = 16  # words of the longest text; Infinity 512
    levels: int = 0  # rows of the step embedding, 0: as many as scales; Infinity 15
    # Longer side of the grid on which places are measured, 0: that of the last scale; Infinity 64.
    rotary_side: int = 0
    rounded_cross: bool = False  # cross-attention in bfloat16, as published

    @property
    def steps(self) -> int:
        """Rows of the step embedding."""
        return self.levels or len(self.schedule)


class TextCondition(NamedTuple):
    """What a batch of texts says to the model."""

    vector: Tensor  # B C: starts the sequence, steers the norms
    words: Tensor  # B T C: what cross-attention reads
    mask: Tensor  # B 1 1 T


class TextNextScaleModel(NextScaleModel):
    """Infinity's transformer; it is trained, sampled from
    and used for translation as `NextScaleModel` is.
    """

    config: TextNextScaleConfig
    positions: RotaryPositions

    def __init__(self, config: TextNextScaleConfig):
        super().__init__(config)
        with torch.no_grad():
            for block in self.blocks:
                block.ca.proj.weight.div_(math.sqrt(2 * config.depth))

    def _make_condition(self) -> None:
        config = self.config
        width, channels = config.width, config.text_channels
        self.cfg_uncond = nn.Parameter(
            torch.randn(config.text_length, channels) / math.sqrt(channels)
        )
        self.text_norm = nn.RMSNorm(channels, eps=1e-6)
        heads = max(channels // (128 if channels >= 128 else 32), 1)
        self.text_proj_for_sos = TextPool(width, channels, heads, rounded=config.rounded_cross)
        self.text_proj_for_ca = nn.Sequential(
            nn.Linear(channels, width), nn.GELU(approximate="tanh"), nn.Linear(width, width)
        )
        self.encoder: TextEncoder | None = (
            WordEncoder(config.words, channels, config.text_length) if config.words else None
        )

    def _make_positions(self) -> RotaryPositions:
        config = self.config
        return RotaryPositions(
            config.width, config.heads, config.rotary_side or max(config.schedule[-1])
        )

    def _make_block(self, layer: int) -> Block:
        config = self.config
        mixer = SelfAttention(config.width, config.heads, cosine=config.cosine, rotary=True)
        cross = CrossAttention(
            config.width, config.heads, config.width, rounded=config.rounded_cross
        )
        return Block(
            config.width, config.heads, mixer=mixer, cross=cross, shared_adaln=config.shared_adaln
        )

    def set_encoder(self, encoder: TextEncoder) -> "TextNextScaleModel":
        """Attach the frozen text encoder through which prompts are read; return the model.

        The encoder is not a part of the model: its weights are neither trained nor saved with it.
        """
        if encoder.channels != self.config.text_channels:
            raise VarbookError(
                f"The model reads words of {self.config.text_channels} channels, not {encoder.channels}."
            )
        self.encoder = encoder
        return self

    def ids(self, prompts: Sequence[str]) -> Tensor:
        """Return the word ids of prompts, long (B, T): what this model takes for labels."""
        if self.encoder is None:
            raise VarbookError(
                "The model has no text encoder yet: give it one, model.set_encoder(FlanT5())."
            )
        return self.encoder.ids(prompts).to(self.pos_start.device)

    def no_condition(self, labels: Tensor) -> Tensor:
        """Return ids of as many words (B, T), all of them withheld."""
        return torch.where(labels == 0, labels, -1)

    def condition(self, labels: Tensor) -> TextCondition:
        """Return what the model makes of word ids (B, T) (see
        the module's first lines for 0 and negative ones).
        """
        if labels.ndim != 2 or labels.shape[1] > self.config.text_length:
            raise VarbookError(
                f"A text is given as word ids (B, T) with at most {self.config.text_length} words, not {tuple(labels.shape)}; "
                'make them with model.ids(["a brown horse by night"]).'
            )
        if self.encoder is None:
            raise VarbookError(
                "The model has no text encoder yet: give it one, model.set_encoder(FlanT5())."
            )
        features = self.encoder(labels.clamp_min(0))  # B T Ct
        withheld = (labels < 0)[..., None]
        features = torch.where(withheld, self.cfg_uncond[: labels.shape[1]], features)
        return self.read(features, labels != 0)

    def read(self, features: Tensor, present: Tensor) -> TextCondition:
        """Return the condition for features (B, T, Ct) of words, of which those are there that
        `present` (B, T) says.
        """
        features = self.text_norm(features)
        mask = torch.zeros(present.shape, device=features.device)  # B T
        mask = mask.masked_fill(~present, -math.inf)[:, None, None]  # B 1 1 T
        vector = self.text_proj_for_sos(features, mask)  # B C
        return TextCondition(vector, self.text_proj_for_ca(features), mask)

    @staticmethod
    def pooled(condition: TextCondition) -> Tensor:
        """Return the vector (B, C) of a condition."""
        return condition.vector

    @staticmethod
    def text(condition: TextCondition) -> tuple[Tensor, Tensor]:
        """Return the words (B, T, C) of a condition and their mask (B, 1, 1, T)."""
        return condition.words, condition.mask

    def layouts(self, schedule: Schedule, device: torch.device) -> list[RotaryLayout]:
        """Return what each block must know of the sequence: the
        groups of attention, and the angles of the tokens.
        """
        angles = self.positions.angles(schedule).to(device)
        layout = RotaryLayout(scale_groups(schedule, device), angles)
        return [layout] * len(self.blocks)

    def new_caches(self, schedule: Schedule | None = None) -> list[KeyValueCache]:
        """Return an empty cache per block, which knows the angles of the `schedule` to come."""
        angles = self.positions.angles(schedule or self.config.schedule).to(self.pos_start.device)
        return [KeyValueCache(angles) for _ in self.blocks]


def make_next_scale(config: NextScaleConfig) -> NextScaleModel:
    """Return the model that a configuration describes: steered by a class, or by a text."""
    if isinstance(config, TextNextScaleConfig):
        return TextNextScaleModel(config)
    return NextScaleModel(config)
