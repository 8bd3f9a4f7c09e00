"""The block on top of each chapter, generated from the registry so that it is never stale."""

from varbook.book.chapters import CHAPTERS, Chapter, chapter, neighbours, star
from varbook.book.claims.registry import of_chapter
from varbook.book.reading import reading_minutes
from varbook.book.show.display import show_text
from varbook.files import peek_json
from varbook.paths import published


def measured_minutes(number: str, profile: str = "laptop") -> float | None:
    """Return the minutes that the runner measured for a chapter in a profile, as they come with the
    book (a reader's machine may be busy), or None where it has not run.
    """
    measured = peek_json(published() / profile / "times.json").get(number)
    minutes = measured.get("minutes") if isinstance(measured, dict) else None
    return minutes if isinstance(minutes, (int, float)) else None


def _time(entry: Chapter) -> str:
    cells = peek_json(entry.path).get("cells")
    reading = f"about {reading_minutes(cells)} min to read; " if isinstance(cells, list) else ""
    minutes = measured_minutes(entry.number)
    if minutes is None:
        return reading + "to run, not measured yet: `make publish` measures it"
    return f"{reading}{max(1, round(minutes))} min to run in the laptop profile with the shipped models"


def _link(entry: Chapter | None) -> str:
    if entry is None or not entry.path.is_file():
        return "-"
    return f"[{entry.number} {entry.title}]({entry.file_name})"


def header_text(number: str | int) -> str:
    """Return the header of a chapter as a Markdown table."""
    entry = chapter(number)
    makes = ", ".join(row.label for row in of_chapter(entry.number)) or "-"
    before = ", ".join(f"{key} {CHAPTERS[key].title}" for key in entry.reads) or "nothing"
    rows = [
        ("At the end you can", entry.purpose),
        ("Read before", before),
        ("Time", _time(entry)),
        ("Hardware", entry.hardware),
        ("Sections of the papers", entry.sections),
        ("Figures and tables made here", makes),
        ("Before, after", ", ".join(map(_link, neighbours(entry.number)))),
    ]
    return "| | |\n|---|---|\n" + "\n".join(f"| **{name}** | {text} |" for name, text in rows)


def chapter_header(number: str | int) -> None:
    """Show purpose, time, hardware, sections and figures of a chapter, and its neighbours."""
    show_text(header_text(number))


def contents_text() -> str:
    """Return the table of all chapters as Markdown: name, purpose, figures and tables; a chapter
    that is not written yet says so.
    """
    lines = ["| chapter | at the end you can | figures and tables |", "|---|---|---|"]
    for entry in CHAPTERS.values():
        name = f"{entry.number} {entry.title}"
        link = (
            f"[{name}]({entry.file_name})" if entry.path.is_file() else f"{name} (not written yet)"
        )
        labels = ", ".join(row.label for row in of_chapter(entry.number)) or "-"
        short = labels.replace("CycleVAR", "C").replace("FlexVAR", "F")
        lines.append(f"| {link}{star(entry.number)} | {entry.purpose} | {short} |")
    told = "★: the short path, enough to understand and run CycleVAR; the others go deeper."
    return "\n".join(lines) + f"\n\n{told} F is FlexVAR, C is CycleVAR."
