"""The picture of CycleVAR figure 1: what each relaxation passes forward, and what comes back."""

from collections.abc import Mapping

from torch import Tensor


def relaxations_figure(weights: Mapping[str, Tensor], gradients: Mapping[str, Tensor]):
    """Return a matplotlib figure with one column per relaxation: above, as bars, the weight (V) of
    each code in the forward pass; below, as a map (h, w), how much gradient arrives at each token.

    All maps share one scale of colours; both mappings have the same relaxations.
    """
    import matplotlib.pyplot as plt

    count = len(weights)
    size = (2.25 * count, 4.4)
    figure, axes = plt.subplots(2, count, figsize=size, height_ratios=(1, 1.5), squeeze=False)
    top = max(float(arriving.max()) for arriving in gradients.values())
    for name, bars, heat in zip(weights, *axes, strict=True):
        codes = range(1, len(weights[name]) + 1)
        bars.bar(codes, weights[name].detach(), color="C0")
        title = name.replace("_", "-")
        bars.set(ylim=(0, 1.05), xticks=codes, title=title, yticks=(0, 0.5, 1))
        arriving = gradients[name]
        shown = heat.imshow(arriving, vmin=0, vmax=top)
        label = f"sum {arriving.sum():.2g}" if arriving.any() else "nothing arrives"
        heat.set(xticks=[], yticks=[], xlabel=label)
        heat.grid(False)
    axes[0, 0].set_ylabel("weight of each code")
    axes[1, 0].set_ylabel("gradient at each token")
    figure.colorbar(shown, ax=axes[1], shrink=0.8)
    return figure
