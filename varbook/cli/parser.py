"""What the subcommands' parsers share: faults in one sentence, examples, and words for sizes."""

import argparse
import json
import re
import sys
from collections.abc import Callable, Sequence
from types import ModuleType

from varbook.errors import VarbookError, ended


class Help(argparse.RawDescriptionHelpFormatter):
    """Help whose examples keep their lines and whose options stand in one column."""

    def __init__(self, prog: str):
        super().__init__(prog, max_help_position=30)


class Parser(argparse.ArgumentParser):
    """A parser that tells a fault in one sentence, as every other part of varbook does."""

    def error(self, message: str):
        """Raise VarbookError with argparse's message and where the options are explained."""
        raise VarbookError(f"{message.rstrip('.')}; see `{self.prog} --help`.")


def describe_part(summary: str, examples: str) -> dict:
    """Return a parser's description and epilog."""
    return {
        "description": f"{summary[:1].upper()}{summary[1:]}.",
        "epilog": f"examples:\n{examples}",
        "formatter_class": Help,
    }


def describe(module: ModuleType) -> dict:
    """Return the same for a subcommand's module: its SUMMARY and EXAMPLES."""
    return describe_part(module.SUMMARY, module.EXAMPLES)


def run_alone(module: ModuleType, prog: str, arguments: Sequence[str] | None) -> int:
    """Run one subcommand as a command of its own (`varbook-translate`, `python -m
    varbook.cli.train`) and return the exit code.
    """

    def command() -> int:
        parser = Parser(prog=prog, **describe(module))
        module.add_arguments(parser)
        return module.run(parser.parse_args(arguments))

    return ended(command, module.LIGHTER)


def whole(least: int) -> Callable[[str], int]:
    """Return a type for argparse: a whole number from `least` on."""

    def convert(text: str) -> int:
        if not re.fullmatch(r"-?\d+", text) or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} on")
        return int(text)

    return convert


def size(text: str) -> tuple[int, int | None]:
    """Return (height, width) for "64x128" and (64, None) for "64", in pixels: a type for argparse."""
    match = re.fullmatch(r"(\d+)(?:[x×](\d+))?", text.strip().lower())
    if not match or min(int(side) for side in match.groups() if side) < 1:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a size: write the side of a square, 64, or height x width, 64x128"
        )
    return int(match[1]), int(match[2]) if match[2] else None


def aspect(text: str) -> tuple[int, int]:
    """Return (width, height) for "2:1", twice as wide as high: a type for argparse."""
    match = re.fullmatch(r"(\d+):(\d+)", text.strip())
    if not match or min(int(match[1]), int(match[2])) < 1:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not an aspect ratio: write width:height, such as 2:1 or 3:4"
        )
    return int(match[1]), int(match[2])


def box(text: str) -> tuple[int, int, int, int]:
    """Return (top, bottom, left, right) in pixels for "10,50,20,60": a type for argparse."""
    match = re.fullmatch(r"(\d+),(\d+),(\d+),(\d+)", text.replace(" ", ""))
    if not match:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a box: write four whole numbers of pixels, top,bottom,left,right"
        )
    top, bottom, left, right = (int(side) for side in match.groups())
    if top >= bottom or left >= right:
        raise argparse.ArgumentTypeError(
            f"{text!r} is an empty box: write top,bottom,left,right, with bottom beyond top and right beyond left"
        )
    return top, bottom, left, right


def print_json(value: object) -> None:
    """Print plain data for a script: one JSON document on standard output."""
    json.dump(value, sys.stdout, indent=1, ensure_ascii=False, default=str)
    print()
