"""Infinity through our adapters: the published key layout to the last tensor, and the numbers of
the authors' own code.
"""

import copy
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from golden_weights import golden_tensor, listed
from safetensors.torch import load_file

from varbook.errors import VarbookError
from varbook.pretrained.catalogue import INFINITY_256, INFINITY_512, PUBLISHED
from varbook.pretrained.evaluate import evaluate, parse
from varbook.pretrained.layouts import Layout, convert, infinity_names, published_shapes
from varbook.pretrained.load import build, load
from varbook.pretrained.published_cyclevar import published_cyclevar
from varbook.tokenizer.schedule import token_count
from varbook.transformer import cross
from varbook.transformer.cross import half
from varbook.transformer.text_model import TextNextScaleModel

# Logits as close as float32 makes them; and how close to a tie, in steps of bfloat16, an order of
# summation decides.
CLOSE, TIE = 1e-5, 1 / 512
PLAIN = Layout(infinity_names, ())  # the small model's blocks lie in no chunks
SMALL = replace(
    PUBLISHED["infinity-2b"].config,
    bits=8,
    code_dim=8,
    depth=2,
    width=256,
    heads=2,
    text_channels=128,
    text_length=16,
)


def published_list() -> dict[str, tuple[int, ...]]:
    """Return every tensor of Infinity-2B; keys.txt lists the first block, which stands for all 32."""
    shapes, first = listed("infinity-2b")[0], "block_chunks.0.module.0."
    whole = {key: shape for key, shape in shapes.items() if not key.startswith(first)}
    for n in range(32):
        own = f"block_chunks.{n // 4}.module.{n % 4}."
        whole |= {
            key.replace(first, own): shape for key, shape in shapes.items() if key.startswith(first)
        }
    return whole


def test_the_published_model_has_its_published_size_and_names():
    model, shapes, totals = build("infinity-2b", "meta"), published_list(), listed("infinity-2b")[1]
    assert (len(shapes), sum(map(math.prod, shapes.values()))) == (
        totals["tensors"],
        totals["numbers"],
    )
    weights = {key: shape for key, shape in shapes.items() if not key.endswith("zero_k_bias")}
    assert published_shapes(model, PUBLISHED["infinity-2b"].layout) == weights
    assert (
        sum(parameter.numel() for parameter in model.parameters())
        == totals["parameters"]
        == 2_204_564_032
    )


def test_both_sizes_are_one_file_and_the_schedules_are_those_of_the_paper():
    assert (token_count(INFINITY_256), token_count(INFINITY_512)) == (521, 2521)
    for part in ("infinity-2b", "infinity-tokenizer"):
        small, large = PUBLISHED[part], PUBLISHED[f"{part}-512"]
        assert (
            small.file == large.file
            and replace(small.config, schedule=INFINITY_512) == large.config
        )


@pytest.fixture(scope="module")
def model() -> TextNextScaleModel:
    made = TextNextScaleModel(SMALL)
    content = {
        name: golden_tensor(name, tuple(shape))
        for name, shape in published_shapes(made, PLAIN).items()
    }
    made.load_state_dict(convert(content, made, PLAIN, "the golden weights"))
    return made.eval()


@torch.no_grad()
def teacher_forced(model: TextNextScaleModel) -> tuple[torch.Tensor, torch.Tensor]:
    """Return our logits and the golden ones for a batch of two texts, computed in the model's own
    precision.
    """
    golden = load_file(Path(__file__).parent / "golden" / "infinity_tiny.safetensors")
    words = golden["text"].to(model.pos_start.dtype).split(golden["cu_seqlens"].diff().tolist())
    features = torch.nn.utils.rnn.pad_sequence(words, batch_first=True)  # 2 T 128
    present = torch.arange(features.shape[1]) < golden["cu_seqlens"].diff()[:, None]
    parts = golden["x"].to(features.dtype).split([h * w for h, w in INFINITY_256[1:]], 1)
    maps = [part.transpose(1, 2).unflatten(2, size) for part, size in zip(parts, INFINITY_256[1:])]
    return model.predict([None, *maps], model.read(features, present), INFINITY_256), golden[
        "logits"
    ]


class Roundings:
    """Stands for `cross.half`: rounds as it does, remembers what lay close to a tie, and takes
    chosen roundings the other way.

    A rounding is (call, place): the number of the call in one pass of the model, and the index of
    the entry.
    """

    def __init__(self):
        self.turned: set[tuple[int, int]] = set()
        self.start()

    def start(self) -> None:
        self.calls, self.near, self.shapes = 0, [], []

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        call, x = self.calls, x.contiguous()
        self.calls += 1
        self.shapes.append(x.shape)
        digits = x.float().view(torch.int32)
        lost = (
            digits & 0xFFFF
        ).double() / 2**16  # the part of a step of bfloat16 that rounding drops or fills up
        self.near += [
            (call, place)
            for place in ((lost - 0.5).abs() < TIE).flatten().nonzero().flatten().tolist()
        ]
        below = (digits & ~0xFFFF).view(torch.float32)
        above = ((digits & ~0xFFFF) + 0x10000).view(torch.float32)
        out = half(x.float())
        for place in (place for one, place in self.turned if one == call):
            down = out.flatten()[place] == below.flatten()[place]
            out.view(-1)[place] = (above if down else below).flatten()[place]
        return out.to(x.dtype)

    def tokens(self) -> dict[tuple[int, int], list[tuple[int, int]]]:
        """Return (text, token) -> the roundings near a tie that belong to this token alone."""
        found: dict = {}
        for call, place in self.near:
            text, _, token, _ = (
                int(n) for n in torch.unravel_index(torch.tensor(place), self.shapes[call])
            )
            if self.shapes[call][2] == token_count(INFINITY_256):
                found.setdefault((text, token), []).append((call, place))
        return found


def test_teacher_forced_logits_are_those_of_the_published_code(model, monkeypatch):
    """To 1e-5; where not, one rounding of a sum that ends on a tie of bfloat16 was taken the other
    way, and only there.

    Computed in float64: then which roundings those are does not hang on the order in which this
    machine sums up.
    """
    model, roundings = copy.deepcopy(model).double(), Roundings()
    model.head_nm.float(), model.head.float()  # these always are
    monkeypatch.setattr(cross, "half", roundings)

    def off() -> torch.Tensor:
        roundings.start()
        ours, theirs = teacher_forced(model)
        assert theirs.std() > 0.9
        return (ours - theirs).abs().amax(-1)  # text, token

    first, chosen = off(), set()
    assert (first > CLOSE).float().mean() < 0.05
    for _ in range(
        3
    ):  # a rounding that is turned may bring another, of a later token, over its tie
        roundings.turned = chosen
        now, near = off(), roundings.tokens()
        best = {tuple(at): (now[tuple(at)].item(), None) for at in (now > CLOSE).nonzero().tolist()}
        for n in range(
            max((len(near.get(at, ())) for at in best), default=0)
        ):  # the n-th candidate of every such token at once
            tried = {at: near[at][n] for at in best if len(near.get(at, ())) > n}
            roundings.turned = chosen ^ set(tried.values())
            now = off()
            best |= {
                at: (now[at].item(), one) for at, one in tried.items() if now[at] < best[at][0]
            }
        chosen = chosen ^ {one for _, one in best.values() if one}
    roundings.turned = chosen
    assert (
        off().max() < CLOSE and len(chosen) < (first > CLOSE).sum()
    )  # one for each such token; some follow from another's


def test_the_rounding_and_the_grid_of_positions_are_needed_for_these_numbers(model):
    exact = TextNextScaleModel(replace(SMALL, rounded_cross=False)).eval()
    other = TextNextScaleModel(replace(SMALL, rotary_side=16)).eval()
    for changed, least in ((exact, 1e-3), (other, 1e-2)):
        changed.load_state_dict(model.state_dict())
        ours, theirs = teacher_forced(changed)
        assert least < (ours - theirs).abs().max() < 0.2


def test_names_of_the_tokenizer_wrap_every_norm_and_convolution():
    shapes = published_shapes(
        build("infinity-tokenizer", "meta"), PUBLISHED["infinity-tokenizer"].layout
    )
    assert shapes["encoder.conv_out.conv.weight"] == (32, 512, 3, 3)
    assert shapes["decoder.up.4.block.2.norm2.norm.bias"] == (512,)
    assert shapes["encoder.down.1.downsample.conv.conv.weight"] == (256, 256, 3, 3)
    assert not [name for name in shapes if "attn" in name or "quant" in name]


def test_a_file_is_loaded_to_the_last_tensor(tmp_path, monkeypatch):
    entry = replace(PUBLISHED["infinity-2b"], config=SMALL)
    monkeypatch.setitem(PUBLISHED, "infinity-2b", entry)
    shapes = published_shapes(build("infinity-2b"), entry.layout)
    content = {name: golden_tensor(name, tuple(shape)) for name, shape in shapes.items()}
    torch.save(
        content | {"block_chunks.0.module.0.sa.zero_k_bias": torch.ones(256)}, tmp_path / "two.pth"
    )
    loaded = load("infinity-2b", tmp_path / "two.pth", say=lambda line: None)
    assert torch.equal(loaded.blocks[1].attn.q_bias, content["block_chunks.0.module.1.sa.q_bias"])
    torch.save(
        {key: value for key, value in content.items() if key != "cfg_uncond"},
        tmp_path / "lacking.pth",
    )
    with pytest.raises(VarbookError, match="'cfg_uncond' is missing"):
        load("infinity-2b", tmp_path / "lacking.pth", say=lambda line: None)


def test_its_translator_asks_for_transformers_where_they_are_missing(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(VarbookError, match=r"pip install varbook\[text\]"):
        published_cyclevar("infinity-2b-512")


def test_it_is_not_measured_on_classes(tmp_path):
    with pytest.raises(VarbookError, match="draws what a text says"):
        evaluate(parse(["--model", "infinity-2b", "--to", str(tmp_path)]))
