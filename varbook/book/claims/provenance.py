"""Where a result came from: the part that must not change between runs, and the part that always
does.
"""

import hashlib
import importlib.metadata
import json
import math
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import torch

from varbook.config import plain
from varbook.cores import load
from varbook.paths import repository
from varbook.train.store import hardware

PACKAGES = (
    "varbook",
    "torch",
    "torchvision",
    "numpy",
    "pillow",
    "matplotlib",
    "lpips",
    "torch-fidelity",
)
_STARTED = time.monotonic()


def _leaf(value: object) -> object:
    if isinstance(value, set):
        return as_json(sorted(value))
    if hasattr(value, "tolist"):
        return as_json(value.tolist())
    if isinstance(value, Path):
        return value.name  # never a path of the machine that ran it
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no word for it
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def as_json(value: object) -> object:
    """Return a value as a result keeps it: `plain`, tensors and arrays as lists, paths as names,
    anything else as text.
    """
    return plain(value, _leaf)


def digest(value: object) -> str:
    """Return a short hash of any value, the same on every machine."""
    text = json.dumps(as_json(value), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def installed_version(package: str) -> str | None:
    """Return the version of a package, or None where it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def package_versions() -> dict[str, str]:
    """Return the versions of the packages that can change a number."""
    return {name: installed_version(name) or "not installed" for name in PACKAGES}


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=repository(),
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None  # an archive without git is a fine place to run the book
    return done.stdout.strip()


def volatile() -> dict:
    """Return what differs from run to run: commit, time, hardware, threads, seconds since the
    notebook started, how busy the machine is.
    """
    status = _git("status", "--porcelain", "--untracked-files=no")
    return {
        "commit": _git("rev-parse", "HEAD"),
        "dirty": None if status is None else bool(status),
        "utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "hardware": hardware(),
        "threads": torch.get_num_threads(),
        "seconds": round(time.monotonic() - _STARTED, 1),
        **load(),
    }
