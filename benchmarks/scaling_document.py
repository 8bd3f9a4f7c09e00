"""docs/scaling.md, its picture and its numbers, made of what a run has measured."""

import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

X_NAMES = {
    "tokens": "tokens of a picture",
    "depth": "blocks",
    "batch": "pictures at a time",
    "resolution": "pixels of a side",
}

TEXT = """# What size costs

Measured by `make bench-scaling` on {processor} ({class}), {threads} threads, in {precision}, torch {torch}, {date}. One size grows
over about a decade while the others stay: a latent of 16 x 16, eight scales, three blocks of 128 channels, two pictures.
A training step is the next-scale model's, for the resolution the tokenizer's; a generation draws with guidance and decodes.

![Time and peak memory against size, with straight lines through the logarithms](scaling.png)

An exponent of 1 means: twice the size, twice the cost. "Operations" is the exponent of the floating-point operations that
torch counts at the same sizes: what the time should follow. Small sizes are dominated by what every call costs whatever its
size, which makes the exponent of time smaller; attention over more tokens makes it larger than 1. Memory is what a step or a
generation needs beyond weights and optimiser.

| | what grows | from | to | time | operations | memory | time at the ends | memory at the ends |
|---|---|---|---|---|---|---|---|---|
{rows}
"""


def row(curve: dict) -> str:
    """Return a curve as a row in Markdown."""
    first, last, fitted = curve["points"][0], curve["points"][-1], curve["exponents"]
    cells = [
        curve["kind"],
        X_NAMES[curve["axis"]],
        f"{first['x']:,.0f}",
        f"{last['x']:,.0f}",
        *[f"{fitted[name]:.2f}" for name in ("seconds", "gflop", "peak")],
        f"{1000 * first['seconds']:,.0f} to {1000 * last['seconds']:,.0f} ms",
        f"{first['peak']:,.0f} to {last['peak']:,.0f} MiB",
    ]
    return "| " + " | ".join(cells) + " |"


def draw(curves: list[dict], file: Path) -> None:
    """Draw time above and memory below, a column for each axis."""
    axes_of = list(dict.fromkeys(curve["axis"] for curve in curves))
    figure, panels = plt.subplots(2, len(axes_of), figsize=(4.2 * len(axes_of), 6.4), squeeze=False)
    colours = {"training": "#1f6f8b", "generation": "#d1495b"}
    for curve in curves:
        column = axes_of.index(curve["axis"])
        x = [point["x"] for point in curve["points"]]
        for line, (name, unit) in enumerate((("seconds", "seconds"), ("peak", "MiB"))):
            panel, y = panels[line][column], [point[name] for point in curve["points"]]
            slope = curve["exponents"][name]
            label = f"{curve['kind']}: {slope:.2f}"
            label += f" (operations {curve['exponents']['gflop']:.2f})" if name == "seconds" else ""
            panel.loglog(x, y, "o-", color=colours[curve["kind"]], label=label)
            panel.set_xlabel(X_NAMES[curve["axis"]])
            panel.set_ylabel(unit if column == 0 else "")
            panel.grid(True, which="major", alpha=0.3)
    for panel in panels.flat:
        panel.legend(fontsize=8, loc="upper left")
        low, high = panel.get_ylim()
        panel.set_ylim(low, high * 4)
    panels[0][0].set_title("Time, and its exponent", loc="left")
    panels[1][0].set_title("Peak memory, and its exponent", loc="left")
    figure.tight_layout()
    figure.savefig(file, dpi=120)
    plt.close(figure)


def write_document(record: dict, folder: Path) -> None:
    """Write scaling.json, scaling.md and scaling.png of a run's record into `folder`."""
    (folder / "scaling.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    rows = "\n".join(row(curve) for curve in record["curves"])
    text = TEXT.format(**record["machine"], rows=rows)
    (folder / "scaling.md").write_text(text, encoding="utf-8")
    draw(record["curves"], folder / "scaling.png")
