"""Making a data set smaller, the same way for every set: LANCZOS, JPEG, resumable."""

import argparse
import functools
import hashlib
import io
import itertools
import json
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from common import (
    SUFFIXES,
    Problem,
    data_folder,
    one_file,
    plain_name,
    read_json,
    tar_files,
    whole_number,
    write_whole,
)
from PIL import Image, UnidentifiedImageError

QUALITY = 95  # with full colour resolution: what is lost is far below what a tokenizer keeps
AT_A_TIME = 256
LARGEST_SIDE = 8192  # pixels; beyond, a picture no longer fits into a JPEG's 65,500 a side
NOTE = "how.json"

Rule = Callable[[Image.Image], Image.Image]
Picture = tuple[str, Callable[[], bytes]]  # where it goes, below the target, and how to read it


def short_side(side: int) -> Rule:
    """Return the rule that scales a picture until its short side has `side` pixels (as VAR trains)."""

    def scale(picture: Image.Image) -> Image.Image:
        factor = side / min(picture.size)
        size = tuple(max(side, round(length * factor)) for length in picture.size)
        return picture.resize(size, Image.Resampling.LANCZOS)

    return scale


def whole(side: int) -> Rule:
    """Return the rule that scales both sides to `side` pixels (CycleGAN-Turbo's driving scenes)."""
    return lambda picture: picture.resize((side, side), Image.Resampling.LANCZOS)


def middle(side: int) -> Rule:
    """Return the rule that takes the largest square in the middle and scales it to `side` pixels."""

    def scale(picture: Image.Image) -> Image.Image:
        edge = min(picture.size)
        left, top = (picture.width - edge) // 2, (picture.height - edge) // 2
        square = picture.crop((left, top, left + edge, top + edge))
        return square.resize((side, side), Image.Resampling.LANCZOS)

    return scale


def files(folder: Path, below: str) -> Iterator[Picture]:
    """Yield the pictures of `folder`, sorted by name, for the folder `below` of the target."""
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in SUFFIXES and not path.name.startswith("."):
            yield f"{below}/{path.stem}.jpg", path.read_bytes


def members(archive: Path, below: str) -> Iterator[Picture]:
    """Yield the pictures of a tar archive in its own order; nothing is unpacked onto the disk.

    Problem where the archive is damaged anywhere, before the first picture.
    """
    for name, content in tar_files(archive):
        path = PurePosixPath(name)
        if path.suffix.lower() in SUFFIXES:
            yield f"{below}/{plain_name(path.stem, archive)}.jpg", functools.partial(bytes, content)


def chosen(names: Iterable[str], count: int) -> list[str]:
    """Return `count` of the names, the same everywhere: the first in the order of their SHA-256."""
    return sorted(names, key=lambda name: hashlib.sha256(name.encode()).hexdigest())[:count]


def _write(job: tuple[bytes, Path, Rule]) -> str | None:
    """Resize one picture into its place; return its name where it cannot be decoded."""
    content, target, rule = job
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with Image.open(io.BytesIO(content)) as picture:
            rule(picture.convert("RGB")).save(part, "JPEG", quality=QUALITY, subsampling=0)
    except (
        UnidentifiedImageError,
        SyntaxError,
        ValueError,
        Image.DecompressionBombError,
        OSError,
    ) as error:
        part.unlink(missing_ok=True)
        if (
            isinstance(error, OSError) and error.errno is not None
        ):  # not the picture's fault: a full disk
            raise
        return target.name
    os.replace(part, target)
    return None


def _note(folder: Path, how: str) -> None:
    """Note in the target how its pictures are made.

    Raises Problem where it holds pictures that were made otherwise.
    """
    note = folder / NOTE
    if note.is_file():
        before = read_json(note, "choose another place with --to").get("how")
        if before == how:
            return
        raise Problem(
            f"{folder} holds pictures made otherwise ({before}): choose another place with --to."
        )
    if folder.is_dir() and any(folder.iterdir()):
        raise Problem(
            f"{folder} exists and was not made by this script: move it away or choose another place with --to."
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(note, json.dumps({"how": how}, indent=1) + "\n")


def resize_all(pictures: Iterable[Picture], folder: Path, rule: Rule, how: str) -> str:
    """Write every missing picture, downsampled by `rule`, and return what was done.

    `how` says the rule in words. Interrupted, the same command resumes where it stopped. Raises
    Problem, at the end, where pictures cannot be decoded, or bear the name of another one.
    """
    _note(folder, how)
    made = there = 0
    broken: list[str] = []
    doubles: list[str] = []
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        jobs_left = _jobs(pictures, folder, rule, doubles, broken)
        while batch := list(itertools.islice(jobs_left, AT_A_TIME)):
            jobs = [job for job in batch if job is not None]
            there += len(batch) - len(jobs)
            broken += filter(None, pool.map(_write, jobs))
            made += len(jobs)
    told = []
    if broken:
        told.append(f"{_some(broken)} cannot be decoded: get these again")
    if doubles:
        told.append(f"{_some(doubles)} would overwrite one of the same name: rename these")
    if told:
        raise Problem(f"{', and '.join(told)}, and run the same command; the others are done.")
    return f"{folder}: {made} pictures made, {there} were there already ({how})."


def _some(names: list[str]) -> str:
    return f"{len(names)} pictures ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})"


def _jobs(
    pictures: Iterable[Picture], folder: Path, rule: Rule, doubles: list[str], broken: list[str]
) -> Iterator[tuple[bytes, Path, Rule] | None]:
    """Yield what is to be done for each picture, None where it is there already.

    Names that an earlier one has are added to `doubles`, what cannot be read to `broken`.
    """
    taken: set[str] = set()
    for name, read in pictures:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise Problem(f"{name!r} leads outside of {folder}: rename that picture.")
        if one_file(name) in taken:
            doubles.append(name)
            continue
        taken.add(one_file(name))
        target = folder / name
        if target.is_file():
            yield None
            continue
        try:
            content = read()
        except OSError:  # a link that leads nowhere, a folder named like a picture, no right
            broken.append(name)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        yield content, target, rule


def options(text: str, name: str, side: int) -> argparse.ArgumentParser:
    """Return the command line that all these scripts share: --from, --to, --side, --dry-run."""
    parser = argparse.ArgumentParser(description=text.split("\n")[0])
    parser.add_argument(
        "--from", dest="source", type=Path, metavar="FOLDER", help="your copy of the data set"
    )
    parser.add_argument(
        "--to",
        type=Path,
        default=data_folder(name),
        help=f"where the pictures go (default: data/{name})",
    )
    parser.add_argument(
        "--side", type=whole_number(1, LARGEST_SIDE), default=side, help=f"pixels (default {side})"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be done, and do nothing"
    )
    return parser


def existing(folder: Path | None, ask: str) -> Path:
    """Return the folder of a copy that the reader has.

    Raises Problem with `ask`, what to ask for and where, if there is none.
    """
    if folder is None:
        raise Problem(ask)
    folder = folder.expanduser().absolute()
    if not folder.is_dir():
        raise Problem(f"There is no folder {folder}: check the path given.")
    return folder
