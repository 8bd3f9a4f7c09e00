"""Patch discriminators: a small convolutional network that judges overlapping patches of an image."""

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


class PatchDiscriminator(nn.Module):
    """Image (B, 3, H, W) in [-1, 1] -> logits (B, 1, h, w), one per patch; spectral norm keeps it smooth."""

    def __init__(self, channels: tuple[int, ...] = (32, 64, 96)):
        super().__init__()
        widths = (3, *channels)
        layers: list[nn.Module] = []
        for a, b in zip(widths, widths[1:]):
            layers += [spectral_norm(nn.Conv2d(a, b, 4, stride=2, padding=1)), nn.LeakyReLU(0.2)]
        layers += [spectral_norm(nn.Conv2d(widths[-1], widths[-1], 3, padding=1)), nn.LeakyReLU(0.2)]
        layers += [spectral_norm(nn.Conv2d(widths[-1], 1, 3, padding=1))]
        self.layers = nn.Sequential(*layers)

    def forward(self, image: Tensor) -> Tensor:
        """Judge images."""
        return self.layers(image)


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Return the hinge loss of the discriminator for logits of real and fake images (VQGAN, LlamaGen)."""
    return 0.5 * (F.relu(1 - real).mean() + F.relu(1 + fake).mean())


def sigmoid_generator(fake: Tensor) -> Tensor:
    """Return the non-saturating loss of the generator, -log C(fake) for logits (CycleVAR eq. 14)."""
    return F.softplus(-fake).mean()


def sigmoid_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Return the loss of the discriminator, -log C(real) - log(1 - C(fake)) for logits (CycleVAR eq. 16)."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()
