"""Our modules, with the published parameters' names and values, give the numbers of the authors' own code."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from golden_weights import golden_state
from safetensors.torch import load_file

from varbook.tokenizer.codebook import Codebook
from varbook.tokenizer.pyramid import GroundTruthPyramid, Pyramid, ResidualPyramid
from varbook.tokenizer.schedule import square
from varbook.transformer.model import NextScaleConfig, NextScaleModel, flexvar

SCHEDULE = square(1, 2, 3, 4)
VAR = NextScaleConfig(schedule=SCHEDULE, codes=512, code_dim=32, classes=10, depth=2, width=128, heads=2)
# The released table is 32 x 32, twice a latent of 16 x 16, whatever the schedule.
FLEXVAR = replace(flexvar(VAR), position_form="released", schedule=square(1, 2, 3, 16))
KINDS = ("var", "flexvar")


def golden(kind: str) -> dict[str, torch.Tensor]:
    return load_file(Path(__file__).parent / "golden" / f"{kind}_tiny.safetensors")


def published_pyramid_name(name: str) -> str:
    name = name.replace("codebook.", "quantize.").replace(".conv.", ".")
    return name.replace("phi.", "quantize.quant_resi.qresi_ls.")


def pyramid(kind: str) -> Pyramid:
    codebook = Codebook(512, 32, normalise=kind == "flexvar")
    made = ResidualPyramid(codebook) if kind == "var" else GroundTruthPyramid(codebook)
    made.load_state_dict(golden_state(made.state_dict(), published_pyramid_name))
    return made


def transformer(kind: str) -> NextScaleModel:
    made = NextScaleModel(VAR if kind == "var" else FLEXVAR).eval()
    made.load_state_dict(golden_state(made.state_dict(), lambda name: name.replace("positions.table", "pos_1LC")))
    return made


def as_maps(sequence: torch.Tensor) -> list[torch.Tensor]:
    """Cut (B, L, C) for scales 2 to K into maps (B, C, h, w)."""
    parts = sequence.split([h * w for h, w in SCHEDULE[1:]], 1)
    return [part.transpose(1, 2).unflatten(2, size) for part, size in zip(parts, SCHEDULE[1:])]


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_agree_exactly(kind):
    wanted = golden(kind)
    tokens = pyramid(kind)(wanted["features"], SCHEDULE).tokens
    assert torch.equal(torch.cat([indices.flatten(1) for indices in tokens], 1), wanted["tokens"])
    assert len(wanted["tokens"].unique()) > 10


@torch.no_grad()
def test_the_accumulated_maps_agree():
    wanted = golden("var")
    pictures = pyramid("var")(wanted["features"], SCHEDULE).pictures
    assert torch.allclose(pictures[2], wanted["f_hat_scale_3"], atol=1e-4)
    assert torch.allclose(pictures[3], wanted["f_hat"], atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_teacher_inputs_agree(kind):
    wanted = golden(kind)
    tokens = [part.view(2, *size) for part, size in zip(wanted["tokens"].split([h * w for h, w in SCHEDULE], 1), SCHEDULE)]
    for ours, theirs in zip(pyramid(kind).teacher_inputs(tokens), as_maps(wanted["teacher_input"]), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_teacher_forced_logits_agree(kind):
    wanted = golden(kind)
    logits = transformer(kind)([None, *as_maps(wanted["teacher_input"])], wanted["labels"], SCHEDULE)
    assert wanted["logits"].std() > 0.5
    assert torch.allclose(logits[:, :, ::2], wanted["logits"], atol=1e-4)


@torch.no_grad()
def test_the_released_positions_are_needed_for_the_released_numbers():
    wanted, model = golden("flexvar"), transformer("flexvar")
    paper = NextScaleModel(replace(FLEXVAR, position_form="paper")).eval()
    paper.load_state_dict(model.state_dict())
    logits = paper([None, *as_maps(wanted["teacher_input"])], wanted["labels"], SCHEDULE)
    assert not torch.allclose(logits[:, :, ::2], wanted["logits"], atol=1e-2)
