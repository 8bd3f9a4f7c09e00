"""Discriminators: a small convolutional network that judges patches, and a small head on frozen
features of the image.
"""

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from varbook import paths
from varbook.device import quicken
from varbook.errors import VarbookError
from varbook.features import squeezenet
from varbook.features.clip import clip_at_hand, load_clip

# "features" takes the best backbone at hand: CLIP, else SqueezeNet, else an untrained SqueezeNet.
DISCRIMINATORS = ("patch", "features", "clip", "squeezenet", "random", "patch+features")


def smooth(layer: nn.Module) -> nn.Module:
    """Return `layer` under spectral norm."""
    quicken()  # its first products are these: in a fresh process they must be as all later ones
    return spectral_norm(layer)


class PatchDiscriminator(nn.Module):
    """Image (B, 3, H, W) in [-1, 1] -> logits (B, 1, h, w),
    one per patch; spectral norm keeps it smooth.

    `whole` adds a second judge on the same features, (B, 2, h, w): one logit for the picture as a
    whole, repeated so that it counts as much as all patches together. Patches cannot see that an
    animal's head and tail wear two different coats.
    """

    def __init__(self, channels: tuple[int, ...] = (32, 64, 96), whole: bool = False):
        super().__init__()
        widths = (3, *channels)
        layers: list[nn.Module] = []
        for a, b in zip(widths, widths[1:], strict=False):
            layers += [smooth(nn.Conv2d(a, b, 4, stride=2, padding=1)), nn.LeakyReLU(0.2)]
        last = widths[-1]
        layers += [smooth(nn.Conv2d(last, last, 3, padding=1)), nn.LeakyReLU(0.2)]
        # Under spectral norm alone the logits of a deep stack stay near zero, and so does what the
        # generator learns from them.
        layers += [
            nn.Conv2d(last, 1, 3, padding=1) if whole else smooth(nn.Conv2d(last, 1, 3, padding=1))
        ]
        self.layers = nn.Sequential(*layers)
        smaller = [
            layer
            for _ in range(2)
            for layer in (
                smooth(nn.Conv2d(last, last, 4, stride=2, padding=1)),
                nn.LeakyReLU(0.2),
            )
        ]
        self.whole = (
            nn.Sequential(*smaller, nn.AdaptiveAvgPool2d(1), nn.Conv2d(last, 1, 1))
            if whole
            else None
        )

    def forward(self, image: Tensor) -> Tensor:
        """Judge images."""
        if self.whole is None:
            return self.layers(image)
        features = self.layers[:-1](image)  # B C h w
        patches = self.layers[-1](features)  # B 1 h w
        return torch.cat((patches, self.whole(features).expand_as(patches)), 1)  # B 2 h w


class SqueezeFeatures(nn.Module):
    """Images (B, 3, H, W) in [-1, 1] -> the maps of three
    depths of SqueezeNet, averaged over places: (B, 896).
    """

    def __init__(self, network: squeezenet.SqueezeNet):
        super().__init__()
        self.network, self.width = network, 128 + 256 + 512

    def forward(self, images: Tensor) -> Tensor:
        """Return the features; each depth is normalised, so that none drowns the others."""
        # One pixel more: the first convolution has stride 2 and no padding, and would not see the
        # last row and column.
        maps = self.network.maps(
            F.pad(images, (0, 1, 0, 1), mode="replicate"), ("fire3", "fire5", "fire9")
        )
        pooled = [depth.mean((2, 3)) for depth in maps]  # each B C
        return torch.cat([F.layer_norm(depth, depth.shape[1:]) for depth in pooled], 1)  # B 896


def freeze(network: nn.Module) -> nn.Module:
    """Turn every parameter of `network` into a buffer that no state holds, and return the network.

    It then moves with `.to()`, but nothing can train it: no optimiser, and no
    `requires_grad_(True)` on what contains it.
    """
    for module in network.modules():
        for name, tensor in [
            *module.named_parameters(recurse=False),
            *module.named_buffers(recurse=False),
        ]:
            delattr(module, name)
            module.register_buffer(name, tensor.detach(), persistent=False)
    return network.eval()


class FeatureDiscriminator(nn.Module):
    """Image (B, 3, H, W) in [-1, 1] -> one logit (B, 1):
    frozen features and an MLP (CycleVAR section 4.1).

    `backbone` maps images to vectors (B, `backbone.width`). It is not trained, but gradients pass
    through it to the image.
    """

    def __init__(self, backbone: nn.Module, hidden: int = 256):
        super().__init__()
        self.backbone = freeze(backbone)
        self.head = nn.Sequential(
            smooth(nn.Linear(cast(int, backbone.width), hidden)),
            nn.LeakyReLU(0.2),
            smooth(nn.Linear(hidden, 1)),
        )

    def train(self, mode: bool = True) -> "FeatureDiscriminator":
        """Set training mode for the head; the backbone stays as it is."""
        super().train(mode)
        self.backbone.eval()
        return self

    def forward(self, image: Tensor) -> Tensor:
        """Judge images."""
        features = self.backbone(image)
        return self.head(F.layer_norm(features, features.shape[1:]))


class PatchFeatureDiscriminator(nn.Module):
    """Image (B, 3, H, W) in [-1, 1] -> logits (B, J + 1, h, w): the J maps of a patch
    discriminator, and the logit of one on frozen features.

    That logit is repeated, so that it counts as much as all patches together: patches judge
    texture, features judge which object has it.
    """

    def __init__(self, patch: PatchDiscriminator, features: FeatureDiscriminator):
        super().__init__()
        self.patch, self.features = patch, features

    def forward(self, image: Tensor) -> Tensor:
        """Judge images."""
        patches = self.patch(image)  # B J h w
        whole = self.features(image)[:, :, None, None]  # B 1 1 1
        return torch.cat((patches, whole.expand(-1, -1, *patches.shape[2:])), 1)


def features_at_hand() -> str:
    """Return which of DISCRIMINATORS "features" stands for on this machine."""
    pretrained = "squeezenet" if paths.weights_file(squeezenet.FILE) else "random"
    return "clip" if clip_at_hand() else pretrained


def backbone(kind: str) -> nn.Module:
    """Return the frozen features of a discriminator `kind`, one of DISCRIMINATORS but "patch";
    VarbookError where weights are missing.
    """
    kind = features_at_hand() if kind == "features" else kind
    if kind == "random":
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return SqueezeFeatures(squeezenet.SqueezeNet())
    return load_clip() if kind == "clip" else SqueezeFeatures(squeezenet.load_squeezenet())


def make_discriminators(
    kind: str, count: int, channels: tuple[int, ...] = (32, 64, 96), whole: bool = False
) -> nn.ModuleList:
    """Return one discriminator per domain; those on features share one backbone. VarbookError for a
    kind not in DISCRIMINATORS.

    `channels` (fine to coarse) and `whole` are the patch discriminator's.
    """
    if kind not in DISCRIMINATORS:
        raise VarbookError(
            f"There is no discriminator {kind!r}; choose one of {', '.join(DISCRIMINATORS)}."
        )
    if kind == "patch":
        return nn.ModuleList(PatchDiscriminator(channels, whole) for _ in range(count))
    shared = backbone(kind.removeprefix("patch+"))
    if kind == "patch+features":
        return nn.ModuleList(
            PatchFeatureDiscriminator(
                PatchDiscriminator(channels, whole), FeatureDiscriminator(shared)
            )
            for _ in range(count)
        )
    return nn.ModuleList(FeatureDiscriminator(shared) for _ in range(count))


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Return the hinge loss of the discriminator for
    logits of real and fake images (VQGAN, LlamaGen).
    """
    return 0.5 * (F.relu(1 - real).mean() + F.relu(1 + fake).mean())


def sigmoid_generator(fake: Tensor) -> Tensor:
    """Return the non-saturating loss of the generator, -log C(fake) for logits (CycleVAR eq. 14)."""
    return F.softplus(-fake).mean()


def sigmoid_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Return the loss of the discriminator, -log C(real)
    - log(1 - C(fake)) for logits (CycleVAR eq. 16).
    """
    return F.softplus(-real).mean() + F.softplus(fake).mean()
