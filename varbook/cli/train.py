"""Train one of the book's models, by one process or by many: what a notebook would do, before any
notebook runs.

    python -m varbook.cli.train --profile gpu --model toy-var
    torchrun --nproc-per-node 4 -m varbook.cli.train --profile paper --model photo-cyclevar

A model that others stand on is trained first; what is there already is only loaded. The chapters
then find it.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from varbook import processes
from varbook.book.models import build, captioned
from varbook.book.models.profiles import Profile, profile
from varbook.errors import VarbookError

MODELS: dict[str, Callable[[Profile], tuple]] = {
    "toy-judge": build.toy_judge,
    "toy-tokenizer": build.toy_tokenizer,
    "toy-tokenizer-ground-truth": lambda profile: build.toy_tokenizer(profile, "ground_truth"),
    "toy-tokenizer-single": lambda profile: build.toy_tokenizer(profile, "single"),
    "toy-var": build.toy_next_scale,
    "toy-flexvar": lambda profile: build.toy_next_scale(profile, "ground_truth"),
    "toy-cyclevar": build.toy_cyclevar,
    "photo-tokenizer": build.photograph_tokenizer,
    "photo-cyclevar": build.photograph_cyclevar,
    "published-cyclevar": build.published_photograph_cyclevar,
    "attribute-judge": captioned.attribute_judge,
    "bit-tokenizer": captioned.bit_tokenizer,
    "text-var": captioned.caption_model,
    "text-cyclevar-night": captioned.caption_cyclevar,
    "text-cyclevar-flat": lambda profile: captioned.caption_cyclevar(profile, "flat"),
    "driving-cyclevar": captioned.driving_cyclevar,
    "published-infinity": captioned.published_driving_cyclevar,
}


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the command line as options."""
    parser = argparse.ArgumentParser(
        prog="python -m varbook.cli.train", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument(
        "--profile", help="smoke, laptop, gpu or paper (default: VARBOOK_PROFILE, else laptop)"
    )
    parser.add_argument("--model", required=True, help=", ".join(MODELS))
    parser.add_argument(
        "--shard",
        action="store_true",
        help="spread weights and optimiser over the processes (FSDP)",
    )
    return parser.parse_args(arguments)


def train(options: argparse.Namespace) -> str:
    """Train or load the model and return a line about it; VarbookError for an unknown name, or
    photographs that are not there.
    """
    chosen = profile(options.profile)
    if options.model not in MODELS:
        raise VarbookError(
            f"There is no model {options.model!r}; choose one of {', '.join(MODELS)}."
        )
    if options.model.startswith("photo-") and build.photographs(chosen) is None:
        raise VarbookError(
            f"The profile {chosen.name} finds no photographs for {options.model}; fetch them with "
            "data_scripts/fetch_horse2zebra.py, or name their place in VARBOOK_DATA."
        )
    if options.model == "driving-cyclevar" and captioned.driving_photographs(chosen) is None:
        raise VarbookError(
            f"The profile {chosen.name} finds no photographs of streets for {options.model}; make them with "
            "data_scripts/prepare_bdd100k.py, or name their place in VARBOOK_DATA."
        )
    if options.shard:
        os.environ["VARBOOK_SHARD"] = "1"
    run = MODELS[options.model](chosen)[-1]
    run = (
        run[0] if isinstance(run, tuple) else run
    )  # a next-scale model comes with its tokenizer's run
    return run.say()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line: 0 when all went well, 2 when the request makes no sense."""
    options = parse(arguments)
    try:
        processes.join()
        told = train(options)
    except VarbookError as error:
        if processes.first():
            print(f"varbook: {error}", file=sys.stderr)
        return 2
    if processes.first():
        print(told)
    processes.leave()
    return 0


if __name__ == "__main__":
    sys.exit(main())
