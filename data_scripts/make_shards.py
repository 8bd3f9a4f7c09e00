"""Pack prepared pictures into shards: a few hundred large files, not a million small ones.

    python data_scripts/make_shards.py --from data/imagenet/train --to data/imagenet-shards/train
    python data_scripts/make_shards.py --from data/imagenet/val --to data/imagenet-shards/val
    python data_scripts/make_shards.py --from data/openimages/train --to data/openimages-shards/train
    python data_scripts/make_shards.py --from data/imagenet/train --to data/imagenet-shards/train --check

A folder of class folders gives a set with classes, in the order of their names (ImageNet's order);
a folder of pictures one without. Each shard is a plain tar in webdataset's layout (`name.jpg`,
`name.cls`), beside it a table of where each picture begins (`000000.npy`: first byte, length,
label), and for all of them `manifest.json`: classes, counts and the SHA-256 of every file. The
pictures lie in an order that their names alone decide, so that every shard is a sample of the
whole. Interrupted, the same command resumes with the shard at which it stopped.
"""

import argparse
import hashlib
import io
import json
import os
import sys
import tarfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from common import (
    SUFFIXES,
    Problem,
    answer,
    first_double,
    plain_name,
    read_json,
    sha256,
    whole_number,
    write_whole,
)
from pictures import existing

MANIFEST = "manifest.json"
LONGEST = 96  # bytes of a member's name without its suffix
EPOCH = 0  # the time of every member, so that the same pictures give the same bytes


def listed(folder: Path) -> tuple[list[str], list[tuple[str, int, Path]]]:
    """Return the class names, and (name, label, file) of every picture.

    The order follows from the names alone. Raises Problem where there is no picture.
    """
    classes = sorted(
        entry.name
        for entry in folder.iterdir()
        if entry.is_dir() and not entry.name.startswith(".")
    )
    found = [
        (f"{name}/{file.stem}".lstrip("/").replace(".", "_"), label, file)
        for label, name in enumerate(classes or [""])
        for file in sorted((folder / name).iterdir())
        if file.suffix.lower() in SUFFIXES and not file.name.startswith(".")
    ]
    if not found:
        raise Problem(f"{folder} holds no pictures: prepare them first, and check the path given.")
    twice = first_double(name for name, _, _ in found)
    if twice:
        raise Problem(f"{folder} holds two pictures named {twice}: rename one of them.")
    long = next((name for name, _, _ in found if len(os.fsencode(name)) > LONGEST), None)
    if long:
        raise Problem(f"{folder} holds a name that is too long for a tar: shorten {long}.")
    return classes, sorted(found, key=lambda one: hashlib.sha256(one[0].encode()).hexdigest())


def write_shard(target: Path, pictures: Iterable[tuple[str, int, Path]]) -> None:
    """Write one tar and its table; both appear at once, when they are whole."""
    table = []
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with tarfile.open(part, "w", format=tarfile.USTAR_FORMAT) as shard:
            for name, label, file in pictures:
                # A member is a header of 512 bytes and its content, filled up to 512.
                content = file.read_bytes()
                table.append((shard.offset + 512, len(content), label))
                _add(shard, f"{name}.jpg", content)
                _add(shard, f"{name}.cls", str(label).encode())
        with part.with_suffix(".npy").open("wb") as file:
            np.save(file, np.array(table, dtype=np.int64))
        os.replace(part.with_suffix(".npy"), target.with_suffix(".npy"))
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
        part.with_suffix(".npy").unlink(missing_ok=True)


def _add(shard: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mtime = len(content), EPOCH
    shard.addfile(member, io.BytesIO(content))


def manifest(target: Path, classes: list[str], files: list[Path]) -> dict:
    """Return what is said about a set: its classes, and every shard's count, length and SHA-256."""
    shards = [
        {
            "file": file.name,
            "images": len(np.load(file.with_suffix(".npy"))),
            "bytes": file.stat().st_size,
            "sha256": sha256(file),
        }
        for file in files
    ]
    digests = "".join(shard["sha256"] for shard in shards)
    return {
        "images": sum(shard["images"] for shard in shards),
        "classes": classes,
        "identity": hashlib.sha256(digests.encode()).hexdigest(),
        "shards": shards,
    }


def work(options: argparse.Namespace) -> str:
    """Do what the options ask for and return what to tell the reader; raises Problem."""
    target = options.to.expanduser().absolute()
    if options.check:
        return check(target)
    classes, pictures = listed(
        existing(options.source, "Name the prepared pictures with --from FOLDER.")
    )
    files = [
        target / f"{number:06d}.tar"
        for number in range((len(pictures) + options.images - 1) // options.images)
    ]
    plan = f"{len(pictures):,} pictures in {len(classes) or 'no'} classes, {len(files)} shards of up to {options.images:,}"
    if options.dry_run:
        return f"would make {target}: {plan}"
    target.mkdir(parents=True, exist_ok=True)
    _refuse_others(target, pictures, options.images)
    for number, file in enumerate(files):
        if not (file.is_file() and file.with_suffix(".npy").is_file()):
            write_shard(file, pictures[number * options.images : (number + 1) * options.images])
    whole = json.dumps(manifest(target, classes, files), indent=1) + "\n"
    write_whole(target / MANIFEST, whole)
    return f"{target}: {plan}"


def _refuse_others(target: Path, pictures: list[tuple[str, int, Path]], per_shard: int) -> None:
    """Note in the target what it is made of; Problem where it holds shards of other pictures."""
    facts = [(name, label, file.stat().st_size) for name, label, file in pictures]
    how = {"pictures": hashlib.sha256(json.dumps(facts).encode()).hexdigest(), "each": per_shard}
    note = target / "how.json"
    if note.is_file() and read_json(note, "choose another place with --to") != how:
        raise Problem(
            f"{target} holds shards of other pictures, or of another size: choose another place with --to."
        )
    write_whole(note, json.dumps(how) + "\n")


def check(target: Path) -> str:
    """Compare every shard with the manifest; raises Problem for the first that differs."""
    if not (target / MANIFEST).is_file():
        raise Problem(f"{target} holds no {MANIFEST}: make the shards first.")
    told = read_json(target / MANIFEST, "make the shards again")
    try:
        sums = [(plain_name(one["file"], MANIFEST), one["sha256"]) for one in told["shards"]]
        images = int(told["images"])
    except (KeyError, TypeError, ValueError) as error:
        raise Problem(f"{target / MANIFEST} is damaged: make the shards again.") from error
    for name, wanted in sums:
        file = target / name
        if not file.is_file() or sha256(file) != wanted:
            raise Problem(f"{file} is missing or damaged: delete it and run the command again.")
    return f"{target}: {images:,} pictures in {len(sums)} shards, all as the manifest says"


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns 0, or 1 after one sentence on stderr."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--from", dest="source", type=Path, metavar="FOLDER", help="the prepared pictures"
    )
    parser.add_argument("--to", type=Path, required=True, help="where the shards go")
    parser.add_argument(
        "--images",
        type=whole_number(1),
        default=10_000,
        help="pictures in a shard (default 10,000)",
    )
    parser.add_argument(
        "--check", action="store_true", help="compare the shards with their manifest"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be done, and do nothing"
    )
    return answer("make_shards", work, parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
