"""The small text encoder: ids, padding, and sentences for words that it has never read."""

import pytest
import torch

from varbook.errors import VarbookError
from varbook.transformer.words import WordEncoder, split_words, vocabulary
from varbook.world.scene import every_caption

WORDS = vocabulary(["a brown cow by night", "a white sheep, anime style"])


@pytest.fixture
def encoder() -> WordEncoder:
    torch.manual_seed(0)
    return WordEncoder(WORDS, 32, 8).eval()


def test_words_lose_case_and_punctuation():
    assert split_words("A black cat, by Day!") == ["a", "black", "cat", "by", "day"]
    assert WORDS == ("a", "anime", "brown", "by", "cow", "night", "sheep", "style", "white")


def test_ids_count_from_one_and_shorter_prompts_are_padded(encoder):
    assert encoder.ids(["a cow", "white sheep by night"]).tolist() == [[1, 5, 0, 0], [9, 7, 4, 6]]


@torch.no_grad()
def test_padding_changes_nothing(encoder):
    alone, padded = (
        encoder(encoder.ids(["a cow"])),
        encoder(encoder.ids(["a cow", "white sheep by night"])),
    )
    assert torch.allclose(alone[0], padded[0, :2], atol=1e-5)
    assert not torch.allclose(
        alone[0, 0], encoder(encoder.ids(["a sheep"]))[0, 0], atol=1e-3
    )  # words see each other


def test_unknown_words_are_named_with_the_nearest(encoder):
    with pytest.raises(VarbookError, match="never read the word 'cows'; words near it: cow"):
        encoder.ids(["brown cows"])


@pytest.mark.parametrize("prompt", ["", " , ", "a " * 9])
def test_prompts_without_words_or_with_too_many_are_refused(encoder, prompt):
    with pytest.raises(VarbookError, match="1 to 8 words"):
        encoder.ids([prompt])


def test_every_caption_of_the_world_can_be_read():
    captions = every_caption(("horse", "zebra"))
    assert "a striped zebra in a green valley by night, anime style" in captions and len(
        captions
    ) == len(set(captions))
    assert WordEncoder(vocabulary(captions), 32, 16).ids(captions).shape[0] == len(captions)
