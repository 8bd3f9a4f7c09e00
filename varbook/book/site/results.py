"""The page of results: each figure and table of both papers, the paper's claim and number beside
our picture or table, with the verdict and the checks on which it rests.
"""

import html
from pathlib import Path

from varbook.book.chapters import CHAPTERS
from varbook.book.claims.artefact import Artefact
from varbook.book.claims.checks import by_check
from varbook.book.claims.registry import PUBLISHED, REGISTRY
from varbook.book.claims.saved import BEST_FIRST, best_result, place, saved_table
from varbook.book.claims.verdicts import NOT_RUN, WORDS, explained, sign
from varbook.book.show.tables import cell_text, columns_of
from varbook.book.site.references import chapter_anchor
from varbook.paths import only_in, published

_HEAD = """(both-papers)=
# Both papers beside ours

Each figure and table of CycleVAR and FlexVAR: on one side what the paper claims and prints, on
the other what this book makes, with a verdict that is computed from named checks. *Held*: all
checks are true; *partly*: some; *not held*: none. *Held* means that the claim holds in our setting,
small models on a toy world and small photographs, not that the paper's number is reached. The
papers' own pictures are theirs and are not shown.
"""


def _table(rows: list[dict], caption: str) -> str:
    """Return rows as an HTML table that can be scrolled sideways, every cell escaped."""
    names = columns_of(rows)

    def line(cells: list, tag: str) -> str:
        return f"<tr>{''.join(f'<{tag}>{html.escape(str(cell))}</{tag}>' for cell in cells)}</tr>"

    body = "".join(line([cell_text(row.get(name)) for name in names], "td") for row in rows)
    return (
        f'<div class="table-scroll" tabindex="0"><table><caption>{html.escape(caption)}</caption>'
        f"<thead>{line(names, 'th')}</thead><tbody>{body}</tbody></table></div>"
    )


def _paper_side(row: Artefact) -> str:
    printed = PUBLISHED.get(row.id)
    claim = f"**The paper.** {row.claim[0].upper()}{row.claim[1:]}"
    if printed is None:
        return (
            claim if row.published == "picture only" else f"{claim}\n\nIn print: {row.published}."
        )
    table = _table(printed.as_dicts(), f"{row.label} as printed")
    note = f"\n\n{printed.note}" if printed.note else ""
    return f"{claim}\n\n{table}{note}"


def _our_side(row: Artefact, result: dict | None) -> str:
    if result is None:
        return "**Ours.** Not run yet."
    profile, number = result["profile"], str(result["ours"])
    told = f"**Ours**, profile `{profile}`. {number[:1].upper()}{number[1:]}"
    # The saved table repeats the paper's rows: they stand on the other side.
    rows = saved_table(row.id, profile)
    ours = [line for line in rows if line.get("source") != "paper"]
    return f"{told}\n\n{_table(ours or rows, f'{row.label}, ours')}" if rows else told


def _picture(row: Artefact, result: dict | None) -> Path | None:
    picture = place(row.id, result["profile"]) / f"{row.id}.png" if result else None
    return picture if picture and picture.is_file() else None


def _checks(row: Artefact, result: dict) -> str:
    lines = [
        f"- {html.escape(sign(holds))} {html.escape(key)}. {html.escape(check.measured)}"
        for check, saved in by_check(row, result["checks"]).items()
        for key, holds in saved.items()
    ]
    return "\n".join(lines)


def _row(row: Artefact, pictures: list[Path]) -> str:
    result = best_result(row)
    word = result["verdict"] if result else NOT_RUN
    badge = f'<span class="verdict verdict-{word.replace(" ", "-")}">{word}</span>'
    chapter = CHAPTERS[row.chapter]
    made = f"made in [{chapter.number} {chapter.title}](#{chapter_anchor(chapter.number)})"
    kind = "beside" if row.id not in PUBLISHED else "below"
    parts = [
        f"({row.id})=\n### {row.label}: {row.title}\n",
        f"{badge} {made}\n",
        f"::::{{container}} {kind}\n:::{{container}} paper\n{_paper_side(row)}\n:::",
        f":::{{container}} ours\n{_our_side(row, result)}\n:::\n::::\n",
    ]
    picture = _picture(row, result)
    if picture:
        pictures.append(picture)
        parts.append(f"![{row.alt}](/figures/{picture.parent.name}/{picture.name})\n")
    if result and result.get("checks"):
        told = html.escape(explained(result["verdict"], result["checks"], named=0))
        summary = f"<summary>The checks: {told}</summary>"
        parts.append(f"<details>{summary}\n\n{_checks(row, result)}\n\n</details>\n")
    return "\n".join(parts)


def _score() -> str:
    results = {name: best_result(row, BEST_FIRST) for name, row in REGISTRY.items()}
    words = [result["verdict"] if result else NOT_RUN for result in results.values()]
    counts = ", ".join(f"{words.count(word)} {word}" for word in WORDS if word in words)
    return f"**{len(words)} figures and tables: {counts}.**\n"


def results_page() -> tuple[str, list[Path]]:
    """Return the page on what comes with the book as Markdown, and the pictures that it shows."""
    with only_in(published()):
        return _results_page()


def _results_page() -> tuple[str, list[Path]]:
    pictures: list[Path] = []
    parts = [_HEAD, _score()]
    for paper in dict.fromkeys(row.paper for row in REGISTRY.values()):
        parts.append(f"## {paper}\n")
        parts += [_row(row, pictures) for row in REGISTRY.values() if row.paper == paper]
    return "\n".join(parts), pictures
