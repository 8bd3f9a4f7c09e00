"""The map of the book: one pipeline, and at each of its places the parts that the papers put there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from varbook.book.chapters import CHAPTERS


@dataclass(frozen=True)
class Alternative:
    """One part that can stand at a place of the pipeline."""

    name: str
    used_by: str  # "VAR", "FlexVAR", "CycleVAR", or whoever else brought it up
    chapter: str  # where it is built or compared
    module: str  # where it lives in the package


@dataclass(frozen=True)
class Place:
    """One place of the pipeline with its alternatives."""

    name: str
    question: str
    alternatives: tuple[Alternative, ...]


PLACES: tuple[Place, ...] = (
    Place(
        name="pyramid",
        question="How is one feature map cut into scales?",
        alternatives=(
            Alternative(
                name="residual", used_by="VAR", chapter="02", module="tokenizer/pyramid.py"
            ),
            Alternative(
                name="ground truth", used_by="FlexVAR", chapter="02", module="tokenizer/pyramid.py"
            ),
            Alternative(
                name="one scale only",
                used_by="LlamaGen",
                chapter="02",
                module="tokenizer/pyramid.py",
            ),
        ),
    ),
    Place(
        name="codes",
        question="Which symbol stands for a vector?",
        alternatives=(
            Alternative(
                name="nearest, Euclidean",
                used_by="VAR",
                chapter="01",
                module="tokenizer/codebook.py",
            ),
            Alternative(
                name="nearest, unit length",
                used_by="FlexVAR",
                chapter="01",
                module="tokenizer/codebook.py",
            ),
            Alternative(
                name="sign bits", used_by="Infinity", chapter="11", module="tokenizer/bits.py"
            ),
        ),
    ),
    Place(
        name="next-scale model",
        question="Who predicts a scale from the others?",
        alternatives=(
            Alternative(
                name="attention", used_by="VAR", chapter="03", module="transformer/attention.py"
            ),
            Alternative(
                name="Mamba", used_by="FlexVAR", chapter="07", module="transformer/mamba.py"
            ),
            Alternative(
                name="fixed positions",
                used_by="VAR",
                chapter="03",
                module="transformer/positions.py",
            ),
            Alternative(
                name="scalable positions",
                used_by="FlexVAR",
                chapter="04",
                module="transformer/positions.py",
            ),
            Alternative(
                name="class as condition",
                used_by="VAR",
                chapter="03",
                module="transformer/model.py",
            ),
            Alternative(
                name="text as condition",
                used_by="Infinity",
                chapter="11",
                module="transformer/text_model.py",
            ),
        ),
    ),
    Place(
        name="relaxation",
        question="How do logits become a vector?",
        alternatives=(
            Alternative(
                name="argmax", used_by="VAR", chapter="08", module="translate/relaxation.py"
            ),
            Alternative(
                name="straight-through",
                used_by="others",
                chapter="08",
                module="translate/relaxation.py",
            ),
            Alternative(
                name="Gumbel softmax",
                used_by="others",
                chapter="08",
                module="translate/relaxation.py",
            ),
            Alternative(
                name="softmax relaxed",
                used_by="CycleVAR",
                chapter="08",
                module="translate/relaxation.py",
            ),
        ),
    ),
    Place(
        name="what is predicted",
        question="What do the logits mean?",
        alternatives=(
            Alternative(
                name="next residual", used_by="VAR", chapter="03", module="generate/loop.py"
            ),
            Alternative(
                name="next ground truth", used_by="FlexVAR", chapter="04", module="generate/loop.py"
            ),
            Alternative(
                name="translation, one pass",
                used_by="CycleVAR",
                chapter="09",
                module="translate/cyclevar.py",
            ),
            Alternative(
                name="translation, K passes",
                used_by="CycleVAR",
                chapter="09",
                module="translate/cyclevar.py",
            ),
        ),
    ),
)

_COLOURS = {"VAR": "#cfe3f7", "FlexVAR": "#ffe0a8", "CycleVAR": "#f3c3ba"}
_OTHER = "#e4e6e6"


def alternatives_table() -> list[dict]:
    """Return one row per alternative: place, question, alternative, who uses it, chapter (by
    title), module.
    """
    return [
        {
            "place": place.name if index == 0 else "",
            "alternative": part.name,
            "used by": part.used_by,
            "chapter": f"{part.chapter} {CHAPTERS[part.chapter].title}",
            "module": part.module,
        }
        for place in PLACES
        for index, part in enumerate(place.alternatives)
    ]


def principal_colours(maps: Sequence[Tensor]) -> list[np.ndarray]:
    """Return feature maps (each C h w) as pictures (h w 3) in [0, 1]: their three strongest
    directions as red, green, blue.

    All maps share one basis, so that equal vectors get equal colours.
    """
    rows = torch.cat([one.detach().float().cpu().flatten(1).T for one in maps])  # N C
    centre = rows.mean(0)
    _, _, basis = torch.linalg.svd(rows - centre, full_matrices=False)
    seen = (rows - centre) @ basis[:3].T  # N 3
    low, high = seen.quantile(0.02, 0), seen.quantile(0.98, 0)
    seen = ((seen - low) / (high - low).clamp_min(1e-6)).clamp(0, 1)
    parts = seen.split([one.shape[1] * one.shape[2] for one in maps])
    return [part.view(*one.shape[1:], 3).numpy() for part, one in zip(parts, maps, strict=True)]


# What stands along the pipeline: data are pictures, parts are arrows.
_LINE = (
    "image",
    "encoder",
    "features",
    "pyramid",
    "codes",
    "next-scale\nmodel",
    "logits",
    "relaxation",
    "map",
    "decoder",
    "translation",
)
_ANCHOR = {"pyramid": 3, "codes": 4, "next-scale model": 5, "relaxation": 7, "what is predicted": 8}
# Shares of the figure: the line's height, half a picture's width, half a picture's height, half an
# arrow's width.
_TOP, _WIDE, _HIGH, _PART = 0.825, 0.0455, 0.0930, 0.0405


def _place_of(index: int) -> float:
    """Return x of item `index` of the line: pictures and arrows take turns, wall to wall."""
    start = 0.5 - 6 * _WIDE - 5 * _PART
    return start + _WIDE * (1 + index) + _PART * index


def pipeline_figure(pictures: Mapping[str, Sequence[np.ndarray] | np.ndarray]):
    """Return the map of the book as a matplotlib figure.

    `pictures` gives what flows through it, (h w 3) in [0, 1] or (h, w): image, features, codes (one
    per scale), logits, map, translation.
    """
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(10, 4.9), dpi=84, layout="none")
    sheet = figure.add_axes((0, 0, 1, 1))
    sheet.set(xlim=(0, 1), ylim=(0, 1))
    sheet.axis("off")
    for index, name in enumerate(_LINE):
        x = _place_of(index)
        if name in pictures:
            shown = pictures[name]
            _stack(figure, [shown] if isinstance(shown, np.ndarray) else shown, x)
            sheet.text(x, _TOP + _HIGH + 0.022, name, ha="center", fontsize=9)
        else:
            _arrow(sheet, x, name)
    for column, place in enumerate(PLACES):
        _column(sheet, place, (column + 0.5) / len(PLACES), _place_of(_ANCHOR[place.name]))
    for index, (name, colour) in enumerate({**_COLOURS, "others": _OTHER}.items()):
        _box(sheet, 0.07 + 0.11 * index, 0.035, 0.10, 0.05, name, colour, "black", 8.5)
    sheet.text(0.985, 0.022, "small number: the chapter", ha="right", fontsize=8.5, color="#3d4a57")
    return figure


def _box(
    sheet,
    x: float,
    y: float,
    width: float,
    height: float,
    text: str,
    fill: str,
    ink: str,
    size: float,
) -> None:
    from matplotlib.patches import FancyBboxPatch

    corner = (x - width / 2, y - height / 2)
    style = "round,pad=0,rounding_size=0.008"
    sheet.add_patch(
        FancyBboxPatch(corner, width, height, boxstyle=style, fc=fill, ec="none", mutation_aspect=2)
    )
    sheet.text(x, y, text, ha="center", va="center", color=ink, fontsize=size)


def _arrow(sheet, x: float, text: str) -> None:
    from matplotlib.patches import Polygon

    left, right, tip, half = x - _PART + 0.003, x + _PART - 0.012, x + _PART - 0.002, 0.062
    corners = [
        (left, _TOP - half),
        (right, _TOP - half),
        (tip, _TOP),
        (right, _TOP + half),
        (left, _TOP + half),
    ]
    sheet.add_patch(Polygon(corners, fc="#3d4a57", ec="none"))
    sheet.text(
        (left + tip) / 2 - 0.002, _TOP, text, ha="center", va="center", color="white", fontsize=8.5
    )


def _stack(figure, pictures: Sequence[np.ndarray], x: float) -> None:
    """Draw one picture, or several in front of each other, the finest behind and largest."""
    sizes = [1.0] if len(pictures) == 1 else np.linspace(0.3, 1.0, len(pictures))
    for picture, size in reversed(list(zip(pictures, sizes, strict=True))):
        # smaller ones sit at the lower right corner of the pile
        corner = (x + _WIDE - 2 * _WIDE * size, _TOP - _HIGH)
        axes = figure.add_axes((*corner, 2 * _WIDE * size, 2 * _HIGH * size))
        axes.imshow(picture, cmap="cividis", aspect="auto", interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set(visible=True, color="white", linewidth=0.8)


def _column(sheet, place: Place, x: float, anchor: float) -> None:
    head = 0.555
    sheet.plot([anchor, anchor, x, x], [0.715, 0.660, 0.630, 0.590], color="#94a4a2", lw=1.2)
    sheet.text(x, head, place.name, ha="center", va="center", fontsize=10, weight="bold")
    for row, part in enumerate(place.alternatives):
        y = head - 0.075 - 0.071 * row
        _box(sheet, x, y, 0.182, 0.06, "", _COLOURS.get(part.used_by, _OTHER), "black", 9)
        sheet.text(x - 0.083, y, part.name, ha="left", va="center", fontsize=9)
        sheet.text(x + 0.083, y, part.chapter, ha="right", va="center", fontsize=8, color="#3d4a57")
