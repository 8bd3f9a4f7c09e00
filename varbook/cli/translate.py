"""Translate pictures with a trained CycleVAR: a file or a folder in, a folder out.

    python -m varbook.cli.translate photographs/ translated/ --to zebra

Names stay, pictures come out upright and at their own size, and nothing that is there is
overwritten without --force.
"""

import argparse
import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from varbook.book.models import find
from varbook.book.models.profiles import profile
from varbook.data.images import SUFFIXES, load_image, to_uint8
from varbook.errors import VarbookError, ended
from varbook.files import write_atomically
from varbook.train.progress import progress
from varbook.translate.apply import translate_all
from varbook.translate.cyclevar import CycleVAR
from varbook.translate.tiles import blend, cut, places

LARGE = ("resize", "tiles")


@dataclass
class Outcome:
    """What became of the pictures: file names written, left as they were, and one sentence for each
    that failed.
    """

    written: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def pictures_of(source: Path) -> list[Path]:
    """Return the picture files of a folder by name (subfolders are not searched), or the one file
    itself.
    """
    if source.is_file():
        if source.suffix.lower() not in SUFFIXES:
            raise VarbookError(f"{source} is no picture: varbook reads {', '.join(SUFFIXES)}.")
        return [source]
    if not source.is_dir():
        raise VarbookError(f"There is no file or folder {source}: check the path.")
    found = sorted(
        one
        for one in source.iterdir()
        if one.suffix.lower() in SUFFIXES and not one.name.startswith(".")
    )
    if not found:
        raise VarbookError(
            f"The folder {source} holds no pictures ({', '.join(SUFFIXES)}): check the path."
        )
    return found


def resized(image: Tensor, height: int, width: int) -> Tensor:
    """Return a uint8 image (3, H, W) at another size."""
    picture = Image.fromarray(image.permute(1, 2, 0).contiguous().numpy())
    pixels = picture.resize((width, height), Image.Resampling.LANCZOS).tobytes()
    return (
        torch.frombuffer(bytearray(pixels), dtype=torch.uint8)
        .view(height, width, 3)
        .permute(2, 0, 1)
    )


def working_size(image: Tensor, side: int, large: str, tile_side: int | None) -> tuple[int, int]:
    """Return the height and width at which a picture is translated: a square of the model's side,
    or a size for tiles.
    """
    if large == "resize":
        return side, side
    height, width = image.shape[-2:]
    factor = (max(tile_side, side) if tile_side else max(min(height, width), side)) / min(
        height, width
    )
    return max(side, round(height * factor)), max(side, round(width * factor))


def translate_images(
    cyclevar: CycleVAR,
    images: Sequence[Tensor],
    target: int | str,
    *,
    large: str = "resize",
    short_side: int | None = None,
    batch: int = 16,
) -> list[Tensor]:
    """Translate uint8 images (3, H, W) of any sizes into class `target`; return uint8 images of the
    same sizes.

    `large` is "resize" (each picture becomes a square of the model's side and is stretched back) or
    "tiles" (cut into overlapping squares of the model's side, blended); `short_side` is the size to
    which pictures are brought before they are cut, by default their own. `batch` squares go through
    the model at a time.
    """
    if large not in LARGE:
        raise VarbookError(f'Large pictures are handled by "resize" or "tiles", not by {large!r}.')
    side, ready = find.side(cyclevar), []
    for image in images:
        size = working_size(image, side, large, short_side)
        ready.append((resized(image, *size), places(*size, side, side // 2)))
    squares = torch.cat([cut(image, side, corners) for image, corners in ready])  # N 3 side side
    parts = translate_all(cyclevar, squares, target, batch).split(
        [len(corners) for _, corners in ready]
    )
    whole = [
        to_uint8(blend(part, corners, *image.shape[-2:]))
        for part, (image, corners) in zip(parts, ready, strict=True)
    ]
    return [resized(new, *image.shape[-2:]) for new, image in zip(whole, images, strict=True)]


def save(image: Tensor, path: Path) -> None:
    """Write a uint8 image (3, H, W) in the format of the path's suffix, whole or not at all."""
    content = io.BytesIO()
    Image.init()
    Image.fromarray(image.permute(1, 2, 0).contiguous().numpy()).save(
        content, Image.EXTENSION[path.suffix.lower()], quality=95
    )
    write_atomically(path, content.getvalue())


def targets_of(
    pictures: Sequence[Path], out: Path, force: bool
) -> tuple[list[tuple[Path, Path]], list[str]]:
    """Return (picture, where it goes) for all that is to be done, and the names of what is there
    already.
    """
    if any(one.parent.resolve() == out.resolve() for one in pictures):
        raise VarbookError(
            f"{out} is where the pictures come from: choose another folder, so that no original is lost."
        )
    if out.exists() and not out.is_dir():
        raise VarbookError(f"{out} is a file: name a folder for the results.")
    pairs = [(one, out / one.name) for one in pictures]
    left = [there.name for _, there in pairs if there.exists() and not force]
    return [pair for pair in pairs if pair[1].name not in left], left


def translate_pictures(
    cyclevar: CycleVAR,
    source: str | Path,
    out: str | Path,
    target: int | str,
    *,
    large: str = "resize",
    short_side: int | None = None,
    batch: int = 16,
    force: bool = False,
) -> Outcome:
    """Translate a picture file or a folder of pictures into class `target` and write the results to
    the folder `out`.

    A picture that cannot be read or written is noted and the others go on. Raises VarbookError
    where there is no picture.
    """
    todo, left = targets_of(pictures_of(Path(source)), Path(out), force)
    outcome = Outcome(left=left)
    for start in progress(range(0, len(todo), batch), "pictures"):
        images, wanted = [], []
        for picture, there in todo[start : start + batch]:
            try:
                images.append(load_image(picture))
                wanted.append(there)
            except VarbookError as error:
                outcome.failed.append(str(error))
        new = (
            translate_images(
                cyclevar, images, target, large=large, short_side=short_side, batch=batch
            )
            if images
            else []
        )
        for image, there in zip(new, wanted, strict=True):
            try:
                save(image, there)
                outcome.written.append(there.name)
            except OSError as error:
                outcome.failed.append(f"{there} cannot be written: {error.strerror or error}.")
    return outcome


def target_class(name: str | None, known: dict[str, int | str]) -> tuple[str, int | str]:
    """Return (domain, class or prompt) for what the user asked for: a domain's name, a class
    number, or nothing (the second domain).
    """
    if name is None and known:
        return list(known.items())[-1]
    if name in known:
        return name, known[name]
    if name and name.isdigit():
        return f"class {name}", int(name)
    raise VarbookError(
        f"--to {name} is not possible: this run knows {', '.join(known) or 'class numbers only'}."
    )


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the command line as options."""
    parser = argparse.ArgumentParser(
        prog="varbook-translate", description="Translate pictures with a trained CycleVAR."
    )
    parser.add_argument(
        "source",
        type=Path,
        nargs="?",
        help="a picture, or a folder of pictures (subfolders are not searched)",
    )
    parser.add_argument(
        "out",
        type=Path,
        nargs="?",
        help="the folder for the translated pictures, made where it is missing",
    )
    parser.add_argument(
        "--run",
        help="name of a run, or its .safetensors (default: the profile's best run on photographs)",
    )
    parser.add_argument(
        "--to",
        help="the domain to translate into, such as horse or zebra (default: the run's second)",
    )
    parser.add_argument(
        "--large",
        choices=LARGE,
        default="resize",
        help="whole pictures resized to the model's side, or tiles",
    )
    parser.add_argument(
        "--short-side",
        type=int,
        help="with tiles: bring pictures to this size first (default: their own)",
    )
    parser.add_argument(
        "--batch", type=int, default=16, help="pictures or tiles at a time (default 16)"
    )
    parser.add_argument("--force", action="store_true", help="overwrite what is there")
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be done, and do nothing"
    )
    parser.add_argument(
        "--list", action="store_true", help="show the runs on this machine, and do nothing"
    )
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> int:
    """Do what the options say and return the exit code: 0, or 1 where a picture failed."""
    if options.list:
        print("\n".join(find.runs()) or "no CycleVAR is trained yet: make figures ONLY=09")
        return 0
    if options.source is None or options.out is None:
        raise VarbookError("Name a picture or a folder, and the folder for the results.")
    if options.batch < 1 or (options.short_side is not None and options.short_side < 1):
        raise VarbookError("--batch and --short-side are whole numbers from 1 on.")
    pictures = pictures_of(options.source)
    todo, left = targets_of(pictures, options.out, options.force)
    name = options.run or find.best_photograph_run(profile())
    cyclevar, found = find.load_cyclevar(name)
    word, target = target_class(options.to, find.domains(found))
    if isinstance(target, int) and not 0 <= target < cyclevar.model.config.classes:
        raise VarbookError(
            f"There is no class {target}: this run knows 0 to {cyclevar.model.config.classes - 1}."
        )
    print(
        f"{found.name}: {len(todo)} of {len(pictures)} pictures to {word}, {find.side(cyclevar)} pixels a side"
    )
    if options.dry_run:
        print("\n".join(f"{picture} -> {there}" for picture, there in todo))
        outcome = Outcome(left=left)
    else:
        outcome = translate_pictures(
            cyclevar,
            options.source,
            options.out,
            target,
            large=options.large,
            short_side=options.short_side,
            batch=options.batch,
            force=options.force,
        )
        print(f"{len(outcome.written)} written to {options.out}")
    if outcome.left:
        print(
            f"{len(outcome.left)} left as they were (--force overwrites them): {', '.join(outcome.left)}"
        )
    for sentence in outcome.failed:
        print(f"varbook: {sentence}", file=sys.stderr)
    return 1 if outcome.failed else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line: 0 when all went well, 1 when a picture failed, 2 when the request
    makes no sense.
    """
    return ended(lambda: run(parse(arguments)))


if __name__ == "__main__":
    sys.exit(main())
