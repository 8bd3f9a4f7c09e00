"""Rendering many scenes at once, by plain child processes that know nothing of torch.

A child is started as `python -m varbook.data.render_parallel`: unlike a fork it is safe beside
torch's threads and CUDA, and unlike multiprocessing's spawn it never runs the caller's script
again, so it works from notebooks, tests and unguarded scripts alike.
"""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from varbook.cores import cores
from varbook.world.draw import draw
from varbook.world.scene import Scene, sample_scene
from varbook.world.species import SPECIES

# Below this many pictures a child's start costs more than it saves.
PER_PROCESS = 200


@dataclass(frozen=True)
class Order:
    """What to render: everything that decides the pixels of a set but not how many there are."""

    seed: int
    height: int
    width: int
    species: tuple[str, ...]
    weights: tuple[float, ...]
    night: bool
    flat: bool


def scene_at(order: Order, index: int) -> Scene:
    """Return scene number `index` of an order.

    It depends on the seed and the index, not on the length of the set.
    """
    digest = hashlib.blake2b(
        f"varbook toy world {order.seed} {index}".encode(), digest_size=16
    ).digest()
    number = int.from_bytes(digest[:7])
    chance = int.from_bytes(digest[8:15]) / 2**56  # in [0, 1)
    goal = chance * sum(order.weights)
    species = order.species[-1]  # where rounding leaves the goal above every sum
    for name, weight in zip(order.species, order.weights, strict=True):
        if goal < weight:
            species = name
            break
        goal -= weight
    return sample_scene(number, species=species, night=order.night, flat=order.flat)


def render_range(
    order: Order, start: int, stop: int, images: np.ndarray, masks: np.ndarray, labels: np.ndarray
):
    """Fill rows `start` to `stop` of images, masks and labels.

    Images are uint8 (N, 3, H, W), masks (N, ceil(H W / 8)) hold one bit per pixel, labels are (N,).
    """
    for index in range(start, stop):
        scene = scene_at(order, index)
        picture, mask = draw(scene, order.height, order.width)
        images[index] = picture.transpose(2, 0, 1)
        masks[index] = np.packbits(mask)
        labels[index] = SPECIES.index(scene.species)


def reserve(file: Path) -> None:
    """Take the space on the disk that a file says it has; OSError where there is not so much.

    A file that is mapped takes it only when it is written to, and a disk that is full then ends the
    process by a signal.
    """
    if hasattr(os, "posix_fallocate"):  # not on every system
        with file.open("r+b") as content:
            os.posix_fallocate(content.fileno(), 0, file.stat().st_size)


def render_files(order: Order, count: int, folder: Path, processes: int | None = None):
    """Write images.npy, masks.npy and labels.npy of `count` scenes into `folder`.

    One process per core, unless `processes` says how many.
    """
    plan = (
        ("images", np.uint8, (count, 3, order.height, order.width)),
        ("masks", np.uint8, (count, -(-order.height * order.width // 8))),
        ("labels", np.int64, (count,)),
    )
    arrays = []
    for name, kind, shape in plan:
        file = folder / f"{name}.npy"
        arrays.append(np.lib.format.open_memmap(file, "w+", kind, shape))
        reserve(file)
    parts = min(processes or cores(), max(1, count // PER_PROCESS))
    bounds = [count * part // parts for part in range(parts + 1)]
    if parts == 1 or not _in_children(order, bounds, folder):
        render_range(order, 0, count, *arrays)
    for array in arrays:
        array.flush()


def _in_children(order: Order, bounds: list[int], folder: Path) -> bool:
    """Render each span of `bounds` in a child process; say whether all of them succeeded."""
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    settings = {
        **os.environ,
        "PYTHONPATH": path,
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    children = []
    try:
        for start, stop in zip(bounds, bounds[1:], strict=False):
            task = json.dumps(
                {"order": asdict(order), "start": start, "stop": stop, "folder": str(folder)}
            )
            command = [sys.executable, "-m", "varbook.data.render_parallel", task]
            children.append(
                subprocess.Popen(
                    command, env=settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )
            )
        return all([child.wait() == 0 for child in children])
    except OSError:
        return False
    finally:
        for child in children:
            child.kill()
            child.wait()


def main(task: str):
    """Render one span into the files that the parent process has laid out; `task` is JSON."""
    fields = json.loads(task)
    order = fields["order"]
    order = Order(
        **{**order, "species": tuple(order["species"]), "weights": tuple(order["weights"])}
    )
    arrays = [
        np.load(Path(fields["folder"]) / f"{name}.npy", mmap_mode="r+")
        for name in ("images", "masks", "labels")
    ]
    render_range(order, fields["start"], fields["stop"], *arrays)
    for array in arrays:
        array.flush()


if __name__ == "__main__":
    main(sys.argv[1])
