"""Mamba in attention's place: equal to its formulas token by token, causal, the same with and
without a memory.
"""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from tiny import MODEL, SCHEDULE, awake, noise, tiny_tokenizer

from varbook.errors import VarbookError
from varbook.generate.loop import generate
from varbook.tokenizer.schedule import VAR_256, scale_slices, square, token_count
from varbook.train.store import plain
from varbook.transformer.mamba import MambaMixer, ScanMemory
from varbook.transformer.model import NextScaleConfig, NextScaleModel, flexvar
from varbook.transformer.scan_paths import scan_order, zigzag

CONFIG = replace(flexvar(MODEL), mixer="mamba", depth=3, mamba_state=4)
ODD = ((1, 1), (1, 2), (3, 4), (5, 7))


def mamba(config: NextScaleConfig = CONFIG) -> NextScaleModel:
    torch.manual_seed(0)
    model = awake(NextScaleModel(config)).eval()
    model.word_embed.weight.data *= 5
    return model


def inputs(schedule=SCHEDULE, batch: int = 2) -> list[torch.Tensor | None]:
    return [
        None,
        *(
            noise(batch, MODEL.code_dim, h, w, seed=k)
            for k, (h, w) in enumerate(schedule[1:], start=1)
        ),
    ]


def slow_mixer(mixer: MambaMixer, x: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
    """Return what Mamba's formulas give for one sequence (L, C), one token after the other along
    the path.
    """
    w, state, recent = (
        dict(mixer.named_parameters()),
        torch.zeros(mixer.inner, mixer.state_size),
        [],
    )
    out = torch.zeros_like(x)
    for place in order.tolist():
        u, gate = (w["in_proj.weight"] @ x[place]).chunk(2)
        recent = [*recent, u][-mixer.kernel :]
        window = [torch.zeros_like(u)] * (mixer.kernel - len(recent)) + recent
        u = F.silu(
            sum(w["conv"][:, 0, i] * window[i] for i in range(mixer.kernel)) + w["conv_bias"]
        )
        chosen = w["select.weight"] @ u
        low, b, c = (
            chosen[: mixer.rank],
            chosen[mixer.rank : -mixer.state_size],
            chosen[-mixer.state_size :],
        )
        dt = F.softplus(w["dt_proj.weight"] @ low + w["dt_bias"])
        state = torch.exp(-dt[:, None] * w["A_log"][0].exp()) * state + (dt * u)[:, None] * b[None]
        y = state @ c + w["skip"] * u
        out[place] = w["proj.weight"] @ (y * F.silu(gate)) + w["proj.bias"]
    return out


@pytest.mark.parametrize("path", [0, 3, 6])
@torch.no_grad()
def test_the_mixer_equals_its_formulas_token_by_token(path):
    mixer, x, order = (
        awake(MambaMixer(16, path=path, state=4)),
        noise(2, token_count(ODD), 16),
        scan_order(ODD, path),
    )
    fast = mixer(x, order)
    assert fast.std() > 0.05
    assert torch.allclose(
        fast, torch.stack([slow_mixer(mixer, row, order) for row in x]), atol=1e-5
    )


@pytest.mark.parametrize("schedule", [SCHEDULE, ODD, square(1, 3, 6)])
@torch.no_grad()
def test_scale_by_scale_with_a_memory_it_gives_what_it_gives_at_once(schedule):
    model, labels = mamba(), torch.tensor([0, 2])
    maps = inputs(schedule)
    condition = model.condition(labels)
    modulations, caches, parts = model.modulations(condition), model.new_caches(schedule), []
    for k, seen in enumerate(maps):
        parts.append(
            model.step(
                model.embed([seen], condition, schedule, first=k), condition, modulations, caches
            )
        )
    whole = model(maps, labels, schedule)
    assert whole.std() > 0.1 and torch.allclose(torch.cat(parts, 1), whole, atol=1e-4)


@torch.no_grad()
def test_changing_a_finer_scale_leaves_the_logits_before_it_unchanged():
    model, labels = mamba(), torch.tensor([0, 1])
    before = model(inputs(), labels)
    for k, piece in list(enumerate(scale_slices(SCHEDULE)))[1:]:
        maps = inputs()
        maps[k] = maps[k] + 1.0
        change = (model(maps, labels) - before).abs().amax((0, 2))
        assert change[: piece.start].max() == 0
        assert change[piece.start :].min() > 1e-6  # and every token from there on notices


@torch.no_grad()
def test_within_a_scale_one_layer_hears_only_what_came_before_on_its_path():
    for path in range(8):
        mixer, order = awake(MambaMixer(16, path=path, state=4)), scan_order(SCHEDULE, path)
        x = noise(1, token_count(SCHEDULE), 16)
        for position in (6, 20):
            changed = x.clone()
            changed[:, order[position]] += 1.0
            moved = (
                (mixer(changed, order) - mixer(x, order)).abs().amax((0, 2))[order]
            )  # along the path
            assert moved[:position].max() == 0 and moved[position:].min() > 0


def test_layers_take_the_eight_paths_in_turn():
    config = replace(CONFIG, depth=10, width=16)
    assert [block.attn.path for block in NextScaleModel(config).blocks] == [
        0,
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        0,
        1,
    ]


@pytest.mark.parametrize("depth", [16, 20])
def test_the_parameters_are_those_of_attention_within_twenty_percent(depth):
    config = NextScaleConfig(
        schedule=VAR_256,
        vocab_size=8912,
        code_dim=32,
        classes=1000,
        depth=depth,
        width=64 * depth,
        heads=depth,
    )
    with torch.device("meta"):
        counts = [
            sum(
                p.numel()
                for p in NextScaleModel(
                    replace(flexvar(config), mixer=mixer, mamba_state=16)
                ).parameters()
            )
            for mixer in ("attention", "mamba")
        ]
    assert 1.0 < counts[1] / counts[0] < 1.2


def test_every_parameter_is_trained_and_a_fresh_one_takes_mamba_s_steps():
    model = mamba()
    model(inputs(), torch.tensor([0, 1])).square().mean().backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in model.parameters())
    for block in NextScaleModel(CONFIG).blocks:
        steps = F.softplus(block.attn.dt_bias)
        assert (
            1e-3 <= steps.min() * 1.001
            and steps.max() <= 0.1 * 1.001
            and steps.max() / steps.min() > 3
        )
        assert torch.allclose(
            block.attn.A_log.exp(), torch.arange(1.0, 5.0).expand(1, block.attn.inner, 4)
        )


def test_a_fresh_model_hardly_prefers_any_token():
    torch.manual_seed(0)
    with torch.no_grad():
        logits = NextScaleModel(CONFIG)(inputs(), torch.tensor([0, 1]))
    assert 0 < logits.std() < 0.1


def test_it_generates_at_any_size():
    model, tokenizer = mamba(), tiny_tokenizer("ground_truth")
    made = generate(
        model, tokenizer, torch.tensor([0, 1]), ODD, generator=torch.Generator().manual_seed(0)
    )
    assert made.images.shape == (2, 3, 20, 28) and [
        tuple(t.shape[1:]) for t in made.tokens
    ] == list(ODD)


def test_a_memory_of_another_schedule_and_an_unknown_mixer_are_refused():
    memory = ScanMemory(square(1, 2), 0)
    assert torch.equal(memory.next_order(1), zigzag((1, 1), 0))
    with pytest.raises(VarbookError, match="9 tokens came where one of \\(2, 2\\) was due"):
        memory.next_order(9)
    memory.next_order(4)
    with pytest.raises(VarbookError, match="no scale was due"):
        memory.next_order(16)
    with pytest.raises(VarbookError, match='"attention" or "mamba"'):
        NextScaleModel(replace(CONFIG, mixer="convolution"))


def test_the_mixer_does_not_change_the_names_of_attention_s_runs():
    assert "mixer" not in plain(NextScaleConfig()) and "mamba_state" not in plain(NextScaleConfig())
    assert plain(CONFIG)["mixer"] == "mamba" and plain(CONFIG)["mamba_state"] == 4
