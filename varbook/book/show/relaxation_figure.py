"""The pictures of chapter 08: what each relaxation passes forward and what comes back (CycleVAR
figure 1), where mixtures lie, and what a temperature or a single logit does to them.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from varbook.book.show.charts import weight_bars
from varbook.book.show.lines import draw_lines, name_level, plain_ticks
from varbook.book.show.style import WIDTH
from varbook.translate.relaxation import relax

# The relaxations by the names that the literature gives them.
RELAXED = {
    "argmax": "argmax",
    "straight_through": "straight-through",
    "gumbel": "Gumbel, one draw",
    "softmax": "SRQ (softmax)",
}
HEAVIEST = 12  # codes of a token whose weights are drawn
DRAGGED = torch.linspace(-3, 6, 181)  # the values of a logit that `dragged_logit` draws


def relaxations_figure(
    weights: Mapping[str, Tensor], gradients: Mapping[str, Tensor], cosines: Mapping[str, float]
):
    """Return a matplotlib figure with one column per relaxation (CycleVAR figure 1): above, as bars,
    what goes forward at one token; below, as a map, what comes back at all tokens of its scale.

    `weights` (h*w, V) are the weights of the codes at each token, `gradients` (h, w) how much
    gradient arrives there, `cosines` how well its direction agrees with the exact gradient's, all
    by the names of the relaxations. The bars are of the token that gets most under SRQ, framed in
    every map, with the heaviest of its codes there, in one order for all. All maps share one scale
    of colours.
    """
    import matplotlib.pyplot as plt

    names = list(weights)
    size = (WIDTH, 5.2)
    figure, axes = plt.subplots(2, len(names), figsize=size, height_ratios=(1, 1.35), squeeze=False)
    top = max(float(arriving.max()) for arriving in gradients.values())
    place = int(gradients[names[-1]].argmax())
    row, column = divmod(place, gradients[names[-1]].shape[1])
    heaviest = weights[names[-1]][place].topk(min(HEAVIEST, weights[names[-1]].shape[1])).indices
    for name, bars, heat in zip(names, *axes, strict=True):
        drawn = weights[name][place].detach()
        chosen = heaviest.tolist()
        if int(drawn.argmax()) not in chosen:  # a sampled code may be a light one: it stands last
            chosen[-1] = int(drawn.argmax())
        weight_bars(bars, drawn[chosen].tolist(), named=bars is axes[0, 0])
        bars.set_title(RELAXED[name])
        arriving = gradients[name]
        shown = heat.imshow(arriving, vmin=0, vmax=top)
        heat.add_patch(plt.Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, ec="red", lw=2))
        if arriving.any():
            label = f"sum {arriving.sum():.2g}\ncosine {cosines[name]:.2f}"
        else:
            label = "nothing arrives"
        heat.set(xticks=[], yticks=[], xlabel=label)
        heat.grid(False)
    axes[0, 0].set_ylabel("forward:\nweight of a code")
    axes[1, 0].set_ylabel("backward:\ngradient at each token")
    bar = figure.colorbar(shown, ax=axes[1], shrink=0.8)
    bar.ax.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
    told = f"above: the {len(heaviest)} heaviest codes of the framed token; "
    told += "cosine: with the exact gradient (section 5)"
    figure.supxlabel(told, fontsize="medium")
    return figure


def mixtures_figure(codes: Tensor, paths: Tensor, temperatures: Tensor, sizes: Sequence[float]):
    """Return a figure of two panels: the mixtures (N, 2) of codes (V, 2) on their way from cold to
    hot, and the size of the gradient at each of the N temperatures.
    """
    import matplotlib.pyplot as plt

    figure, (plane, curve) = plt.subplots(1, 2, figsize=(WIDTH, 3.6))
    told = f"mixture, temperature {temperatures[0]:g} to {temperatures[-1]:g}"
    plane.plot(*paths.T, color="C0", label=told)
    plane.scatter(*codes.T, s=60, marker="s", color="C2", label="the codes")
    plane.scatter(*codes.mean(0), s=60, marker="x", color="black", label="their mean")
    plane.set(title="Where the mixture lies", xlim=(-1.4, 1.4), ylim=(-1.2, 2.4))
    plane.set(xlabel="first number of a code", ylabel="second number")
    plane.legend(loc="upper center")
    curve.semilogx(temperatures, sizes)
    curve.set(title="Size of the gradient at the logits", xlabel="temperature", ylabel="norm")
    plain_ticks(curve.xaxis)
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
        plane.text(x, y, f"{v + 1}", ha="center", va="center")
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
    panels = {
        "How many codes share a mixture": ("log", {"perplexity": "perplexity"}),
        "Length of the mixture; tokens reached": (
            "linear",
            {
                "length of the mixture / of a code": "norm ratio",
                "share of tokens that get gradient": "tokens that share it",
            },
        ),
    }
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 3.8), sharex=True)
    for axis, (title, (yscale, columns)) in zip(axes, panels.items(), strict=True):
        lines = {label: [row[name] for row in rows] for label, name in columns.items()}
        draw_lines(axis, temperatures, lines)
        axis.axvline(2.0, color="black", lw=0.8)
        axis.set(title=title, xlabel="temperature", xscale="log", yscale=yscale)
        plain_ticks(axis.xaxis)
    name_level(axes[0], codes, f"all\n{codes}")
    axes[0].set(ylim=(0.8, 2 * codes), ylabel="codes")
    axes[0].text(2.2, 1.0, "the paper's\ntemperature: 2", va="bottom")
    plain_ticks(axes[0].yaxis)
    axes[0].get_legend().remove()
    axes[1].set(ylim=(0, 1.05), ylabel="share")
    axes[1].legend(loc="upper right")
    return figure
