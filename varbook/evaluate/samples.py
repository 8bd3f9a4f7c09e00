"""Many images for a score (FlexVAR tables 1, 2, 3), sampled by any number of processes.

Image number i has the class i mod C and draws from a generator seeded by (seed, i). So it does not
matter which process makes it, in which batch, or whether the work was interrupted in between.
"""

import hashlib
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from varbook.data.images import load_image, save_image, to_uint8
from varbook.device import step_generator
from varbook.errors import VarbookError
from varbook.evaluate.image_checks import Images
from varbook.files import write_atomically
from varbook.generate.loop import generate
from varbook.generate.sampling import Drawing
from varbook.paths import check_writable
from varbook.tokenizer.schedule import Schedule
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.transformer.model import NextScaleModel

VAR_DRAWING = Drawing(guidance=1.5, top_k=900, top_p=0.96)  # VAR's choices for its tables


@dataclass(frozen=True)
class Sampling:
    """Everything that shapes a set of samples; it is printed with every number measured on them."""

    schedule: Schedule
    images: int = 50_000  # FlexVAR section 4.2
    drawing: Drawing = VAR_DRAWING
    seed: int = 0

    def __str__(self) -> str:
        sizes = ", ".join(str(h) if h == w else f"{h}x{w}" for h, w in self.schedule)
        drawing = self.drawing
        drawn = ", FlexVAR's released sampling" if drawing.released else ""
        return (
            f"{self.images} images of balanced classes, {len(self.schedule)} steps ({sizes}), guidance {drawing.guidance}, "
            f"top-k {drawing.top_k}, top-p {drawing.top_p}{drawn}, seed {self.seed}"
        )


class ImageFolder(Dataset[Tensor]):
    """The images of a folder, read one by one: uint8 (3, H, W), in the order of their numbers."""

    def __init__(self, files: list[Path]):
        self.files = files

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Tensor:
        return load_image(self.files[index])


def image_file(folder: Path, index: int) -> Path:
    """Return the path of image number `index`."""
    return folder / f"{index:06d}.png"


def sample_batch(
    model: NextScaleModel, tokenizer: Tokenizer, indices: list[int], sampling: Sampling
) -> Tensor:
    """Return the images of these numbers as uint8 (N, 3, H, W)."""
    device = next(model.parameters()).device
    labels = torch.tensor([index % model.config.classes for index in indices], device=device)
    generators = [step_generator(sampling.seed, index) for index in indices]
    images = generate(
        model, tokenizer, labels, sampling.schedule, sampling.drawing, generator=generators
    ).images
    return to_uint8(images).cpu()


def fingerprint(model: nn.Module) -> str:
    """Return twelve digits that differ where any weight of a model does."""
    digest = hashlib.blake2b(digest_size=6)
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def sample_folder(
    model: NextScaleModel,
    tokenizer: Tokenizer,
    sampling: Sampling,
    folder: Path,
    *,
    batch: int = 50,
    rank: int = 0,
    processes: int = 1,
) -> int:
    """Write the missing images of process `rank` of `processes`; return how many were made.

    The folder notes how it was made: VarbookError where it holds images of another model or of
    other settings.
    """
    check_writable(folder, "name another folder")
    # Neither the number of images nor that of processes counts: a set may grow.
    note = folder / "sampling.txt"
    weights = f"{fingerprint(model)} {fingerprint(tokenizer)}"
    how = f"{model.config}\nweights {weights}\n{replace(sampling, images=0)!r}\n"
    if note.exists() and note.read_text(encoding="utf-8", errors="replace") != how:
        raise VarbookError(
            f"{folder} holds images that were sampled otherwise (see {note.name}); choose another folder."
        )
    write_atomically(note, how)
    mine = [
        index
        for index in range(rank, sampling.images, processes)
        if not image_file(folder, index).is_file()
    ]
    for start in range(0, len(mine), batch):
        indices = mine[start : start + batch]
        images = sample_batch(model, tokenizer, indices, sampling)
        for index, image in zip(indices, images, strict=True):
            part = folder / f"part-{index:06d}.png"
            save_image(image, part)
            part.rename(image_file(folder, index))  # a kill in between leaves no half of an image
    return len(mine)


def finished(folder: Path, images: int) -> ImageFolder | None:
    """Return the folder's first `images` images where all are there, else None."""
    files = [image_file(folder, index) for index in range(images)]
    return ImageFolder(files) if all(file.is_file() for file in files) else None


def write_npz(images: Images, path: Path) -> Path:
    """Write images as `arr_0` (N, H, W, 3) uint8 to an npz file that the published evaluators read.

    One image is in memory at a time.
    """
    count = len(images)
    _, height, width = images[0].shape
    header = {"descr": "|u1", "fortran_order": False, "shape": (count, height, width, 3)}
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        zipfile.ZipFile(path, "w") as archive,
        archive.open("arr_0.npy", "w", force_zip64=True) as file,
    ):
        np.lib.format.write_array_header_1_0(file, header)
        for index in range(count):
            file.write(images[index].permute(1, 2, 0).contiguous().numpy().tobytes())  # H W 3
    return path
