"""`varbook figures`: run notebooks, and draw every figure and table from them, as `make figures`
does once it has set everything up.
"""

import argparse

from varbook.runner import options as runner_options

SUMMARY = "run the book: notebooks, figures, tables, the report"
EXAMPLES = """  varbook figures                          everything, in the laptop profile
  varbook figures --profile smoke --jobs 2
  varbook figures --only 09 --set seed=1
  varbook figures --only 02,03 --status     how they ended last time"""
LIGHTER = "choose a smaller --profile, or run fewer notebooks at a time (--jobs)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the runner's options."""
    runner_options.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Run the book and return the exit code: 0, or 1 where a notebook failed."""
    from varbook.runner.run import run as run_book

    return run_book(options)
