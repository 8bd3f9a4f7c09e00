"""Drawing with the rivals: what the loop draws is what the network says in one pass; masks only
fall; walks come back.
"""

import math

import pytest
import torch
from tiny import MODEL, awake, noise, tiny_tokenizer

from varbook.generate import rival_sampling as module
from varbook.generate.rival_sampling import (
    draw_diffusion,
    draw_masked,
    draw_raster,
    still_masked,
    visible,
    walk,
)
from varbook.transformer.rival_generators import DiffusionModel, make_rival

LABELS = torch.tensor([0, 2, 1])
HEIGHT, WIDTH = MODEL.schedule[-1]


def rival(name: str):
    torch.manual_seed(0)
    model = awake(make_rival(name, MODEL)).eval()
    if name != "diffusion":
        model.word_embed.weight.data *= 5
        model.head.bias.data.zero_()
    return model


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@torch.no_grad()
def test_raster_draws_what_one_pass_over_its_own_tokens_says():
    model, tokenizer = rival("raster"), tiny_tokenizer("ground_truth")
    made = draw_raster(model, tokenizer, LABELS, guidance=0.0, top_k=1)
    assert made.images.shape == (3, 3, 16, 16) and made.passes == HEIGHT * WIDTH
    tokens = made.tokens.flatten(1)
    codes = tokenizer.codebook.lookup(tokens[:, :-1])[..., None, None]
    assert torch.equal(model([None, *codes.unbind(1)], LABELS).argmax(-1), tokens)
    assert len(tokens.unique()) > 3
    assert not torch.equal(
        draw_raster(model, tokenizer, LABELS, guidance=3.0, top_k=1).tokens, made.tokens
    )


def test_the_number_of_hidden_tokens_falls_along_a_cosine_to_none():
    left = [still_masked((k + 1) / 8, 64) for k in range(8)]
    assert left == [math.floor(64 * math.cos(math.pi / 2 * (k + 1) / 8)) for k in range(7)] + [0]
    assert all(a > b for a, b in zip(left, left[1:]))


@torch.no_grad()
def test_masked_drawing_never_changes_what_it_has_kept(monkeypatch):
    seen = []

    def watching(tokenizer, tokens, known, latent):
        seen.append((tokens.clone(), known.clone()))
        return visible(tokenizer, tokens, known, latent)

    monkeypatch.setattr(module, "visible", watching)
    made = draw_masked(
        rival("masked"), tiny_tokenizer("ground_truth"), LABELS, passes=5, generator=generator()
    )
    assert made.passes == len(seen) == 5 and not seen[0][1].any()
    final = made.tokens.flatten(1)
    for k, (tokens, known) in enumerate(seen):
        assert bool((known.sum(1) == (0 if k == 0 else 16 - still_masked(k / 5, 16))).all())
        assert torch.equal(tokens[known], final[known])
    for (_, before), (_, after) in zip(seen, seen[1:]):
        assert bool((after >= before).all())


def test_visible_shows_codes_where_they_are_known_and_nothing_elsewhere():
    tokenizer, tokens = tiny_tokenizer("ground_truth"), torch.arange(16)[None]
    known = (torch.arange(16) % 3 == 0)[None]
    seen = visible(tokenizer, tokens, known, (4, 4))
    codes = tokenizer.codebook.vectors()[:16].T.view(8, 4, 4)
    where = known.view(4, 4)
    assert torch.equal(seen[0][:, where], codes[:, where]) and seen[0][:, ~where].abs().max() == 0


@torch.no_grad()
def test_all_rivals_draw_the_same_with_the_same_seed_and_other_pictures_with_another():
    tokenizer = tiny_tokenizer("ground_truth")
    for name, draw in (
        ("raster", draw_raster),
        ("masked", draw_masked),
        ("diffusion", draw_diffusion),
    ):
        model = rival(name)
        first, again, other = (
            draw(model, tokenizer, LABELS, generator=generator(seed)) for seed in (0, 0, 1)
        )
        assert torch.equal(first.tokens, again.tokens) and not torch.equal(
            first.tokens, other.tokens
        )
        assert first.images.shape == (3, 3, 16, 16) and first.images.abs().max() <= 1


class Gaussian(DiffusionModel):
    """Knows the answer for data that are normal with spread 0.5: then clean and noise given x are
    linear in x.
    """

    def forward(self, x, t, labels):
        a = (math.pi / 2 * t)[:, None, None, None]
        share = 1 / (0.25 * a.cos() ** 2 + a.sin() ** 2)
        return a.cos() * (a.sin() * share * x) - a.sin() * (0.25 * a.cos() * share * x)


@pytest.mark.parametrize("guidance", [0.0, 2.0])
@torch.no_grad()
def test_a_walk_turns_noise_into_the_data_s_distribution_and_back(guidance):
    model, x = Gaussian(MODEL), noise(200, 8, 4, 4)
    labels, times = torch.zeros(200, dtype=torch.long), [1 - k / 400 for k in range(401)]
    drawn = walk(model, x, labels, times, guidance)
    assert drawn.std().item() == pytest.approx(0.5, abs=0.01)
    assert torch.allclose(walk(model, drawn, labels, times[::-1], guidance), x, atol=0.05)
    halfway = walk(model, drawn, labels, times[200:][::-1], guidance)
    assert torch.allclose(walk(model, halfway, labels, times[200:], guidance), drawn, atol=0.05)
