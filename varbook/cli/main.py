"""The command `varbook`: one parser for all subcommands, built without importing torch.

    varbook --help
    varbook translate my_horses/ zebras/ --to zebra

Exit codes: 0 when all went well, 1 when a picture failed, a notebook failed or something needed is
broken, 2 when the request makes no sense or the machine refuses, 130, 143 or 129 when it was
stopped by Ctrl-C, SIGTERM or SIGHUP.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence
from types import ModuleType

from varbook import __version__
from varbook.cli.parser import Help, Parser, describe
from varbook.errors import ended, within_memory

COMMANDS = ("train", "translate", "generate", "edit", "figures", "doctor")

EXAMPLES = """examples:
  varbook train my_folder --minutes 60          learn to translate between two folders of pictures
  varbook translate my_horses/ zebras/ --to zebra
  varbook generate --class zebra --count 8 --size 64 --aspect 2:1 --out pictures/
  varbook generate --words "a chestnut horse in a green valley by day"
  varbook edit refine small.png --class lion --out large.png
  varbook figures --only 09
  varbook doctor

`varbook COMMAND --help` has each command's options and examples."""


def module_of(command: str) -> ModuleType:
    """Return the module of a subcommand: `add_arguments(parser)`, `run(options) -> int`, and texts:
    SUMMARY, EXAMPLES, and LIGHTER, what to do where memory does not suffice.
    """
    return importlib.import_module(f"varbook.cli.{command}")


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command."""
    parser = Parser(
        prog="varbook",
        description="Train, translate, generate and edit pictures with FlexVAR and CycleVAR, and rerun the book.",
        epilog=EXAMPLES,
        formatter_class=Help,
    )
    parser.add_argument("--version", action="version", version=f"varbook {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    for name in COMMANDS:
        module = module_of(name)
        own = commands.add_parser(name, help=module.SUMMARY, **describe(module))
        module.add_arguments(own)
        own.set_defaults(module=module)
    return parser


def run(arguments: Sequence[str] | None) -> int:
    """Run a subcommand and return its exit code; without one, show the help."""
    parser = make_parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return 0
    with within_memory(f"varbook {options.command}", options.module.LIGHTER):
        return options.module.run(options)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line and return the exit code (see the module's first lines)."""
    return ended(lambda: run(arguments))


if __name__ == "__main__":
    sys.exit(main())
