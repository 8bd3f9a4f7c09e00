"""docs/training_steps.md: training steps against another commit, and two threads against one."""

import json
from pathlib import Path

TEXT = """# Training steps

One step of the package's own loops, two versions in turns, each in a process of its own: `seconds` are medians, the ratio
is that of the medians, with the quartiles of the ratio within a round, and beside it the ratio in processor time, which
load from elsewhere hardly changes. "laptop" is the toy world's chain of that profile at commit 6a24e5b, "papers" a latent
of 16 x 16 with the papers' ten scales, 680 tokens, depth 4 and width 192, at 64 pixels
([benchmarks/cases.py](../benchmarks/cases.py)). Tokenizers are past their warm-up, CycleVAR is past its identity steps.
Both versions start alike; where the loss of their first step differs, the table says so.

"""

TITLES = {
    "against_commit": "## Against another commit: `make bench-against`",
    "two_threads": "## Two threads against one: `make bench-threads`",
}


def row(before: dict, now: dict, wanted: float | None) -> str:
    """Return the rows of two versions as one in Markdown."""
    verdict = "" if wanted is None else "held" if now["ratio"] >= wanted else "**not held**"
    other = abs(now["loss"] - before["loss"]) > 0.02 * abs(before["loss"])
    cells = [
        now["case"] + (" (not the same training)" if other else ""),
        now["precision"],
        f"{1000 * before['median']:,.0f} ms",
        f"{1000 * now['median']:,.0f} ms",
        f"{now['ratio']:.2f}",
        f"{now['ratio_low']:.2f} to {now['ratio_high']:.2f}",
        f"{now['core_ratio']:.2f}",
        f"{before['peak']:,.0f}, {now['peak']:,.0f} MiB",
        "" if wanted is None else f"{wanted:g}",
        verdict,
    ]
    return "| " + " | ".join(cells) + " |"


def section(name: str, record: dict) -> str:
    """Return a record as a section in Markdown."""
    facts, rows = record["machine"], record["rows"]
    before, now = rows[0]["version"], rows[1]["version"]
    said = f"{facts['processor']} ({facts['class']}), {facts['threads']} threads, torch {facts['torch']}, {facts['date']}."
    lines = [TITLES[name], "", said, ""]
    lines += [
        f"| training | precision | {before} | {now} | times as fast | quartiles | in processor time | peak | wanted | |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for number in range(0, len(rows), 2):
        lines.append(row(*rows[number : number + 2], rows[number + 1].get("wanted")))
    return "\n".join(lines) + "\n"


def write_document(name: str, record: dict, folder: Path) -> None:
    """Write `name`.json into `folder`, and training_steps.md of what has been measured so far.

    `name` is one of TITLES.
    """
    (folder / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    files = {title: folder / f"{title}.json" for title in TITLES}
    sections = [
        section(title, json.loads(file.read_text(encoding="utf-8")))
        for title, file in files.items()
        if file.is_file()
    ]
    (folder / "training_steps.md").write_text(TEXT + "\n".join(sections), encoding="utf-8")
