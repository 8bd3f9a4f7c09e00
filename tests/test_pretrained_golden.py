"""Checkpoints in the published layout, read through our adapters, give the numbers of the authors'
own code.
"""

from dataclasses import replace

import pytest
import torch
from golden_weights import golden
from small_published import CONFIGS, SCHEDULE, published

from varbook.generate.loop import generate
from varbook.generate.sampling import Drawing
from varbook.transformer.model import NextScaleModel

KINDS = ("var", "flexvar")
CLOSE = {"rtol": 0, "atol": 1e-4}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return kind -> (tokenizer, model, golden vectors)."""
    folder = tmp_path_factory.mktemp("published")
    return {
        kind: (
            published(f"{kind}-tokenizer", folder),
            published(f"{kind}-d16", folder),
            golden(kind),
        )
        for kind in KINDS
    }


def as_maps(sequence: torch.Tensor) -> list[torch.Tensor]:
    """Cut (B, L, C) for scales 2 to K into maps (B, C, h, w)."""
    parts = sequence.split([h * w for h, w in SCHEDULE[1:]], 1)
    return [part.transpose(1, 2).unflatten(2, size) for part, size in zip(parts, SCHEDULE[1:])]


def as_tokens(sequence: torch.Tensor) -> list[torch.Tensor]:
    """Cut (B, L) into maps (B, h, w)."""
    parts = sequence.split([h * w for h, w in SCHEDULE], 1)
    return [part.unflatten(1, size) for part, size in zip(parts, SCHEDULE)]


def every_second(image: torch.Tensor) -> torch.Tensor:
    return image[..., ::2, ::2]


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_the_encoder_s_features_agree(made, kind):
    tokenizer, _, wanted = made[kind]
    assert wanted["features"].std() > 0.3
    torch.testing.assert_close(tokenizer.encode(wanted["image"]), wanted["features"], **CLOSE)


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_agree_exactly(made, kind):
    tokenizer, _, wanted = made[kind]
    tokens = tokenizer.tokens(wanted["image"])
    assert torch.equal(torch.cat([indices.flatten(1) for indices in tokens], 1), wanted["tokens"])
    assert len(wanted["tokens"].unique()) > 10


@torch.no_grad()
def test_the_accumulated_maps_agree(made):
    tokenizer, _, wanted = made["var"]
    pictures = tokenizer.quantise(tokenizer.encode(wanted["image"])).latents
    torch.testing.assert_close(pictures[2], wanted["f_hat_scale_3"], **CLOSE)
    torch.testing.assert_close(pictures[3], wanted["f_hat"], **CLOSE)


@torch.no_grad()
def test_the_reconstruction_of_var_agrees(made):
    tokenizer, _, wanted = made["var"]
    torch.testing.assert_close(
        every_second(tokenizer.image(as_tokens(wanted["tokens"]))),
        wanted["reconstruction"],
        **CLOSE,
    )


@torch.no_grad()
def test_the_reconstruction_of_flexvar_agrees_at_two_scales(made):
    tokenizer, _, wanted = made["flexvar"]
    pictures = tokenizer.quantise(tokenizer.encode(wanted["image"])).latents
    # theirs is not clamped
    torch.testing.assert_close(
        every_second(tokenizer.decode(pictures[3])), wanted["reconstruction"], **CLOSE
    )
    torch.testing.assert_close(
        every_second(tokenizer.decode(pictures[2])), wanted["reconstruction_scale_3"], **CLOSE
    )


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_teacher_inputs_agree(made, kind):
    tokenizer, _, wanted = made[kind]
    ours = tokenizer.pyramid.teacher_inputs(as_tokens(wanted["tokens"]))
    for own, theirs in zip(ours, as_maps(wanted["teacher_input"]), strict=True):
        torch.testing.assert_close(own, theirs, **CLOSE)


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_teacher_forced_logits_agree(made, kind):
    _, model, wanted = made[kind]
    logits = model([None, *as_maps(wanted["teacher_input"])], wanted["labels"], SCHEDULE)
    assert wanted["logits"].std() > 0.5
    torch.testing.assert_close(logits[:, :, ::2], wanted["logits"], **CLOSE)


@torch.no_grad()
def test_greedy_guided_samples_of_var_agree(made):
    tokenizer, model, wanted = made["var"]
    images = generate(
        model, tokenizer, wanted["labels"], drawing=Drawing(guidance=1.5, top_k=1)
    ).images
    # theirs lies in [0, 1]
    torch.testing.assert_close(
        every_second(images / 2 + 0.5), wanted["greedy_cfg1p5_image"], **CLOSE
    )


@torch.no_grad()
def test_greedy_guided_samples_of_flexvar_agree(made):
    tokenizer, model, wanted = made["flexvar"]
    out = generate(
        model, tokenizer, wanted["labels"], SCHEDULE, Drawing(guidance=2.5, top_k=1, released=True)
    )
    torch.testing.assert_close(
        every_second(tokenizer.decode(out.latents[-1])), wanted["greedy_cfg2p5_image"], **CLOSE
    )


@torch.no_grad()
def test_the_released_positions_are_needed_for_the_released_numbers(made):
    _, model, wanted = made["flexvar"]
    paper = NextScaleModel(replace(CONFIGS["flexvar-d16"], position_form="paper")).eval()
    paper.load_state_dict(model.state_dict())
    logits = paper([None, *as_maps(wanted["teacher_input"])], wanted["labels"], SCHEDULE)
    assert not torch.allclose(logits[:, :, ::2], wanted["logits"], atol=1e-2)
