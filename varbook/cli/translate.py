"""`varbook translate`: a picture or a folder in, a folder of translated pictures out.

Names stay, pictures come out upright and at their own size, and nothing that is there is
overwritten without --force.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from varbook.cli.parser import print_json, run_alone, whole
from varbook.errors import VarbookError
from varbook.paths import check_writable

SUMMARY = "translate pictures with a trained model"
EXAMPLES = """  varbook translate my_horses/ zebras/ --to zebra
  varbook translate large.jpg out/ --large tiles --short-side 256
  varbook translate --list
  varbook translate winter/ summer/ --run own-cyclevar-0123456789ab --to summer --json"""
LIGHTER = "give a smaller --batch, and with --large tiles a smaller --short-side"
LARGE = ("resize", "tiles")
SHOWN = 8  # names of pictures in one line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `varbook translate`."""
    add = parser.add_argument
    add(
        "source",
        type=Path,
        nargs="?",
        help="a picture, or a folder of pictures (not its subfolders)",
    )
    add("out", type=Path, nargs="?", help="the folder for the results, made where it is missing")
    add(
        "--run",
        help="a run's name or kind, or its .safetensors (default: your newest, else the book's)",
    )
    add("--to", help="the domain to translate into, such as zebra (default: the run's second)")
    add(
        "--large",
        choices=LARGE,
        default="resize",
        help="whole pictures resized to the model's side, or tiles",
    )
    add(
        "--short-side",
        type=whole(1),
        help="with tiles: bring pictures to this size first (default: their own)",
    )
    add("--batch", type=whole(1), default=16, help="batch size, in squares (default 16)")
    add("--force", action="store_true", help="overwrite what is there")
    add("--dry-run", action="store_true", help="say what would be done, and do nothing")
    add("--list", action="store_true", help="show the runs that translate, and do nothing")
    add("--json", action="store_true", help="answer in JSON, for scripts")


def target_of(name: str | None, known: dict[str, int | str], classes: int) -> tuple[str, int | str]:
    """Return (domain, class or prompt) for what the user asked for: a domain's name, a class
    number below `classes`, or nothing (the last domain). VarbookError for anything else.
    """
    if name is None and known:
        return list(known.items())[-1]
    if name is not None and name in known:
        return name, known[name]
    if name and name.isdigit() and classes:
        if int(name) >= classes:
            raise VarbookError(f"There is no class {name}: this run knows 0 to {classes - 1}.")
        return f"class {name}", int(name)
    asked = f"--to {name} is not possible" if name else "--to is missing"
    raise VarbookError(
        f"{asked}: this run knows {', '.join(known) or f'the classes 0 to {classes - 1}'}."
    )


def list_runs(as_json: bool) -> int:
    """Print the runs that translate, the reader's own first, and return 0."""
    from varbook.book.models.find import stored

    runs = stored("translator")
    if as_json:
        print_json([run.facts() for run in runs])
    else:
        print(
            "\n".join(run.say() for run in runs)
            or "Nothing that translates is trained yet: see varbook train."
        )
    return 0


def run(options: argparse.Namespace) -> int:
    """Do what the options say and return the exit code: 0, or 1 where a picture failed."""
    if options.list:
        return list_runs(options.json)
    if options.source is None or options.out is None:
        raise VarbookError("Name a picture or a folder, and the folder for the results.")
    from varbook.book.models.find import default_translator, find_run
    from varbook.book.models.load_run import load
    from varbook.book.models.profiles import profile
    from varbook.cli.image_files import counted, list_images
    from varbook.cli.translate_files import Outcome, plan, side, translate_pictures
    from varbook.data.picture_files import read_headers

    pictures, others = list_images(options.source)
    todo, existing = plan(pictures, options.out, options.force)
    animated = sum(header.frames for header in read_headers([picture for picture, _ in todo]))
    if not options.dry_run:
        check_writable(options.out, "name another folder for the results")
    if options.run is None:
        stored = default_translator(profile(), options.to)
    else:
        stored = find_run(options.run, "translator")
    cyclevar, run, _ = load(stored)
    word, target = target_of(options.to, stored.classes(), cyclevar.model.config.classes)
    if not options.json:
        print(
            f"{run.name}: {len(todo)} of {len(pictures)} pictures to {word}, {side(cyclevar)} pixels a side"
        )
        if others:
            print(f"left out: {counted(others)}")
        if animated:
            print(f"further frames: of {animated} animations the first frame alone is translated")
    outcome = Outcome(existing=existing)
    if not options.dry_run:
        settings = {
            name: getattr(options, name) for name in ("large", "short_side", "batch", "force")
        }
        outcome = translate_pictures(cyclevar, options.source, options.out, target, **settings)
    facts = {"run": run.name, "to": word, "others": others, "animated": animated}
    report(options, facts, todo, outcome)
    return 1 if outcome.failed else 0


def report(options: argparse.Namespace, facts: dict, todo: Sequence, outcome) -> None:
    """Print what became of the pictures, for a person or as JSON."""
    if options.json:
        planned = [[str(picture), str(there)] for picture, there in todo]
        print_json(facts | vars(outcome) | {"dry_run": options.dry_run, "planned": planned})
    elif options.dry_run:
        print("\n".join(f"{picture} -> {there}" for picture, there in todo))
    else:
        print(f"{len(outcome.written)} written to {options.out}")
    if outcome.existing and not options.json:
        names, more = outcome.existing[:SHOWN], len(outcome.existing) - SHOWN
        told = ", ".join(names) + (f" and {more} more" if more > 0 else "")
        print(f"{len(outcome.existing)} left as they were (--force overwrites them): {told}")
    for sentence in outcome.failed:
        print(f"varbook: {sentence}", file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as `varbook-translate`: 0 when all went well, 1 when a picture failed, 2 when the request
    makes no sense.
    """
    return run_alone(sys.modules[__name__], "varbook-translate", arguments)


if __name__ == "__main__":
    sys.exit(main())
