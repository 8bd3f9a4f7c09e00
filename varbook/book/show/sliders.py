"""Widgets for a reader, and in batch pictures in place of each: a slider over values, two of them
over a grid, and a box drawn on a picture.
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from PIL import Image
from torch import Tensor

from varbook.book.show.display import close, in_notebook, show_figure, show_images
from varbook.book.show.sheets import sheet, to_picture
from varbook.book.show.tables import cell_text
from varbook.device import is_batch

Box = tuple[int, int, int, int]  # top, bottom, left, right in pixels, bottom and right not included


def _nobody_is_there() -> bool:
    return is_batch() or not in_notebook()


def interact_or_strip(
    function: Callable,
    values: Sequence,
    label: str,
    alt: str | None = None,
    strip: Sequence | None = None,
) -> None:
    """Show `function(value)` (images, a PIL picture or a matplotlib figure) under a slider when
    someone is there, else all as one strip; `strip` are the values that it has where all would be
    too many.
    """
    if _nobody_is_there():
        values = values if strip is None else strip
        pictures = [sheet(_closed(function(value)), columns=1, scale=1) for value in values]
        titles = [f"{label} {cell_text(value)}" for value in values]
        strip_of_all = sheet(pictures, titles=titles, columns=len(pictures), inline=True)
        show_figure(strip_of_all, alt or f"one picture per {label}")
        return
    import ipywidgets
    from IPython.display import display

    slider = _slider(label, values)
    output = ipywidgets.interactive_output(
        lambda value: _show(_closed(function(value)), alt or label), {"value": slider}
    )
    display(ipywidgets.VBox([slider, output]))


def _show(shown, alt: str) -> None:
    """Show images as large as they fit, and a picture, which may have letters in it, as it is."""
    if isinstance(shown, Image.Image):
        show_figure(shown, alt)
    else:
        show_images(shown, alt=alt)


def _closed(shown):
    """Return a matplotlib figure as a picture, and anything else as it is."""
    if not hasattr(shown, "savefig"):
        return shown
    picture = to_picture(shown)
    close(shown)
    return picture


def _slider(label: str, values: Sequence, start: int = 0):
    """Return a slider over values; `start` is the place of the first one shown."""
    import ipywidgets

    return ipywidgets.SelectionSlider(
        options=[(cell_text(value), value) for value in values],
        index=start,
        description=label,
    )


def interact_or_rows(
    function: Callable[[object], Mapping[str, Sequence]],
    values: Sequence,
    label: str,
    titles: Sequence[str],
    alt: str,
    strip: Sequence,
) -> None:
    """Show `function(value)`, rows of images by their labels, under a slider when someone is there,
    else the rows of each value of `strip` below each other; `titles` stand above the columns.
    """
    if _nobody_is_there():
        rows = {
            f"{label} {cell_text(value)} {name}".strip(): images
            for value in strip
            for name, images in function(value).items()
        }
        show_figure(sheet(rows, titles=titles, inline=True), alt)
        return
    import ipywidgets
    from IPython.display import display

    slider = _slider(label, values)
    output = ipywidgets.interactive_output(
        lambda value: show_figure(sheet(function(value), titles=titles, inline=True), alt),
        {"value": slider},
    )
    display(ipywidgets.VBox([slider, output]))


def two_sliders_or_grid(
    function: Callable, choices: Mapping[str, Sequence], alt: str, *, scale: int | None = None
) -> None:
    """Show `function(first, second)`, an image (3, H, W), under two sliders when someone is there,
    else one picture for each pair: the first value chooses the row, the second the column.

    `choices` are the two labels with their values.
    """
    (first, rows), (second, columns) = choices.items()
    if _nobody_is_there():
        grid = {f"{first} {cell_text(a)}": [function(a, b) for b in columns] for a in rows}
        titles = [f"{second} {cell_text(b)}" for b in columns]
        show_figure(sheet(grid, titles=titles, scale=scale, inline=True), alt)
        return
    import ipywidgets
    from IPython.display import display

    sliders = [_slider(name, values, len(values) // 2) for name, values in choices.items()]
    output = ipywidgets.interactive_output(
        lambda a, b: show_images([function(a, b)]), dict(zip("ab", sliders, strict=True))
    )
    display(ipywidgets.VBox([*sliders, output]))


def box_mask(height: int, width: int, box: Box) -> Tensor:
    """Return the mask (H, W) that is True inside `box`."""
    top, bottom, left, right = box
    mask = torch.zeros(height, width, dtype=torch.bool)
    mask[top:bottom, left:right] = True
    return mask


def shaded(image: Tensor, mask: Tensor) -> Tensor:
    """Return an image (3, H, W) in [-1, 1] with the masked part hatched in grey, so that one sees
    what is to be painted.
    """
    height, width = mask.shape
    hatch = (torch.arange(height)[:, None] + torch.arange(width)[None]) // 2 % 2 * 0.4 - 0.2  # H W
    return torch.where(mask, hatch, image.cpu())


def box_or_strip(
    edit: Callable[[Tensor, str], Tensor],
    image: Tensor,
    examples: Sequence[tuple[Box, str]],
    choices: Sequence[str],
    alt: str = "boxes painted anew",
) -> None:
    """Show `edit(mask, choice)`, an image (3, H, W), for a box and a choice picked with sliders; in
    batch, for each of `examples`.
    """
    height, width = image.shape[-2:]
    if _nobody_is_there():
        masks = [box_mask(height, width, box) for box, _ in examples]
        above = [shaded(image, mask) for mask in masks]
        below = [edit(mask, choice) for mask, (_, choice) in zip(masks, examples, strict=True)]
        titles = [choice for _, choice in examples]
        rows_shown = {"to paint": above, "painted": below}
        show_figure(sheet(rows_shown, titles=titles, inline=True), alt)
        return
    import ipywidgets
    from IPython.display import display

    (top, bottom, left, right), first = examples[0]
    rows = ipywidgets.IntRangeSlider(value=(top, bottom), min=0, max=height, description="rows")
    columns = ipywidgets.IntRangeSlider(
        value=(left, right), min=0, max=width, description="columns"
    )
    choice = ipywidgets.Dropdown(options=list(choices), value=first, description="as")

    def show(rows, columns, choice):
        mask = box_mask(height, width, (*rows, *columns))
        show_images(
            torch.stack([shaded(image, mask), edit(mask, choice).cpu()]),
            ["to paint", f"painted as {choice}"],
        )

    output = ipywidgets.interactive_output(
        show, {"rows": rows, "columns": columns, "choice": choice}
    )
    display(ipywidgets.VBox([rows, columns, choice, output]))
