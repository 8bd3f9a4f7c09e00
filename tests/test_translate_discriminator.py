"""The discriminator and its losses by their formulas."""

import pytest
import torch
import torch.nn.functional as F
from tiny import noise, pictures

from varbook.translate.discriminator import (
    PatchDiscriminator,
    hinge_discriminator,
    sigmoid_discriminator,
    sigmoid_generator,
)

REAL, FAKE = noise(3, 1, 4, 4), noise(3, 1, 4, 4, seed=1)


@pytest.mark.parametrize("height, width, grid", [(64, 64, (8, 8)), (32, 64, (4, 8)), (16, 16, (2, 2))])
def test_one_logit_a_patch(height, width, grid):
    assert PatchDiscriminator()(pictures(2, height, width)).shape == (2, 1, *grid)


def test_spectral_norm_keeps_every_layer_from_stretching():
    torch.manual_seed(0)
    critic, image = PatchDiscriminator((8, 8)), pictures(1)
    with torch.no_grad():  # weights that would stretch a hundredfold
        for layer in critic.layers:
            if hasattr(layer, "parametrizations"):
                layer.parametrizations.weight.original.mul_(100)
        for _ in range(30):  # the power iteration settles
            critic(image)
        norms = [torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() for layer in critic.layers if hasattr(layer, "weight")]
    assert len(norms) == 4 and norms == pytest.approx([1.0] * 4, abs=0.05)


def test_hinge_by_its_formula():
    slow = sum(max(0, 1 - r) + max(0, 1 + f) for r, f in zip(REAL.flatten().tolist(), FAKE.flatten().tolist())) / REAL.numel() / 2
    assert hinge_discriminator(REAL, FAKE).item() == pytest.approx(slow, rel=1e-5)
    assert hinge_discriminator(torch.full((2, 1), 1.5), torch.full((2, 1), -1.5)) == 0


def test_sigmoid_losses_are_cross_entropies():
    """-log C(fake) for the generator, -log C(real) - log(1 - C(fake)) for the discriminator (CycleVAR eqs. 14, 16)."""
    ones, zeros = torch.ones_like(REAL), torch.zeros_like(REAL)
    generator = F.binary_cross_entropy(FAKE.sigmoid(), ones)
    discriminator = F.binary_cross_entropy(REAL.sigmoid(), ones) + F.binary_cross_entropy(FAKE.sigmoid(), zeros)
    assert sigmoid_generator(FAKE).item() == pytest.approx(generator.item(), rel=1e-5)
    assert sigmoid_discriminator(REAL, FAKE).item() == pytest.approx(discriminator.item(), rel=1e-5)


def test_the_losses_survive_extreme_logits_and_push_the_right_way():
    far = torch.tensor([[-1e4], [1e4]], requires_grad=True)
    (sigmoid_generator(far) + sigmoid_discriminator(far, far) + hinge_discriminator(far, far)).backward()
    assert far.grad.isfinite().all()
    fake = torch.zeros(4, 1, requires_grad=True)
    sigmoid_generator(fake).backward()
    assert (fake.grad < 0).all()  # the generator wants higher logits for its fakes


@pytest.mark.parametrize("loss", [hinge_discriminator, sigmoid_discriminator, lambda real, fake: sigmoid_generator(fake)])
def test_the_losses_do_not_grow_with_the_batch(loss):
    once, more = loss(REAL, FAKE).item(), loss(REAL.repeat(5, 1, 1, 1), FAKE.repeat(5, 1, 1, 1)).item()
    assert once == pytest.approx(more, rel=1e-5)


def test_the_whole_judge_sees_beyond_a_patch_and_counts_as_much_as_all_patches():
    torch.manual_seed(0)
    critic = PatchDiscriminator((8, 8, 8), whole=True).eval()
    image = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    logits = critic(image)
    assert logits.shape == (1, 2, 8, 8) and logits[:, 1].unique().numel() == 1
    (corner,) = torch.autograd.grad(logits[0, 0, 0, 0], image, retain_graph=True)
    (whole,) = torch.autograd.grad(logits[0, 1, 0, 0], image)
    assert corner[..., -4:, -4:].abs().sum() == 0  # a patch in one corner does not see the other
    assert whole[..., -4:, -4:].abs().sum() > 0 and whole[..., :4, :4].abs().sum() > 0
