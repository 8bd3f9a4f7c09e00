"""`varbook doctor`: what this machine has, what is missing and what is lost without it, and where
things are kept.
"""

import argparse
import textwrap

from varbook.cli.parser import print_json

SUMMARY = "say what this machine has, what is missing, and where things are kept"
EXAMPLES = """  varbook doctor
  varbook doctor --json
  VARBOOK_DATA=/data varbook doctor       are my pictures found?"""
LIGHTER = "end other programs"
WIDTH = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `varbook doctor`."""
    parser.add_argument("--json", action="store_true", help="answer in JSON, for scripts")


def examine() -> dict[str, list[dict]]:
    """Return heading -> rows, each with check, verdict, found, what to do."""
    from varbook.runner import inventory, machine

    return {
        "needed": machine.machine_check(),
        "where things are kept": inventory.places(),
        "what comes with the book": inventory.shipped_runs(),
        "data sets": inventory.data_sets(),
        "pretrained weights": inventory.weights(),
        "optional packages": inventory.optional_packages(),
    }


def told(row: dict) -> str:
    """Return a row as text: what, how it is, and what to do where something is broken."""
    remedy = f"; {row['what to do']}" if row["what to do"] else ""
    first = f"  {row['verdict']:8}{row['check']}: "
    return textwrap.fill(
        f"{first}{row['found']}{remedy}",
        WIDTH,
        subsequent_indent=" " * 10,
        break_long_words=False,
        break_on_hyphens=False,
    )


def run(options: argparse.Namespace) -> int:
    """Print the examination and return the exit code: 1 where something needed is broken."""
    sections = examine()
    failed = [
        row["check"] for rows in sections.values() for row in rows if row["verdict"] == "FAIL"
    ]
    if options.json:
        print_json(sections | {"broken": failed})
        return 1 if failed else 0
    for heading, rows in sections.items():
        print(f"{heading[:1].upper()}{heading[1:]}")
        print("\n".join(map(told, rows)))
    print(f"Broken: {', '.join(failed)}." if failed else "Everything that is needed is there.")
    return 1 if failed else 0
