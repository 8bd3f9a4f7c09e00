"""Shared by the scripts of this folder: resumable downloads, checksums, archives, errors.

Needs nothing but Python.
"""

import argparse
import hashlib
import http.client
import json
import stat
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

SUFFIXES = (".jpg", ".jpeg", ".png")
CHUNK = 1 << 20
TRIES = 3


class Problem(Exception):
    """One sentence for the reader: what is wrong and what to do."""


def data_folder(name: str) -> Path:
    """Return where the data set `name` goes if nothing else is said: data/ of the checkout."""
    return Path(__file__).resolve().parents[1] / "data" / name


def answer(
    name: str, work: Callable[[argparse.Namespace], str], options: argparse.Namespace
) -> int:
    """Do the work and print its result; return 0, or 1 after one sentence on stderr about a fault."""
    try:
        print(work(options))
        return 0
    except Problem as problem:
        print(f"{name}: {problem}", file=sys.stderr)
    except OSError as error:
        print(
            f"{name}: {error.filename or options.to}: {error.strerror or error}.", file=sys.stderr
        )
    return 1


def download(url: str, part: Path, tries: int = TRIES):
    """Download `url` into the file `part`, resuming an earlier attempt; Problem after `tries`."""
    for attempt in range(tries):
        try:
            if _go_on(url, part):
                return
        except urllib.error.HTTPError as error:
            if error.code != 416:
                message = f"{url} answers {error.code} {error.reason}: the file may have moved; get a copy and use --from."
                raise Problem(message) from error
            # The server has nothing after what we have, and we know of no end: what we have belongs
            # to another file.
            forget(part)
        except (http.client.HTTPException, ConnectionError, TimeoutError):
            pass  # cut off: the next attempt asks for the rest
        except urllib.error.URLError as error:
            if attempt + 1 == tries:
                host = url.split("/")[2]
                message = f"{host} cannot be reached ({error.reason}): check the network, or use --from with a copy that you have."
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
        # A server whose file has changed in the meantime then sends all of it, not the rest of
        # another file.
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
    """Return (bytes that may be kept, what is known about the file).

    Nothing is kept that the server cannot confirm.
    """
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


def forget(part: Path):
    part.unlink(missing_ok=True)
    _facts(part).unlink(missing_ok=True)


def _tell(have: int, total: int | None):
    if sys.stderr.isatty():
        share = (
            f"{100 * have / total:5.1f} % of {total / 1e6:.0f} MB"
            if total
            else f"{have / 1e6:.0f} MB"
        )
        print(f"\r{share}", end="", file=sys.stderr, flush=True)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_sum(path: Path, url: str, lock: Path, wanted: str | None) -> dict:
    """Return the facts for the lock file: address, bytes, SHA-256.

    Raises Problem where the file is not the `wanted` or the locked one.
    """
    facts = {"url": url, "bytes": path.stat().st_size, "sha256": sha256(path)}
    if wanted and facts["sha256"] != wanted.lower():
        raise Problem(
            f"The SHA-256 of {path} is {facts['sha256']}, not the one asked for: delete it and try again."
        )
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


def unpack(archive: Path, scratch: Path):
    """Unpack a zip into the folder `scratch`.

    Raises Problem for a damaged zip, or one that reaches outside of it.
    """
    try:
        with zipfile.ZipFile(archive) as content:
            for member in content.infolist():
                _refuse_outside(member, archive)
            content.extractall(scratch)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise Problem(
            f"{archive} cannot be unpacked ({error}): delete it and fetch it again."
        ) from error


def _refuse_outside(member: zipfile.ZipInfo, archive: Path):
    path = PurePosixPath(member.filename.replace("\\", "/"))
    outside = path.is_absolute() or ".." in path.parts or ":" in member.filename
    if outside or stat.S_ISLNK(member.external_attr >> 16):
        raise Problem(
            f"{archive} holds {member.filename!r}, which leads outside of its folder: do not use this zip."
        )
