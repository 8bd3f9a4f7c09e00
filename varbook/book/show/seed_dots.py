"""Rows of an ablation as dots, one for each seed: differences and noise are seen at once."""

from collections.abc import Mapping, Sequence

from varbook.book.show.style import WIDTH

Rows = Mapping[str, Sequence[float]]  # name -> a value for each seed


def draw_dots(axis, rows: Rows) -> list[int]:
    """Draw a line of dots for each of `rows` into a matplotlib axis, the first on top, with a bar at
    the mean; return how high each row lies.
    """
    places = list(range(len(rows)))[::-1]
    for place, values in zip(places, rows.values(), strict=True):
        axis.plot(values, [place] * len(values), "o", color="C0", alpha=0.7, markersize=5)
        axis.plot([sum(values) / len(values)], [place], "|", color="C0", markersize=13)
    axis.set(yticks=places, ylim=(-0.6, len(rows) - 0.05))
    axis.set_xlim(left=0)
    return places


def seed_dots(rows: Rows, label: str, marks: Mapping[str, float], mark_label: str):
    """Return a figure with a line of dots for each of `rows` over an axis named `label`; `marks` are
    ticks to compare with, row -> value, named `mark_label` in the legend.
    """
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(WIDTH, 1.3 + 0.4 * len(rows)))
    places = draw_dots(axis, rows)
    high = [marks[name] for name in rows]
    (ticks,) = axis.plot(high, places, "|", color="C1", markersize=14, label=mark_label)
    ticks.set_markeredgewidth(2)
    axis.plot([], [], "o", color="C0", alpha=0.7, markersize=5, label="one seed")
    axis.set_yticklabels(rows)
    axis.set_xlabel(label)
    axis.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    return figure
