"""Fetch a part of OpenImages and make it smaller, for the paper profile's tokenizer.

FlexVAR section 4.1.

    python data_scripts/prepare_openimages.py --parts 0            # one sixteenth: 46 GB to fetch, a tenth of that is kept
    python data_scripts/prepare_openimages.py --parts 0123456789abcdef
    python data_scripts/prepare_openimages.py --from /data/openimages/train        # pictures, or train_*.tar.gz, that you have

The training pictures with boxes (1,743,042, at most 1024 pixels a side) lie in sixteen archives by
the first digit of their number. Nothing must be asked for; each picture is under CC BY 2.0, as its
page says. No checksums are published: the first download is noted in a lock beside the pictures,
and later ones must equal it. The papers do not say which part they used.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from common import Problem, answer, check_sum, write_whole
from downloads import download, forget
from pictures import Picture, existing, files, members, options, resize_all, short_side

HOME = "https://open-images-dataset.s3.amazonaws.com/tar"
PARTS = "0123456789abcdef"


def archives(folder: Path) -> list[Path]:
    """Return the archives of a folder, in the order of their names."""
    return sorted(folder.glob("train_?.tar.gz"))


def of_copy(folder: Path) -> Iterator[Picture]:
    """Yield the pictures of a copy: of its archives where there are any, else of the folder itself."""
    found = archives(folder)
    for archive in found:
        yield from members(archive, "train")
    if not found:
        yield from files(folder, "train")


def fetch_part(part: str, target: Path, rule, how: str) -> str:
    """Fetch one archive, make its pictures small, and remove it; raises Problem."""
    target.parent.mkdir(parents=True, exist_ok=True)
    archive = target.with_name(f"{target.name}-train_{part}.tar.gz")
    url = f"{HOME}/train_{part}.tar.gz"
    lock = target.with_name(f"{target.name}-train_{part}.lock.json")
    done = target / f"train_{part}.done"
    if done.is_file():
        return f"part {part} is there already"
    if not archive.exists():
        piece = archive.with_name(archive.name + ".part")
        download(url, piece)
        piece.rename(archive)
        forget(piece)
    facts = check_sum(archive, url, lock, None)
    told = resize_all(members(archive, "train"), target, rule, how)
    write_whole(lock, json.dumps(facts, indent=1) + "\n")
    done.touch()
    archive.unlink()
    return told


def work(arguments) -> str:
    """Do what the options ask for and return what to tell the reader; raises Problem."""
    rule = short_side(arguments.side)
    how = f"short side {arguments.side}, LANCZOS"
    wrong = sorted(set(arguments.parts) - set(PARTS))
    if wrong or not arguments.parts:
        raise Problem(
            f"The parts are {PARTS}, one digit each, not {arguments.parts!r}: write --parts 0 or --parts 01f."
        )
    source = existing(arguments.source, "") if arguments.source else None
    if arguments.dry_run:
        what = source or ", ".join(f"{HOME}/train_{part}.tar.gz" for part in arguments.parts)
        return f"would make {arguments.to} ({how}) from {what}"
    if source:
        return resize_all(of_copy(source), arguments.to, rule, how)
    return "\n".join(
        fetch_part(part, arguments.to.absolute(), rule, how) for part in arguments.parts
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns 0, or 1 after one sentence on stderr."""
    parser = options(__doc__, "openimages", 288)
    parser.add_argument(
        "--parts", default="0", help=f"which archives to fetch, of {PARTS} (default 0)"
    )
    return answer("prepare_openimages", work, parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
