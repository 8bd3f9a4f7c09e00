"""Softmax relaxed quantization and its three rivals: limits, gradients, and what each lets through."""

import math

import pytest
import torch
from tiny import noise

from varbook.errors import VarbookError
from varbook.translate.relaxation import (
    RELAXATIONS,
    bit_state,
    gumbel_noise,
    mixture_state,
    relax,
    relax_bits,
)

LOGITS, VECTORS = 2 * noise(3, 4, 7), noise(7, 5, seed=1)


def slow_softmax_mixture(
    logits: torch.Tensor, vectors: torch.Tensor, temperature: float
) -> torch.Tensor:
    """Return sum_v q_v Z_v with q_v = exp(l_v / tau) / sum exp(l_v / tau), one row at a time
    (CycleVAR eqs. 10, 11).
    """
    rows = []
    for row in logits.reshape(-1, logits.shape[-1]):
        weights = [torch.exp(value / temperature) for value in row]
        rows.append(sum(weight / sum(weights) * vector for weight, vector in zip(weights, vectors)))
    return torch.stack(rows).view(*logits.shape[:-1], -1)


def gradient(
    how: str, weight: torch.Tensor, temperature: float = 2.0, seed: int = 0
) -> torch.Tensor:
    logits = LOGITS.clone().requires_grad_()
    out = relax(
        logits, VECTORS, how, temperature=temperature, generator=torch.Generator().manual_seed(seed)
    )
    (out * weight).sum().backward()
    return logits.grad


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.0, 10.0])
def test_the_mixture_by_its_equations(temperature):
    slow = slow_softmax_mixture(LOGITS.double(), VECTORS.double(), temperature)
    assert torch.allclose(relax(LOGITS, VECTORS, temperature=temperature), slow.float(), atol=1e-5)


def test_cold_mixtures_are_hard_lookups_and_hot_ones_the_mean_of_the_codebook():
    hard = VECTORS[LOGITS.argmax(-1)]
    assert torch.allclose(relax(LOGITS, VECTORS, temperature=1e-3), hard, atol=1e-5)
    assert torch.allclose(
        relax(LOGITS, VECTORS, temperature=1e6), VECTORS.mean(0).expand(3, 4, 5), atol=1e-5
    )
    assert not torch.allclose(
        relax(LOGITS, VECTORS, temperature=2.0), hard, atol=0.1
    )  # and between it is neither


def test_argmax_is_the_nearest_thing_to_sampling_and_has_no_gradient():
    logits = LOGITS.clone().requires_grad_()
    out = relax(logits, VECTORS, "argmax")
    assert torch.equal(out, VECTORS[LOGITS.argmax(-1)]) and not out.requires_grad


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_the_gradient_of_the_mixture_equals_finite_differences(temperature):
    weight, step = noise(3, 4, 5, seed=2), 1e-5
    found = gradient("softmax", weight, temperature)
    for index in torch.cartesian_prod(torch.arange(3), torch.arange(4), torch.arange(7)):
        values = []
        for sign in (1, -1):
            moved = LOGITS.double().clone()
            moved[tuple(index)] += sign * step
            row = tuple(index[:2])
            values.append(
                (
                    slow_softmax_mixture(moved[row], VECTORS.double(), temperature)
                    * weight[row].double()
                ).sum()
            )
        difference = (values[0] - values[1]) / (2 * step)
        assert found[tuple(index)].item() == pytest.approx(difference.item(), rel=1e-3, abs=1e-5)


def test_the_gradient_reaches_the_codebook_too():
    vectors = VECTORS.clone().requires_grad_()
    relax(LOGITS, vectors).sum().backward()
    share = (LOGITS / 2.0).softmax(-1).sum((0, 1))
    assert torch.allclose(vectors.grad, share[:, None].expand(7, 5), atol=1e-5)


def test_straight_through_is_hard_forwards_and_soft_backwards():
    weight = noise(3, 4, 5, seed=2)
    assert torch.allclose(
        relax(LOGITS, VECTORS, "straight_through"), VECTORS[LOGITS.argmax(-1)], atol=1e-5
    )
    assert torch.allclose(
        gradient("straight_through", weight), gradient("softmax", weight), atol=1e-6
    )
    assert gradient("straight_through", weight).abs().max() > 0.01


def test_gumbel_is_a_hard_random_choice_with_the_softmax_s_odds():
    logits = noise(7).expand(4000, 7)
    out = relax(
        logits, torch.eye(7), "gumbel", temperature=2.0, generator=torch.Generator().manual_seed(0)
    )
    assert torch.allclose(out.amax(1), torch.ones(4000), atol=1e-5)  # one code each
    odds, share = logits[0].softmax(-1), out.mean(0)
    assert ((share - odds).abs() <= 5 * (odds * (1 - odds) / 4000).sqrt()).all()
    assert gradient("gumbel", noise(3, 4, 5, seed=2)).abs().max() > 0.01


def test_noise_is_drawn_from_the_generator_and_off_by_default():
    plain = relax(LOGITS, VECTORS)
    assert torch.equal(plain, relax(LOGITS, VECTORS, generator=torch.Generator().manual_seed(0)))
    noisy = [
        relax(LOGITS, VECTORS, noise=True, generator=torch.Generator().manual_seed(seed))
        for seed in (0, 0, 1)
    ]
    assert (
        torch.equal(noisy[0], noisy[1])
        and not torch.equal(noisy[0], noisy[2])
        and not torch.equal(noisy[0], plain)
    )


def test_gumbel_noise_has_the_mean_and_spread_of_its_distribution():
    drawn = gumbel_noise(torch.empty(20_000), torch.Generator().manual_seed(0))
    assert drawn.isfinite().all()
    assert drawn.mean().item() == pytest.approx(0.5772, abs=0.05)
    assert drawn.std().item() == pytest.approx(math.pi / math.sqrt(6), abs=0.05)


def test_two_codes_of_opposite_sign_give_the_tanh_of_bitwise_tokens():
    """With codes +-1/sqrt(d) the mixture is tanh((l_1 - l_0) / (2 tau)) / sqrt(d): SRQ for
    Infinity's bits.
    """
    logits, scale = 2 * noise(6, 8, 2), 1 / math.sqrt(8)
    mixed = relax(logits, torch.tensor([[-scale], [scale]]), temperature=1.7)[..., 0]
    assert torch.allclose(
        mixed, scale * torch.tanh((logits[..., 1] - logits[..., 0]) / (2 * 1.7)), atol=1e-6
    )


def test_half_precision_logits_are_mixed_in_full_precision():
    assert relax(LOGITS.bfloat16(), VECTORS).dtype == torch.float32


def test_mixture_state_says_how_soft():
    flat = mixture_state(torch.zeros(2, 9), noise(9, 4), 2.0)
    assert flat["perplexity"] == pytest.approx(9, rel=1e-4) and flat["logit_std"] == 0
    sharp = mixture_state(100 * torch.eye(9), torch.eye(9), 1.0)
    assert sharp["perplexity"] == pytest.approx(1, rel=1e-4) and sharp[
        "norm_ratio"
    ] == pytest.approx(1, rel=1e-4)
    assert flat["norm_ratio"] < 0.7


def test_bad_names_and_temperatures_are_refused():
    with pytest.raises(VarbookError, match=", ".join(RELAXATIONS)):
        relax(LOGITS, VECTORS, "hard")
    for temperature in (0.0, -1.0, math.nan):
        with pytest.raises(VarbookError, match="must be positive"):
            relax(LOGITS, VECTORS, temperature=temperature)


BITS = 3 * noise(2, 5, 12, seed=4)  # six bits


def explicit_bits(logits: torch.Tensor, temperature: float) -> torch.Tensor:
    """Return (2 p - 1) / sqrt(d) with p from a two-way softmax, bit by bit."""
    pairs = logits.view(*logits.shape[:-1], -1, 2)
    plus = torch.exp(pairs[..., 1] / temperature) / torch.exp(pairs / temperature).sum(-1)
    return (2 * plus - 1) / math.sqrt(pairs.shape[-2])


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.0, 10.0])
def test_a_relaxed_bit_is_the_explicit_two_way_softmax(temperature):
    assert torch.allclose(
        relax_bits(BITS, temperature=temperature),
        explicit_bits(BITS.double(), temperature).float(),
        atol=1e-6,
    )


def test_cold_bits_are_hard_and_hot_ones_vanish():
    hard = relax_bits(BITS, "argmax")
    assert torch.allclose(hard.abs(), torch.full_like(hard, 1 / math.sqrt(6)))
    assert torch.equal(hard > 0, BITS.view(2, 5, 6, 2).argmax(-1).bool())
    assert torch.allclose(relax_bits(BITS, temperature=1e-4), hard, atol=1e-6)
    assert relax_bits(BITS, temperature=1e7).abs().max() < 1e-6


@pytest.mark.parametrize("how", RELAXATIONS)
def test_bits_let_gradients_through_as_codes_do(how):
    logits = BITS.clone().requires_grad_()
    out = relax_bits(logits, how, temperature=1.5, generator=torch.Generator().manual_seed(0))
    assert out.shape == (2, 5, 6) and out.requires_grad == (how != "argmax")
    if how != "argmax":
        out.square().sum().backward() if how == "softmax" else out.sum().backward()
        assert logits.grad.abs().sum() > 0


def test_noise_on_bits_is_that_of_the_codes_and_bad_settings_are_refused():
    noisy = [
        relax_bits(BITS, noise=True, generator=torch.Generator().manual_seed(1)) for _ in range(2)
    ]
    assert torch.equal(*noisy) and not torch.allclose(noisy[0], relax_bits(BITS))
    with pytest.raises(VarbookError, match="temperature must be positive"):
        relax_bits(BITS, temperature=0.0)
    with pytest.raises(VarbookError, match="no relaxation 'soft'"):
        relax_bits(BITS, "soft")


def test_the_state_of_bits_runs_from_sure_to_empty():
    cold, hot = bit_state(BITS, 1e-4), bit_state(BITS, 1e7)
    assert cold["entropy"] < 1e-3 and cold["norm_ratio"] == pytest.approx(1.0, abs=1e-4)
    assert hot["entropy"] > 0.999 and hot["norm_ratio"] < 1e-5
