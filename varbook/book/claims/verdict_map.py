"""All verdicts as one picture: a tile per figure and table of both papers."""

from collections.abc import Mapping

from varbook.book.claims.artefact import Artefact
from varbook.book.claims.registry import REGISTRY
from varbook.book.claims.verdicts import COLOURS, HELD, NOT_HELD, SIGNS, WORDS
from varbook.book.show.style import WIDTH


def verdict_map(words: Mapping[str, str]):
    """Return a matplotlib figure with one tile per figure and table, coloured and signed by its
    verdict; `words` maps an id to its verdict.
    """
    import matplotlib.pyplot as plt
    from matplotlib.patches import Patch

    lines: dict[tuple[str, str], list[Artefact]] = {}
    for row in REGISTRY.values():
        lines.setdefault((row.paper, row.kind), []).append(row)
    figure, axes = plt.subplots(figsize=(WIDTH, 3.4))
    for y, ((paper, kind), line) in zip(reversed(range(len(lines))), lines.items(), strict=True):
        name = f"{paper}\n{'figures' if kind == 'fig' else 'tables'}"
        axes.text(-0.25, y + 0.45, name, ha="right", va="center")
        for x, row in enumerate(line):
            _tile(axes, x, y, row, words[row.id])
    handles = [Patch(facecolor=COLOURS[word], label=f"{SIGNS[word]}  {word}") for word in WORDS]
    axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.45, 0.0), ncols=4)
    longest = max(len(line) for line in lines.values())
    # To the left, room for the names of the lines.
    axes.set(xlim=(-1.9, longest), ylim=(-0.05, len(lines)), xticks=[], yticks=[])
    axes.axis("off")
    return figure


def _tile(axes, x: int, y: int, row: Artefact, word: str) -> None:
    from matplotlib.patches import Rectangle

    ink = "white" if word in (HELD, NOT_HELD) else "black"
    axes.add_patch(Rectangle((x, y), 0.92, 0.9, facecolor=COLOURS[word], edgecolor="none"))
    middle = {"ha": "center", "va": "center", "color": ink}
    text = f"{row.number} {SIGNS[word]}"
    axes.text(x + 0.46, y + 0.58, text, weight="bold", **middle)
    axes.text(x + 0.46, y + 0.22, f"nb {row.chapter}", fontsize=9, **middle)
