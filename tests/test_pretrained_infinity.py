"""Infinity through our adapters: the published key layout to the last tensor, and the numbers of the authors' own code."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from golden_weights import golden_tensor, listed
from safetensors.torch import load_file

from varbook.errors import VarbookError
from varbook.pretrained.catalogue import INFINITY_256, INFINITY_512, PUBLISHED
from varbook.pretrained.cyclevar import published_cyclevar
from varbook.pretrained.evaluate import evaluate, parse
from varbook.pretrained.layouts import Layout, convert, infinity_names, published_shapes
from varbook.pretrained.load import build, load
from varbook.tokenizer.schedule import token_count
from varbook.transformer.text_model import TextNextScaleModel

PLAIN = Layout(infinity_names, ())  # the small model's blocks lie in no chunks
SMALL = replace(
    PUBLISHED["infinity-2b"].config, bits=8, code_dim=8, depth=2, width=256, heads=2, text_channels=128, text_length=16
)  # fmt: skip


def published_list() -> dict[str, tuple[int, ...]]:
    """Return every tensor of Infinity-2B; keys.txt lists the first block, which stands for all 32."""
    shapes, first = listed("infinity-2b")[0], "block_chunks.0.module.0."
    whole = {key: shape for key, shape in shapes.items() if not key.startswith(first)}
    for n in range(32):
        own = f"block_chunks.{n // 4}.module.{n % 4}."
        whole |= {key.replace(first, own): shape for key, shape in shapes.items() if key.startswith(first)}
    return whole


def test_the_published_model_has_its_published_size_and_names():
    model, shapes, totals = build("infinity-2b", "meta"), published_list(), listed("infinity-2b")[1]
    assert (len(shapes), sum(map(math.prod, shapes.values()))) == (totals["tensors"], totals["numbers"])
    weights = {key: shape for key, shape in shapes.items() if not key.endswith("zero_k_bias")}
    assert published_shapes(model, PUBLISHED["infinity-2b"].layout) == weights
    assert sum(parameter.numel() for parameter in model.parameters()) == totals["parameters"] == 2_204_564_032


def test_both_sizes_are_one_file_and_the_schedules_are_those_of_the_paper():
    assert (token_count(INFINITY_256), token_count(INFINITY_512)) == (521, 2521)
    for part in ("infinity-2b", "infinity-tokenizer"):
        small, large = PUBLISHED[part], PUBLISHED[f"{part}-512"]
        assert small.file == large.file and replace(small.config, schedule=INFINITY_512) == large.config


@pytest.fixture(scope="module")
def model() -> TextNextScaleModel:
    made = TextNextScaleModel(SMALL)
    content = {name: golden_tensor(name, tuple(shape)) for name, shape in published_shapes(made, PLAIN).items()}
    made.load_state_dict(convert(content, made, PLAIN, "the golden weights"))
    return made.eval()


@torch.no_grad()
def teacher_forced(model: TextNextScaleModel) -> tuple[torch.Tensor, torch.Tensor]:
    """Return our logits and the golden ones for a batch of two texts."""
    golden = load_file(Path(__file__).parent / "golden" / "infinity_tiny.safetensors")
    words = golden["text"].split(golden["cu_seqlens"].diff().tolist())
    features = torch.nn.utils.rnn.pad_sequence(words, batch_first=True)  # 2 T 128
    present = torch.arange(features.shape[1]) < golden["cu_seqlens"].diff()[:, None]
    parts = golden["x"].split([h * w for h, w in INFINITY_256[1:]], 1)
    maps = [part.transpose(1, 2).unflatten(2, size) for part, size in zip(parts, INFINITY_256[1:])]
    return model.predict([None, *maps], model.read(features, present), INFINITY_256), golden["logits"]


def test_teacher_forced_logits_are_those_of_the_published_code(model):
    ours, theirs = teacher_forced(model)
    off = (ours - theirs).abs()
    # A sum that ends between two numbers of bfloat16 may be rounded the other way: a few tokens carry such a digit.
    assert theirs.std() > 0.9 and off.max() < 3e-3 and (off > 1e-4).float().mean() < 0.02


def test_the_rounding_and_the_grid_of_positions_are_needed_for_these_numbers(model):
    exact = TextNextScaleModel(replace(SMALL, rounded_cross=False)).eval()
    other = TextNextScaleModel(replace(SMALL, rotary_side=16)).eval()
    for changed, least in ((exact, 1e-3), (other, 1e-2)):
        changed.load_state_dict(model.state_dict())
        ours, theirs = teacher_forced(changed)
        assert least < (ours - theirs).abs().max() < 0.2


def test_names_of_the_tokenizer_wrap_every_norm_and_convolution():
    shapes = published_shapes(build("infinity-tokenizer", "meta"), PUBLISHED["infinity-tokenizer"].layout)
    assert shapes["encoder.conv_out.conv.weight"] == (32, 512, 3, 3)
    assert shapes["decoder.up.4.block.2.norm2.norm.bias"] == (512,)
    assert shapes["encoder.down.1.downsample.conv.conv.weight"] == (256, 256, 3, 3)
    assert not [name for name in shapes if "attn" in name or "quant" in name]


def test_a_file_is_loaded_to_the_last_tensor(tmp_path, monkeypatch):
    entry = replace(PUBLISHED["infinity-2b"], config=SMALL)
    monkeypatch.setitem(PUBLISHED, "infinity-2b", entry)
    shapes = published_shapes(build("infinity-2b"), entry.layout)
    content = {name: golden_tensor(name, tuple(shape)) for name, shape in shapes.items()}
    torch.save(content | {"block_chunks.0.module.0.sa.zero_k_bias": torch.ones(256)}, tmp_path / "two.pth")
    loaded = load("infinity-2b", tmp_path / "two.pth", say=lambda line: None)
    assert torch.equal(loaded.blocks[1].attn.q_bias, content["block_chunks.0.module.1.sa.q_bias"])
    torch.save({key: value for key, value in content.items() if key != "cfg_uncond"}, tmp_path / "lacking.pth")
    with pytest.raises(VarbookError, match="'cfg_uncond' is missing"):
        load("infinity-2b", tmp_path / "lacking.pth", say=lambda line: None)


def test_its_translator_asks_for_transformers_where_they_are_missing(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(VarbookError, match=r"pip install varbook\[text\]"):
        published_cyclevar("infinity-2b-512")


def test_it_is_not_measured_on_classes(tmp_path):
    with pytest.raises(VarbookError, match="draws what a text says"):
        evaluate(parse(["--model", "infinity-2b", "--to", str(tmp_path)]))
