"""What `varbook generate` and `varbook edit` share: how codes are drawn, which model draws, of which
class, and at which size it can.
"""

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from varbook.cli.parser import whole
from varbook.errors import VarbookError

if TYPE_CHECKING:
    from torch import Tensor

    from varbook.book.models.find import Stored
    from varbook.generate.sampling import Drawing
    from varbook.tokenizer.schedule import Scale, Schedule
    from varbook.tokenizer.tokenizer import Tokenizer
    from varbook.transformer.model import NextScaleModel

# Beyond so many times the side of its training a model draws textures, no pictures (FlexVAR fig 11),
# and attention over all places does not fit into the memory.
LARGEST = 4
# How the book draws where the reader says nothing: chapters 05 and 06 from classes, 11 from words.
BOOK = {
    "class": {"guidance": 1.5, "top_k": 100, "top_p": 0.95},
    "words": {"guidance": 2.0, "top_k": 0, "top_p": 0.0},
}


def add_drawing(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how codes are drawn; the defaults are the book's."""
    add = parser.add_argument
    add("--run", help="a run's name or kind, or its .safetensors (default: one that fits)")
    add(
        "--seed",
        type=whole(0),
        default=0,
        help="the first picture's seed; each further one has the next (default 0)",
    )
    classes, words = BOOK["class"], BOOK["words"]
    add(
        "--guidance",
        type=float,
        help=f"strength of classifier-free guidance, 0: none (default {classes['guidance']}; for words {words['guidance']})",
    )
    add(
        "--top-k",
        type=int,
        help=f"likeliest codes to draw from, 0: all, 1: the likeliest (default {classes['top_k']}; for words {words['top_k']})",
    )
    add(
        "--top-p",
        type=float,
        help=f"cumulative probability that top-p sampling keeps, 0: all (default {classes['top_p']}; for words {words['top_p']})",
    )
    add(
        "--temperature",
        type=float,
        default=1.0,
        help="temperature: above 1 more variety, below less (default 1)",
    )
    add("--force", action="store_true", help="overwrite what is there")
    add("--json", action="store_true", help="answer in JSON, for scripts")


def drawing_of(options: argparse.Namespace, schedule: "Schedule | None" = None) -> "Drawing":
    """Return how codes are drawn; VarbookError for a setting that is out of range.

    Above the sizes of `schedule`, that of the training, the guidance stays as it is at its last
    scale, and codes are the likeliest: the same picture, continued (chapter 05).
    """
    from varbook.generate.sampling import Drawing

    usual = BOOK["class" if getattr(options, "words", None) is None else "words"]
    return Drawing(
        guidance=usual["guidance"] if options.guidance is None else options.guidance,
        top_k=int(usual["top_k"]) if options.top_k is None else options.top_k,
        top_p=usual["top_p"] if options.top_p is None else options.top_p,
        temperature=options.temperature,
        ramp_to=len(schedule) - 1 if schedule else None,
        greedy_above=max(schedule[-1]) if schedule else None,
    )


def condition_of(
    model: "NextScaleModel", stored: "Stored", name: str | None, words: str | None, count: int
) -> "Tensor":
    """Return `count` labels for the class `name` (None: no class), or for words; VarbookError where
    the model does not know them.
    """
    import torch

    from varbook.transformer.text_model import TextNextScaleModel

    if words is not None and isinstance(model, TextNextScaleModel):
        return model.ids([words] * count)
    classes = stored.classes()
    if name is None:
        return torch.full((count,), model.config.classes)
    if name in classes:
        label = int(classes[name])
    elif name.isdigit() and int(name) < model.config.classes:
        label = int(name)
    else:
        known = ", ".join(classes) or f"numbers from 0 to {model.config.classes - 1}"
        raise VarbookError(f"{stored.name} knows no class {name!r}; it knows {known}.")
    return torch.full((count,), label)


def snapped(size: "Scale", stride: int) -> "Scale":
    """Return the nearest size in whole cells of `stride` pixels."""
    height, width = (max(stride, round(side / stride) * stride) for side in size)
    return height, width


def asked_size(
    size: tuple[int, int | None] | None, aspect: tuple[int, int] | None, trained: "Scale"
) -> "Scale":
    """Return (height, width) in pixels for --size and --aspect; what is not given is as trained.

    With an aspect ratio (width, height) the shorter side is the one that `size` names.
    """
    height, width = size or (min(trained), None)
    if aspect:
        if width is not None:
            raise VarbookError(
                "--size HEIGHTxWIDTH has an aspect ratio already: leave out --aspect."
            )
        wide, high = aspect
        short = min(wide, high)
        return round(height * high / short), round(height * wide / short)
    if size is None:
        return trained
    return height, height if width is None else width


def schedule_of(
    model: "NextScaleModel", tokenizer: "Tokenizer", size: "Scale", steps: int | None, name: str
) -> "Schedule":
    """Return the scales in which `size` pixels are drawn, `steps` of them; VarbookError where this
    model cannot, with what it can.
    """
    from varbook.tokenizer.schedule import make_schedule, schedule_for

    config, stride = model.config, tokenizer.stride
    trained = config.schedule
    latent = tokenizer.latent_size(*size)
    pixels = [side * stride for side in trained[-1]]
    if max(latent) > LARGEST * max(trained[-1]):
        raise VarbookError(
            f"{size[0]} x {size[1]} pixels are too many for {name}, which was trained at {pixels[0]} x {pixels[1]}: "
            f"no side may be longer than {LARGEST * max(pixels)}."
        )
    if steps:
        schedule = make_schedule(latent, steps)
    else:  # at the size of the training its own scales, whatever `schedule_for` would take
        schedule = trained if latent == trained[-1] else schedule_for(trained, latent)
    fixed = config.positions == "fixed" and not hasattr(config, "words")
    if (fixed and schedule != trained) or (config.step_embedding and len(schedule) > config.steps):
        raise VarbookError(
            f"{name} draws {pixels[0]} x {pixels[1]} pixels in {len(trained)} steps only; "
            "a FlexVAR model, such as toy-flexvar, draws other sizes and steps."
        )
    return schedule


def file_stem(text: str) -> str:
    """Return words as the stem of a file's name."""
    return re.sub(r"[^\w]+", "-", text.lower()).strip("-")[:60] or "picture"


def check_free(paths: list[Path], force: bool) -> None:
    """Raise VarbookError where one of the files to be written is there already."""
    there = [path for path in paths if path.exists() and not force]
    if there:
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise VarbookError(
            f"{there[0]}{more} would be overwritten: name another place, or say --force."
        )
