"""The pictures of chapter 08: what each relaxation passes forward and what comes back (CycleVAR
figure 1), where mixtures lie, and what a temperature or a single logit does to them.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from varbook.book.show.lines import draw_lines
from varbook.translate.relaxation import relax

DRAGGED = torch.linspace(-3, 6, 181)  # the values of a logit that `dragged_logit` draws


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


def mixtures_figure(codes: Tensor, paths: Tensor, temperatures: Tensor, sizes: Sequence[float]):
    """Return a figure of two panels: the mixtures (N, 2) of codes (V, 2) on their way from cold to
    hot, and the size of the gradient at each of the N temperatures.
    """
    import matplotlib.pyplot as plt

    figure, (plane, curve) = plt.subplots(1, 2, figsize=(8, 3.1))
    told = f"mixture, temperature {temperatures[0]:g} to {temperatures[-1]:g}"
    plane.plot(*paths.T, color="C0", label=told)
    plane.scatter(*codes.T, s=60, marker="s", color="C2", label="the codes")
    plane.scatter(*codes.mean(0), s=60, marker="x", color="black", label="their mean")
    plane.set(title="where the mixture lies", xlim=(-1.4, 1.4), ylim=(-1.2, 2.2))
    plane.legend(loc="upper center")
    curve.semilogx(temperatures, sizes)
    curve.set(title="size of the gradient at the logits", xlabel="temperature")
    return figure


def dragged_logit(
    codes: Tensor, logits: Tensor, goal: Tensor, place: int, value: float, temperature: float
):
    """Return a figure of what happens where the logit at `place` has `value`, for codes (V, 2),
    logits (V,) and a goal (2,).

    Above, the codes in their plane, as large as their weights, with the mixture (dot), the argmax
    (ring) and the goal (star). Below, the squared distance to the goal over that logit, for the
    argmax and for the mixture.
    """
    import matplotlib.pyplot as plt

    values = torch.cat((DRAGGED, torch.tensor([float(value)])))
    many = logits.detach().repeat(len(values), 1)  # N V
    many[:, place] = values
    ways = {"argmax": "argmax", "mixture (SRQ)": "softmax"}
    ends = {name: relax(many, codes, way, temperature=temperature) for name, way in ways.items()}
    figure, (plane, curve) = plt.subplots(2, 1, figsize=(2.6, 4.6), height_ratios=(1.1, 1))
    weights = (many[-1] / temperature).softmax(-1)
    plane.scatter(*codes.T, s=20 + 480 * weights, marker="s", color="C2", alpha=0.45)
    for v, (x, y) in enumerate(codes.tolist()):
        plane.text(x, y, f"{v + 1}", ha="center", va="center", fontsize=9)
    plane.plot(*goal, "*", color="black", markersize=11)
    plane.plot(*ends["argmax"][-1], "o", color="C1", markersize=19, fillstyle="none")
    plane.plot(*ends["mixture (SRQ)"][-1], "o", color="C0", markersize=7)
    plane.set(xlim=(-1.5, 1.5), ylim=(-1.4, 1.5), xticks=[], yticks=[])
    for (name, end), colour, style in zip(ends.items(), ("C1", "C0"), ("--", "-"), strict=True):
        loss = (end - goal).square().sum(-1)
        curve.plot(DRAGGED, loss[:-1], style, color=colour, label=name)
        curve.plot(value, loss[-1], "o", color=colour, markersize=6)
    curve.set(xlabel=f"logit {place + 1}", ylabel="loss", ylim=(0, None))
    curve.legend(loc="upper right")
    return figure


def temperature_figure(rows: Sequence[Mapping], codes: int):
    """Return a figure of `temperature_rows`: perplexity over temperature, beside the length of the
    mixture and the share of tokens that get gradient; the paper's temperature is marked.
    """
    import matplotlib.pyplot as plt

    temperatures = [row["temperature"] for row in rows]
    lengths = {
        "length of the mixture / of a code": "norm ratio",
        "share of tokens that get gradient": "tokens that share it",
    }
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.0), sharex=True)
    axes[0].axhline(codes, color="C3", ls="--", label="all codes")
    panels = ({"perplexity": "perplexity"}, "log"), (lengths, "linear")
    for axis, (columns, yscale) in zip(axes, panels, strict=True):
        lines = {label: [row[name] for row in rows] for label, name in columns.items()}
        draw_lines(axis, temperatures, lines)
        axis.axvline(2.0, color="black", lw=0.8)
        axis.set(xlabel="temperature", xscale="log", yscale=yscale)
    return figure
