"""A tokenizer that starts from published weights: what is taken, what is not, and when it is refused."""

import sys
from dataclasses import replace

import pytest
import torch
from tiny import same_state

from varbook.errors import VarbookError
from varbook.pretrained import start as module
from varbook.pretrained.catalogue import PUBLISHED
from varbook.pretrained.start import start_tokenizer
from varbook.tokenizer.tokenizer import Tokenizer

LLAMAGEN = replace(
    PUBLISHED["llamagen-vq16"].config, channels=(32, 32), feature_channels=32, blocks=1
)
OURS = replace(LLAMAGEN, code_dim=16)


@pytest.fixture
def llamagen(monkeypatch) -> Tokenizer:
    """A small stand-in for the published tokenizer, handed out instead of the file."""
    torch.manual_seed(1)
    published = Tokenizer(LLAMAGEN)
    monkeypatch.setattr(module, "load", lambda name, path, say: published)
    return published


def test_encoder_and_decoder_are_taken_and_the_codes_start_anew(llamagen):
    torch.manual_seed(2)
    ours, before = Tokenizer(OURS), Tokenizer(OURS)
    before.load_state_dict(ours.state_dict())
    start_tokenizer(ours, "llamagen-vq16")
    assert same_state(ours.encoder, llamagen.encoder) and same_state(ours.decoder, llamagen.decoder)
    assert not same_state(ours.encoder, before.encoder)
    for part in ("pyramid", "quant_conv", "post_quant_conv"):
        assert same_state(getattr(ours, part), getattr(before, part))


def test_another_autoencoder_is_refused_with_the_one_that_fits(llamagen):
    with pytest.raises(VarbookError, match="encoder of llamagen-vq16 has other layers .* channels"):
        start_tokenizer(Tokenizer(replace(OURS, channels=(32, 64))), "llamagen-vq16")


def test_weights_that_cannot_be_had_are_refused_with_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)  # as where it is not installed
    wanted = "starts from llamagen-vq16: put vq_ds16_c2i.pt .* VARBOOK_WEIGHTS"
    with pytest.raises(VarbookError, match=wanted):
        start_tokenizer(Tokenizer(OURS), "llamagen-vq16")


def test_a_file_among_the_weights_needs_no_network(monkeypatch, tmp_path):
    monkeypatch.setenv("VARBOOK_WEIGHTS", str(tmp_path))
    (tmp_path / "vq_ds16_c2i.pt").write_bytes(b"no checkpoint")
    with pytest.raises(VarbookError, match=f"{tmp_path}/vq_ds16_c2i.pt"):
        start_tokenizer(Tokenizer(OURS), "llamagen-vq16", say=str)
