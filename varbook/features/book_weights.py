"""Which pretrained weights are the ones that the book's own runs were trained and measured with."""

import functools
import hashlib
from pathlib import Path

from varbook import paths
from varbook.errors import told
from varbook.features import mobilenet, squeezenet

# sha256 of the files that the runs that come with the book have used: their keys and records are
# older than these digests and hold none.
BOOK = {
    mobilenet.FILE: "a4cd46a5f4b11fdeeac5f9a41630ac647ec18ba70c91c1f6b5d9019469782042",
    squeezenet.FILE: "edb3f73ddd3978ebd4466f6f6e51e3709696934fb14ad1a7aa30c810d60d27eb",
}


def other_weights(file: str) -> str:
    """Return twelve digits of what the weights `file` (a name in BOOK) holds here, or "" where it is
    the book's own, or not here: other weights of the same name are another network.

    VarbookError where the file cannot be read.
    """
    path = paths.weights_file(file)
    if path is None:
        return ""
    with told(path, "read"):
        state = path.stat()
        digest = _sha256(path, state.st_size, state.st_mtime_ns)
    return "" if digest == BOOK[file] else digest[:12]


@functools.lru_cache(maxsize=8)
def _sha256(path: Path, size: int, changed: int) -> str:
    # Once as long as the file has this size and time.
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
