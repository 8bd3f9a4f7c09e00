"""Questions about data: drawing the toy world, and loading a folder of photographs."""

import atexit
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from benchmarks.question import Candidate, Question
from varbook.data.folders import load_folder
from varbook.data.render_parallel import Order, render_files
from varbook.world.species import SPECIES


def toy_world(small: bool = False) -> Question:
    """Drawing 600 scenes of 64 x 64: in this process, or in as many as there are cores."""
    count = 4 if small else 600
    order = Order(0, 64, 64, SPECIES, (1.0,) * len(SPECIES), False, False)

    def draw(processes: int | None) -> None:
        with tempfile.TemporaryDirectory() as folder:
            render_files(order, count, Path(folder), processes)

    return Question(
        "toy world, 64 x 64",
        {
            "one process": Candidate(lambda: draw(1), plain=True),
            "varbook": Candidate(lambda: draw(None)),
        },
        per_call=count,
    )


def photographs(folder: Path, count: int, side: int) -> None:
    """Write `count` JPEG files of `side` x `side` pixels: smooth noise, as large as photographs."""
    random = np.random.default_rng(0)
    for number in range(count):
        coarse = random.integers(0, 256, (16, 16, 3), dtype=np.uint8)
        picture = Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)
        picture.save(folder / f"{number:04}.jpg", quality=90)


def loading(small: bool = False) -> Question:
    """Loading a folder of 200 photographs of 1,024 pixels at 64: one by one, or by the package,
    which then keeps them.
    """
    count, side = (3, 64) if small else (200, 1024)
    root = Path(tempfile.mkdtemp(prefix="varbook-benchmark-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    photographs(root, count, side)

    def one_by_one() -> Tensor:
        decoded = []
        for file in sorted(root.iterdir()):
            with Image.open(file) as picture:
                small_one = picture.convert("RGB").resize((64, 64), Image.Resampling.LANCZOS)
            decoded.append(torch.from_numpy(np.asarray(small_one).transpose(2, 0, 1).copy()))
        return torch.stack(decoded).float()

    def anew() -> Tensor:
        for file in root.iterdir():  # a changed time makes the package decode again
            file.touch()
        return load_folder(root, 64).float()

    def once_more() -> str:
        load_folder(root, 64)
        began = time.perf_counter()
        load_folder(root, 64)
        spent = time.perf_counter() - began
        return f"The {count} photographs once more, from what the package keeps: {1000 * spent:.0f} ms."

    return Question(
        "200 photographs to 64 px",
        {
            "one by one": Candidate(one_by_one, plain=True),
            "varbook": Candidate(anew),
        },
        # Large JPEGs may be decoded at an eighth before they are resized.
        tolerance=0.05,
        per_call=count,
        checks=[once_more],
    )
