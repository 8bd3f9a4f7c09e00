"""Fetch horse2zebra, the unpaired photographs of chapters 09 and 10, or take a folder or zip that is there already.

    python data_scripts/fetch_horse2zebra.py                     # download into data/horse2zebra of the checkout
    python data_scripts/fetch_horse2zebra.py --from ~/h2z.zip    # or from a zip or folder
    python data_scripts/fetch_horse2zebra.py --to /data/horse2zebra --dry-run

Needs nothing but Python. An interrupted download goes on where it stopped; the folder appears only once it is complete.
"""

import argparse
import hashlib
import http.client
import json
import shutil
import stat
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

FOLDERS = ("trainA", "trainB", "testA", "testB")
SUFFIXES = (".jpg", ".jpeg", ".png")
CHUNK = 1 << 20
TRIES = 3


class Problem(Exception):
    """One sentence for the reader: what is wrong and what to do."""


@dataclass(frozen=True)
class Variant:
    """One published form of the data set; `counts` in the order of FOLDERS, None where its makers do not state them."""

    url: str
    counts: tuple[int, ...] | None


VARIANTS = {
    "cyclegan": Variant(
        "https://efrosgans.eecs.berkeley.edu/cyclegan/datasets/horse2zebra.zip", (1067, 1334, 120, 140)
    ),
    "turbo": Variant("https://www.cs.cmu.edu/~img2img-turbo/data/my_horse2zebra.zip", None),
}


# --- download -------------------------------------------------------------------------------------------------------


def download(url: str, part: Path, tries: int = TRIES):
    """Download `url` into the file `part`, going on where an earlier attempt stopped; raises Problem after `tries`."""
    for attempt in range(tries):
        try:
            if _go_on(url, part):
                return
        except urllib.error.HTTPError as error:
            if error.code != 416:
                message = (
                    f"{url} answers {error.code} {error.reason}: the file may have moved; get a copy and use --from."
                )
                raise Problem(message) from error
            # The server has nothing after what we have, and we know of no end: what we have belongs to another file.
            _forget(part)
        except (http.client.HTTPException, ConnectionError, TimeoutError):
            pass  # cut off: the next attempt asks for the rest
        except urllib.error.URLError as error:
            if attempt + 1 == tries:
                host = url.split("/")[2]
                message = f"{host} cannot be reached ({error.reason}): check the network, or use --from FOLDER_OR_ZIP."
                raise Problem(message) from error
    have = part.stat().st_size if part.exists() else 0
    raise Problem(
        f"The download stopped after {have / 1e6:.1f} MB: run the same command again and it goes on from there."
    )


def _go_on(url: str, part: Path) -> bool:
    """Ask for what is missing and append it; say whether the file is complete now."""
    have, facts = _state(part)
    if have and have == facts.get("bytes"):
        return True
    headers = {"User-Agent": "varbook"}
    if have:
        headers["Range"] = f"bytes={have}-"
        # A server whose file has changed in the meantime then sends all of it, not the rest of another file.
        headers["If-Range"] = facts["mark"]
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
        if answer.status != 206 or not _starts_at(answer, have):
            have = 0
        length = answer.headers.get("Content-Length")
        total = have + int(length) if length else None
        mark = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
        _facts(part).write_text(json.dumps({"url": url, "bytes": total, "mark": mark}))
        with part.open("ab" if have else "wb") as file:
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                have += len(chunk)
                _tell(have, total)
    return total is None or have == total


def _state(part: Path) -> tuple[int, dict]:
    """Return (bytes that may be kept, what is known about the file): nothing is kept that the server cannot confirm."""
    try:
        facts = json.loads(_facts(part).read_text())
        if facts["mark"] and not facts["mark"].startswith("W/"):
            return part.stat().st_size, facts
    except (OSError, ValueError, KeyError):
        pass
    return 0, {}


def _starts_at(answer, have: int) -> bool:
    return answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")


def _facts(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _forget(part: Path):
    part.unlink(missing_ok=True)
    _facts(part).unlink(missing_ok=True)


def _tell(have: int, total: int | None):
    if sys.stderr.isatty():
        share = f"{100 * have / total:5.1f} % of {total / 1e6:.0f} MB" if total else f"{have / 1e6:.0f} MB"
        print(f"\r{share}", end="", file=sys.stderr, flush=True)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_sum(path: Path, url: str, lock: Path, wanted: str | None) -> dict:
    """Return the facts for the lock file; raises Problem where the file is not the `wanted` or the locked one."""
    facts = {"url": url, "bytes": path.stat().st_size, "sha256": sha256(path)}
    if wanted and facts["sha256"] != wanted.lower():
        raise Problem(f"The SHA-256 of {path} is {facts['sha256']}, not the one asked for: delete it and try again.")
    try:
        known = json.loads(lock.read_text())
    except (OSError, ValueError):
        return facts
    if known.get("url") == url and known.get("sha256") != facts["sha256"]:
        raise Problem(
            f"{path} differs from the first download that {lock} records: delete the zip to fetch it again, or the lock"
            " to accept a new edition."
        )
    return facts


# --- unpack ---------------------------------------------------------------------------------------------------------


def unpack(archive: Path, scratch: Path):
    """Unpack a zip into the folder `scratch`; a damaged zip, or one that reaches outside of it, raises Problem."""
    try:
        with zipfile.ZipFile(archive) as content:
            for member in content.infolist():
                _refuse_outside(member, archive)
            content.extractall(scratch)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise Problem(f"{archive} cannot be unpacked ({error}): delete it and fetch it again.") from error


def _refuse_outside(member: zipfile.ZipInfo, archive: Path):
    path = PurePosixPath(member.filename.replace("\\", "/"))
    outside = path.is_absolute() or ".." in path.parts or ":" in member.filename
    if outside or stat.S_ISLNK(member.external_attr >> 16):
        raise Problem(f"{archive} holds {member.filename!r}, which leads outside of its folder: do not use this zip.")


def find_root(folder: Path) -> Path:
    """Return the folder, `folder` or one in it, that holds the four (or train_A and its like); raises Problem."""
    for place in (folder, *sorted(entry for entry in folder.iterdir() if entry.is_dir())):
        if all((place / name).is_dir() or (place / _other(name)).is_dir() for name in FOLDERS):
            return place
    raise Problem(f"{folder} is not horse2zebra: it needs the folders {', '.join(FOLDERS)}.")


def _other(name: str) -> str:
    return f"{name[:-1]}_{name[-1]}"


def count(root: Path) -> tuple[int, ...]:
    """Return the number of pictures in each of FOLDERS, 0 where there is none."""
    return tuple(
        sum(entry.suffix.lower() in SUFFIXES for entry in (root / name).iterdir()) if (root / name).is_dir() else 0
        for name in FOLDERS
    )


def put(root: Path, target: Path, counts: tuple[int, ...] | None):
    """Move a finished folder to its place in one step; raises Problem where it is incomplete or the place taken."""
    for name in FOLDERS:
        if not (root / name).is_dir():
            (root / _other(name)).rename(root / name)
    found = count(root)
    if min(found) == 0 or (counts and found != counts):
        wanted = f"not {' / '.join(map(str, counts))}" if counts else "and none may be empty"
        raise Problem(f"The data set holds {' / '.join(map(str, found))} pictures, {wanted}: fetch it again.")
    if target.is_dir() and not any(target.iterdir()):
        target.rmdir()
    if target.exists():
        raise Problem(
            f"{target} exists and is not a complete horse2zebra: move it away or choose another place with --to."
        )
    root.rename(target)


# --- the command ----------------------------------------------------------------------------------------------------


def fetch(source: str | None, target: Path, variant: Variant, wanted: str | None = None):
    """Put the data set at `target`, from a folder, a zip, or (source None) the variant's home; raises Problem."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as name:
        scratch = Path(name) / target.name
        if source is None:
            _from_home(target, scratch, variant, wanted)
        elif Path(source).is_dir():
            shutil.copytree(find_root(Path(source)), scratch)
            for folder in (scratch, *(entry for entry in scratch.rglob("*") if entry.is_dir())):
                folder.chmod(folder.stat().st_mode | stat.S_IRWXU)  # the copy of a read-only folder can be moved
            put(scratch, target, None)
        elif zipfile.is_zipfile(source):
            if wanted:
                check_sum(Path(source), "", Path(name) / "none", wanted)
            unpack(Path(source), scratch)
            put(find_root(scratch), target, None)
        else:
            raise Problem(f"{source} is neither a folder nor a zip: check the path given with --from.")


def _from_home(target: Path, scratch: Path, variant: Variant, wanted: str | None):
    archive, lock = (target.with_name(target.name + ending) for ending in (".zip", ".lock.json"))
    if not archive.exists():
        part = archive.with_name(archive.name + ".part")
        download(variant.url, part)
        part.rename(archive)
        _forget(part)
    facts = check_sum(archive, variant.url, lock, wanted)
    unpack(archive, scratch)
    put(find_root(scratch), target, variant.counts)
    lock.write_text(json.dumps(facts | {"pictures": dict(zip(FOLDERS, count(target), strict=True))}, indent=1) + "\n")
    archive.unlink()


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Return the command line's options."""
    place = Path(__file__).resolve().parents[1] / "data" / "horse2zebra"
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--from", dest="source", metavar="FOLDER_OR_ZIP", help="use this copy instead of the network")
    parser.add_argument("--to", type=Path, default=place, help="where the four folders go (default: data/horse2zebra)")
    parser.add_argument(
        "--variant", choices=VARIANTS, default="cyclegan", help="the CycleGAN or CycleGAN-Turbo edition"
    )
    parser.add_argument("--url", help="another home of the same zip")
    parser.add_argument("--sha256", help="the checksum that the zip must have")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns 0, or 1 after one sentence on stderr."""
    options = parse(arguments)
    variant = VARIANTS[options.variant]
    if options.url:
        variant = Variant(options.url, variant.counts)
    target = options.to.expanduser().absolute()
    source = str(Path(options.source).expanduser()) if options.source else None
    found = count(target)
    # A folder that the reader has filled may be a part of the whole; whatever is there is never overwritten.
    if min(found) and (found == variant.counts or variant.counts is None or source):
        print(f"{target} is there already: {' / '.join(map(str, found))} pictures. Nothing to do.")
        return 0
    if options.dry_run:
        print(f"would fetch {source or variant.url} into {target}")
        return 0
    try:
        fetch(source, target, variant, options.sha256)
    except Problem as problem:
        print(f"fetch_horse2zebra: {problem}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"fetch_horse2zebra: {error.filename or target}: {error.strerror or error}.", file=sys.stderr)
        return 1
    print(f"{target}: {' / '.join(map(str, count(target)))} pictures ({', '.join(FOLDERS)}).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
