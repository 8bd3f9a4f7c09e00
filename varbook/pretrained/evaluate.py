"""Score a published next-scale model as the papers do: sample, keep the images, measure.

    python -m varbook.pretrained.evaluate --model var-d16 --images 50000 --to samples/var-d16 --dry-run
    torchrun --nproc-per-node 8 -m varbook.pretrained.evaluate --model flexvar-d24 --steps 9 --to samples/d24   # sample
    python -m varbook.pretrained.evaluate --model flexvar-d24 --steps 9 --to samples/d24 \\
        --reference VIRTUAL_imagenet256_labeled.npz                                                              # and measure

Images that exist already are kept, so that an interrupted run resumes, and the last command
measures what the others made.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from varbook.device import pick_device
from varbook.errors import VarbookError, ended
from varbook.evaluate.image_checks import Images
from varbook.evaluate.reference import read_reference, score
from varbook.evaluate.samples import Sampling, finished, sample_folder, write_npz
from varbook.files import write_json
from varbook.generate.sampling import Drawing
from varbook.pretrained.load import find, load_pair
from varbook.tokenizer.schedule import TABLE_7, Schedule, check_schedule, square
from varbook.transformer.model import NextScaleConfig


def published_sampling(
    name: str,
    schedule: Schedule | None = None,
    *,
    images: int = 50_000,
    seed: int = 0,
    released: bool = True,
) -> Sampling:
    """Return how the makers of the model `name` sample for their tables.

    `released` matters to FlexVAR alone. VAR: guidance 1.5, top-k 900, top-p 0.96. FlexVAR: 2.5 (3.0
    at 512 pixels), 900, 0.95, greedy at odd sizes.
    """
    schedule = check_schedule(schedule or find(name).config.schedule)
    if name.startswith("flexvar"):
        guidance = 3.0 if max(schedule[-1]) > 16 else 2.5
        return Sampling(schedule, images, Drawing(guidance, 900, 0.95, released=released), seed)
    return Sampling(schedule, images, seed=seed)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(
        prog="varbook.pretrained.evaluate", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument(
        "--model", required=True, help="a published next-scale model, for example var-d16"
    )
    parser.add_argument(
        "--to", type=Path, required=True, help="folder for the images and the scores"
    )
    parser.add_argument("--weights", type=Path, help="the model's file, instead of fetching it")
    parser.add_argument(
        "--tokenizer-weights", type=Path, help="the tokenizer's file, instead of fetching it"
    )
    parser.add_argument("--images", type=int, default=50_000, help="how many (default 50000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help="number of steps, as in FlexVAR table 7")
    parser.add_argument(
        "--resolution", type=int, default=256, help="pixels, with --steps (256, 384 or 512)"
    )
    parser.add_argument("--sides", help="a schedule of your own: 1,2,3,4,5,7,10,13,16")
    parser.add_argument(
        "--paper-sampling",
        action="store_true",
        help="FlexVAR: no greedy scales, as the text has it",
    )
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument(
        "--npz", type=Path, help="also write the images as one npz for other evaluators"
    )
    parser.add_argument(
        "--reference", type=Path, help="npz of the reference batch; without it nothing is measured"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be done, and do nothing"
    )
    return parser.parse_args(arguments)


def chosen_schedule(options: argparse.Namespace) -> Schedule | None:
    """Return the schedule that the options name, None where they name none.

    Raises VarbookError where table 7 has no such schedule.
    """
    if options.sides:
        try:
            return square(*(int(side) for side in options.sides.split(",")))
        except ValueError:
            raise VarbookError(
                f"--sides takes whole numbers with commas between, not {options.sides!r}."
            ) from None
    if options.steps is None:
        return None
    if (options.resolution, options.steps) not in TABLE_7:
        known = ", ".join(f"{steps} at {pixels}" for pixels, steps in TABLE_7)
        raise VarbookError(
            f"FlexVAR table 7 has no {options.steps} steps at {options.resolution} pixels; it has {known}."
        )
    return TABLE_7[options.resolution, options.steps]


def processes() -> tuple[int, int]:
    """Return (number of this process, how many there are), as torchrun and accelerate tell it."""
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def classes_of(name: str) -> int:
    """Return the number of classes that the model `name` draws.

    Raises VarbookError for a tokenizer and for a model that draws what a text says.
    """
    config = find(name).config
    if not isinstance(config, NextScaleConfig):
        raise VarbookError(f"{name} is a tokenizer; only next-scale models draw images.")
    if not config.classes:
        raise VarbookError(
            f"{name} draws what a text says; the reference batches are for ImageNet's classes."
        )
    return config.classes


def plan(options: argparse.Namespace, sampling: Sampling) -> str:
    """Return what will be done, one line each."""
    entry = find(options.model)
    classes = classes_of(options.model)
    weights = options.weights or f"{entry.file} of {entry.repository}"
    return "\n".join(
        (
            f"model      {options.model}: {weights}",
            f"tokenizer  {entry.tokenizer}: {options.tokenizer_weights or find(entry.tokenizer).file}",
            f"sampling   {sampling}",
            f"classes    {classes}, {sampling.images / classes:g} images each",
            f"images     {options.to}/000000.png to {sampling.images - 1:06d}.png, {processes()[1]} processes",
            f"reference  {options.reference or 'none: nothing is measured'}",
        )
    )


def evaluate(options: argparse.Namespace, say: Callable[[str], None] = print) -> dict | None:
    """Sample, write and measure as `options` say; return the scores, None where none are asked for."""
    classes_of(options.model)  # a model that cannot be scored is refused first
    sampling = published_sampling(
        options.model,
        chosen_schedule(options),
        images=options.images,
        seed=options.seed,
        released=not options.paper_sampling,
    )
    say(plan(options, sampling))
    if options.dry_run:
        return None
    rank, count = processes()
    images = finished(options.to, sampling.images)
    if images is None:
        model, tokenizer = load_pair(
            options.model, options.weights, options.tokenizer_weights, say=say
        )
        device = pick_device()
        model.to(device)
        tokenizer.to(device)
        made = sample_folder(
            model, tokenizer, sampling, options.to, batch=options.batch, rank=rank, processes=count
        )
        say(f"process {rank}: {made} images made")
        images = finished(options.to, sampling.images)
    if images is None or count > 1:
        say(
            "when all processes are done, the same command without torchrun writes the npz and measures"
        )
        return None
    if options.npz:
        say(f"written: {write_npz(images, options.npz)}")
    return _measure(options, sampling, images, say) if options.reference else None


def _measure(
    options: argparse.Namespace, sampling: Sampling, images: Images, say: Callable[[str], None]
) -> dict:
    measures = score(
        images, read_reference(options.reference), describe=f"{options.model}: {sampling}"
    )
    for measured in measures.values():
        say(f"{measured} | {measured.card.protocol} | against {measured.card.reference}")
    scores = {name: measured.as_dict() for name, measured in measures.items()}
    write_json(options.to / "scores.json", scores)
    return scores


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return 0, or 2 after one sentence on stderr where the request is wrong."""
    options = parse(arguments)

    def command() -> int:
        evaluate(options)
        return 0

    return ended(command, "give a smaller --batch")


if __name__ == "__main__":
    sys.exit(main())
