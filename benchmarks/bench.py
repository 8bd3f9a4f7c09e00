"""How fast the package is beside the same mathematics written out: `make bench`, `ONLY=srq` for one.

Each question has a process of its own; its candidates take turns there, so that whatever else the
machine does slows all of them alike; the table gives medians and their ratios to the first
candidate, with the quartiles of the ratio over the rounds. Candidates that compute the same thing
are compared before they are timed. Absolute times say little on a shared machine; ratios do. Beside
them stand the share of the machine's own rate, measured in the same run, the peak memory, each in a
fresh process, and what is wanted.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks import memory, settings
from benchmarks.document import rates_text, verdicts, write_document
from benchmarks.fresh import in_fresh_process
from benchmarks.machine import limits, machine_facts
from benchmarks.question import Question, compare_answers, count_flops, take_turns
from benchmarks.questions import (
    MEMORY,
    QUESTIONS,
    WANTED,
    WANTED_AGAINST,
    WANTED_MEMORY,
    WANTED_SHARE,
)
from varbook.device import has_bfloat16, setup
from varbook.errors import VarbookError, ended
from varbook.paths import repository

SECONDS = 12.0  # for each question, beside the warm-up


def answer(
    key: str,
    question: Question,
    rates: dict[str, float],
    column: str,
    seconds: float = SECONDS,
    least: int = 3,
    most: int = 15,
) -> list[dict]:
    """Return the rows of a question: every candidate's times, ratio, difference from the first
    answer, share of the machine's rate where its operations can be counted, and what is wanted.

    Raises VarbookError where candidates should agree and do not.
    """
    found = compare_answers(question)
    products, convolutions = count_flops(question)
    rows = []
    for name, times in take_turns(question, seconds, least, most).items():
        candidate, best = question.candidates[name], times["median"]
        least_seconds = products / 1e9 / rates[candidate.precision]
        least_seconds += convolutions / 1e9 / rates[f"convolution {candidate.precision}"]
        carried = question.traffic / best / 1e9 / rates["copy"] if question.traffic else None
        rows.append(
            {"key": key, "question": question.name, "candidate": name, "plain": candidate.plain}
            | {"precision": candidate.precision, "difference": _or_none(found[name])}
            | times
            | {"gflop": (products + convolutions) / 1e9, "share_of_rate": least_seconds / best}
            | {"share_of_copy": carried}
            | {"per_second": question.per_call / best if question.per_call else None}
            | {"wanted": WANTED.get((key, name), {}).get(column), "peak": None, "peak_wanted": None}
        )
    rows[-1]["notes"] = [check() for check in question.checks] + against_others(key, rows, column)
    return rows


def answer_alone(
    key: str, rates: dict[str, float], column: str, seconds: float, small: bool
) -> list[dict]:
    """Return the rows of the question `key` from a process that has answered no other."""
    settings.one_arena()
    device = setup(0)
    settings.choose(plain=True)
    return answer(key, affordable(QUESTIONS[key](small), device), rates, column, seconds)


def affordable(question: Question, device: torch.device) -> Question:
    """Return the question without its candidates in bfloat16 where `device` has no instructions for
    it: there a product takes a hundred times as long.
    """
    if has_bfloat16(device):
        return question
    kept = {n: c for n, c in question.candidates.items() if c.precision == "float32"}
    return replace(question, candidates=kept)


def against_others(key: str, rows: list[dict], column: str) -> list[str]:
    """Return a sentence for each wanted ratio to another candidate than the first."""
    medians = {row["candidate"]: row["median"] for row in rows}
    said = []
    for (question, name, other), wanted in WANTED_AGAINST.items():
        if question == key and other in medians and column in wanted:
            ratio = medians[other] / medians[name]
            held = "held" if ratio >= wanted[column] else "not held"
            said.append(
                f"{name} is {ratio:.1f} times as fast as {other}; wanted {wanted[column]}: {held}."
            )
    return said


def add_memory(rows: list[dict], threads: int, small: bool = False) -> None:
    """Measure the peak memory of every row's candidate and write it, and what is wanted, to the
    row.
    """
    for row in rows:
        pair = row["key"], row["candidate"]
        row["peak"] = memory.measure(*pair, threads, small)
        row["peak_wanted"] = WANTED_MEMORY.get(pair)
        if pair in WANTED_SHARE:
            row["peak_wanted"] = WANTED_SHARE[pair] * rows[0]["peak"]


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value


def verdict(row: dict) -> str:
    """Return "held" or "not held" for what is wanted of a row, "" where nothing is."""
    judged = verdicts(row)
    return "" if not judged else "held" if all(judged) else "not held"


COLUMNS_OF_TABLE = {
    "question": 33,
    "candidate": 27,
    "median ms": 10,
    "times as fast": 14,
    "quartiles": 12,
    "of rate": 11,
    "of copy": 8,
    "peak MiB": 9,
    "wanted": 15,
    "": 9,
}


def line(row: dict, first: bool) -> str:
    """Return a row of the printed table."""
    percent = [
        f"{row[name]:.0%}" if row[name] else "" for name in ("share_of_rate", "share_of_copy")
    ]
    wanted = [f"{row['wanted']:g} x"] if row["wanted"] is not None else []
    wanted += [f"{row['peak_wanted']:.0f} MiB"] if row["peak_wanted"] is not None else []
    cells = (
        row["question"] if first else "",
        row["candidate"],
        f"{1000 * row['median']:.2f}",
        f"{row['ratio']:.2f}",
        f"{row['ratio_low']:.2f}-{row['ratio_high']:.2f}",
        *percent,
        "" if row["peak"] is None else f"{row['peak']:.0f}",
        ", ".join(wanted),
        verdict(row),
    )
    widths = COLUMNS_OF_TABLE.values()
    aligned = zip(cells, widths, (True, True, *[False] * 8), strict=True)
    return "".join(
        cell.ljust(width) if left else cell.rjust(width) for cell, width, left in aligned
    )


def announce(facts: dict, rates: dict[str, float]) -> None:
    """Print the machine and its rates."""
    print(f"{facts['processor']}, {facts['threads']} threads, torch {facts['torch']}")
    column = {
        "avx2": "AVX2 only",
        "avx512": "AVX-512 + bfloat16",
        "card": "none; a card's numbers are stated without a target",
        "": "none",
    }
    print(f"Class: {facts['class']}; the column of the wanted ratios: {column[facts['column']]}.")
    print(f"Measured now: {rates_text(rates)}.")
    if not has_bfloat16(torch.device(facts["device"])):
        print("No instructions for bfloat16 here: candidates that compute in it are left out.")
    print()
    print(
        "".join(
            name.ljust(width) if name in ("question", "candidate") else name.rjust(width)
            for name, width in COLUMNS_OF_TABLE.items()
        )
    )


def options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--only", default="", help=f"questions, with commas, of {', '.join(QUESTIONS)}"
    )
    parser.add_argument("--seconds", type=float, default=SECONDS, help="a question")
    parser.add_argument("--small", action="store_true", help="tiny sizes, to see that all runs")
    parser.add_argument("--no-memory", action="store_true", help="leave out the peak memory")
    parser.add_argument("--docs", type=Path, help="folder for benchmarks.json, .png and .md")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Answer the questions that are asked for and print the table as it grows.

    With all questions at their real sizes the documents are written, too.
    """
    chosen = options(arguments)
    keys = [key for key in chosen.only.split(",") if key] or list(QUESTIONS)
    unknown = [key for key in keys if key not in QUESTIONS]
    if unknown:
        raise VarbookError(
            f"There is no question {unknown[0]!r}; take some of {', '.join(QUESTIONS)}."
        )
    began, device = time.perf_counter(), setup(0)
    facts, rates = (
        machine_facts(device, torch.get_num_threads()),
        limits(device, 256 if chosen.small else 2048),
    )
    announce(facts, rates)
    rows: list[dict] = []
    for key in keys:
        asked = (key, rates, facts["column"], chosen.seconds, chosen.small)
        if chosen.small:
            answers = answer_alone(*asked)
        else:
            answers = in_fresh_process(answer_alone, asked, f"The question {key}")
        if key in MEMORY and not chosen.no_memory:
            add_memory(answers, facts["threads"], chosen.small)
        for number, row in enumerate(answers):
            print(line(row, number == 0), flush=True)
        for note in answers[-1]["notes"]:
            print(f"    {note}")
        rows += answers
    seconds = time.perf_counter() - began
    print(f"\n{seconds:.0f} s in all")
    whole = not chosen.only and not chosen.small and not chosen.no_memory
    folder = chosen.docs or (repository() / "docs" if whole else None)
    if folder:
        record = {"machine": facts, "rates": rates, "seconds": round(seconds), "rows": rows}
        (folder / "benchmarks.json").write_text(
            json.dumps(record, indent=1) + "\n", encoding="utf-8"
        )
        write_document(record, folder)
    return 0


if __name__ == "__main__":
    sys.exit(ended(main))
