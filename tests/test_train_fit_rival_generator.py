"""Training the rivals: each loss by its definition, a few steps that learn, and resuming to the
same bits.
"""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from tiny import CPU, MODEL, Killed, KilledKeeper, noise, same_state, tiny_tokenizer

from varbook.train.fit_next_scale import NextScaleTraining
from varbook.train.fit_rival_generator import LOSSES, draw_mask, fit_rival_generator, flat_tokens
from varbook.train.keeper import Keeper
from varbook.transformer.rival_generators import DiffusionModel, make_rival

LABELS = torch.arange(12) % 3
FEATURES = noise(3, 8, 1, 1, seed=5)[LABELS] + 0.3 * noise(
    12, 8, 4, 4
)  # every class around a vector of its own
SHORT = NextScaleTraining(steps=6, batch=4)


def fresh(name: str):
    torch.manual_seed(0)
    return make_rival(name, MODEL)


def fit(name: str, model, training=SHORT, keeper=None, seed: int = 3):
    tokenizer = tiny_tokenizer("ground_truth")
    return fit_rival_generator(
        name, model, tokenizer, FEATURES, LABELS, training, seed=seed, device=CPU, keeper=keeper
    )


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("name", LOSSES)
def test_resuming_gives_the_same_bits(name, tmp_path):
    whole, broken = fresh(name), fresh(name)
    curve = fit(name, whole)
    with pytest.raises(Killed):
        fit(name, broken, keeper=KilledKeeper(tmp_path))
    resumed = fresh(name)
    assert fit(name, resumed, keeper=Keeper(tmp_path)) == curve
    assert same_state(whole, resumed) and not same_state(whole, fresh(name))


@pytest.mark.parametrize("name", LOSSES)
def test_it_learns(name):
    curve = fit(name, fresh(name), replace(SHORT, steps=121, lr=3e-3, class_drop=0.0))
    assert curve[0]["step"] == 0 and all(math.isfinite(point["loss"]) for point in curve)
    assert curve[-1]["loss"] < 0.8 * curve[0]["loss"]


def test_the_masked_loss_asks_for_hidden_tokens_alone():
    model, tokenizer = fresh("masked"), tiny_tokenizer("ground_truth")
    hidden = draw_mask(12, 16, generator())
    found = LOSSES["masked"](model, tokenizer, FEATURES, LABELS, generator())
    tokens = flat_tokens(tokenizer, FEATURES)
    seen = (
        (tokenizer.codebook.lookup(tokens) * ~hidden[..., None]).transpose(1, 2).view(12, 8, 4, 4)
    )
    logits = model([seen], LABELS)
    terms = [
        -logits[b, i].log_softmax(0)[tokens[b, i]]
        for b in range(12)
        for i in range(16)
        if hidden[b, i]
    ]
    assert torch.allclose(found, torch.stack(terms).mean(), atol=1e-5)


def test_between_one_and_all_tokens_are_hidden_with_the_cosine_s_mean():
    mask = draw_mask(4000, 64, generator())
    assert mask.sum(1).min() >= 1 and mask.sum(1).max() == 64
    assert mask.float().mean().item() == pytest.approx(2 / math.pi, abs=0.02)
    assert (mask.float().mean(0) - 2 / math.pi).abs().max() < 0.05  # no place is favoured


def test_the_raster_loss_starts_at_guessing():
    loss = LOSSES["raster"](
        fresh("raster"), tiny_tokenizer("ground_truth"), FEATURES, LABELS, generator()
    )
    assert loss.item() == pytest.approx(math.log(MODEL.vocab_size), abs=0.1)


def test_the_diffusion_loss_is_zero_for_who_knows_the_answer():
    class Oracle(DiffusionModel):
        def forward(self, x, t, labels):
            cos, sin = (
                (math.pi / 2 * t).cos()[:, None, None, None],
                (math.pi / 2 * t).sin()[:, None, None, None],
            )
            clean = self.normalise(FEATURES)
            return cos * (x - cos * clean) / sin - sin * clean

    oracle = Oracle(MODEL)
    oracle.measure(FEATURES)
    tokenizer = tiny_tokenizer("ground_truth")
    assert LOSSES["diffusion"](oracle, tokenizer, FEATURES, LABELS, generator()).item() < 1e-6
    lazy = LOSSES["diffusion"](fresh("diffusion"), tokenizer, FEATURES, LABELS, generator()).item()
    assert lazy > 0.5 and F.mse_loss(oracle.restore(oracle.normalise(FEATURES)), FEATURES) < 1e-9
