"""`varbook generate`: pictures of a class, or from words, each in a file of its own, and a sheet of
all.

Picture number i is drawn with the seed --seed + i, so that any one of them can be drawn again alone.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from varbook.cli.drawing import (
    add_drawing,
    asked_size,
    check_free,
    condition_of,
    drawing_of,
    file_stem,
    schedule_of,
    snapped,
)
from varbook.cli.parser import aspect, print_json, size, whole
from varbook.errors import VarbookError
from varbook.paths import check_writable

if TYPE_CHECKING:
    from torch import Tensor

    from varbook.book.models.find import Stored

SUMMARY = "draw pictures of a class, or from words"
EXAMPLES = """  varbook generate --class zebra
  varbook generate --class elephant --count 4 --size 64 --aspect 2:1 --seed 7 --out elephants/
  varbook generate --class lion --size 96x64 --steps 8 --guidance 2 --out lion.png
  varbook generate --words "a chestnut horse in a green valley by day"
  varbook generate --list"""
LIGHTER = "give a smaller --size"
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
BATCH_TOKENS = 16_384  # of all pictures that are drawn at a time: what a small machine holds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `varbook generate`."""
    add = parser.add_argument
    asked = parser.add_mutually_exclusive_group()
    asked.add_argument(
        "--class", dest="name", metavar="CLASS", help="such as zebra, or a class's number"
    )
    asked.add_argument("--words", help='such as "a chestnut horse in a green valley by day"')
    asked.add_argument(
        "--list", action="store_true", help="show the models and what they know, and do nothing"
    )
    add("--count", type=whole(1), default=8, help="number of pictures (default 8)")
    add(
        "--size",
        type=size,
        help="pixels: 64, or height x width, 64x128 (default: that of the training)",
    )
    add("--aspect", type=aspect, help="width:height, such as 2:1, around the shorter side --size")
    add(
        "--steps", type=whole(1), help="scales from coarse to fine (default: those of the training)"
    )
    add(
        "--out",
        type=Path,
        default=Path("generated"),
        help="a folder, or a picture file for all in one sheet (default generated/)",
    )
    add_drawing(parser)


def list_models(as_json: bool) -> int:
    """Print the models that draw and what each knows, and return 0."""
    from varbook.book.models.find import stored

    models = stored("next-scale")
    if as_json:
        print_json([run.facts() for run in models])
        return 0
    for run in models:
        print(run.say())
    return 0


def plan_files(out: Path, stem: str, seed: int, count: int) -> tuple[list[Path], Path | None]:
    """Return a file for each picture, and one for the sheet of all (None: there is none).

    `out` is a folder, or a picture file: of the one picture, or of the sheet alone.
    """
    if out.suffix.lower() in IMAGE_SUFFIXES:
        return ([out], None) if count == 1 else ([], out)
    singles = [out / f"{stem}-{seed + number}.png" for number in range(count)]
    return singles, out / f"{stem}-sheet.png" if count > 1 else None


def chosen_model(options: argparse.Namespace) -> "Stored":
    """Return the run that draws; VarbookError where none fits."""
    from varbook.book.models.find import default_generator, find_run
    from varbook.book.models.profiles import profile

    if options.run is None:
        return default_generator(profile(), options.name, options.words is not None)
    stored = find_run(options.run, "next-scale")
    if stored.reads != (options.words is not None):
        asked, other = ("words", "--class") if options.words is not None else ("a class", "--words")
        raise VarbookError(f"{stored.name} is not asked for {asked}: use {other}.")
    return stored


def draw(model, tokenizer, labels: "Tensor", schedule, drawing, seeds: list[int]):
    """Yield images (3, H, W) in [-1, 1], one per label and seed, a few at a time."""
    import torch

    from varbook.device import pick_device
    from varbook.generate.loop import generate
    from varbook.tokenizer.schedule import token_count
    from varbook.train.progress import progress

    batch = max(1, BATCH_TOKENS // token_count(schedule))
    for start in progress(range(0, len(seeds), batch), "pictures"):
        generators = [torch.Generator().manual_seed(seed) for seed in seeds[start : start + batch]]
        rows = labels[start : start + batch].to(pick_device())
        yield from generate(
            model, tokenizer, rows, schedule, drawing, generator=generators
        ).images.cpu()


def run(options: argparse.Namespace) -> int:
    """Draw what the options say and return the exit code 0."""
    if options.list:
        return list_models(options.json)
    if options.name is None and options.words is None:
        raise VarbookError(
            'Say what to draw: --class zebra, or --words "a chestnut horse in a green valley by day".'
        )
    drawing_of(options)  # what is out of range is refused before anything is loaded
    stem = file_stem(options.words if options.words is not None else options.name)
    singles, sheet = plan_files(options.out, stem, options.seed, options.count)
    files = [*singles, *([sheet] if sheet else [])]
    check_free(files, options.force)
    stored = chosen_model(options)

    import torch

    from varbook.book.models.load_run import load_generator
    from varbook.book.show.sheets import sheet as sheet_of
    from varbook.cli.image_files import save, save_pil
    from varbook.data.images import to_uint8

    model, tokenizer, _ = load_generator(stored)
    labels = condition_of(model, stored, options.name, options.words, options.count)
    trained = tuple(side * tokenizer.stride for side in model.config.schedule[-1])
    wanted = asked_size(options.size, options.aspect, trained)
    pixels = snapped(wanted, tokenizer.stride)
    schedule = schedule_of(model, tokenizer, pixels, options.steps, stored.name)
    check_writable(files[0].parent, "name another place with --out")
    if not options.json:
        near = f" (nearest to {wanted[0]} x {wanted[1]})" if pixels != wanted else ""
        print(
            f"{stored.name}: {options.count} x {stem}, {pixels[0]} x {pixels[1]} pixels{near}, {len(schedule)} steps"
        )
    seeds = [options.seed + number for number in range(options.count)]
    drawing, images = drawing_of(options, model.config.schedule), []
    for number, image in enumerate(draw(model, tokenizer, labels, schedule, drawing, seeds)):
        images.append(to_uint8(image))
        if singles:
            save(images[-1], singles[number])
    if sheet:
        save_pil(sheet_of(torch.stack(images), columns=min(8, len(images))), sheet)
    if options.json:
        print_json(
            {
                "run": stored.name,
                "size": pixels,
                "schedule": schedule,
                "seeds": seeds,
                "files": files,
            }
        )
    else:
        print(
            f"{len(files)} {'file' if len(files) == 1 else 'files'} written: {files[0] if len(files) == 1 else files[0].parent}"
        )
    return 0
