"""The next-scale model: equal to a slow transcription, causal, the same with and without cache, of
the published size.
"""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from tiny import MODEL, READER, SCHEDULE, awake, noise, tiny_model

from varbook.errors import VarbookError
from varbook.tokenizer.schedule import VAR_256, scale_slices, square, token_count
from varbook.transformer.model import NextScaleConfig, NextScaleModel, flexvar
from varbook.transformer.text_model import make_next_scale

KINDS = ("residual", "ground_truth")


def inputs(schedule=SCHEDULE, batch: int = 2, first: bool = False) -> list[torch.Tensor | None]:
    """Return what the model sees at each scale; at the first one nothing, unless asked for."""
    maps = [noise(batch, MODEL.code_dim, h, w, seed=k) for k, (h, w) in enumerate(schedule)]
    return maps if first else [None, *maps[1:]]


def slow_norm(x: torch.Tensor) -> torch.Tensor:
    return (x - x.mean(-1, keepdim=True)) / (x.var(-1, unbiased=False, keepdim=True) + 1e-6).sqrt()


def slow_logits(model: NextScaleModel, maps, labels: torch.Tensor, schedule) -> torch.Tensor:
    """Return the logits by the formulas alone: one image, one token, one head at a time, a dense
    mask, no grouping.
    """
    w, config, out = dict(model.named_parameters()), model.config, []
    scales = torch.tensor(
        [k for k, (height, width) in enumerate(schedule) for _ in range(height * width)]
    )
    hidden_from = scales[None, :] > scales[:, None]  # query, key
    for b, label in enumerate(labels):
        c, tokens = w["class_emb.weight"][label], []
        for k, (height, width) in enumerate(schedule):
            for y in range(height):
                for x in range(width):
                    if config.positions == "fixed":
                        token = w["positions.table"][0, len(tokens)]
                    else:
                        table = F.interpolate(
                            w["positions.table"],
                            size=(height, width),
                            mode="bilinear",
                            antialias=True,
                        )
                        token = table[0, :, y, x]
                    if config.step_embedding:
                        token = token + w["lvl_embed.weight"][k]
                    if maps[k] is not None:
                        token = (
                            token
                            + w["word_embed.weight"] @ maps[k][b, :, y, x]
                            + w["word_embed.bias"]
                        )
                    tokens.append(token + c + w["pos_start"][0, 0] if k == 0 else token)
        h = torch.stack(tokens)
        steer = F.silu(c)
        for n in range(config.depth):
            p = f"blocks.{n}."
            six = w[p + "ada_lin.1.weight"] @ steer + w[p + "ada_lin.1.bias"]
            gate1, gate2, scale1, scale2, shift1, shift2 = six.view(6, -1)
            x = slow_norm(h) * (1 + scale1) + shift1
            q, k, v = (x @ part.T for part in w[p + "attn.mat_qkv.weight"].chunk(3))
            q, v, heads = q + w[p + "attn.q_bias"], v + w[p + "attn.v_bias"], []
            for i, (qi, ki, vi) in enumerate(
                zip(*(part.chunk(config.heads, 1) for part in (q, k, v)))
            ):
                qi, ki = qi / qi.norm(dim=1, keepdim=True), ki / ki.norm(dim=1, keepdim=True)
                sharpness = math.exp(
                    min(w[p + "attn.scale_mul_1H11"][0, i, 0, 0].item(), math.log(100))
                )
                heads.append(
                    (sharpness * qi @ ki.T).masked_fill(hidden_from, -math.inf).softmax(1) @ vi
                )
            h = h + gate1 * (
                torch.cat(heads, 1) @ w[p + "attn.proj.weight"].T + w[p + "attn.proj.bias"]
            )
            x = slow_norm(h) * (1 + scale2) + shift2
            x = F.gelu(x @ w[p + "ffn.fc1.weight"].T + w[p + "ffn.fc1.bias"], approximate="tanh")
            h = h + gate2 * (x @ w[p + "ffn.fc2.weight"].T + w[p + "ffn.fc2.bias"])
        scale, shift = (w["head_nm.ada_lin.1.weight"] @ steer + w["head_nm.ada_lin.1.bias"]).view(
            2, -1
        )
        out.append((slow_norm(h) * (1 + scale) + shift) @ w["head.weight"].T + w["head.bias"])
    return torch.stack(out)


def cached_logits(model: NextScaleModel, maps, labels, schedule) -> torch.Tensor:
    """Return the logits scale by scale, as in sampling."""
    condition = model.condition(labels)
    modulations, caches, parts = model.modulations(condition), model.new_caches(), []
    for k, seen in enumerate(maps):
        parts.append(
            model.step(
                model.embed([seen], condition, schedule, first=k), condition, modulations, caches
            )
        )
    return torch.cat(parts, 1)


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_the_model_equals_its_slow_transcription_and_its_own_cached_loop(kind, first):
    model, maps, labels = tiny_model(kind), inputs(first=first), torch.tensor([2, 3])
    fast = model(maps, labels)
    assert fast.shape == (2, token_count(SCHEDULE), MODEL.vocab_size) and fast.std() > 0.1
    assert torch.allclose(fast, slow_logits(model, maps, labels, SCHEDULE), atol=1e-4)
    assert torch.allclose(fast, cached_logits(model, maps, labels, SCHEDULE), atol=1e-4)


@pytest.mark.parametrize(
    "schedule", [((1, 1), (1, 2), (2, 4), (4, 8)), square(1, 2, 3, 5, 6), ((2, 1), (5, 3))]
)
@torch.no_grad()
def test_scalable_positions_take_any_schedule(schedule):
    model, maps, labels = tiny_model("ground_truth"), inputs(schedule), torch.tensor([0, 1])
    fast = model(maps, labels, schedule)
    assert torch.allclose(fast, slow_logits(model, maps, labels, schedule), atol=1e-4)
    assert torch.allclose(fast, cached_logits(model, maps, labels, schedule), atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_changing_a_finer_scale_leaves_the_logits_before_it_unchanged(kind):
    model, labels = tiny_model(kind), torch.tensor([0, 1])
    before = model(inputs(first=True), labels)
    for k, s in enumerate(scale_slices(SCHEDULE)):
        maps = inputs(first=True)
        maps[k] = maps[k] + 1.0
        change = (model(maps, labels) - before).abs().amax((0, 2))
        assert change[: s.start].numel() == 0 or change[: s.start].max() == 0
        assert change[s.start :].min() > 1e-4  # and every token from there on notices


@pytest.mark.parametrize("kind", KINDS)
def test_no_gradient_flows_from_a_scale_to_finer_ones(kind):
    model, maps = tiny_model(kind), [m.requires_grad_() for m in inputs(batch=1, first=True)]
    logits = model(maps, torch.tensor([1]))
    for k, s in enumerate(scale_slices(SCHEDULE)):
        gradients = torch.autograd.grad(logits[:, s].square().sum(), maps, retain_graph=True)
        reached = [bool(gradient.abs().max() > 0) for gradient in gradients]
        assert reached == [j <= k for j in range(len(SCHEDULE))]


@torch.no_grad()
def test_the_class_steers_every_token_and_one_image_does_not_touch_another():
    model, maps = tiny_model(), inputs()
    first, second = model(maps, torch.tensor([0, 1])), model(maps, torch.tensor([0, 2]))
    assert torch.equal(first[0], second[0])
    assert (first[1] - second[1]).abs().amax(1).min() > 1e-3


@pytest.mark.parametrize("labels", [[4], [-1, 0]])
def test_labels_out_of_range_are_refused(labels):
    model = tiny_model()
    model.condition(torch.tensor([0, 3]))  # 3 of 3 classes: "no class"
    with pytest.raises(VarbookError, match="run from 0 to 2 \\(3 for none\\)"):
        model.condition(torch.tensor(labels))


def test_unknown_positions_and_foreign_schedules_are_refused():
    with pytest.raises(VarbookError, match='"fixed" or "scalable"'):
        NextScaleModel(replace(MODEL, positions="rotary"))
    with pytest.raises(VarbookError, match="only the schedule of their training"):
        tiny_model()(inputs(square(1, 2, 4)), torch.tensor([0, 1]), square(1, 2, 4))


def test_flexvar_differs_from_var_in_positions_and_step_embedding_alone():
    var, flex = (NextScaleModel(config).state_dict() for config in (MODEL, flexvar(MODEL)))
    assert set(var) - set(flex) == {"lvl_embed.weight"} and set(flex) <= set(var)
    assert [name for name in flex if var[name].shape != flex[name].shape] == ["positions.table"]


def test_a_fresh_model_hardly_prefers_any_token_and_its_blocks_are_nearly_idle():
    torch.manual_seed(0)
    model = NextScaleModel(MODEL).eval()
    with torch.no_grad():
        logits = model(inputs(), torch.tensor([0, 1]))
        x, condition = noise(1, 30, 32), model.condition(torch.tensor([0]))
        moved = model.blocks[0](x, model.blocks[0].modulation(condition), [(0, 30, None)])
    assert 0 < logits.std() < 0.1
    assert 0 < (moved - x).abs().max() < 0.05


def test_every_parameter_is_trained():
    for kind in KINDS:
        model = tiny_model(kind)
        model(inputs(), torch.tensor([0, 1])).square().mean().backward()
        assert all(parameter.grad.abs().max() > 0 for parameter in model.parameters())


PUBLISHED = {  # depth: parameters of VAR and FlexVAR at 256 px, counted in the published code
    16: (310_283_520, 315_561_936),
    20: (600_917_136, 607_513_952),
    24: (1_033_399_360, 1_041_314_576),
}


def published_config(depth: int) -> NextScaleConfig:
    return NextScaleConfig(
        schedule=VAR_256,
        vocab_size=4096,
        code_dim=32,
        classes=1000,
        depth=depth,
        width=64 * depth,
        heads=depth,
    )


@pytest.mark.parametrize("depth", PUBLISHED)
def test_the_published_sizes_have_the_published_numbers_of_parameters(depth):
    with torch.device("meta"):
        var = NextScaleModel(published_config(depth))
        flex = NextScaleModel(replace(flexvar(published_config(depth)), vocab_size=8912))
    counts = tuple(
        sum(parameter.numel() for parameter in model.parameters()) for model in (var, flex)
    )
    assert counts == PUBLISHED[depth]


def published_shapes(depth: int) -> dict[str, tuple[int, ...]]:
    """Return the tensors of VAR's published state dict by the rule width = 64 depth, less the two
    that are regenerated.
    """
    c = 64 * depth
    shapes = {
        "pos_start": (1, 1, c),
        "pos_1LC": (1, 680, c),
        "class_emb.weight": (1001, c),
        "lvl_embed.weight": (10, c),
    }
    linear = {"word_embed": (c, 32), "head_nm.ada_lin.1": (2 * c, c), "head": (4096, c)}
    for n in range(depth):
        p = f"blocks.{n}."
        shapes |= {
            p + "attn.scale_mul_1H11": (1, depth, 1, 1),
            p + "attn.mat_qkv.weight": (3 * c, c),
        }
        shapes |= {p + f"attn.{name}": (c,) for name in ("q_bias", "v_bias", "zero_k_bias")}
        linear |= {
            p + "attn.proj": (c, c),
            p + "ffn.fc1": (4 * c, c),
            p + "ffn.fc2": (c, 4 * c),
            p + "ada_lin.1": (6 * c, c),
        }
    for name, (rows, columns) in linear.items():
        shapes |= {f"{name}.weight": (rows, columns), f"{name}.bias": (rows,)}
    return shapes


def test_names_and_shapes_are_those_of_the_published_d16_but_for_the_positions():
    with torch.device("meta"):
        var = NextScaleModel(published_config(16))
        flex = NextScaleModel(replace(flexvar(published_config(16)), vocab_size=8912))
    ours = [
        {n.replace("positions.table", "pos_1LC"): tuple(t.shape) for n, t in m.state_dict().items()}
        for m in (var, flex)
    ]
    wanted = published_shapes(16)
    assert len(wanted) == 218 and ours[0] == wanted  # 220 with the mask and the level numbers
    del wanted["lvl_embed.weight"]
    wanted |= {"pos_1LC": (1, 1024, 32, 32), "head.weight": (8912, 1024), "head.bias": (8912,)}
    assert ours[1] == wanted


def test_the_training_sequence_is_680_tokens_at_the_published_size():
    with torch.device("meta"):
        assert NextScaleModel(replace(published_config(16), depth=1)).tokens_per_image() == 680


@torch.no_grad()
def test_a_shared_adaln_layer_is_the_same_layer_in_every_block_with_an_offset_of_its_own():
    shared = awake(NextScaleModel(replace(MODEL, shared_adaln=True))).eval()
    plain = NextScaleModel(MODEL).eval()
    state = {
        name: value
        for name, value in shared.state_dict().items()
        if "shared" not in name and "gss" not in name
    }
    for n, block in enumerate(shared.blocks):
        state[f"blocks.{n}.ada_lin.1.weight"] = shared.shared_ada_lin[1].weight
        state[f"blocks.{n}.ada_lin.1.bias"] = (
            shared.shared_ada_lin[1].bias + block.ada_gss.flatten()
        )
    plain.load_state_dict(state)
    labels = torch.tensor([0, 2])
    assert not torch.allclose(shared.blocks[0].ada_gss, shared.blocks[1].ada_gss)
    assert torch.allclose(shared(inputs(), labels), plain(inputs(), labels), atol=1e-4)


def test_a_shared_adaln_layer_starts_with_nearly_closed_gates():
    gates, others = (
        NextScaleModel(replace(MODEL, shared_adaln=True)).blocks[0].ada_gss.split([2, 4], 2)
    )
    assert gates.abs().max() < 0.01 * others.abs().max()


def test_the_size_is_told_to_a_model_that_starts_as_one_that_is_not_told():
    torch.manual_seed(0)
    told = NextScaleModel(replace(flexvar(MODEL), size_told=True))
    assert not told.size_emb.weight.any()
    plain = tiny_model("ground_truth")
    told.load_state_dict(plain.state_dict() | {"size_emb.weight": told.size_emb.weight})
    wide = ((1, 1), (2, 4), (4, 8))
    labels = torch.tensor([0, 2])
    with torch.no_grad():
        for schedule in (SCHEDULE, wide):
            maps = inputs(schedule)
            assert torch.equal(told(maps, labels, schedule), plain(maps, labels, schedule))
        told.size_emb.weight.copy_(noise(MODEL.width, 2))
        own, other = ((told, plain)[i](inputs(), labels) for i in (0, 1))
        assert torch.equal(own, other)  # at the size of the training there is nothing to tell
        maps = inputs(wide)
        assert not torch.allclose(told(maps, labels, wide), plain(maps, labels, wide), atol=1e-3)


def test_what_is_told_is_how_many_times_the_sides_of_the_training():
    model = NextScaleModel(replace(flexvar(MODEL), size_told=True))
    with torch.no_grad():
        model.size_emb.weight.copy_(noise(MODEL.width, 2))
        zero, (h, w) = torch.zeros(1, MODEL.width), SCHEDULE[-1]
        across = model.sized(zero, (h, 2 * w))
        assert torch.allclose(across[0], model.size_emb.weight[:, 1])
        assert torch.allclose(model.sized(zero, (h // 2, w))[0], -model.size_emb.weight[:, 0])
        both = model.sized(zero, (4 * h, 2 * w))[0]
        assert torch.allclose(both, model.size_emb.weight @ torch.tensor([2.0, 1.0]))
    plain = tiny_model("ground_truth")
    assert plain.sized(zero, (9, 9)) is zero


def test_a_model_that_reads_is_not_told_a_size():
    with pytest.raises(VarbookError, match="not told the size"):
        make_next_scale(replace(READER, size_told=True))
