"""Pictures in a notebook, compressed until the notebook is small enough to be kept."""

import base64
import io

import nbformat
from PIL import Image

from varbook.book.show.sheets import jpeg

MOST = 600_000  # bytes of a kept notebook: all of them together stay below 8 MB
QUALITIES = (75, 60, 45, 35)  # of JPEG, one after the other
SPARED = 20_000  # bytes: smaller pictures stay as they are
PICTURES = ("image/jpeg", "image/png")  # photographs first: a chart loses more as a JPEG


def _bytes(notebook: nbformat.NotebookNode) -> int:
    return len(nbformat.writes(notebook).encode())


def fit_pictures(notebook: nbformat.NotebookNode, most: int = MOST) -> None:
    """Compress the pictures of a `notebook` in place, the largest first and no harder than needed,
    until it takes at most `most` bytes; all remain as wide as they are.

    Where the lowest quality is not enough, it stays larger than that.
    """
    excess = _bytes(notebook) - most
    if excess <= 0:
        return
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    for kind in PICTURES:
        holders = [output.data for output in outputs if kind in output.get("data", {})]
        holders = [data for data in holders if len(data[kind]) > SPARED]
        holders.sort(key=lambda data: -len(data[kind]))
        originals = [Image.open(io.BytesIO(base64.b64decode(data[kind]))) for data in holders]
        for quality in QUALITIES:
            for data, original in zip(holders, originals, strict=True):
                if excess <= 0:
                    return
                now = data.get("image/jpeg") or data[kind]
                smaller = base64.b64encode(jpeg(original, quality)).decode("ascii")
                if len(smaller) < len(now):
                    data.pop(kind, None)
                    data["image/jpeg"] = smaller
                    excess -= len(now) - len(smaller)
