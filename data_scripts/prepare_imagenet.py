"""Make ImageNet (ILSVRC 2012) smaller from a copy of yours, for the paper profile's models.

    python data_scripts/prepare_imagenet.py --from /data/ILSVRC2012                 # into data/imagenet of the checkout
    python data_scripts/prepare_imagenet.py --from /data/ILSVRC2012 --side 576      # for 512 pixels
    python data_scripts/prepare_imagenet.py --from /data/ILSVRC2012 --dry-run

ImageNet must be asked for (an account at image-net.org, or Kaggle's "ImageNet Object Localization
Challenge"); its terms allow research and teaching only. Two forms of a copy are taken: the archives
ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar, or folders train/ and val/ (also below
Data/CLS-LOC/). A val/ without class folders needs LOC_val_solution.csv, which Kaggle adds. The
short side becomes 1.125 times the size of the training pictures (288 for 256): random crops are
taken from that.
"""

import csv
import functools
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from common import Problem, answer, inner_files, plain_name, tar_files
from pictures import Picture, existing, files, options, resize_all, short_side

ARCHIVES = {  # name -> MD5, as its makers publish it
    "ILSVRC2012_img_train.tar": "1d675b47d978889d74fa0da5fadfb00e",
    "ILSVRC2012_img_val.tar": "29b22e2961454d5413ddabcf34fc5622",
}
COUNTS = {"train": 1_281_167, "val": 50_000}
LABELS = "LOC_val_solution.csv"
ASK = "ImageNet must be asked for at https://image-net.org (research and teaching only): name your copy with --from FOLDER."


def find_split(root: Path, split: str) -> Path:
    """Return the folder or archive of "train" or "val" in a copy; raises Problem."""
    for place in (
        root / split,
        root / "Data" / "CLS-LOC" / split,
        root / "ILSVRC" / "Data" / "CLS-LOC" / split,
    ):
        if place.is_dir():
            return place
    archive = root / f"ILSVRC2012_img_{split}.tar"
    if archive.is_file():
        return archive
    raise Problem(
        f"{root} holds neither {split}/ nor {archive.name}: check the path given with --from."
    )


def validation_classes(root: Path) -> dict[str, str]:
    """Return picture name -> class of the validation set, from Kaggle's table.

    Raises Problem where the table is missing or damaged, or a class is not the name of a folder.
    """
    table = next(
        (place / LABELS for place in (root, root / "ILSVRC") if (place / LABELS).is_file()), None
    )
    if table is None:
        raise Problem(
            f"The validation pictures lie in one heap, so that their classes are needed: put {LABELS} into {root}."
        )
    try:
        with table.open(newline="", encoding="utf-8") as file:
            rows = [
                (row["ImageId"], row["PredictionString"].split()[0]) for row in csv.DictReader(file)
            ]
    except (csv.Error, ValueError, KeyError, IndexError, AttributeError) as error:
        raise Problem(f"{table} is damaged, or not Kaggle's table: get it again.") from error
    return {name: plain_name(label, table) for name, label in rows}


def by_class(split: str, place: Path, root: Path) -> Iterator[Picture]:
    """Yield the pictures of a split, each to go to the folder of its class."""
    if place.suffix == ".tar":
        yield from (_train_archive if split == "train" else _validation_archive)(place, root)
        return
    folders = sorted(entry for entry in place.iterdir() if entry.is_dir())
    for folder in folders:
        yield from files(folder, f"{split}/{folder.name}")
    if not folders:
        classes = validation_classes(root)
        for name, read in files(place, split):
            yield f"{split}/{_class_of(classes, Path(name).stem)}/{Path(name).name}", read


def _train_archive(archive: Path, root: Path) -> Iterator[Picture]:
    # An archive of one archive per class.
    for name, content in tar_files(archive):
        label = plain_name(PurePosixPath(name).stem, archive)
        for inner, picture in inner_files(content, f"{name} in {archive}"):
            stem = plain_name(PurePosixPath(inner).stem, archive)
            yield f"train/{label}/{stem}.jpg", functools.partial(bytes, picture)


def _validation_archive(archive: Path, root: Path) -> Iterator[Picture]:
    classes = validation_classes(root)
    for name, content in tar_files(archive):
        stem = plain_name(PurePosixPath(name).stem, archive)
        yield f"val/{_class_of(classes, stem)}/{stem}.jpg", functools.partial(bytes, content)


def _class_of(classes: dict[str, str], stem: str) -> str:
    if stem not in classes:
        raise Problem(f"{LABELS} does not name the picture {stem}: it belongs to another data set.")
    return classes[stem]


def check_archive(archive: Path) -> None:
    """Compare an archive with the MD5 that is published; raises Problem where it differs."""
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, "md5").hexdigest()
    if found != ARCHIVES[archive.name]:
        raise Problem(
            f"The MD5 of {archive} is {found}, not {ARCHIVES[archive.name]}: the archive is damaged, get it again."
        )


def work(arguments) -> str:
    """Do what the options ask for and return what to tell the reader; raises Problem."""
    root = existing(arguments.source, ASK)
    places = {split: find_split(root, split) for split in ("train", "val")}
    rule = f"short side {arguments.side}, LANCZOS"
    if arguments.dry_run:
        expected = " + ".join(f"{split} {count:,}" for split, count in COUNTS.items())
        return f"would make {expected} pictures in {arguments.to} ({rule}) from {', '.join(map(str, places.values()))}"
    told = []
    for split, place in places.items():
        if place.suffix == ".tar":
            check_archive(place)
        told.append(
            resize_all(by_class(split, place, root), arguments.to, short_side(arguments.side), rule)
        )
    return "\n".join(told)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns 0, or 1 after one sentence on stderr."""
    return answer("prepare_imagenet", work, options(__doc__, "imagenet", 288).parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
