"""Shared by the scripts of this folder: places, checksums, notes in JSON, errors.

Needs nothing but Python.
"""

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

# The checkout's own package, whether it is installed or not; of it these scripts take what needs
# nothing but Python.
sys.path.append(str(Path(__file__).resolve().parents[1]))
from varbook.archives import (  # noqa: E402, F401 (for the other scripts)
    first_double,
    inner_files,
    one_file,
    plain_name,
    tar_files,
    unpack,
)
from varbook.errors import VarbookError as Problem  # noqa: E402
from varbook.errors import within_memory  # noqa: E402
from varbook.signals import exit_code, stoppable  # noqa: E402

SUFFIXES = (".jpg", ".jpeg", ".png")
CHUNK = 1 << 20


def data_folder(name: str) -> Path:
    """Return where the data set `name` goes if nothing else is said: data/ of the checkout."""
    return Path(__file__).resolve().parents[1] / "data" / name


def answer(
    name: str, work: Callable[[argparse.Namespace], str], options: argparse.Namespace
) -> int:
    """Do the work and print its result; return 0, or 1 after one sentence on stderr about a fault,
    or 130, 143 or 129 after one where Ctrl-C, SIGTERM or SIGHUP stopped it.
    """
    with stoppable():
        try:
            with within_memory("This", "end other programs"):
                print(work(options))
            return 0
        except Problem as problem:
            print(f"{name}: {problem}", file=sys.stderr)
        except OSError as error:
            print(
                f"{name}: {error.filename or options.to}: {error.strerror or error}.",
                file=sys.stderr,
            )
        except KeyboardInterrupt as interrupt:
            print(f"{name}: stopped; the same command resumes from there.", file=sys.stderr)
            return exit_code(interrupt)
    return 1


def write_whole(path: Path, text: str) -> None:
    """Write a text file that is there whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_text(text, encoding="utf-8")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def read_json(path: Path, remedy: str, kind: type = dict):
    """Return what a JSON file holds, a `kind`; Problem with a `remedy` where it is something else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Problem(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise Problem(f"{path} is damaged: {remedy}.") from error
    if not isinstance(content, kind):
        raise Problem(f"{path} is damaged: {remedy}.")
    return content


def whole_number(least: int, most: int = 10**9) -> Callable[[str], int]:
    """Return a type for argparse: a whole number from `least` to `most`."""

    def read(text: str) -> int:
        if not text.strip().isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"a whole number from {least} to {most}, not {text}")
        return int(text)

    return read


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
    known = (
        read_json(lock, "delete it, and this download becomes the first") if lock.exists() else {}
    )
    if known.get("url") == url and known.get("sha256") != facts["sha256"]:
        raise Problem(
            f"{path} differs from the first download that {lock} records: delete the zip to fetch it again, or the lock"
            " to accept a new edition."
        )
    return facts
