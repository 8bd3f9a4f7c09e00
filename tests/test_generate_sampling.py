"""From logits to tokens, against slow references written from the definitions."""

import pytest
import torch
from tiny import noise

from varbook.generate.sampling import guidance_at, guide, sample_tokens

DRAWS = 3000


def slow_probabilities(logits: list[float], top_k: int, top_p: float, temperature: float) -> list[float]:
    """Return the distribution that is sampled: the k best, of those the best until their mass reaches p."""
    weights = torch.tensor(logits).double().div(temperature).exp().tolist()
    order = sorted(range(len(weights)), key=lambda v: -weights[v])
    kept = order[:top_k] if top_k else order
    total, mass, chosen = sum(weights[v] for v in kept), 0.0, []
    for v in kept:
        if not chosen or not 0 < top_p < 1 or mass < top_p:
            chosen.append(v)
        mass += weights[v] / total
    total = sum(weights[v] for v in chosen)
    return [weights[v] / total if v in chosen else 0.0 for v in range(len(weights))]


def test_no_guidance_leaves_the_conditional_logits():
    c, u = noise(2, 5, 7), noise(2, 5, 7, seed=1)
    assert torch.equal(guide(c, u, 0.0), c)
    assert torch.allclose(guide(c, u, 1.5), c + 1.5 * (c - u), atol=1e-6)
    assert torch.allclose(guide(c, c, 3.0), c, atol=1e-5)  # where both agree, guidance has nothing to say


def test_guidance_grows_from_none_to_all_over_the_scales():
    assert [guidance_at(4.0, k, 5) for k in range(5)] == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert guidance_at(4.0, 0, 1) == 0.0
    ramp = [guidance_at(9.0, k, 13, ramp_to=9) for k in range(13)]  # FlexVAR: constant from the tenth scale on
    assert ramp == pytest.approx([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9])
    assert guidance_at(2.5, 4, 5, ramp_to=9) == 2.5  # fewer scales than that: the ramp ends with them


@pytest.mark.parametrize(
    "top_k, top_p, temperature",
    [(0, 0.0, 1.0), (3, 0.0, 1.0), (0, 0.6, 1.0), (4, 0.7, 1.0), (0, 0.0, 0.5), (5, 0.9, 2.0), (99, 0.0, 1.0), (2, 1.0, 1.0)],
)
def test_the_draws_follow_the_slow_reference(top_k, top_p, temperature):
    logits = noise(8) * 1.5
    wanted = torch.tensor(slow_probabilities(logits.tolist(), top_k, top_p, temperature))
    tokens = sample_tokens(
        logits.expand(DRAWS, 8), top_k=top_k, top_p=top_p, temperature=temperature, generator=torch.Generator().manual_seed(0)
    )
    share = torch.bincount(tokens, minlength=8) / DRAWS
    assert (share[wanted == 0] == 0).all()
    # five standard deviations of a share
    assert ((share - wanted).abs() <= 5 * (wanted * (1 - wanted) / DRAWS).sqrt() + 1e-6).all()


@pytest.mark.parametrize("top_k", [0, 1, 2, 7])
@pytest.mark.parametrize("top_p", [0.0, 1e-9, 0.3, 0.999, 1.0])
def test_at_least_the_best_token_stays_and_never_one_outside_the_reference(top_k, top_p):
    logits = 2 * noise(60, 7)
    tokens = sample_tokens(logits, top_k=top_k, top_p=top_p, generator=torch.Generator().manual_seed(1))
    for row, token in zip(logits.tolist(), tokens.tolist()):
        assert slow_probabilities(row, top_k, top_p, 1.0)[token] > 0
    if top_k == 1 or top_p == 1e-9:
        assert torch.equal(tokens, logits.argmax(-1))


def test_very_confident_and_very_flat_logits_are_no_problem():
    sharp = torch.full((4, 6), -1e4)
    sharp[range(4), [3, 0, 5, 1]] = 1e4
    assert sample_tokens(sharp, top_k=3, top_p=0.9).tolist() == [3, 0, 5, 1]
    flat = sample_tokens(torch.zeros(500, 6), top_p=0.999, generator=torch.Generator().manual_seed(0))
    assert set(flat.tolist()) == set(range(6))


def test_shapes_are_kept_and_the_generator_decides():
    logits = noise(2, 3, 5, 9)
    first, again, other = (sample_tokens(logits, generator=torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert first.shape == (2, 3, 5) and torch.equal(first, again) and not torch.equal(first, other)
