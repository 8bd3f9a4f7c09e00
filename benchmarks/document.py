"""docs/benchmarks.md and its picture, made of what a run has measured."""

import re
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

PLAIN, OURS, LOW = "#9aa5b1", "#1f6f8b", "#d1495b"

TEXT = """# How fast it is

The package beside the same mathematics written out. `make bench` measured this on {processor} ({kind}), {threads}
threads, torch {torch}, {date}, in {minutes} minutes; run it to see your own machine. The numbers are in
[benchmarks.json](benchmarks.json).

![For every question, how many times as fast as the plain formulation in float32](benchmarks.png)

**How it is measured.** Each question has candidates that compute the same; their answers are compared first. "Plain" is
the straightforward formulation, written out in [benchmarks/plain.py](../benchmarks/plain.py): attention under a dense
mask, AdaLN at every scale, a sort of all logits for top-p, softmax times codebook, all distances kept, every
translation a pass of its own. Candidates take turns in one process, another one for each question, so that other load
slows all of them alike. What the package sets for a whole process (that freed memory is kept, and how float32 products
are computed) holds in its turns only; plain candidates run as torch comes. A ratio is that of the medians; beside it
stand the quartiles of the ratio within a round. Other lines of a question are compared with its first one.

**Shares.** "Of rate" is the time that the operations of the package's form take at this machine's own rates of matrix
products and of convolutions, in the same precision, as a share of the time that was measured; "of copy" is the share of
its copying rate for what must at least be read and written. In this run: {rates}.
Much of a step is neither product nor convolution, and torch's own product in float32 is not the fastest there is on
every processor, so that a share may be above one.

**Memory.** The peak of a fresh process while it answers once, minus what it held before: what a call needs beyond its
inputs and weights.

{card}

**Wanted** is the goal that this project has set itself for {column}.

{table}
{notes}

"""

NO_CARD = """**A card.** None was at hand: these numbers are open. On a machine with one, `make bench` asks the same questions
there, and the shares are those of the card's measured rates."""

COLUMN_NAMES = {
    "avx2": "processors with AVX2 only",
    "avx512": "processors with AVX-512 and bfloat16",
    "card": "cards (none is set yet)",
    "": "such a processor (none is set)",
}


def table(rows: list[dict]) -> str:
    """Return the rows as a table in Markdown."""
    lines = [
        "| question | candidate | median | times as fast | quartiles | of rate | of copy | peak | wanted | |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    before = ""
    for row in rows:
        shares = [
            f"{row[name]:.0%}" if row[name] else "" for name in ("share_of_rate", "share_of_copy")
        ]
        peak = "" if row["peak"] is None else f"{row['peak']:,.0f} MiB"
        cells = [
            row["question"] if row["question"] != before else "",
            row["candidate"],
            time_text(row["median"]),
            f"{row['ratio']:.2f}",
            f"{row['ratio_low']:.2f} to {row['ratio_high']:.2f}",
            *shares,
            peak,
            wanted_text(row),
            held_text(row),
        ]
        before = row["question"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def time_text(seconds: float) -> str:
    """Return seconds in the unit in which they are read easily."""
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.1f} ms"


def wanted_text(row: dict) -> str:
    """Return what is wanted of a row."""
    parts = [f"{row['wanted']:g} times"] if row["wanted"] is not None else []
    parts += [f"{row['peak_wanted']:,.0f} MiB"] if row["peak_wanted"] is not None else []
    return ", ".join(parts)


def verdicts(row: dict) -> list[bool]:
    """Return for each thing that is wanted of a row, speed first, whether it is reached."""
    judged = []
    if row["wanted"] is not None:
        judged.append(row["ratio"] >= row["wanted"])
    if row["peak_wanted"] is not None:
        judged.append(row["peak"] <= row["peak_wanted"])
    return judged


def held_text(row: dict) -> str:
    """Return the same in words."""
    return ", ".join("held" if reached else "**not held**" for reached in verdicts(row))


def rates_text(rates: dict[str, float]) -> str:
    """Return the machine's rates in words."""
    return ", ".join(
        f"{name} {rate:,.0f} {'GB/s' if name == 'copy' else 'GFLOP/s'}"
        for name, rate in rates.items()
    )


def draw(record: dict, file: Path) -> None:
    """Draw one bar for each candidate but the first, question by question, with a mark where it is
    wanted to be.
    """
    groups: dict[str, list[dict]] = {}
    for row in record["rows"]:
        groups.setdefault(row["question"], []).append(row)
    figure, axes = plt.subplots(figsize=(12, 0.31 * len(record["rows"]) + 1.6))
    place, ticks, labels = 0.0, [], []
    for question, rows in groups.items():
        place -= 0.5
        axes.text(0.2, place, question, fontweight="bold", fontsize=10, va="center")
        for row in rows:
            place -= 0.9
            colour = PLAIN if row["plain"] else LOW if row["precision"] == "bfloat16" else OURS
            axes.barh(place, row["ratio"] - 1, 0.72, left=1, color=colour)
            axes.hlines(place, row["ratio_low"], row["ratio_high"], color="black", linewidth=1)
            axes.text(
                max(row["ratio"], row["ratio_high"], row["wanted"] or 1) * 1.03,
                place,
                f"{row['ratio']:.2f}   {time_text(row['median'])}",
                va="center",
                fontsize=9,
            )
            if row["wanted"] is not None:
                axes.vlines(row["wanted"], place - 0.45, place + 0.45, color="black", linewidth=2.5)
            ticks.append(place)
            labels.append(row["candidate"])
        place -= 0.6
    axes.set_xscale("log")
    highest = max(row["ratio_high"] for row in record["rows"])
    lowest = min(min(row["ratio_low"] for row in record["rows"]) * 0.8, 0.5)
    axes.set_xlim(lowest, highest * 2.2)
    for text in axes.texts:
        if text.get_fontweight() == "bold":
            text.set_x(lowest * 1.02)
    marks = [m for m in (0.25, 0.5, 1, 2, 3, 5, 10, 20, 50, 100) if lowest <= m <= highest * 2]
    axes.set_xticks(marks, [f"{mark:g}" for mark in marks])
    axes.minorticks_off()
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_yticks(ticks, labels, fontsize=9)
    axes.set_ylim(place, 0.6)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.set_xlabel(
        "times as fast as the first candidate (logarithmic); thick mark: wanted; thin line: quartiles"
    )
    facts = record["machine"]
    axes.set_title(
        f"{facts['processor']}, {facts['class']}, {facts['threads']} threads, torch {facts['torch']}, {facts['date']}\n"
        "grey: plain, blue: varbook in float32, red: varbook in bfloat16",
        fontsize=10,
    )
    figure.tight_layout()
    figure.savefig(file, dpi=120)
    plt.close(figure)


def write_document(record: dict, folder: Path) -> None:
    """Write benchmarks.md and benchmarks.png of a run's record into `folder`."""
    facts, rates = record["machine"], record["rates"]
    notes = [note for row in record["rows"] for note in row.get("notes", [])]
    text = TEXT.format(
        processor=facts["processor"],
        kind=facts["class"],
        threads=facts["threads"],
        torch=facts["torch"],
        date=facts["date"],
        minutes=max(1, round(record["seconds"] / 60)),
        rates=rates_text(rates),
        card="" if facts["device"] == "cuda" else NO_CARD,
        column=COLUMN_NAMES[facts["column"]],
        table=table(record["rows"]),
        notes="".join(f"\n- {note}" for note in notes),
    )
    (folder / "benchmarks.md").write_text(
        re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n", encoding="utf-8"
    )
    draw(record, folder / "benchmarks.png")
