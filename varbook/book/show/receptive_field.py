"""What a token of a next-scale model looks at, drawn from measured gradients."""

import torch
import torch.nn.functional as F
from matplotlib import colormaps
from torch import Tensor

from varbook.tokenizer.schedule import Schedule, scale_slices

SIDE = 72  # pixels of a map
_COLOURS = colormaps["cividis"]


def receptive_field_chart(felt: Tensor, may: Tensor, schedule: Schedule):
    """Return a figure of the gradients `felt` (L, L), output token by input token, where `may` is
    True, with lines between the scales.
    """
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(9.0, 6.6))
    shares = (felt / felt.max()).clamp_min(1e-6).log10().where(may, torch.nan)
    picture = axis.imshow(shares, cmap=_COLOURS)
    for scale in scale_slices(schedule)[:-1]:
        axis.axhline(scale.stop - 0.5, color="white", linewidth=0.6)
        axis.axvline(scale.stop - 0.5, color="white", linewidth=0.6)
    axis.set(
        xlabel="input token",
        ylabel="output token",
        title="Block-causal: nothing above the blocks",
    )
    axis.grid(False)
    figure.colorbar(picture, ax=axis, label="log10 of the gradient's norm, relative")
    return figure


def looked_at(felt: Tensor, schedule: Schedule, place: int) -> tuple[list[Tensor], list[float]]:
    """Return where the token at `place` looks, a picture (3, SIDE, SIDE) in [-1, 1] for each scale, from
    blue (not at all) to yellow (its own maximum), and the mean of each scale's gradients relative
    to that of all tokens.

    The token itself is left out: the sum around the blocks passes it on untouched, and it would
    outshine all others.
    """
    row = felt[place].clone()  # L
    row[place] = 0.0
    maps, means = [], []
    for part, size in zip(scale_slices(schedule), schedule, strict=True):
        seen = row[part].view(1, 1, *size) / row[part].max()
        large = F.interpolate(seen, size=SIDE)[0, 0]  # nearest neighbour
        colours = torch.from_numpy(_COLOURS(large.cpu().numpy())[..., :3])  # SIDE SIDE 3
        maps.append(colours.permute(2, 0, 1).float() * 2 - 1)
        means.append((row[part].mean() / row.mean()).item())
    return maps, means
