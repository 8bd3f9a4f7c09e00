"""Every tensor of every published size has its place in our modules, by name and shape; whatever
does not fit is refused.
"""

import math

import pytest
import torch
from golden_weights import LEFT_AS_BUILT, golden_state, listed, resized, with_blocks
from small_published import CONFIGS, small
from tiny import same_state

from varbook.errors import VarbookError
from varbook.pretrained.catalogue import PUBLISHED
from varbook.pretrained.layouts import NEXT_SCALE, convert, published_shapes, unwrap
from varbook.pretrained.load import build

# name -> (depth, the listed model it is read from, sides that differ)
SIZES = {
    "var-tokenizer": (0, "var-tokenizer", {}),
    "var-d16": (16, "var-d16", {}),
    "var-d36": (36, "var-d36", {}),
    "flexvar-tokenizer": (0, "flexvar-tokenizer", {}),
    "flexvar-d16": (16, "flexvar-d16", {}),
} | {
    f"{family}-d{depth}": (
        depth,
        f"{family}-d16",
        {n * 1024: n * 64 * depth for n in (1, 2, 3, 4, 6)} | {16: depth},
    )
    for family, depth in [("var", 20), ("var", 24), ("var", 30), ("flexvar", 20), ("flexvar", 24)]
}


def published_list(name: str) -> dict[str, tuple[int, ...]]:
    """Return every tensor of a published checkpoint, buffers included."""
    depth, source, sides = SIZES[name]
    shapes = with_blocks(listed(source)[0], depth) if depth else listed(source)[0]
    wider = resized(shapes, sides)
    # a codebook of 4096 codes is no width; the positions of FlexVAR keep their 32 x 32
    kept = {
        key: (shapes[key][0], *wider[key][1:])
        for key in ("head.weight", "head.bias")
        if key in shapes
    }
    return wider | kept


@pytest.mark.parametrize("name", SIZES)
def test_names_shapes_and_counts_are_those_of_the_published_file(name):
    model, shapes, totals = build(name, "meta"), published_list(name), listed(name)[1]
    assert (len(shapes), sum(map(math.prod, shapes.values()))) == (
        totals["tensors"],
        totals["numbers"],
    )
    weights = {
        key: shape for key, shape in shapes.items() if key.rsplit(".", 1)[-1] not in LEFT_AS_BUILT
    }
    assert published_shapes(model, PUBLISHED[name].layout) == weights
    assert sum(parameter.numel() for parameter in model.parameters()) == totals["parameters"]


def test_llamagen_differs_from_flexvar_in_codebook_and_quant_convolutions_alone():
    ours, theirs = (
        published_shapes(build(n, "meta"), PUBLISHED[n].layout)
        for n in ("llamagen-vq16", "flexvar-tokenizer")
    )
    assert ours.keys() == theirs.keys()
    differing = {name: tuple(ours[name]) for name in ours if ours[name] != theirs[name]}
    assert differing == {
        "quantize.embedding.weight": (16384, 8),
        "quant_conv.weight": (8, 256, 1, 1),
        "quant_conv.bias": (8,),
        "post_quant_conv.weight": (256, 8, 1, 1),
    }
    assert sum(map(math.prod, ours.values())) == 71_883_403


def test_the_larger_tokenizer_of_512_pixels_is_the_same_file_with_other_scales():
    small_one, large = PUBLISHED["var-tokenizer"], PUBLISHED["var-tokenizer-512"]
    assert (small_one.file, small_one.sha256) == (large.file, large.sha256)
    assert (
        large.config.schedule == PUBLISHED["var-d36"].config.schedule != small_one.config.schedule
    )


@pytest.mark.parametrize("name", CONFIGS)
def test_every_tensor_finds_its_place_and_buffers_are_made_anew(name):
    model, content = small(name), golden_state(name)
    state = convert(content, model, PUBLISHED[name].layout, "a file")
    model.load_state_dict(state)
    used = [
        content[part]
        for own in state
        for part in PUBLISHED[name].layout.names(own)
        if part in content
    ]
    assert sum(p.numel() for p in model.parameters()) == sum(
        part.numel() for part in used if not (part == 7).all()
    )
    buffers = dict(model.named_buffers())
    assert buffers and all(
        not buffer.any() for buffer in buffers.values()
    )  # not the nonsense of the file


def test_queries_keys_and_values_are_put_one_under_the_other():
    content = golden_state("flexvar-tokenizer")
    state = convert(
        content, small("flexvar-tokenizer"), PUBLISHED["flexvar-tokenizer"].layout, "a file"
    )
    parts = state["encoder.mid.1.qkv.weight"].chunk(3)
    assert all(
        torch.equal(part, content[f"encoder.mid.1.{name}.weight"])
        for part, name in zip(parts, "qkv")
    )


def test_var_s_decoder_counts_its_levels_from_the_other_end():
    names = PUBLISHED["var-tokenizer"].layout.names
    assert names("decoder.levels.0.attn.2.qkv.weight") == ("decoder.up.4.attn.2.qkv.weight",)
    assert names("decoder.levels.3.resample.conv.bias") == ("decoder.up.1.upsample.conv.bias",)


@pytest.mark.parametrize("name, place", [("var-d16", "var_wo_ddp"), ("var-tokenizer", "vae_local")])
def test_checkpoints_of_a_training_are_unwrapped(name, place):
    content = golden_state(name)
    wrapped = {"epoch": 3, "trainer": {"config": {}, place: content, "var_opt": {}}, "args": {}}
    layout = PUBLISHED[name].layout
    expected = published_shapes(small(name), layout)
    assert unwrap(wrapped, layout, expected, "some.pth") is content
    assert unwrap(content, layout, expected, "some.pth") is content


def prefixed(content: dict, prefix: str) -> dict:
    return {prefix + name: value for name, value in content.items()}


@pytest.mark.parametrize(
    "wrap",
    [
        lambda content: prefixed(content, "module."),
        lambda content: prefixed(content, "_orig_mod."),
        lambda content: prefixed(content, "module._orig_mod."),
        lambda content: {"model": content, "step": 3},
        lambda content: {"state_dict": prefixed(content, "model."), "epoch": 3},
        lambda content: {"trainer": {"var_wo_ddp": prefixed(content, "module.")}},
        lambda content: {"ema": {"shadow": content, "decay": 0.999}},
    ],
)
def test_a_checkpoint_is_read_whatever_a_training_put_around_it(wrap):
    content, model = golden_state("var-d16"), small("var-d16")
    plain = convert(content, model, NEXT_SCALE, "some.pth")
    state = convert(wrap(content), model, NEXT_SCALE, "some.pth")
    assert all(torch.equal(state[name], plain[name]) for name in plain)


def test_of_two_models_in_a_file_one_must_be_chosen():
    content, model = golden_state("var-d16"), small("var-d16")
    average = {name: value * 2 for name, value in content.items()}
    both = {"model": content, "model_ema": {"module": average}}
    with pytest.raises(VarbookError, match="more than once, as 'model', 'model_ema.module'"):
        convert(both, model, NEXT_SCALE, "some.pth")
    chosen = convert(both, model, NEXT_SCALE, "some.pth", part="model_ema.module")
    assert torch.equal(chosen["head.bias"], average["head.bias"])
    with pytest.raises(VarbookError, match="holds no 'ema'; it holds 'model'"):
        convert(both, model, NEXT_SCALE, "some.pth", part="ema")


def test_the_error_speaks_of_the_dictionary_that_comes_nearest():
    content = golden_state("var-d16")
    del content["head.bias"]
    with pytest.raises(VarbookError, match="'head.bias' is missing"):
        convert(
            {"model": content, "optimizer": {"state": torch.zeros(2)}},
            small("var-d16"),
            NEXT_SCALE,
            "x",
        )
    with pytest.raises(VarbookError, match="is missing"):
        convert({}, small("var-d16"), NEXT_SCALE, "x")


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_numbers_that_are_not_finite_are_refused(value):
    def harm(content):
        content["head.bias"] = content["head.bias"].clone()
        content["head.bias"][3] = value

    assert "'head.bias' holds infinite or undefined" in refused(harm)


def refused(change, name: str = "var-d16") -> str:
    """Return the sentence with which a checkpoint is refused after `change` was done to it."""
    content, model = golden_state(name), small(name)
    change(content)
    with pytest.raises(VarbookError) as problem:
        convert(content, model, PUBLISHED[name].layout, "some.pth")
    assert same_state(model, small(name))
    return str(problem.value)


def test_a_missing_tensor_is_named():
    said = refused(lambda content: content.pop("blocks.1.ffn.fc2.bias"))
    assert said == "some.pth does not fit the model: the tensor 'blocks.1.ffn.fc2.bias' is missing."
    assert "'encoder.mid.attn_1.qkv.bias' is missing" in refused(
        lambda content: content.pop("encoder.mid.attn_1.qkv.bias"), "var-tokenizer"
    )


def test_an_extra_tensor_is_named():
    said = refused(lambda content: content.update({"blocks.2.attn.q_bias": torch.zeros(128)}))
    assert said == "some.pth does not fit the model: 'blocks.2.attn.q_bias' has no place in it."


def test_a_misshaped_tensor_is_named_with_both_shapes():
    said = refused(lambda content: content.update({"head.weight": torch.zeros(511, 128)}))
    assert (
        said
        == "some.pth does not fit the model: 'head.weight' has the shape (511, 128), not (512, 128)."
    )
    said = refused(
        lambda content: content.update({"decoder.mid.1.k.bias": torch.zeros(9)}),
        "flexvar-tokenizer",
    )
    assert "'decoder.mid.1.k.bias' has the shape (9,), not (512,)" in said


@pytest.mark.parametrize("value", [torch.zeros(512, dtype=torch.long), 3, None])
def test_what_is_no_tensor_of_floats_is_named(value):
    assert "'head.bias' holds no floating-point numbers" in refused(
        lambda content: content.update({"head.bias": value})
    )


def test_a_checkpoint_of_another_model_is_refused():
    with pytest.raises(VarbookError, match="is missing"):
        convert(golden_state("flexvar-d16"), small("var-d16"), NEXT_SCALE, "some.pth")
