"""Flan-T5's encoder: the frozen text encoder of Infinity (and so of CycleVAR with Infinity)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from varbook.errors import VarbookError

NAME = "google/flan-t5-xl"
REVISION = "7d6315df2c2fb742f0f5b556879d730926ca9001"  # the commit that Infinity's own scripts name


class FlanT5:
    """Prompts -> features (B, T, 2048): a frozen text encoder for `TextNextScaleModel`.

    It is not a module, so that a model that holds it neither trains, moves nor saves it. Raises
    VarbookError where transformers or the weights (11 GB) are missing.
    """

    def __init__(self, name: str = NAME, *, length: int = 512, device: torch.device | str = "cpu"):
        try:
            from transformers import AutoTokenizer, T5EncoderModel
        except ImportError:
            raise VarbookError(
                "Infinity reads its prompts through Flan-T5, which needs transformers: pip install varbook[text]."
            ) from None
        try:
            # Another name, or a folder, is the reader's own choice: of it the newest is taken.
            revision = REVISION if name == NAME else None
            self.splitter = AutoTokenizer.from_pretrained(name, revision=revision)
            tower = T5EncoderModel.from_pretrained(name, revision=revision)
            self.tower = tower.to(device).eval().requires_grad_(False)
        except (OSError, ValueError) as error:
            raise VarbookError(
                f"{name} could not be fetched ({type(error).__name__}): connect to the network, or pass a folder that has it."
            ) from error
        self.channels = self.tower.config.d_model
        self.length = length

    def __deepcopy__(self, memo: dict) -> "FlanT5":
        return self  # frozen: copies of a model may share it

    def ids(self, prompts: Sequence[str]) -> Tensor:
        """Return word ids, long (B, T), 0 where a shorter prompt has ended."""
        return self.splitter(
            list(prompts),
            padding=True,
            truncation=True,
            max_length=self.length,
            return_tensors="pt",
        ).input_ids

    @torch.no_grad()
    def __call__(self, ids: Tensor) -> Tensor:
        """Return features (B, T, channels) of ids (B, T)."""
        # The tower may be on another device than the model that listens: go there and back.
        words = ids.to(self.tower.device)
        features = self.tower(input_ids=words, attention_mask=(words != 0).long())
        return features.last_hidden_state.float().to(ids.device)
