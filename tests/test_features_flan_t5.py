"""Flan-T5 as a text encoder, with a small tower in place of the real one."""

import copy
import sys
import types

import pytest
import torch

from varbook.errors import VarbookError
from varbook.features.flan_t5 import NAME, REVISION, FlanT5


class Splitter:
    """Numbers words by their length; ends with 1, pads with 0."""

    def __call__(self, prompts, **unused):
        rows = [[len(word) + 1 for word in prompt.split()] + [1] for prompt in prompts]
        longest = max(map(len, rows))
        return types.SimpleNamespace(
            input_ids=torch.tensor([row + [0] * (longest - len(row)) for row in rows])
        )


class Tower(torch.nn.Module):
    """Says for every word its number, where it is there."""

    def __init__(self):
        super().__init__()
        self.config, self.device = types.SimpleNamespace(d_model=4), torch.device("cpu")

    def forward(self, input_ids, attention_mask):
        return types.SimpleNamespace(
            last_hidden_state=(input_ids * attention_mask)[..., None].expand(-1, -1, 4).half()
        )


def transformers(tower) -> types.ModuleType:
    """Return a module that stands in for transformers."""
    module = types.ModuleType("transformers")
    module.AutoTokenizer = types.SimpleNamespace(from_pretrained=lambda name, revision: Splitter())
    module.T5EncoderModel = types.SimpleNamespace(from_pretrained=tower)
    return module


def test_prompts_become_ids_and_features(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", transformers(lambda name, revision: Tower()))
    encoder = FlanT5()
    ids = encoder.ids(["a cow", "by night at last"])
    assert ids.tolist() == [[2, 4, 1, 0, 0], [3, 6, 3, 5, 1]] and encoder.channels == 4
    features = encoder(ids)
    assert features.dtype == torch.float32 and features[0, :, 0].tolist() == [2, 4, 1, 0, 0]
    assert copy.deepcopy(encoder) is encoder  # frozen, and shared by copies of a model


def test_a_missing_package_or_file_is_said_in_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(VarbookError, match=r"needs transformers: pip install varbook\[text\]"):
        FlanT5()

    def gone(name, revision):
        raise OSError("no such file")

    monkeypatch.setitem(sys.modules, "transformers", transformers(gone))
    with pytest.raises(VarbookError, match="google/flan-t5-xl could not be fetched"):
        FlanT5()


def test_what_is_fetched_is_one_known_commit_and_a_name_of_one_s_own_is_not(monkeypatch):
    asked = []

    def tower(name, revision):
        asked.append((name, revision))
        return Tower()

    monkeypatch.setitem(sys.modules, "transformers", transformers(tower))
    FlanT5(), FlanT5("my/folder")
    assert asked == [(NAME, REVISION), ("my/folder", None)] and len(REVISION) == 40
