"""Line charts with one look for all chapters: lines over common places, and logged trainings."""

from collections.abc import Mapping, Sequence

from varbook.book.show.style import WIDTH
from varbook.train.keeper import Curve

MARKED = ("o-", "s--", "^-.", "x:")  # of measured points
PLAIN = ("-", "--", "-.", ":")  # of curves
FEWEST = 20  # logged values from which a running mean says more than the values themselves
LETTER = 0.09  # inches: how wide a letter of a tick's name is
LOGGED = "training step (pale: as logged; dark: running mean)"  # below curves with such means


def draw_lines(axis, places: Sequence, lines: Mapping[str, Sequence], styles=MARKED) -> None:
    """Draw each line (label -> one value per place) into a matplotlib axis, with a legend.

    Lines and `styles` (matplotlib's format strings) are paired in order; there must be enough
    styles. Names of places that would run into one another are written aslant.
    """
    for (label, values), style in zip(lines.items(), styles[: len(lines)], strict=True):
        axis.plot(places, values, style, label=label)
    names = [place for place in places if isinstance(place, str)]
    room = axis.get_position().width * axis.figure.get_figwidth()  # inches
    if sum(len(name) + 2 for name in names) * LETTER > room:
        axis.tick_params(axis="x", rotation=45)
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
    size: tuple[float, float] = (WIDTH, 3.6),
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


def plain_ticks(axis) -> None:
    """Write the ticks of a logarithmic `axis` (`axes.xaxis` or `axes.yaxis`) as plain numbers, at 1,
    2 and 5 of each power of ten, or at the powers alone where the axis spans more than three.

    To be called once everything is drawn: what the axis spans decides.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 1000 * low else (1.0,)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def logged(curve: Curve, field: str) -> tuple[list[float], list[float]]:
    """Return steps and values of one logged number; not every step logs every number."""
    points = [(point["step"], point[field]) for point in curve if field in point]
    return [step for step, _ in points], [value for _, value in points]


def running_mean(values: Sequence[float]) -> list[float]:
    """Return for each of `values` the mean of about a tenth of all, itself in the middle.

    At the start, where losses fall fastest, the mean is over fewer, so that it is not drawn away from
    them; at the end over those that are left.
    """
    means = []
    for place in range(len(values)):
        reach = min(len(values) // 20, place // 3)
        near = values[place - reach : place + reach + 1]
        means.append(sum(near) / len(near))
    return means


def draw_logged(
    axis,
    curve: Curve,
    field: str,
    style: str = "-",
    *,
    label: str | None = None,
    color: str | None = None,
) -> bool:
    """Draw one logged number of a training over its steps: pale as logged, and on it a running mean
    in `style` and `color`, by default the next of the axis; where fewer than FEWEST values are
    logged, these alone, with markers. `label` names the line. Returns whether there is a mean.
    """
    steps, values = logged(curve, field)
    if len(values) < FEWEST:
        axis.plot(steps, values, style, marker="o", label=label, color=color)
        return False
    means = running_mean(values)
    (line,) = axis.plot(steps, means, style, linewidth=2.0, label=label, color=color)
    axis.plot(steps, values, color=line.get_color(), alpha=0.3, linewidth=0.9, zorder=1.5)
    return True


def name_level(axis, value: float, label: str, color: str = "0.35") -> None:
    """Draw a dotted level line at `value`, with its name beside it, to the right of the axis."""
    axis.axhline(value, color=color, linestyle=":", linewidth=1.4)
    place = axis.get_yaxis_transform()
    axis.text(1.015, value, label, va="center", color=color, transform=place, linespacing=1.0)


def name_levels(axis, levels: Mapping[str, float], words: str) -> None:
    """Name two level lines, label -> value, each by its label and `words` (see `name_level`); where
    they lie too close for two names, both by one.
    """
    (first, one), (second, other) = levels.items()
    if abs(one - other) < 0.1 * max(abs(one), abs(other)):
        axis.axhline(min(one, other), color="0.35", linestyle=":", linewidth=1.4)
        name_level(axis, max(one, other), f"both\n{words}")
    else:
        name_level(axis, one, f"{first}\n{words}")
        name_level(axis, other, f"{second}\n{words}")


def curve_chart(
    curves: Mapping[str, Curve],
    field: str,
    *,
    ylabel: str,
    title: str = "",
    yscale: str = "linear",
    styles: Sequence[str] = PLAIN,
    size: tuple[float, float] = (WIDTH, 3.6),
) -> tuple:
    """Return (figure, axis) of one logged number of several trainings (label -> curve) over their
    steps, each with its running mean.
    """
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=size)
    smooth = [
        draw_logged(axis, curve, field, style, label=label)
        for (label, curve), style in zip(curves.items(), styles[: len(curves)], strict=True)
    ]
    xlabel = LOGGED if any(smooth) else "training step"
    axis.set(xlabel=xlabel, ylabel=ylabel, yscale=yscale, title=title)
    if yscale == "log":
        plain_ticks(axis.yaxis)
    axis.legend()
    return figure, axis


def loss_panels(panels: Mapping[str, tuple[Curve, Sequence[str]]]):
    """Return a figure with one panel per training: title -> (curve, the logged losses to draw)."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(panels), figsize=(WIDTH, 3.2), squeeze=False)
    smooth = False
    for axis, (title, (curve, fields)) in zip(axes[0], panels.items(), strict=True):
        for field, style in zip(fields, PLAIN[: len(fields)], strict=True):
            smooth |= draw_logged(axis, curve, field, style, label=field)
        axis.set(title=title, ylabel="loss" if axis is axes[0, 0] else "")
        axis.set_ylim(0, 1.3 * axis.get_ylim()[1])  # above the highest line: room for the names
        axis.legend(loc="upper right", ncols=1 + (len(fields) > 2), columnspacing=0.8)
    figure.supxlabel(LOGGED if smooth else "training step", fontsize="medium")
    return figure
