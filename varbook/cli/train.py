"""`varbook train`: a translator between two folders of the reader's own pictures, or a model of the
book, by one process or by many.

    varbook train my_folder --minutes 60
    torchrun --nproc-per-node 4 -m varbook.cli.train --profile gpu --model toy-var

A model that others stand on is trained first; what is there already is only loaded. What was
stopped resumes from its last saved state when the same is asked for again.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from varbook.cli.parser import print_json, run_alone, whole
from varbook.errors import VarbookError
from varbook.paths import check_writable, data_places, home, weights_places
from varbook.signals import tell

if TYPE_CHECKING:
    from varbook.book.models.unpaired_task import Task

SUMMARY = "train on two folders of your own pictures, or a model of the book"
EXAMPLES = """  varbook train my_folder                 two subfolders of pictures, or trainA and trainB
  varbook train my_folder --minutes 60 --dry-run
  varbook train --source winter/ --target summer/ --minutes 30 --out results/
  varbook train --list
  varbook train --model photo-cyclevar --profile laptop
  varbook train --model toy-flexvar --profile laptop --score
  torchrun --nproc-per-node 4 -m varbook train --model toy-var --profile gpu"""
LIGHTER = "choose a smaller --profile, or for your own pictures a smaller --size"
# Options that mean something for a reader's own folders only, and those for a model of the book.
OWN = ("folder", "source", "target", "names", "minutes", "size", "out", "start", "seed", "dry_run")
BOOK = ("profile", "shard", "score")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `varbook train`."""
    own = parser.add_argument_group("your own pictures")
    add = own.add_argument
    add(
        "folder",
        type=Path,
        nargs="?",
        help="a folder with two subfolders of pictures, or trainA, trainB (testA, testB)",
    )
    add("--source", type=Path, help="a folder of pictures of the first domain")
    add("--target", type=Path, help="a folder of pictures of the second domain")
    add(
        "--names",
        nargs=2,
        metavar=("SOURCE", "TARGET"),
        help="what the domains are called (default: their folders)",
    )
    add("--minutes", type=float, help="how long all of it may take (default 60)")
    add(
        "--size",
        type=whole(16),
        help="side of the pictures in pixels (default: what the time allows)",
    )
    add("--out", type=Path, help="folder for sample sheets and numbers (default: FOLDER-varbook)")
    add(
        "--start",
        choices=("book", "new"),
        help="start from the models that come with the book, or from random weights",
    )
    add("--seed", type=whole(0), help="the seed of everything that is random (default 0)")
    add("--dry-run", action="store_true", default=None, help="look and plan, and do nothing")
    book = parser.add_argument_group("a model of the book")
    book.add_argument("--model", help="its name: see --list")
    book.add_argument(
        "--profile", help="smoke, laptop, gpu or paper (default: VARBOOK_PROFILE, else laptop)"
    )
    book.add_argument(
        "--shard",
        action="store_true",
        default=None,
        help="spread a large model over the processes (FSDP)",
    )
    book.add_argument(
        "--score",
        action="store_true",
        default=None,
        help="measure it on held-out scenes of the toy world, and keep the numbers in its record",
    )
    parser.add_argument(
        "--list",
        action="store_true",
        help="show the book's models and what is trained already, and do nothing",
    )
    parser.add_argument("--json", action="store_true", help="answer in JSON, for scripts")


def check_options(options: argparse.Namespace) -> None:
    """Raise VarbookError where nothing is asked for, or two things are."""
    own = [name for name in OWN if getattr(options, name) is not None]
    book = [name for name in BOOK if getattr(options, name) is not None]
    if options.model is None:
        if options.folder is None and options.source is None and options.target is None:
            raise VarbookError(
                "Name a folder with two subfolders of pictures, or --source and --target, or a --model of the book."
            )
        if book:
            raise VarbookError(
                f"{_option(book[0])} belongs to --model, not to your own pictures: leave it out."
            )
        if options.minutes is not None and not 0 < options.minutes < float("inf"):
            raise VarbookError(f"--minutes is a number above 0, not {options.minutes:g}.")
    elif own:
        raise VarbookError(
            f"{_option(own[0])} belongs to your own pictures, not to --model: leave one of them out."
        )


def _option(name: str) -> str:
    return "A folder" if name == "folder" else f"--{name.replace('_', '-')}"


def list_models(as_json: bool) -> int:
    """Print the names of the book's models with the task of each, then every run that is here, the
    reader's own first, and return 0.
    """
    from varbook.book.models.build import models_of
    from varbook.book.models.find import stored
    from varbook.book.models.tasks import TASKS

    names = {task.name: list(models_of([task])) for task in TASKS.values()}
    if as_json:
        print_json({"models": names, "runs": [run.facts() for run in stored()]})
        return 0
    for task in TASKS.values():
        print(f"{task.name} ({' <-> '.join(task.domains)}): {', '.join(names[task.name])}")
    print("\nTrained already:")
    for run in stored():
        print(run.say())
    return 0


def train_model(options: argparse.Namespace) -> dict:
    """Train or load a model of the book and return its run as plain data; VarbookError for an
    unknown name, or pictures that are not there.
    """
    from varbook.book.models.build import models_of
    from varbook.book.models.profiles import profile
    from varbook.book.models.sources import Folders
    from varbook.book.models.tasks import TASKS

    chosen, models = profile(options.profile), models_of(TASKS.values())
    if options.model not in models:
        raise VarbookError(
            f"There is no model {options.model!r}; choose one of {', '.join(models)}."
        )
    if options.shard:
        os.environ["VARBOOK_SHARD"] = "1"
    pictures = task_of(options.model).pictures
    if isinstance(pictures, Folders) and not chosen.use_photographs and not pictures.missing():
        tell(
            f"the chapters use no photographs in the profile {chosen.name}; this model is asked for by "
            f"name, and is trained on those of {pictures.name}."
        )
    made = models[options.model](chosen)
    run = made.run
    facts = {name: run.record.get(name) for name in ("minutes", "hardware", "seed", "profile")}
    if options.score:
        from varbook.book.models.scores import score

        facts["score"] = score(task_of(options.model), chosen, made)
    return {"run": run.name, "source": run.source, "say": run.say()} | facts


def task_of(name: str) -> "Task":
    """Return the first task that has a model of this name."""
    from varbook.book.models.build import models_of
    from varbook.book.models.tasks import TASKS

    return next(task for task in TASKS.values() if name in models_of([task]))


def train_folders(options: argparse.Namespace) -> dict:
    """Train a translator on the reader's own folders and return what was found, planned and
    measured, as plain data.
    """
    from varbook.own.train import Request, train_own

    asked = {name: getattr(options, name) for name in OWN if getattr(options, name) is not None}
    if "names" in asked:
        asked["names"] = tuple(asked["names"])
    # With --json nothing but the document goes to standard output.
    stream = sys.stderr if options.json else sys.stdout
    return train_own(Request(**asked), say=lambda text: print(text, file=stream, flush=True))


def run(options: argparse.Namespace) -> int:
    """Train what the options say and return the exit code 0."""
    if options.list:
        return list_models(options.json)
    check_options(options)
    check_writable(home(), "name another folder in VARBOOK_HOME")
    if options.model:
        data_places()  # what VARBOOK_DATA and VARBOOK_WEIGHTS name is a folder
    weights_places()
    from varbook import processes

    processes.join()
    result = train_model(options) if options.model else train_folders(options)
    if processes.first() and options.json:
        print_json(result)
    elif processes.first() and options.model:
        print(result["say"])
        if "score" in result:
            print_json(result["score"])
    processes.leave()
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as `python -m varbook.cli.train`: 0 when all went well, 2 when the request makes no sense."""
    return run_alone(sys.modules[__name__], "python -m varbook.cli.train", arguments)


if __name__ == "__main__":
    sys.exit(main())
