"""Arrays cached on disk: read where they are whole, made again where missing or damaged."""

import contextlib
import json
import shutil
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from varbook.errors import told

SUMS = "sums.json"


def kept(target: Path, parts: tuple[str, ...], make: Callable[[Path], None]) -> list[np.ndarray]:
    """Return the arrays `parts` of the folder `target`, made by `make(scratch)` where missing.

    `make` writes one .npy file per part into the folder `scratch`. The folder appears in one step,
    so that an interrupted run leaves nothing half done; where it cannot be written, the arrays are
    returned all the same.
    """
    return _read(target, parts) or _made(target, parts, make)


def _read(target: Path, parts: tuple[str, ...]) -> list[np.ndarray] | None:
    try:
        sums = json.loads((target / SUMS).read_text())
        arrays = [np.load(target / f"{part}.npy") for part in parts]
        if all(sums[part] == zlib.crc32(array) for part, array in zip(parts, arrays, strict=True)):
            return arrays
    except Exception:  # noqa: S110
        # Missing, cut short or garbled in whatever way: all are cured by making it again.
        pass
    return None


def _made(target: Path, parts: tuple[str, ...], make: Callable[[Path], None]) -> list[np.ndarray]:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
        writable = True
    except OSError:
        # A read-only folder is not an error: the arrays are made, and made again next time.
        scratch = Path(tempfile.mkdtemp(prefix="varbook-"))
        writable = False
    try:
        with told(scratch.parent, "written"):
            make(scratch)
        arrays = [np.load(scratch / f"{part}.npy") for part in parts]
        if writable:
            sums = {part: zlib.crc32(array) for part, array in zip(parts, arrays, strict=True)}
            (scratch / SUMS).write_text(json.dumps(sums))
            shutil.rmtree(target, ignore_errors=True)
            # Another process may have put the same arrays there in the meantime: either copy will
            # do.
            with contextlib.suppress(OSError):
                scratch.rename(target)
        return arrays
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
