"""Chapter 04 as pictures: tables of positions, drawn schedules, losses beside frequencies."""

from collections import Counter
from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from varbook.book.show.lines import draw_lines
from varbook.tokenizer.schedule import VAR_256, Schedule

SIDE = 104  # pixels of the longer side of a map


def drawn_map(values: Tensor, low: float, high: float) -> Tensor:
    """Return a map (h, w) as a picture (1, H, W) in [0, 1], from black at `low` to white at `high`; its
    longer side has SIDE pixels.
    """
    size = [SIDE * n // max(values.shape) for n in values.shape]
    picture = F.interpolate(
        (values[None, None] - low) / (high - low), size=size
    )  # nearest neighbour
    return picture[0].clamp(0, 1)


def drawn_alike(maps: Sequence[Tensor]) -> list[Tensor]:
    """Return maps as pictures with the greys of the first: what is white there is as white in all."""
    low, high = maps[0].min().item(), maps[0].max().item()
    return [drawn_map(one, low, high) for one in maps]


def schedules_chart(drawn: Sequence[Schedule], shown: int = 50):
    """Return a figure of the scales of the first `shown` schedules, beside VAR's fixed ones, and of
    how many scales all of them have.
    """
    import matplotlib.pyplot as plt

    figure, (scales, counts) = plt.subplots(1, 2, figsize=(8.6, 3.0), width_ratios=(3, 1))
    for step, schedule in enumerate(drawn[:shown]):
        scales.scatter([step] * len(schedule), [side for side, _ in schedule], s=9, color="C0")
    for side, _ in VAR_256:
        scales.axhline(side, color="0.8", linewidth=0.5, zorder=0)
    scales.set(xlabel="training step", ylabel="side of the scale", yticks=(1, 4, 8, 12, 16))
    scales.set_title(f"Scales of {shown} steps (lines: VAR's fixed ones)")
    lengths = Counter(len(schedule) for schedule in drawn)
    counts.bar(list(lengths), [lengths[n] / len(drawn) for n in lengths])
    counts.set(xlabel="number of scales", xticks=sorted(lengths), title="How many")
    return figure


def frequencies_chart(views: dict[str, dict], schedule: Schedule):
    """Return a figure with a panel for each prediction: the loss of the model per scale, below that of
    knowing the frequencies of the codes alone (see `two_predictions.fair_view`).
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(views), figsize=(8.6, 3.0), sharey=True, squeeze=False)
    scales = [str(side) for side, _ in schedule]
    for axis, (name, view) in zip(axes[0], views.items(), strict=True):
        known, loss = view["frequencies"], view["loss_per_scale"]
        draw_lines(axis, scales, {"frequencies alone": known, "model": loss}, ("C2s--", "C0o-"))
        axis.fill_between(scales, loss, known, color="C0", alpha=0.15)
        axis.set(title=name, xlabel="scale", ylabel="nats per token")
    return figure
