"""Two versions in turns in every case that is asked for, as a table and a file."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.cases import LOOPS, SIZES, case
from benchmarks.machine import machine_facts
from benchmarks.steps_document import write_document
from benchmarks.turns import Version, take_turns
from varbook.device import has_bfloat16, pick_device
from varbook.paths import repository

HEADER = (
    f"{'training':<30}{'precision':<10}{'before ms':>10}{'now ms':>9}{'times as fast':>15}"
    f"{'quartiles':>13}{'processor':>11}{'peak MiB before':>17}{'now':>7}{'rounds':>8}"
)


def line(before: dict, now: dict) -> str:
    """Return one row of the table for the rows of two versions."""
    spread = f"{now['ratio_low']:.2f}-{now['ratio_high']:.2f}"
    text = (
        f"{now['case']:<30}{now['precision']:<10}{1000 * before['median']:>10.0f}{1000 * now['median']:>9.0f}"
        f"{now['ratio']:>15.2f}{spread:>13}{now['core_ratio']:>11.2f}{before['peak']:>17.0f}{now['peak']:>7.0f}"
        f"{now['rounds']:>8}"
    )
    wanted = now.get("wanted")
    if wanted is not None:
        text += f"   wanted {wanted:g}: {'held' if now['ratio'] >= wanted else 'not held'}"
    if abs(now["loss"] - before["loss"]) > 0.02 * abs(before["loss"]):
        text += (
            f"\n    not the same training: first losses {before['loss']:.4g} and {now['loss']:.4g}"
        )
    return text


def case_parser(description: str) -> argparse.ArgumentParser:
    """Return a parser of the options that choose cases and how long each is timed."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--sizes", default="laptop,papers", help=f"of {', '.join(SIZES)} (default %(default)s)"
    )
    parser.add_argument("--only", default="", help=f"loops whose name has this, of {list(LOOPS)}")
    # Without instructions for it a step in bfloat16 takes minutes.
    both = "float32,bfloat16" if has_bfloat16(pick_device()) else "float32"
    parser.add_argument("--precisions", default=both, help="(default %(default)s)")
    parser.add_argument("--seconds", type=float, default=20.0, help="a case (default %(default)s)")
    parser.add_argument("--least", type=int, default=5, help="rounds (default %(default)s)")
    parser.add_argument("--docs", type=Path, help="folder for the numbers and training_steps.md")
    return parser


def every_case(
    name: str,
    versions: Callable[[str], Sequence[Version]],
    chosen: argparse.Namespace,
    wanted: Callable[[str], float | None],
) -> list[dict]:
    """Time two `versions` of each precision in the cases `chosen`, print the table as it grows and
    return its rows; `wanted` says how many times as fast a loop should be.

    With all loops the documents are written, too: see `steps_document`.
    """
    print(HEADER)
    rows: list[dict] = []
    for size in chosen.sizes.split(","):
        for loop in [name for name in LOOPS if chosen.only.lower() in name.lower()]:
            for precision in chosen.precisions.split(","):
                made = case(size, loop)
                pair = take_turns(versions(precision), made, chosen.seconds, chosen.least)
                pair[1]["wanted"] = wanted(LOOPS[loop]["loop"])
                rows += pair
                print(line(*pair), flush=True)
    folder = chosen.docs or (None if chosen.only else repository() / "docs")
    if folder:
        facts = machine_facts(pick_device(), chosen.threads)
        write_document(name, {"machine": facts, "rows": rows}, folder)
    return rows
