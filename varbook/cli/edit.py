"""`varbook edit`: more pixels, painting in and out, extending, with a model that was trained for
none of it (FlexVAR section 4.4).

The model works at about the size of its training; the result has the picture's own size, and what
is kept keeps its own pixels.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from varbook.cli.drawing import (
    add_drawing,
    check_free,
    condition_of,
    drawing_of,
    schedule_of,
    snapped,
)
from varbook.cli.parser import Parser, aspect, box, describe_part, print_json, size, whole
from varbook.errors import VarbookError
from varbook.paths import check_writable

if TYPE_CHECKING:
    from torch import Tensor

    from varbook.book.models.find import Stored
    from varbook.generate.sampling import Drawing
    from varbook.tokenizer.schedule import Scale
    from varbook.tokenizer.tokenizer import Tokenizer
    from varbook.transformer.model import NextScaleModel

SUMMARY = "refine a picture, paint in it or around it, extend it"
EXAMPLES = """  varbook edit refine small.png --class lion --factor 2 --out large.png
  varbook edit inpaint horse.png --class horse --box 20,44,16,40
  varbook edit inpaint horse.png --class zebra --mask mask.png
  varbook edit outpaint horse.png --class horse --box 8,56,8,56
  varbook edit extend horse.png --class horse --aspect 2:1"""
LIGHTER = "take a smaller picture, or ask for a smaller result"
EDITS = {
    "refine": "draw a small picture anew with more pixels",
    "inpaint": "paint anew what a mask (white) or a box marks",
    "outpaint": "paint anew everything but what a mask (white) or a box marks",
    "extend": "continue a picture on both sides, or on all",
}
MOST_FACTOR = 8


class Work(NamedTuple):
    """The model that edits, and what it is told."""

    stored: "Stored"
    model: "NextScaleModel"
    tokenizer: "Tokenizer"
    labels: "Tensor"  # 1
    drawing: "Drawing"
    options: argparse.Namespace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the four edits and their options."""
    edits = parser.add_subparsers(dest="edit", metavar="EDIT", required=True, parser_class=Parser)
    for name, summary in EDITS.items():
        examples = [line for line in EXAMPLES.splitlines() if f" edit {name} " in line]
        own = edits.add_parser(name, help=summary, **describe_part(summary, "\n".join(examples)))
        add = own.add_argument
        add("picture", type=Path, help="the picture file; it stays as it is")
        add(
            "--class",
            dest="name",
            metavar="CLASS",
            help="what it shows (default: none, without guidance)",
        )
        add("--out", type=Path, help=f"the new file (default: PICTURE-{name}.png in this folder)")
        if name == "refine":
            add(
                "--factor", type=whole(2), default=2, help="times as many pixels a side (default 2)"
            )
        if name in ("inpaint", "outpaint"):
            marked = own.add_mutually_exclusive_group(required=True)
            marked.add_argument(
                "--mask", type=Path, help="a picture of the same size, white where it is marked"
            )
            marked.add_argument("--box", type=box, help="top,bottom,left,right in pixels")
        if name == "extend":
            wider = own.add_mutually_exclusive_group(required=True)
            wider.add_argument(
                "--aspect", type=aspect, help="width:height of the result, such as 2:1"
            )
            wider.add_argument(
                "--size", type=size, help="height x width of the result in pixels, such as 64x128"
            )
        add_drawing(own)


def read_mask(options: argparse.Namespace, pixels: "Scale") -> "Tensor":
    """Return what --mask or --box marks, bool (H, W); VarbookError where it does not fit the
    picture of `pixels`, or marks nothing or all of it.
    """
    import torch

    from varbook.data.images import load_image

    mask = torch.zeros(pixels, dtype=torch.bool)
    if options.mask is not None:
        image = load_image(options.mask)
        if image.shape[-2:] != mask.shape:
            raise VarbookError(
                f"The mask has {image.shape[-2]} x {image.shape[-1]} pixels and the picture {pixels[0]} x {pixels[1]}: "
                "make them the same size."
            )
        mask = image.float().mean(0) >= 128
    else:
        top, bottom, left, right = options.box
        if bottom > pixels[0] or right > pixels[1]:
            raise VarbookError(
                f"The box reaches to row {bottom} and column {right}, but the picture has {pixels[0]} x {pixels[1]} pixels."
            )
        mask[top:bottom, left:right] = True
    if not mask.any() or mask.all():
        share = "all" if mask.any() else "nothing"
        raise VarbookError(f"The mask marks {share} of the picture: mark a part of it (white).")
    return mask


def at_work(image: "Tensor", work: Work) -> "Tensor":
    """Return an image (3, H, W), uint8, as the model works on it: floats (1, 3, h, w) in [-1, 1],
    its shorter side about that of the training.
    """
    from varbook.data.images import resize_image, to_float
    from varbook.device import pick_device

    trained = min(work.model.config.schedule[-1]) * work.tokenizer.stride
    factor = trained / min(image.shape[-2:])
    near = (round(image.shape[-2] * factor), round(image.shape[-1] * factor))
    pixels = snapped(near, work.tokenizer.stride)
    schedule_of(work.model, work.tokenizer, pixels, None, work.stored.name)
    return to_float(resize_image(image, *pixels))[None].to(pick_device())


def refined(image: "Tensor", work: Work) -> "Tensor":
    """Return the image (3, H, W), uint8, with --factor times as many pixels a side, to whole cells
    of the model.
    """
    from varbook.data.images import resize_image, to_float, to_uint8
    from varbook.device import pick_device
    from varbook.generate.editing import refine

    low = snapped((image.shape[-2], image.shape[-1]), work.tokenizer.stride)
    large = (low[0] * work.options.factor, low[1] * work.options.factor)
    schedule_of(work.model, work.tokenizer, large, None, work.stored.name)
    small = to_float(resize_image(image, *low))[None].to(pick_device())
    generator = _generator(work)
    drawn = refine(
        work.model,
        work.tokenizer,
        small,
        large,
        work.labels,
        drawing=work.drawing,
        generator=generator,
    )
    return to_uint8(drawn.images[0].cpu())


def repainted(image: "Tensor", mask: "Tensor", work: Work) -> "Tensor":
    """Return the image (3, H, W), uint8, painted anew where `mask` (H, W) is True."""
    import torch

    from varbook.data.images import resize_image, to_uint8
    from varbook.generate.editing import inpaint

    small = at_work(image, work)
    marked = (
        resize_image((mask * 255).to(torch.uint8).expand(3, -1, -1), *small.shape[-2:])[0] > 127
    )
    drawn = inpaint(
        work.model,
        work.tokenizer,
        small,
        marked.to(small.device),
        work.labels,
        drawing=work.drawing,
        generator=_generator(work),
    )
    new = resize_image(to_uint8(drawn.images[0].cpu()), *image.shape[-2:])
    return torch.where(mask, new, image)


def extended(image: "Tensor", work: Work) -> "Tensor":
    """Return the image (3, H, W), uint8, in the centre of a larger one that continues it."""
    from varbook.data.images import resize_image, to_uint8
    from varbook.generate.editing import extend, on_canvas

    small, stride = at_work(image, work), work.tokenizer.stride
    size, pixels = (image.shape[-2], image.shape[-1]), (small.shape[-2], small.shape[-1])
    wanted = canvas_size(size, work.options)
    near = [round(w * p / s) for w, p, s in zip(wanted, pixels, size, strict=True)]
    snapped_near = snapped((near[0], near[1]), stride)
    canvas = (max(snapped_near[0], pixels[0]), max(snapped_near[1], pixels[1]))
    schedule_of(work.model, work.tokenizer, canvas, None, work.stored.name)
    drawn = extend(
        work.model,
        work.tokenizer,
        small,
        canvas,
        work.labels,
        drawing=work.drawing,
        generator=_generator(work),
    )
    scale = [s / p for s, p in zip(size, pixels, strict=True)]
    full = [max(round(c * f), s) for c, f, s in zip(canvas, scale, size, strict=True)]
    new = resize_image(to_uint8(drawn.images[0].cpu()), full[0], full[1])
    known = ~on_canvas(small, canvas, stride)[1]
    top = round(int(known.any(1).float().argmax()) * scale[0])
    left = round(int(known.any(0).float().argmax()) * scale[1])
    new[:, top : top + size[0], left : left + size[1]] = image
    return new


def canvas_size(size: "Scale", options: argparse.Namespace) -> "Scale":
    """Return (height, width) of the extended picture in pixels; VarbookError where it would not be
    larger than the picture of `size`.
    """
    if options.aspect:
        wide, high = options.aspect
        canvas = (
            max(size[0], round(size[1] * high / wide)),
            max(size[1], round(size[0] * wide / high)),
        )
    else:
        canvas = (options.size[0], options.size[1] or options.size[0])
    if canvas[0] < size[0] or canvas[1] < size[1] or canvas == size:
        raise VarbookError(
            f"Extending makes a picture larger, so {size[0]} x {size[1]} pixels cannot become "
            f"{canvas[0]} x {canvas[1]}: ask for more on at least one side, for less on none."
        )
    return canvas


def _generator(work: Work):
    import torch

    return torch.Generator().manual_seed(work.options.seed)


def prepare(options: argparse.Namespace) -> Work:
    """Return the model that edits, with the class and the settings of the draw."""
    from dataclasses import replace

    from varbook.book.models.find import default_generator, find_run
    from varbook.book.models.load_run import load_generator
    from varbook.book.models.profiles import profile
    from varbook.device import pick_device

    if options.run is None:
        stored = default_generator(profile(), options.name)
    else:
        stored = find_run(options.run, "next-scale")
    if stored.reads:
        raise VarbookError(f"{stored.name} takes words: name a run that takes classes.")
    model, tokenizer, _ = load_generator(stored)
    labels = condition_of(model, stored, options.name, None, 1).to(pick_device())
    drawing = drawing_of(options, model.config.schedule)
    if options.name is None:  # guidance compares a class with none
        drawing = replace(drawing, guidance=0.0)
    return Work(stored, model, tokenizer, labels, drawing, options)


def run(options: argparse.Namespace) -> int:
    """Edit the picture and return the exit code 0."""
    from varbook.cli.image_files import check_out_file, check_sources_stay, save
    from varbook.data.images import load_image

    drawing_of(options)  # what is out of range is refused before anything is loaded
    image = load_image(options.picture)
    pixels = (image.shape[-2], image.shape[-1])
    mask = read_mask(options, pixels) if options.edit in ("inpaint", "outpaint") else None
    if options.edit == "extend":
        canvas_size(pixels, options)
    out = check_out_file(options.out or Path(f"{options.picture.stem}-{options.edit}.png"))
    check_sources_stay([options.picture], [out])
    check_free([out], options.force)
    check_writable(out.parent, "name another place with --out")
    work = prepare(options)
    if mask is not None:
        new = repainted(image, mask if options.edit == "inpaint" else ~mask, work)
    else:
        new = refined(image, work) if options.edit == "refine" else extended(image, work)
    save(new, out)
    size = [new.shape[-2], new.shape[-1]]
    if options.json:
        print_json({"run": work.stored.name, "edit": options.edit, "size": size, "file": out})
    else:
        print(f"{work.stored.name}: {out} written, {size[0]} x {size[1]} pixels")
    return 0
