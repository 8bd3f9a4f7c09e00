"""Line charts with one look for all chapters: lines over common places, and logged trainings."""

from collections.abc import Mapping, Sequence

from varbook.train.keeper import Curve

MARKED = ("o-", "s--", "^-.", "x:")  # of measured points
PLAIN = ("-", "--", "-.", ":")  # of curves


def draw_lines(axis, places: Sequence, lines: Mapping[str, Sequence], styles=MARKED) -> None:
    """Draw each line (label -> one value per place) into a matplotlib axis, with a legend.

    Lines and `styles` (matplotlib's format strings) are paired in order; there must be enough
    styles.
    """
    for (label, values), style in zip(lines.items(), styles[: len(lines)], strict=True):
        axis.plot(places, values, style, label=label)
    axis.legend()


def line_chart(
    places: Sequence,
    lines: Mapping[str, Sequence],
    *,
    xlabel: str,
    ylabel: str,
    xscale: str = "linear",
    yscale: str = "linear",
    styles: Sequence[str] = MARKED,
    size: tuple[float, float] = (7.8, 3.2),
) -> tuple:
    """Return (figure, axis) of one chart of `lines` (label -> one value per place); `size` is in
    inches.
    """
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=size)
    draw_lines(axis, places, lines, styles)
    axis.set(xlabel=xlabel, ylabel=ylabel, yscale=yscale)
    if xscale != "linear":  # setting a scale, even the same one, takes the names off named places
        axis.set_xscale(xscale)
    return figure, axis


def logged(curve: Curve, field: str) -> tuple[list[float], list[float]]:
    """Return steps and values of one logged number; not every step logs every number."""
    points = [(point["step"], point[field]) for point in curve if field in point]
    return [step for step, _ in points], [value for _, value in points]


def curve_chart(
    curves: Mapping[str, Curve],
    field: str,
    *,
    ylabel: str,
    title: str = "",
    yscale: str = "linear",
    styles: Sequence[str] = PLAIN,
    size: tuple[float, float] = (7.8, 3.2),
) -> tuple:
    """Return (figure, axis) of one logged number of several trainings (label -> curve) over their
    steps.
    """
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=size)
    for (label, curve), style in zip(curves.items(), styles[: len(curves)], strict=True):
        axis.plot(*logged(curve, field), style, label=label)
    axis.set(xlabel="training step", ylabel=ylabel, yscale=yscale, title=title)
    axis.legend()
    return figure, axis


def loss_panels(panels: Mapping[str, tuple[Curve, Sequence[str]]]):
    """Return a figure with one panel per training: title -> (curve, the logged losses to draw).

    A curve of fewer than twelve points gets markers, so that one sees how few they are.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(panels), figsize=(3 * len(panels), 2.6), squeeze=False)
    for axis, (title, (curve, fields)), marker in zip(
        axes[0], panels.items(), "osd^"[: len(panels)], strict=True
    ):
        for field, style in zip(fields, PLAIN[: len(fields)], strict=True):
            steps, values = logged(curve, field)
            axis.plot(steps, values, style, marker=marker if len(steps) < 12 else None, label=field)
        axis.set(title=title, xlabel="step", ylabel="loss" if axis is axes[0, 0] else "")
        axis.legend()
    return figure
