"""A perceptual distance: how different two images look to a frozen network; differentiable."""

import warnings
from functools import reduce
from operator import add
from pathlib import Path

import torch
from torch import Tensor, nn

from varbook import paths
from varbook.errors import VarbookError
from varbook.features import squeezenet

NAMES = ("auto", "lpips-vgg", "lpips-squeeze", "squeezenet", "lpips-random")
# The files that torchvision leaves in torch.hub's cache; where they lie, lpips needs no network.
TRUNKS = {"lpips-vgg": "vgg16-397923af.pth", "lpips-squeeze": "squeezenet1_1-b8a52dc0.pth"}


def unit(x: Tensor, floor: float = 1.0) -> Tensor:
    """Divide (B, C, h, w) by its norm over channels.

    `floor` is added to the squared norm, so that places with weak features do not dominate.
    """
    return x * torch.rsqrt(x.square().sum(dim=1, keepdim=True) + floor)


class Perceptual(nn.Module):
    """Frozen distance between two batches (B, 3, H, W) in [-1, 1] -> (B,) >= 0, float32.

    H and W are 32 or more; `name` says which network measures.
    """

    def __init__(self, name: str, network: nn.Module):
        super().__init__()
        self.name = name
        self.network = network.requires_grad_(False)
        self.train(False)

    def train(self, mode: bool = True) -> "Perceptual":
        # Dropout inside a trunk would make the distance of equal images positive: it never enters
        # training mode.
        return super().train(False)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        if x.shape != y.shape or x.ndim != 4 or x.shape[1] != 3 or min(x.shape[2:]) < 32:
            raise VarbookError(
                f"A perceptual distance compares two batches (B, 3, H, W) of one shape, 32 pixels or more a side, "
                f"not {tuple(x.shape)} with {tuple(y.shape)}."
            )
        # Half precision would lose the small differences that this is about.
        with torch.autocast(x.device.type, enabled=False):
            x, y = x.float(), y.float()
            if self.name != "squeezenet":
                return self.network(x, y).flatten()  # B
            pairs = zip(self.network(x), self.network(y), strict=True)
            layers = [(unit(a) - unit(b)).square().sum(dim=1).mean(dim=(1, 2)) for a, b in pairs]
            return reduce(add, layers)  # B


def trunk_cached(name: str) -> bool:
    """Return whether torch.hub's cache holds the trunk of "lpips-vgg" or "lpips-squeeze"."""
    return (Path(torch.hub.get_dir()) / "checkpoints" / TRUNKS[name]).is_file()


def best_at_hand() -> str:
    """Return which of NAMES "auto" means on this machine."""
    # LPIPS proper where its trunk is at hand; VGG costs about thirty times SqueezeNet, so only
    # where there is a card.
    if trunk_cached("lpips-vgg") and torch.cuda.is_available():
        return "lpips-vgg"
    if trunk_cached("lpips-squeeze"):
        return "lpips-squeeze"
    return "squeezenet" if paths.weights_file(squeezenet.FILE) else "lpips-random"


def _lpips(name: str) -> nn.Module:
    import lpips

    random = name == "lpips-random"
    net = "vgg" if name == "lpips-vgg" else "squeeze"
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        # The linear heads were fitted to trained features and mean nothing on random ones.
        return lpips.LPIPS(
            net=net, pnet_rand=random, lpips=not random, verbose=False, eval_mode=True
        )


def perceptual_distance(name: str = "auto") -> Perceptual:
    """Return the frozen distance `name`, one of NAMES; `.name` says which "auto" has chosen.

    "auto" takes the best that needs no download. In "squeezenet" each map's difference is squared,
    summed over channels, averaged over places and summed over layers: LPIPS (Zhang et al. 2018, eq.
    1) with all channel weights one. Raises VarbookError if the named weights are missing.
    """
    if name not in NAMES:
        raise VarbookError(
            f"There is no perceptual distance {name!r}; choose one of {', '.join(NAMES)}."
        )
    name = best_at_hand() if name == "auto" else name
    if name == "squeezenet":
        return Perceptual(name, squeezenet.load_squeezenet())
    if name in TRUNKS and not trunk_cached(name):
        raise VarbookError(
            f"The distance {name!r} needs {TRUNKS[name]} in torch.hub's cache ({torch.hub.get_dir()}/checkpoints); "
            'put it there, or choose "auto".'
        )
    return Perceptual(name, _lpips(name))
