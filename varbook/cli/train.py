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
from collections.abc import Sequence

from varbook import processes
from varbook.book.models import build
from varbook.book.models.profiles import profile
from varbook.book.models.tasks import TASKS
from varbook.errors import VarbookError


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the command line as options."""
    parser = argparse.ArgumentParser(
        prog="python -m varbook.cli.train", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument(
        "--profile", help="smoke, laptop, gpu or paper (default: VARBOOK_PROFILE, else laptop)"
    )
    parser.add_argument("--model", required=True, help=", ".join(build.models_of(TASKS.values())))
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
    models = build.models_of(TASKS.values())
    if options.model not in models:
        raise VarbookError(
            f"There is no model {options.model!r}; choose one of {', '.join(models)}."
        )
    if options.shard:
        os.environ["VARBOOK_SHARD"] = "1"
    return models[options.model](chosen).run.say()


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
