"""Which folders hold the two domains: two subfolders, trainA and trainB, or two folders that are
named.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from varbook.errors import VarbookError

TRAIN, TEST = ("train", "training"), ("test", "val", "valid", "validation")
# Folders that operating systems and photograph programs leave beside pictures.
IGNORED = ("__MACOSX", "@eaDir", "$RECYCLE.BIN")
OUTPUT = "-varbook"  # how the folders end into which sheets and numbers go


@dataclass(frozen=True)
class Place:
    """One domain's name, the folder of its pictures, and the folder of its test pictures where
    there is one.
    """

    name: str
    train: Path
    test: Path | None = None


def files_below(folder: Path) -> tuple[list[Path], int, list[str]]:
    """Return all files of `folder` and its subfolders by name, how many hidden ones were passed
    over, and the subfolders that may not be read.

    Links to folders are followed once.
    """
    files, hidden, closed, visited = [], 0, [], set()
    for root, folders, names in os.walk(
        folder, followlinks=True, onerror=lambda error: closed.append(str(error.filename))
    ):
        real = os.path.realpath(root)
        if real in visited:  # a link that leads back into the folder
            folders.clear()
            continue
        visited.add(real)
        folders[:] = sorted(n for n in folders if not n.startswith(".") and n not in IGNORED)
        hidden += sum(name.startswith(".") for name in names)
        files += [Path(root, name) for name in names if not name.startswith(".")]
    return sorted(files), hidden, closed


def existing(folder: Path) -> Path:
    """Return `folder` if it is there and may be read; VarbookError says what is wrong."""
    if folder.is_file():
        raise VarbookError(f"{folder} is a file: name a folder of pictures.")
    if not folder.is_dir():
        raise VarbookError(f"There is no folder {folder}: check the path.")
    try:
        next(os.scandir(folder), None)
    except OSError as error:
        raise VarbookError(
            f"The folder {folder} cannot be read ({error.strerror}): check its permissions."
        ) from None
    return folder


def _subfolders(folder: Path) -> dict[str, Path]:
    """Return the subfolders of `folder` that hold a file at some depth, by name."""
    entries = sorted(entry for entry in folder.iterdir() if entry.is_dir())
    return {
        entry.name: entry
        for entry in entries
        if not entry.name.startswith(".")
        and entry.name not in IGNORED
        and not entry.name.endswith(OUTPUT)
        and files_below(entry)[0]
    }


def _part(subfolders: dict[str, Path], names: tuple[str, ...]) -> Path | None:
    return next((path for name, path in subfolders.items() if name.lower() in names), None)


def two_places(folder: Path, names: tuple[str, str] | None = None) -> tuple[Place, Place]:
    """Return the two domains of `folder`, as `names` or as their folders call them.

    `folder` holds two subfolders of pictures; or trainA and trainB, perhaps testA and testB; or
    train (and test or val) with two subfolders each. VarbookError says which folders there are
    where they are not two.
    """
    subfolders = _subfolders(existing(folder))
    if {"trainA", "trainB"} <= set(subfolders):
        first, second = (
            Place(side, subfolders[f"train{side}"], subfolders.get(f"test{side}")) for side in "AB"
        )
        return _named(first, second, names)
    train, test = _part(subfolders, TRAIN), _part(subfolders, TEST)
    if train and len(subfolders) <= 2:
        domains, tests = _subfolders(train), _subfolders(test) if test else {}
    else:
        domains, tests = subfolders, {}
    if len(domains) == 1 and not tests:
        (inner,) = domains.values()  # a folder around the two, as archives often have
        if len(_subfolders(inner)) > 1:
            return two_places(inner, names)
    if len(domains) != 2:
        raise VarbookError(_not_two(train or folder, list(domains)))
    first, second = (Place(name, path, tests.get(name)) for name, path in domains.items())
    return _named(first, second, names)


def _not_two(folder: Path, domains: list[str]) -> str:
    if not domains:
        return (
            f"The folder {folder} holds no subfolders with pictures: give it two, one a domain, "
            "or name two folders with --source and --target."
        )
    if len(domains) == 1:
        return (
            f"The folder {folder} holds one subfolder with pictures, {domains[0]}: a translation "
            "needs a second one, or name two folders with --source and --target."
        )
    listed = ", ".join(domains[:12]) + (", ..." if len(domains) > 12 else "")
    return (
        f"The folder {folder} holds {len(domains)} subfolders with pictures ({listed}): choose two "
        f"with --source {folder / domains[0]} --target {folder / domains[1]}."
    )


def named_places(
    source: Path, target: Path, names: tuple[str, str] | None = None
) -> tuple[Place, Place]:
    """Return two domains from two folders that the user named; VarbookError where one is missing,
    or holds the other.
    """
    first, second = existing(source).resolve(), existing(target).resolve()
    if first == second:
        raise VarbookError(f"--source and --target are both {source}: name two folders.")
    if first in second.parents or second in first.parents:
        raise VarbookError(
            f"One of {source} and {target} lies within the other: name two folders side by side."
        )
    return _named(Place(first.name, source), Place(second.name, target), names)


def _named(first: Place, second: Place, names: tuple[str, str] | None) -> tuple[Place, Place]:
    titles = names or (first.name, second.name)
    if titles[0] == titles[1]:
        if names:
            raise VarbookError(f"Both domains are named {titles[0]!r}: give them two names.")
        # Folders of one name in two places: what tells them apart is above them.
        above = [place.train.resolve().parent.name for place in (first, second)]
        same = above[0] == above[1]
        titles = ("A", "B") if same else (f"{above[0]}-{first.name}", f"{above[1]}-{first.name}")
    return Place(titles[0], first.train, first.test), Place(titles[1], second.train, second.test)
