"""Training steps with two threads against the same with one: `make bench-threads`.

Two processes, one of one thread and one of two, take turns step by step. "before" is the one with
one thread; the ratio in processor time says what the second thread costs: 1 would be nothing.
"""

import sys
from collections.abc import Sequence

from benchmarks.every_case import case_parser, every_case
from benchmarks.turns import Version
from varbook.cores import cores
from varbook.errors import VarbookError, ended
from varbook.paths import repository

WANTED = 1.8  # times as fast as one thread


def main(arguments: Sequence[str] | None = None) -> int:
    """Time every case that is asked for, and print the table as it grows."""
    parser = case_parser(__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2, help="(default %(default)s)")
    chosen = parser.parse_args(arguments)
    if cores() < chosen.threads:
        raise VarbookError(
            f"This process may use {cores()} cores; {chosen.threads} threads would only wait for each other."
        )
    print(f"one thread (before) and {chosen.threads} (now); steps in turns, medians\n")

    def versions(precision: str) -> list[Version]:
        return [
            Version(f"{count} threads", repository(), count, precision)
            for count in (1, chosen.threads)
        ]

    every_case("two_threads", versions, chosen, lambda loop: WANTED)
    return 0


if __name__ == "__main__":
    sys.exit(ended(main))
