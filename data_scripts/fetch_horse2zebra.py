"""Fetch horse2zebra, the photographs of chapters 09 and 10, or take a folder or zip of yours.

    python data_scripts/fetch_horse2zebra.py                     # download into data/horse2zebra of the checkout
    python data_scripts/fetch_horse2zebra.py --from ~/h2z.zip    # or from a zip or folder
    python data_scripts/fetch_horse2zebra.py --to /data/horse2zebra --dry-run

Needs nothing but Python. An interrupted download resumes where it stopped; the folder appears only
once it is complete.
"""

import argparse
import json
import shutil
import stat
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from common import SUFFIXES, Problem, answer, check_sum, data_folder, unpack, write_whole
from downloads import check_address, download, forget

FOLDERS = ("trainA", "trainB", "testA", "testB")
MOST = 2 << 30  # bytes of the zip, which has a tenth of a GB


@dataclass(frozen=True)
class Variant:
    """One published form of the data set.

    `counts` are in the order of FOLDERS, None where its makers do not state them.
    """

    url: str
    counts: tuple[int, ...] | None


VARIANTS = {
    "cyclegan": Variant(
        "https://efrosgans.eecs.berkeley.edu/cyclegan/datasets/horse2zebra.zip",
        (1067, 1334, 120, 140),
    ),
    "turbo": Variant("https://www.cs.cmu.edu/~img2img-turbo/data/my_horse2zebra.zip", None),
}


def find_root(folder: Path) -> Path:
    """Return the folder, `folder` or one in it, that holds the four (or train_A and so on).

    Raises Problem where there is none.
    """
    for place in (folder, *sorted(entry for entry in folder.iterdir() if entry.is_dir())):
        if all((place / name).is_dir() or (place / _other(name)).is_dir() for name in FOLDERS):
            return place
    raise Problem(f"{folder} is not horse2zebra: it needs the folders {', '.join(FOLDERS)}.")


def _other(name: str) -> str:
    return f"{name[:-1]}_{name[-1]}"


def count(root: Path) -> tuple[int, ...]:
    """Return the number of pictures in each of FOLDERS, 0 where there is none."""
    return tuple(
        sum(entry.suffix.lower() in SUFFIXES for entry in (root / name).iterdir())
        if (root / name).is_dir()
        else 0
        for name in FOLDERS
    )


def put(root: Path, target: Path, counts: tuple[int, ...] | None):
    """Move a finished folder to its place in one step.

    Raises Problem where it is incomplete or the place is taken.
    """
    for name in FOLDERS:
        if not (root / name).is_dir():
            (root / _other(name)).rename(root / name)
    found = count(root)
    if min(found) == 0 or (counts and found != counts):
        wanted = f"not {' / '.join(map(str, counts))}" if counts else "and none may be empty"
        raise Problem(
            f"The data set holds {' / '.join(map(str, found))} pictures, {wanted}: fetch it again."
        )
    if target.is_dir() and not any(target.iterdir()):
        target.rmdir()
    if target.exists():
        raise Problem(
            f"{target} exists and is not a complete horse2zebra: move it away or choose another place with --to."
        )
    root.rename(target)


# --- the command
# ----------------------------------------------------------------------------------------------------


def fetch(source: str | None, target: Path, variant: Variant, wanted: str | None = None):
    """Put the data set at `target`, from a folder, a zip, or (source None) its own address.

    Raises Problem where that fails.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as name:
        scratch = Path(name) / target.name
        if source is None:
            _from_home(target, scratch, variant, wanted)
        elif Path(source).is_dir():
            _copy(find_root(Path(source)), scratch)
            for folder in (scratch, *(entry for entry in scratch.rglob("*") if entry.is_dir())):
                folder.chmod(
                    folder.stat().st_mode | stat.S_IRWXU
                )  # the copy of a read-only folder can be moved
            put(scratch, target, None)
        elif zipfile.is_zipfile(source):
            if wanted:
                check_sum(Path(source), "", Path(name) / "none", wanted)
            unpack(Path(source), scratch)
            put(find_root(scratch), target, None)
        else:
            raise Problem(
                f"{source} is neither a folder nor a zip: check the path given with --from."
            )


def _copy(source: Path, scratch: Path):
    try:
        shutil.copytree(source, scratch)
    except shutil.Error as error:  # holds (from, to, why) of everything that cannot be copied
        file, _, why = error.args[0][0]
        raise Problem(f"{file} cannot be copied ({why}): remove it or get it again.") from error


def _from_home(target: Path, scratch: Path, variant: Variant, wanted: str | None):
    archive, lock = (target.with_name(target.name + ending) for ending in (".zip", ".lock.json"))
    if not archive.exists():
        part = archive.with_name(archive.name + ".part")
        download(variant.url, part, MOST)
        part.rename(archive)
        forget(part)
    facts = check_sum(archive, variant.url, lock, wanted)
    unpack(archive, scratch)
    put(find_root(scratch), target, variant.counts)
    facts |= {"pictures": dict(zip(FOLDERS, count(target), strict=True))}
    write_whole(lock, json.dumps(facts, indent=1) + "\n")
    archive.unlink()


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Return the command line's options."""
    place = data_folder("horse2zebra")
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--from",
        dest="source",
        metavar="FOLDER_OR_ZIP",
        help="use this copy instead of the network",
    )
    parser.add_argument(
        "--to",
        type=Path,
        default=place,
        help="where the four folders go (default: data/horse2zebra)",
    )
    parser.add_argument(
        "--variant",
        choices=VARIANTS,
        default="cyclegan",
        help="the CycleGAN or CycleGAN-Turbo edition",
    )
    parser.add_argument("--url", help="another home of the same zip")
    parser.add_argument("--sha256", help="the checksum that the zip must have")
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be done, and do nothing"
    )
    return parser.parse_args(arguments)


def work(options: argparse.Namespace) -> str:
    """Do what the options ask for and return what to tell the reader; raises Problem."""
    variant = VARIANTS[options.variant]
    if options.url:
        variant = Variant(check_address(options.url), variant.counts)
    target = options.to.expanduser().absolute()
    source = str(Path(options.source).expanduser()) if options.source else None
    found = count(target)
    # A folder that the reader has filled may be a part of the whole; whatever is there is never
    # overwritten.
    if min(found) and (found == variant.counts or variant.counts is None or source):
        return f"{target} is there already: {' / '.join(map(str, found))} pictures. Nothing to do."
    if options.dry_run:
        return f"would fetch {source or variant.url} into {target}"
    fetch(source, target, variant, options.sha256)
    return f"{target}: {' / '.join(map(str, count(target)))} pictures ({', '.join(FOLDERS)})."


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns 0, or 1 after one sentence on stderr."""
    return answer("fetch_horse2zebra", work, parse(arguments))


if __name__ == "__main__":
    sys.exit(main())
