"""Training before a reader's eyes: losses that draw themselves, and pictures as the training goes."""

import base64
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from varbook import paths
from varbook.book.show.display import close, in_notebook
from varbook.book.show.lines import draw_logged, logged, plain_ticks
from varbook.book.show.sheets import INLINE_BYTES, for_notebook, sheet, to_picture
from varbook.book.show.style import WIDTH
from varbook.device import is_batch
from varbook.train.keeper import Curve, Keeper

FILM_BYTES = 60_000  # of a film of pictures, which holds many more of them than a sheet


class Screen:
    """Pictures in a notebook that are drawn again in place, each under a name of its own."""

    def __init__(self) -> None:
        self.places: dict[str, Any] = {}  # IPython's handles of what is displayed

    def draw(
        self, place: str, picture: Figure | Image.Image, alt: str, limit: int = INLINE_BYTES
    ) -> None:
        """Show `picture`, for which `alt` stands in words, where the last one of this `place` was;
        in at most about `limit` bytes.
        """
        from IPython.display import display

        mime, data = for_notebook(to_picture(picture), limit)
        close(picture)
        bundle = {mime: base64.b64encode(data).decode("ascii"), "text/plain": f"[{alt}]"}
        if place in self.places:
            self.places[place].update(bundle, raw=True)
        else:
            self.places[place] = display(bundle, raw=True, display_id=True)


def training_figure(
    curve: Curve,
    panels: Mapping[str, Sequence[str]],
    steps: int,
    levels: Mapping[str, Mapping[str, float]] | None = None,
) -> Figure:
    """Return the logged numbers of `curve` over `steps` steps: panel's title -> which of them.

    Each is a pale line with its running mean on it (see `draw_logged`); a panel whose values span more than a factor of
    thirty has a logarithmic scale. `levels` are dashed lines to compare with: panel's title -> label
    -> value.
    """
    size = (WIDTH, 3.0)
    figure, axes = plt.subplots(1, len(panels), figsize=size, layout="constrained", squeeze=False)
    for axis, (title, fields) in zip(axes[0], panels.items(), strict=True):
        seen: list[float] = []
        for number, field in enumerate(fields):
            label = field.replace("_", " ")
            draw_logged(axis, curve, field, color=f"C{number}", label=label)
            seen += logged(curve, field)[1]
        for number, (label, value) in enumerate((levels or {}).get(title, {}).items()):
            axis.axhline(value, color="0.35", linestyle=("--", ":", "-.")[number % 3], label=label)
        wide = bool(seen) and min(seen) > 0 and max(seen) > 30 * min(seen)
        axis.set(
            title=title, xlabel="training step", xlim=(0, steps), yscale="log" if wide else "linear"
        )
        if wide:
            plain_ticks(axis.yaxis)
        axis.legend()
    return figure


class LivePlot:
    """A short training that is seen while it runs: losses, and a film of what it makes by then.

        live = LivePlot(300, {"error": ["mse"]}, lambda: tokenizer.reconstruct(x)[-1])
        for step in live:
            ...  # one training step, with its `loss`
            live.log({"mse": loss})

    Iterating gives the steps 0 to `steps` - 1. `panels` maps a panel's title to the names of the
    logged numbers in it, `levels` to lines to compare with: title -> label -> value. `images` is
    called `rows` times, before the first step, after the last and evenly between, without
    gradients; what it returns, images (N, 3, H, W) in [-1, 1], is a row of the film, below the rows
    of `above`, such as the originals.

    Someone who watches sees both pictures drawn again in place, the losses every `seconds`. In
    batch they are drawn once, when the loop ends, and outside of a notebook not at all. A loop that
    is stopped shows how far it got. `curve` keeps what was logged, `spent` the seconds.
    """

    def __init__(
        self,
        steps: int,
        panels: Mapping[str, Sequence[str]],
        images: Callable[[], Tensor] | None = None,
        *,
        rows: int = 5,
        above: Mapping[str, Tensor] | None = None,
        levels: Mapping[str, Mapping[str, float]] | None = None,
        seconds: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.steps, self.panels, self.levels, self.images = steps, panels, levels or {}, images
        between = max(rows - 1, 1)
        self.moments = {round(steps * number / between) for number in range(between + 1)}
        self.film: dict[str, Tensor] = dict(above or {})
        self.curve: Curve = []
        self.spent = 0.0
        self.seconds, self.clock, self.drawn = seconds, clock, -math.inf
        self.screen = Screen()
        self.shown = in_notebook()
        self.watched = self.shown and not is_batch()
        self.step = 0

    def __iter__(self) -> Iterator[int]:
        began = self.clock()
        self._picture(0)
        try:
            for step in range(self.steps):
                self.step = step
                yield step
                self._after(step + 1)
        finally:  # also of a loop that is stopped
            self.spent += self.clock() - began
            self._draw_losses(last=True)
            self._draw_film()

    def log(self, numbers: Mapping[str, Tensor | float]) -> None:
        """Note numbers of this step, each a scalar, under the names of the panels."""
        point = {
            name: value.item() if isinstance(value, Tensor) else float(value)
            for name, value in numbers.items()
        }
        if self.curve and self.curve[-1]["step"] == self.step:
            self.curve[-1] |= point
        else:
            self.curve.append({"step": self.step} | point)

    def keeper(self, folder: Path | None = None) -> Keeper:
        """Return what shows here a training by one of the package's loops: `fit_...(keeper=...)`.

        It saves nothing. The panels' names are those that the loop logs.
        """
        keeper = Keeper(folder or paths.home() / "partial" / "live", seconds=math.inf)
        began = self.clock()
        self._picture(0)

        def watch(step: int) -> None:
            self.step, self.curve = step, keeper.curve
            self._after(step + 1)
            if step + 1 == self.steps:
                self.spent += self.clock() - began
                self._draw_losses(last=True)
                self._draw_film()

        keeper.watch = watch
        return keeper

    def _after(self, done: int) -> None:
        """Show what is due after `done` steps."""
        if done in self.moments:
            self._picture(done)
            if self.watched:
                self._draw_film()
        if self.watched and self.clock() - self.drawn >= self.seconds:
            self._draw_losses()

    def _picture(self, done: int) -> None:
        if self.images is not None and self.shown:
            with torch.no_grad():
                self.film[f"step {done}"] = self.images()

    def _draw_losses(self, last: bool = False) -> None:
        if not self.shown:
            return
        self.drawn = self.clock()
        figure = training_figure(self.curve, self.panels, self.steps, self.levels)
        # No time stands in a picture that is kept: equal runs give equal files.
        if not last:
            figure.suptitle(f"step {self.step + 1} of {self.steps}", fontsize="small")
        self.screen.draw("losses", figure, f"{', '.join(self.panels)} over {self.steps} steps")

    def _draw_film(self) -> None:
        if self.images is None or not self.shown:
            return
        alt = f"what the training makes of the same examples: {', '.join(self.film)}"
        self.screen.draw("film", sheet(self.film, inline=True), alt, FILM_BYTES)
