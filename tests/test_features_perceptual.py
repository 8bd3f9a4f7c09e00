"""The perceptual distance: zero for equal images, growing with damage, differentiable, frozen, and
honest about its name.
"""

import pytest
import torch

from varbook import paths
from varbook.errors import VarbookError
from varbook.features import perceptual
from varbook.features.perceptual import Perceptual, perceptual_distance
from varbook.features.squeezenet import SqueezeNet


@pytest.fixture(scope="module", params=["squeezenet", "untrained"])
def distance(request, pretrained):
    """The distance on the network whose weights are at hand, and on an untrained one."""
    if request.param == "untrained":
        torch.manual_seed(0)
        return Perceptual("squeezenet", SqueezeNet())
    return perceptual_distance("squeezenet")


@pytest.fixture(scope="module")
def images():
    grid = torch.linspace(-3, 3, 64)
    wave = torch.stack(
        [(grid[:, None] * k).sin() * (grid[None] * (k + 1)).cos() for k in (1, 2, 3)]
    )
    return torch.stack([wave, wave.flip(1), -wave, wave.roll(9, 2)]) * 0.9  # 4 3 64 64


def test_equal_images_have_no_distance_and_no_gradient(distance, images):
    x = images.clone().requires_grad_()
    value = distance(x, images)
    assert value.shape == (4,) and value.detach().abs().max() == 0
    value.sum().backward()
    assert x.grad.abs().max() == 0


def test_gradient_reaches_the_first_image_and_no_weight(distance, images):
    x = (images * 0.5).requires_grad_()
    distance(x, images).mean().backward()
    assert torch.isfinite(x.grad).all() and (x.grad.flatten(1).abs().sum(dim=1) > 0).all()
    assert all(weight.grad is None and not weight.requires_grad for weight in distance.parameters())


def test_a_step_down_the_gradient_brings_the_images_closer(distance, images):
    x = (
        images + 0.2 * torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    ).requires_grad_()
    before = distance(x, images).sum()
    before.backward()
    with torch.no_grad():
        after = distance(x - 0.05 * x.grad / x.grad.square().mean().sqrt() * 0.1, images).sum()
    assert after < before.detach()


def test_more_damage_is_further_and_the_order_does_not_matter(distance, images):
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(1))
    values = [distance(images + strength * noise, images) for strength in (0.05, 0.15, 0.45)]
    assert (values[0] < values[1]).all() and (values[1] < values[2]).all()
    assert torch.allclose(values[2], distance(images, images + 0.45 * noise), rtol=1e-5)


def test_black_images_give_finite_gradients(distance):
    x = torch.full((1, 3, 32, 32), -1.0, requires_grad=True)
    distance(x, torch.ones(1, 3, 32, 32)).sum().backward()
    assert torch.isfinite(x.grad).all()


def test_it_stays_in_evaluation_mode_and_in_float32(distance, images):
    assert not any(module.training for module in distance.train().modules())
    assert not any(
        module.training for module in torch.nn.ModuleList([distance]).train()[0].modules()
    )
    with torch.autocast("cpu", torch.bfloat16):
        low = distance(images * 0.5, images)
    assert low.dtype == torch.float32 and torch.equal(low, distance(images * 0.5, images))


@pytest.mark.parametrize(
    "x,y",
    [
        ((2, 3, 64, 64), (2, 3, 32, 32)),
        ((2, 1, 64, 64), (2, 1, 64, 64)),
        ((1, 3, 16, 64), (1, 3, 16, 64)),
    ],
)
def test_shapes_that_do_not_fit_are_refused(distance, x, y):
    with pytest.raises(VarbookError, match="32 pixels"):
        distance(torch.zeros(x), torch.zeros(y))


def test_names_say_what_measures(monkeypatch, tmp_path):
    with pytest.raises(VarbookError, match="lpips-vgg"):
        perceptual_distance("vgg")
    monkeypatch.setattr(paths, "weights_file", lambda name: None)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(VarbookError, match="VARBOOK_WEIGHTS"):
        perceptual_distance("squeezenet")
    with pytest.raises(VarbookError, match="torch.hub"):
        perceptual_distance("lpips-vgg")
    fallback = perceptual_distance()
    assert fallback.name == "lpips-random"
    x, y = torch.rand(2, 2, 3, 32, 32)
    assert (
        torch.equal(fallback(x, y), perceptual_distance("lpips-random")(x, y))
        and (fallback(x, y) > 0).all()
    )


def test_the_choice_without_a_card_is_never_the_slow_one(monkeypatch):
    monkeypatch.setattr(perceptual, "trunk_cached", lambda name: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert perceptual.best_at_hand() == "lpips-squeeze"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert perceptual.best_at_hand() == "lpips-vgg"
