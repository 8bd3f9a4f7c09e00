"""The pieces of CycleVAR's losses."""

import pytest
import torch
from tiny import noise
from torch import nn

from varbook.translate.losses import keep, noisy, reconstruction, update_average


def squares(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return (x - y).square().mean((1, 2, 3))


def test_reconstruction_is_a_weighted_sum_of_means():
    x, y = noise(3, 3, 4, 4), noise(3, 3, 4, 4, seed=1)
    slow = (
        2.0 * sum((x[b] - y[b]).abs().mean() for b in range(3)) / 3 + 5.0 * sum(squares(x, y)) / 3
    )
    assert reconstruction(x, y, 2.0, 5.0, squares).item() == pytest.approx(slow.item(), rel=1e-5)
    assert reconstruction(x, x, 2.0, 5.0, squares) == 0


def test_a_batch_of_copies_costs_what_one_image_costs():
    x, y = noise(2, 3, 4, 4), noise(2, 3, 4, 4, seed=1)
    once, more = (
        reconstruction(x.repeat(n, 1, 1, 1), y.repeat(n, 1, 1, 1), 1.0, 1.0, squares).item()
        for n in (1, 6)
    )
    assert once == pytest.approx(more, rel=1e-5)


def test_without_a_perceptual_distance_or_its_weight_l1_remains():
    x, y = noise(2, 3, 4, 4), noise(2, 3, 4, 4, seed=1)
    wanted = (x - y).abs().mean().item()
    assert reconstruction(x, y, 1.0, 5.0, None).item() == pytest.approx(wanted, rel=1e-5)

    def never(x, y):
        raise AssertionError("a distance of weight 0 must not be computed")

    assert reconstruction(x, y, 1.0, 0.0, never).item() == pytest.approx(wanted, rel=1e-5)


def test_the_average_moves_by_its_share_and_takes_no_gradient():
    average, model = nn.Linear(2, 2), nn.Linear(2, 2)
    start, target = average.weight.detach().clone(), model.weight.detach().clone()
    update_average(average, model, 0.9)
    assert torch.allclose(average.weight, 0.9 * start + 0.1 * target, atol=1e-6)
    update_average(average, model, 0.0)
    assert torch.equal(average.weight, target) and torch.equal(model.weight, target)
    assert average.weight.grad_fn is None and average.weight.requires_grad


def test_keep_counts_small_differences_and_stops_counting_large_ones():
    source = torch.zeros(1, 3, 2, 2)
    translation = torch.tensor([[0.1, 0.2], [0.3, 1.5]]).expand(1, 3, 2, 2).clone().requires_grad_()
    value = keep(translation, source, 0.3)
    assert torch.isclose(value, torch.tensor((0.1 + 0.2 + 0.3 + 0.3) / 4))
    value.backward()
    assert translation.grad[0, 0, 0, 0] > 0  # a faint tint is pulled back
    assert translation.grad[0, :, 1, 1].abs().sum() == 0  # a stripe is left alone


def test_noise_has_the_deviation_that_was_asked_for_and_none_changes_nothing():
    images = noise(2, 3, 32, 32)
    assert noisy(images, 0.0) is images
    added = noisy(images, 0.1, torch.Generator().manual_seed(0)) - images
    assert added.std().item() == pytest.approx(0.1, rel=0.05) and abs(added.mean().item()) < 0.01
    assert torch.equal(noisy(images, 0.1, torch.Generator().manual_seed(0)) - images, added)
