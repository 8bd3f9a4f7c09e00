"""The options of a run of the book, apart from the run itself: a parser imports nothing slow."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `python -m varbook.runner.run` and of `varbook figures`."""
    parser.add_argument(
        "--profile", help="smoke, laptop, gpu or paper (default: VARBOOK_PROFILE, else laptop)"
    )
    parser.add_argument("--only", help="chapters, comma separated: 09 or 02,03")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a notebook's parameter"
    )
    parser.add_argument("--jobs", type=int, help="notebooks at a time")
    parser.add_argument("--force", action="store_true", help="run also what is up to date")
    parser.add_argument(
        "--retrain", action="store_true", help="train shipped and cached models again"
    )
    parser.add_argument("--solutions", action="store_true", help="the exercises' solutions too")
    parser.add_argument(
        "--publish",
        action="store_true",
        help="change what comes with the book: figures/, the outputs in notebooks/, README.md",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="compare with the kept outputs (nbval) instead of running (papermill)",
    )
    parser.add_argument(
        "--status", action="store_true", help="run nothing; say how these notebooks ended last time"
    )
