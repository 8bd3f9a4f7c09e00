"""Training steps of this checkout against another commit: `make bench-against COMMIT=6a24e5b`.

Each case is trained by two processes, one for each commit, that take turns step by step. The table
gives medians, how many times as fast this checkout is, the quartiles of that ratio over the rounds,
and the same ratio in processor time, which load from elsewhere hardly changes.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.cases import LOOPS, SIZES, case
from benchmarks.turns import Version, take_turns
from varbook.cores import cores
from varbook.errors import VarbookError
from varbook.paths import repository

HEADER = (
    f"{'training':<30}{'precision':<10}{'before ms':>10}{'now ms':>9}{'times as fast':>15}"
    f"{'quartiles':>13}{'processor':>11}{'peak MiB before':>17}{'now':>7}{'rounds':>8}"
)


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


def line(before: dict, now: dict) -> str:
    """Return one row of the table for the rows of two versions."""
    spread = f"{now['ratio_low']:.2f}-{now['ratio_high']:.2f}"
    text = (
        f"{now['case']:<30}{now['precision']:<10}{1000 * before['median']:>10.0f}{1000 * now['median']:>9.0f}"
        f"{now['ratio']:>15.2f}{spread:>13}{now['core_ratio']:>11.2f}{before['peak']:>17.0f}{now['peak']:>7.0f}"
        f"{now['rounds']:>8}"
    )
    if abs(now["loss"] - before["loss"]) > 0.02 * abs(before["loss"]):
        text += (
            f"\n    not the same training: first losses {before['loss']:.4g} and {now['loss']:.4g}"
        )
    return text


def options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--commit", default="6a24e5b", help="to compare with (default %(default)s)")
    parser.add_argument(
        "--sizes", default="laptop,papers", help=f"of {', '.join(SIZES)} (default %(default)s)"
    )
    parser.add_argument("--only", default="", help=f"loops whose name has this, of {list(LOOPS)}")
    parser.add_argument("--precisions", default="float32,bfloat16", help="(default %(default)s)")
    parser.add_argument("--seconds", type=float, default=20.0, help="a case (default %(default)s)")
    parser.add_argument("--least", type=int, default=5, help="rounds (default %(default)s)")
    parser.add_argument("--threads", type=int, default=cores(), help="(default: all cores)")
    parser.add_argument("--json", type=Path, help="file to which the rows are written")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Time every case that is asked for and print the table as it grows."""
    chosen = options(arguments)
    print(f"{chosen.threads} threads; steps in turns, medians; before: {chosen.commit}\n\n{HEADER}")
    rows = []
    with checkout(chosen.commit) as before:
        folders = {chosen.commit: before, "now": repository()}
        for size in chosen.sizes.split(","):
            for loop in [name for name in LOOPS if chosen.only.lower() in name.lower()]:
                for precision in chosen.precisions.split(","):
                    versions = [
                        Version(name, folder, chosen.threads, precision)
                        for name, folder in folders.items()
                    ]
                    pair = take_turns(versions, case(size, loop), chosen.seconds, chosen.least)
                    rows += pair
                    print(line(*pair), flush=True)
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except VarbookError as error:
        sys.exit(str(error))
