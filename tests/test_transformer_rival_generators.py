"""The rivals' networks: causal where they must be, deaf to nothing where they may hear all, of
equal size.
"""

import math

import pytest
import torch
from tiny import MODEL, awake, noise

from varbook.errors import VarbookError
from varbook.transformer.model import NextScaleModel
from varbook.transformer.rival_generators import (
    DiffusionModel,
    diffusion_step,
    make_rival,
    time_waves,
)

LABELS = torch.tensor([0, 2])
HEIGHT, WIDTH = MODEL.schedule[-1]
LENGTH = HEIGHT * WIDTH


def rival(name: str) -> NextScaleModel | DiffusionModel:
    torch.manual_seed(0)
    return awake(make_rival(name, MODEL)).eval()


@torch.no_grad()
def test_in_raster_order_a_token_sees_those_before_it_alone():
    model, codes = rival("raster"), noise(2, LENGTH - 1, MODEL.code_dim)
    maps = lambda x: [None, *x[..., None, None].unbind(1)]  # noqa: E731
    before = model(maps(codes), LABELS)
    assert before.shape == (2, LENGTH, MODEL.vocab_size)
    for place in (0, 5, LENGTH - 2):
        changed = codes.clone()
        changed[:, place] += 1
        moved = (model(maps(changed), LABELS) - before).abs().amax((0, 2))
        assert moved[: place + 1].max() == 0 and moved[place + 1 :].min() > 1e-5


@torch.no_grad()
def test_in_masked_prediction_every_token_sees_every_other():
    model, seen = rival("masked"), noise(2, MODEL.code_dim, HEIGHT, WIDTH)
    before = model([seen], LABELS)
    for y, x in ((0, 0), (2, 3)):
        changed = seen.clone()
        changed[:, :, y, x] += 1
        assert (model([changed], LABELS) - before).abs().amax((0, 2)).min() > 1e-5


@torch.no_grad()
def test_diffusion_hears_the_whole_map_the_time_and_the_class():
    model, x, t = (
        rival("diffusion"),
        noise(2, MODEL.code_dim, HEIGHT, WIDTH),
        torch.tensor([0.2, 0.7]),
    )
    before = model(x, t, LABELS)
    assert before.shape == x.shape
    changed = x.clone()
    changed[:, :, 1, 1] += 1
    for other in (
        model(changed, t, LABELS),
        model(x, t + 0.1, LABELS),
        model(x, t, LABELS - 1 + 2 * (LABELS == 0)),
    ):
        assert (other - before).abs().amax(1).min() > 1e-5


def test_the_sizes_are_equal_within_a_fifth():
    size = {
        name: sum(p.numel() for p in rival(name).parameters())
        for name in ("raster", "masked", "diffusion")
    }
    own = sum(p.numel() for p in NextScaleModel(MODEL).parameters())
    assert all(0.8 < one / own < 1.2 for one in size.values())


def test_an_unknown_rival_is_refused():
    with pytest.raises(VarbookError, match='"raster", "masked" or "diffusion"'):
        make_rival("gan", MODEL)


def test_features_are_normalised_per_channel_and_come_back():
    model, features = (
        DiffusionModel(MODEL),
        3 * noise(50, MODEL.code_dim, 4, 4) + torch.arange(8.0)[:, None, None],
    )
    model.measure(features)
    x = model.normalise(features)
    assert x.mean((0, 2, 3)).abs().max() < 1e-5 and (x.std((0, 2, 3)) - 1).abs().max() < 1e-4
    assert torch.allclose(model.restore(x), features, atol=1e-4)
    assert {"mean", "std"} <= set(model.state_dict())  # they are stored with the weights


@pytest.mark.parametrize(("t", "to"), [(1.0, 0.6), (0.6, 0.0), (0.3, 0.8), (0.5, 0.5)])
def test_a_turn_with_the_true_v_lands_on_the_path_between_picture_and_noise(t, to):
    clean, dirt = noise(2, 3, 4, 4).double(), noise(2, 3, 4, 4, seed=1).double()
    at = lambda time: math.cos(math.pi / 2 * time) * clean + math.sin(math.pi / 2 * time) * dirt  # noqa: E731
    v = math.cos(math.pi / 2 * t) * dirt - math.sin(math.pi / 2 * t) * clean
    assert torch.allclose(diffusion_step(at(t), v, t, to), at(to), atol=1e-12)


def test_times_that_differ_have_waves_that_differ():
    waves = time_waves(torch.tensor([0.0, 0.01, 0.5, 1.0]), 32)
    assert waves.shape == (4, 32) and waves.abs().max() <= 1
    assert (torch.cdist(waves, waves) + 10 * torch.eye(4)).min() > 0.5
