"""The profile's class-conditional models, sampled and scored as the papers do (FlexVAR section 4.2):
ImageNet's in the profile "paper".

    torchrun --nproc-per-node 8 -m varbook train --profile paper --model imagenet-flexvar
    torchrun --nproc-per-node 8 -m varbook.book.experiments.imagenet --profile paper
    python -m varbook.book.experiments.imagenet --profile paper --reference VIRTUAL_imagenet256_labeled.npz

The second line draws what is missing of 50,000 images, the third shows a sheet of them, beside held
out photographs, and measures all: FID and IS where Inception's weights are at hand, else distances
that carry the name of their features.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from varbook import paths, processes
from varbook.book.models import build
from varbook.book.models.profiles import Profile, profile
from varbook.book.models.streamed import Streamed
from varbook.book.models.tasks import TASKS
from varbook.book.models.trained import Trained
from varbook.book.show.sheets import sheet
from varbook.errors import VarbookError, ended
from varbook.evaluate.reference import read_reference, score
from varbook.evaluate.samples import VAR_DRAWING, ImageFolder, Sampling, finished, sample_folder
from varbook.files import write_json
from varbook.generate.sampling import Drawing
from varbook.transformer.model import NextScaleModel

# FlexVAR's choices for table 2; VAR's are VAR_DRAWING.
FLEXVAR_DRAWING = Drawing(guidance=2.5, top_k=900, top_p=0.95)


@dataclass(frozen=True)
class Samples:
    """Images of one model, kept in a folder below VARBOOK_HOME that its run gives the name."""

    model: Trained[NextScaleModel]
    sampling: Sampling

    @property
    def folder(self) -> Path:
        """Where the images lie, by the key of the model's run."""
        return paths.home() / "samples" / self.model.key

    def draw(self, batch: int = 50) -> ImageFolder | None:
        """Draw this process's share of what is missing; return the images where all are there."""
        (tokenizer,) = self.model.parents
        sample_folder(
            self.model.model,
            tokenizer.model,
            self.sampling,
            self.folder,
            batch=batch,
            rank=processes.rank(),
            processes=processes.count(),
        )
        return finished(self.folder, self.sampling.images)

    def measure(self, images: ImageFolder, reference: Path) -> dict:
        """Return FID and IS, or what stands for them, against the batch in `reference`, each with
        its metric card; also kept in scores.json beside the images.
        """
        describe = f"{self.model.run.name}: {self.sampling}"
        found = score(images, read_reference(reference), describe=describe)
        scores = {name: measured.as_dict() for name, measured in found.items()}
        write_json(self.folder / "scores.json", scores)
        return scores


def samples(
    settings: Profile,
    prediction: str = "ground_truth",
    depth: int | None = None,
    images: int = 50_000,
) -> Samples:
    """Return the samples of the profile's model that predicts "ground_truth" (FlexVAR) or "residual"
    (VAR), with the paper's guidance and cuts; nothing is trained or drawn yet.
    """
    model = build.next_scale(TASKS[settings.generation], settings, prediction, depth=depth)
    chain = TASKS[settings.generation].chain_of(settings)
    drawing = FLEXVAR_DRAWING if prediction == "ground_truth" else VAR_DRAWING
    return Samples(model, Sampling(chain.model.schedule, images, drawing, settings.seed))


def sheet_of(settings: Profile, images: ImageFolder, columns: int = 8) -> Image.Image:
    """Return a sheet: a row of held-out photographs of the first classes, where the task has them,
    and rows of samples of the same classes.
    """
    task = TASKS[settings.generation]
    classes = task.chain_of(settings).model.classes
    columns, rows = min(columns, classes, len(images)), {}
    if isinstance(task.pictures, Streamed):
        shards = task.pictures.shards("val")
        first = [int((shards.labels == label).nonzero()[0]) for label in range(columns)]
        rows["held out"] = shards.middle(torch.tensor(first), task.side(settings))
    for number in range(min(3, len(images) // classes or 1)):
        drawn: list[Tensor] = [images[number * classes + label] for label in range(columns)]
        rows[f"sample {number + 1}"] = torch.stack(drawn)
    return sheet(rows, titles=[f"class {label}" for label in range(columns)])


def run(options: argparse.Namespace) -> None:
    """Draw, show and measure as `options` say."""
    processes.join()
    settings = profile(options.profile)
    made = samples(settings, options.prediction, options.depth, options.images)
    images = made.draw(options.batch)
    if not processes.first():
        return
    if images is None:
        print("the other processes are still drawing: repeat the command when they are done")
        return
    sheet_of(settings, images).save(made.folder / "sheet.png")
    print(f"{made.folder / 'sheet.png'}: {made.sampling}")
    if options.reference:
        for name, value in made.measure(images, options.reference).items():
            print(f"{name}: {value}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line: 0 when all went well, 2 when the request makes no sense."""
    parser = argparse.ArgumentParser(
        prog="python -m varbook.book.experiments.imagenet", description=__doc__.split("\n\n")[0]
    )
    parser.add_argument("--profile", help="default: VARBOOK_PROFILE, else laptop")
    parser.add_argument("--prediction", default="ground_truth", help="or residual: VAR")
    parser.add_argument("--depth", type=int, help="blocks: 16, 20 or 24 (default: the profile's)")
    parser.add_argument("--images", type=int, default=50_000, help="how many (default 50000)")
    parser.add_argument("--batch", type=int, default=50, help="images at a time (default 50)")
    parser.add_argument("--reference", type=Path, help="npz of the reference batch")
    options = parser.parse_args(arguments)

    def command() -> int:
        if options.images < 1:
            raise VarbookError(f"There is nothing to draw: --images is {options.images}.")
        run(options)
        return 0

    return ended(command, "give a smaller --batch")


if __name__ == "__main__":
    sys.exit(main())
