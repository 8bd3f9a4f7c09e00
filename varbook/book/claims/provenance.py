"""Where a result came from: the part that must not change between runs, and the part that always
does.
"""

import hashlib
import importlib.metadata
import json
import math
import subprocess
import time
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from pathlib import Path

from varbook.paths import repository

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


def plain(value: object) -> object:
    """Return a value as JSON can hold it: dataclasses as objects, tensors and arrays as lists,
    paths as names.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(one) for one in (sorted(value) if isinstance(value, set) else value)]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, Path):
        return value.name  # never a path of the machine that ran it
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no word for it
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def digest(value: object) -> str:
    """Return a short hash of anything that `plain` can hold, the same on every machine."""
    text = json.dumps(plain(value), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def packages() -> dict[str, str]:
    """Return the versions of the packages that can change a number."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


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
    notebook started.
    """
    import torch

    from varbook.train.store import hardware

    status = _git("status", "--porcelain", "--untracked-files=no")
    return {
        "commit": _git("rev-parse", "HEAD"),
        "dirty": None if status is None else bool(status),
        "utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "hardware": hardware(),
        "threads": torch.get_num_threads(),
        "seconds": round(time.monotonic() - _STARTED, 1),
    }
