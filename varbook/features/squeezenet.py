"""SqueezeNet 1.1: a small pretrained network for a perceptual distance and frozen features."""

from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from varbook import paths
from varbook.device import channels_last
from varbook.errors import VarbookError

Network = TypeVar("Network", bound=nn.Module)

FILE = "squeezenet_v1.1.npz"
LAYERS = ("conv1", "fire2", "fire3", "fire4", "fire5", "fire6", "fire7", "fire8", "fire9")
POOL_BEFORE = ("fire2", "fire4", "fire6")
# Mean colour of the training's pictures, in the order blue, green, red and on the scale 0..255.
MEAN_BGR = (104.0, 117.0, 123.0)


class Fire(nn.Module):
    """Squeeze to few channels, then a 1x1 and a 3x3 convolution side by side.

    (B, C, h, w) -> (B, 2 * wide, h, w).
    """

    def __init__(self, inputs: int, narrow: int, wide: int):
        super().__init__()
        self.squeeze1x1 = nn.Conv2d(inputs, narrow, 1)
        self.expand1x1 = nn.Conv2d(narrow, wide, 1)
        self.expand3x3 = nn.Conv2d(narrow, wide, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu_(self.squeeze1x1(x))
        return F.relu_(torch.cat([self.expand1x1(x), self.expand3x3(x)], dim=1))


class SqueezeNet(nn.Module):
    """Frozen SqueezeNet 1.1: RGB images (B, 3, H, W) in [-1, 1] -> the maps named in `layers`.

    H and W are 32 or more.
    """

    def __init__(self, layers: tuple[str, ...] = ("conv1", "fire3", "fire5")):
        super().__init__()
        unknown = [name for name in layers if name not in LAYERS]
        if unknown or not layers:
            raise VarbookError(
                f"SqueezeNet has no layers {unknown or layers}; choose some of {', '.join(LAYERS)}."
            )
        self.layers = tuple(layers)
        self.conv1 = nn.Conv2d(3, 64, 3, stride=2)
        self.fire2 = Fire(64, 16, 64)
        self.fire3 = Fire(128, 16, 64)
        self.fire4 = Fire(128, 32, 128)
        self.fire5 = Fire(256, 32, 128)
        self.fire6 = Fire(256, 48, 192)
        self.fire7 = Fire(384, 48, 192)
        self.fire8 = Fire(384, 64, 256)
        self.fire9 = Fire(512, 64, 256)
        self.conv10 = nn.Conv2d(512, 1000, 1)

    def maps(self, x: Tensor, layers: tuple[str, ...]) -> list[Tensor]:
        """Return the maps of `layers` for images (B, 3, H, W) in [-1, 1].

        Nothing deeper than the deepest of them is computed.
        """
        # Channels last: on a CPU the pooling is then vectorised, which nearly halves the time.
        x = x.contiguous(memory_format=torch.channels_last)
        outputs = {}
        deepest = max(LAYERS.index(layer) for layer in layers)
        for name in LAYERS[: deepest + 1]:
            if name in POOL_BEFORE:
                x = F.max_pool2d(x, 3, stride=2, ceil_mode=True)
            x = getattr(self, name)(x)
            outputs[name] = x = F.relu_(x) if name == "conv1" else x
        return [outputs[layer] for layer in layers]

    def forward(self, x: Tensor) -> list[Tensor]:
        return self.maps(x, self.layers)

    def logits(self, x: Tensor) -> Tensor:
        """Return the scores (B, 1000) of ImageNet's classes, best at 227 x 227.

        `x` are images (B, 3, H, W) in [-1, 1].
        """
        return F.relu(self.conv10(self.maps(x, ("fire9",))[0])).mean(dim=(2, 3))  # B 1000


def read_npz(path: Path | str | None, name: str) -> dict[str, Tensor]:
    """Return the float32 tensors of the weights file at `path`.

    Without a path the file is looked for by `name`. Raises VarbookError if it is missing or
    damaged.
    """
    file = Path(path) if path is not None else paths.weights_file(name)
    if file is None or not file.is_file():
        raise VarbookError(
            f"The pretrained weights {file or name} are not there; name their folder with VARBOOK_WEIGHTS "
            "or choose features that need none."
        )
    try:
        with np.load(file, allow_pickle=False) as archive:
            weights = {
                key: torch.from_numpy(archive[key].astype(np.float32)) for key in archive.files
            }
    except Exception as error:
        raise VarbookError(
            f"The weights file {file} cannot be read ({error}); fetch it again."
        ) from error
    return weights


def fill(network: Network, weights: dict[str, Tensor], source: str) -> Network:
    """Load `weights` into `network`, freeze it and return it.

    Raises VarbookError, naming `source`, where keys or shapes do not match, or numbers are not
    finite.
    """
    try:
        network.load_state_dict(weights)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise VarbookError(
            f"{source} does not hold the weights of {type(network).__name__}; fetch it again."
        ) from error
    odd = next((key for key in weights if not weights[key].isfinite().all()), None)
    if odd:
        raise VarbookError(
            f"{source} holds infinite or undefined numbers in {odd!r}; fetch it again."
        )
    return network.eval().requires_grad_(False)


def load_squeezenet(
    path: Path | str | None = None, layers: tuple[str, ...] = ("conv1", "fire3", "fire5")
) -> SqueezeNet:
    """Return the frozen network with the weights at `path`; VarbookError if they are missing.

    Without a path they are looked for below VARBOOK_WEIGHTS.
    """
    weights = read_npz(path, FILE)
    # The first convolution has no padding, so the change from [-1, 1] RGB to mean-free 0..255 BGR
    # folds into it exactly.
    if weights.get("conv1.weight", torch.empty(0)).shape == (64, 3, 3, 3):
        first = weights["conv1.weight"]
        half = 127.5  # half of the range 0..255: x in [-1, 1] is 127.5 x + 127.5
        offset = half - torch.tensor(MEAN_BGR)
        weights["conv1.bias"] = weights["conv1.bias"] + torch.einsum("oikl,i->o", first, offset)
        weights["conv1.weight"] = first.flip(1) * half
    network = fill(SqueezeNet(layers), weights, str(path or FILE))
    return channels_last(network)
