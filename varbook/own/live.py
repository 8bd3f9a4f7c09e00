"""Training before the eyes of a reader: curves that draw themselves, and the newest sheet."""

import time
from collections.abc import Callable, Mapping

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

from varbook.book.show.display import in_notebook
from varbook.book.show.lines import draw_logged, plain_ticks
from varbook.book.show.live import Screen
from varbook.book.show.style import WIDTH
from varbook.device import is_batch
from varbook.train.keeper import Curve

# What is drawn of each part's curve; the rest stands in the run's record.
SERIES = {
    "tokenizer": {"mse": "squared error"},
    "next-scale model": {"loss": "cross-entropy"},
    "translator": {"loss": "all", "cycle": "cycle", "identity": "identity", "gan": "adversarial"},
}


def curves_figure(curves: Mapping[str, Curve]) -> Figure:
    """Return the curves of the parts that have one so far, a panel each; several losses in one
    panel stand on a logarithmic scale.
    """
    figure, panels = plt.subplots(1, len(SERIES), figsize=(WIDTH, 3.0), layout="constrained")
    for axis, (part, series) in zip(panels, SERIES.items(), strict=True):
        wide = len(series) > 1
        axis.set(title=part, xlabel="training step", yscale="log" if wide else "linear")
        curve = curves.get(part, [])
        for name, label in series.items():
            if any(name in point for point in curve):
                draw_logged(axis, curve, name, label=label)
        if curve:
            if wide:
                plain_ticks(axis.yaxis)
            axis.legend()
    return figure


class Live:
    """What is seen while a training runs: call it with a part, its curve and, now and then, a
    sheet.

    Curves and sheet are two pictures that are drawn again in place, the curves every `seconds`.
    In batch, and outside of notebooks, nothing is shown; `curves` are kept all the same.
    """

    def __init__(self, seconds: float = 3.0, clock: Callable[[], float] = time.monotonic):
        self.curves: dict[str, Curve] = {}
        self.seconds, self.clock, self.drawn = seconds, clock, -seconds
        self.screen = Screen()
        self.watched = in_notebook() and not is_batch()

    def __call__(self, part: str, curve: Curve, sheet: Image.Image | None = None) -> None:
        """Show `curve` (of the part so far), if the last drawing is long enough ago, and `sheet`."""
        self.curves[part] = curve
        if not self.watched:
            return
        now = self.clock()
        if now - self.drawn >= self.seconds:
            self.drawn = now
            self.screen.draw("curves", curves_figure(self.curves), "the losses of the parts so far")
        if sheet is not None:
            self.screen.draw("sheet", sheet, f"what the {part} makes of held-out pictures by now")
