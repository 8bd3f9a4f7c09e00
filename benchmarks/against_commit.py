"""Training steps of this checkout against another commit: `make bench-against COMMIT=6a24e5b`.

Each case is trained by two processes, one for each commit, that take turns step by step. The table
gives medians, how many times as fast this checkout is, the quartiles of that ratio over the rounds,
and the same ratio in processor time, which load from elsewhere hardly changes.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.every_case import case_parser, every_case
from benchmarks.machine import COLUMNS, processor_class
from benchmarks.turns import Version
from varbook.cores import cores
from varbook.device import pick_device
from varbook.errors import VarbookError, ended
from varbook.paths import repository

# Column of processors (`machine.COLUMNS`) -> loop -> times as fast as commit 6a24e5b.
WANTED = {
    "avx2": {"tokenizer": 1.3, "next_scale": 1.3, "cyclevar": 1.6},
    "avx512": {"tokenizer": 1.5, "next_scale": 1.5, "cyclevar": 2.0},
}


@contextmanager
def checkout(commit: str) -> Iterator[Path]:
    """Give a folder with the files of `commit`, which is removed afterwards.

    VarbookError where this repository does not hold that commit.
    """
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "checkout"
        git = ["git", "-C", str(repository()), "worktree"]
        added = subprocess.run(
            [*git, "add", "--detach", str(made), commit], capture_output=True, text=True
        )
        if added.returncode:
            raise VarbookError(
                f"The commit {commit} cannot be checked out; is it in this clone? git says: {added.stderr.strip()}"
            )
        try:
            yield made
        finally:
            subprocess.run([*git, "remove", "--force", str(made)], capture_output=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Time every case that is asked for and print the table as it grows."""
    parser = case_parser(__doc__.splitlines()[0])
    parser.add_argument("--commit", default="6a24e5b", help="to compare with (default %(default)s)")
    parser.add_argument("--threads", type=int, default=cores(), help="(default: all cores)")
    chosen = parser.parse_args(arguments)
    print(f"{chosen.threads} threads; steps in turns, medians; before: {chosen.commit}\n")
    with checkout(chosen.commit) as before:
        folders = {chosen.commit: before, "now": repository()}

        def versions(precision: str) -> list[Version]:
            return [
                Version(name, folder, chosen.threads, precision) for name, folder in folders.items()
            ]

        column = COLUMNS[processor_class(pick_device())]
        every_case(
            "against_commit", versions, chosen, lambda loop: WANTED.get(column, {}).get(loop)
        )
    return 0


if __name__ == "__main__":
    sys.exit(ended(main))
