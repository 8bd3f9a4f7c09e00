"""The rivals that translate in pixels: CycleGAN (Zhu et al. 2017)
and CUT (Park et al. 2020), small enough for 64 pixels.

Both use one generator per direction and least-squares adversarial losses; they differ in what keeps
the content. CycleGAN asks for the source back, CUT asks each patch of the translation to be most like
the patch of the source at the same place.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from varbook.errors import VarbookError

METHODS = ("cyclegan", "cut")


def _convolution(inputs: int, outputs: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    padded = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, padding_mode="reflect")
    return [padded, nn.InstanceNorm2d(outputs), nn.ReLU()]


class Residual(nn.Module):
    """Two convolutions added to their input, (B, C, h, w) -> (B, C, h, w)."""

    def __init__(self, channels: int):
        super().__init__()
        self.layers = nn.Sequential(
            *_convolution(channels, channels, 3), *_convolution(channels, channels, 3)[:2]
        )

    def forward(self, x: Tensor) -> Tensor:
        """Add."""
        return x + self.layers(x)


class PixelGenerator(nn.Module):
    """Image (B, 3, H, W) in [-1, 1] -> image of the same size; down by four, residual blocks, up
    again (CycleGAN section 4).
    """

    def __init__(self, channels: int = 32, blocks: int = 4):
        super().__init__()
        c = channels
        self.dims = (3, 2 * c, 4 * c, 4 * c, 4 * c)  # channels of `maps`
        self.stem = nn.Sequential(*_convolution(3, c, 7))
        self.downs = nn.ModuleList(nn.Sequential(*_convolution(a, 2 * a, 3, 2)) for a in (c, 2 * c))
        self.blocks = nn.ModuleList(Residual(4 * c) for _ in range(blocks))
        grow = [
            layer
            for a in (4 * c, 2 * c)
            for layer in (nn.Upsample(scale_factor=2), *_convolution(a, a // 2, 3))
        ]
        self.ups = nn.Sequential(
            *grow, nn.Conv2d(c, 3, 7, padding=3, padding_mode="reflect"), nn.Tanh()
        )

    def maps(self, image: Tensor) -> list[Tensor]:
        """Return what CUT compares: pixels, both halvings, the first and the last residual block."""
        half = self.downs[0](self.stem(image))  # B 2c H/2 W/2
        quarter = self.downs[1](half)  # B 4c H/4 W/4
        first = last = self.blocks[0](quarter)
        for block in self.blocks[1:]:
            last = block(last)
        return [image, half, quarter, first, last]

    def forward(self, image: Tensor) -> Tensor:
        """Translate."""
        return self.ups(self.maps(image)[-1])


class PatchHeads(nn.Module):
    """CUT's projections: for each map a small MLP, whose
    outputs (B, P, width) at P places have length one.
    """

    def __init__(self, dims: tuple[int, ...], width: int = 64):
        super().__init__()
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(c, width), nn.ReLU(), nn.Linear(width, width)) for c in dims
        )

    def forward(self, maps: list[Tensor], places: list[Tensor]) -> list[Tensor]:
        """Project the vectors of each map (B, C, h, w) at its flat `places` (P,)."""
        vectors = [
            features.flatten(2)[..., at].transpose(1, 2)
            for features, at in zip(maps, places, strict=True)
        ]  # each B P C
        heads = zip(self.heads, vectors, strict=True)
        return [F.normalize(head(at_places), dim=-1) for head, at_places in heads]


class PixelTranslator(nn.Module):
    """Both directions of a rival, called as CycleVAR is:
    images (B, 3, H, W) and target classes (B,) -> images.

    `model` holds the generator into X and the generator into Y, `targets` the class labels (t_x,
    t_y), as in `fit_cyclevar`. Raises VarbookError for a method that is not in METHODS.
    """

    def __init__(
        self,
        targets: tuple[int, int],
        method: str = "cyclegan",
        channels: int = 32,
        blocks: int = 4,
    ):
        super().__init__()
        if method not in METHODS:
            raise VarbookError(f"There is no rival {method!r}; choose one of {', '.join(METHODS)}.")
        self.targets, self.method = targets, method
        generators = [PixelGenerator(channels, blocks) for _ in targets]
        self.model = nn.ModuleList(generators)
        # CUT's heads are needed for training alone, but are kept, so that a run is whole.
        contrastive = generators if method == "cut" else []
        self.heads = nn.ModuleList(PatchHeads(generator.dims) for generator in contrastive)

    def forward(self, image: Tensor, target: Tensor) -> Tensor:
        """Translate each image by the generator of its target class."""
        out = torch.empty_like(image)
        for label, generator in zip(self.targets, self.model, strict=True):
            chosen = target == label
            if chosen.any():
                out[chosen] = generator(image[chosen]).to(out.dtype)
        return out


def patch_nce(query: Tensor, key: Tensor, temperature: float = 0.07) -> Tensor:
    """Return the mean cross-entropy of finding each query (B, P, C) among the keys of the same
    image: the one at its own place.
    """
    scores = query.float() @ key.float().detach().transpose(1, 2) / temperature  # B P P
    own = torch.arange(scores.shape[1], device=scores.device).expand(len(scores), -1)  # B P
    return F.cross_entropy(scores.flatten(0, 1), own.flatten())


def least_squares_generator(fake: Tensor) -> Tensor:
    """Return the generator's least-squares loss for logits of fakes, which it wants to be one."""
    return (fake - 1).square().mean()


def least_squares_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Return the discriminator's least-squares loss: real images towards one, fakes towards nought,
    halved as in CycleGAN.
    """
    return 0.5 * ((real - 1).square().mean() + fake.square().mean())


class ImagePool(nn.Module):
    """The last `size` fakes; half of the time the discriminator sees an old one, so that it does
    not forget (CycleGAN section 4).

    Held in buffers, so that an interrupted training finds its pool again.
    """

    images: Tensor
    filled: Tensor  # how many of the places are taken

    def __init__(self, size: int, shape: tuple[int, int, int]):
        super().__init__()
        self.register_buffer("images", torch.zeros(size, *shape))
        self.register_buffer("filled", torch.zeros((), dtype=torch.long))

    def exchange(self, fakes: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return as many images as `fakes` (B, 3, H, W), some
        of them older ones whose places the new ones take.
        """
        size = len(self.images)
        out = []
        for fake in fakes.detach():
            if int(self.filled) < size:
                self.images[self.filled] = fake
                self.filled += 1
            elif size and torch.rand((), generator=generator) < 0.5:
                at = int(torch.randint(size, (), generator=generator))
                old = self.images[at].to(fake.dtype, copy=True)
                self.images[at] = fake
                fake = old
            out.append(fake)
        return torch.stack(out)
