"""A text encoder small enough to be trained with the model:
a word-level vocabulary and one transformer layer.
"""

import difflib
import re
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from varbook.errors import VarbookError


def split_words(text: str) -> list[str]:
    """Return the words of a text in lower case, without punctuation."""
    return re.findall(r"[a-z]+", text.lower())


def vocabulary(texts: Iterable[str]) -> tuple[str, ...]:
    """Return every word that occurs in `texts`, in alphabetical order."""
    return tuple(sorted({word for text in texts for word in split_words(text)}))


class WordEncoder(nn.Module):
    """Prompts -> features (B, T, channels): an embedding, a
    position, and one layer in which the words see each other.
    """

    def __init__(self, words: tuple[str, ...], channels: int, length: int):
        super().__init__()
        self.words, self.channels, self.length = words, channels, length
        self.word = nn.Embedding(len(words) + 1, channels)  # 0: no word
        self.place = nn.Parameter(torch.randn(length, channels) * 0.02)
        self.layer = nn.TransformerEncoderLayer(
            channels,
            max(channels // 32, 1),
            2 * channels,
            dropout=0.0,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )

    def ids(self, prompts: Sequence[str]) -> Tensor:
        """Return word ids from 1, long (B, T), 0 where a shorter prompt has ended.

        Raises VarbookError for a word that no caption has, naming the nearest, and for a prompt
        without words or with too many.
        """
        if not prompts:
            raise VarbookError("There is no prompt to read: give at least one.")
        number = {word: place for place, word in enumerate(self.words, 1)}
        rows = []
        for prompt in prompts:
            words = split_words(prompt)
            unknown = next((word for word in words if word not in number), None)
            if unknown:
                near = difflib.get_close_matches(unknown, self.words, 3, 0.0)
                raise VarbookError(
                    f"The model has never read the word {unknown!r}; words near it: {', '.join(near)}."
                )
            if not 0 < len(words) <= self.length:
                raise VarbookError(
                    f"A prompt has 1 to {self.length} words, not {len(words)}: {prompt!r}."
                )
            rows.append(torch.tensor([number[word] for word in words]))
        return nn.utils.rnn.pad_sequence(rows, batch_first=True)

    def forward(self, ids: Tensor) -> Tensor:
        """Map word ids (B, T) -> features (B, T, channels)."""
        x = self.word(ids) + self.place[: ids.shape[1]]  # B T C
        # A text all of whose words are withheld still needs one word to look at.
        absent = (ids == 0) & (ids != 0).any(1, keepdim=True)
        return self.layer(x, src_key_padding_mask=absent)
