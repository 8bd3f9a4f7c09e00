"""A kept notebook as a page of the site: numbered equations, links, alternative texts, and what is
bookkeeping folded away. The notebooks themselves stay as they are.
"""

import hashlib
import json
import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from varbook.book.markdown import in_prose
from varbook.book.reading import reading_minutes
from varbook.book.site.equations import Equation, equations_of, numbered
from varbook.book.site.glossary import Entry, index_entries, linked_words
from varbook.book.site.references import (
    Linker,
    Places,
    chapter_anchor,
    named_chapters,
    section_anchor,
    sections_of,
)
from varbook.errors import VarbookError
from varbook.files import read_json

PICTURES = ("image/png", "image/jpeg", "image/svg+xml", "image/gif")
_ALT = re.compile(r"\[(.{3,})\]", re.S)
_HEADING = re.compile(r"^(##+ (\d+(?:\.\d+)*)\.? .*)$", re.M)


@dataclass(frozen=True)
class Chapter:
    """A notebook that was read: its chapter's number, its cells, and whether it holds solutions."""

    number: str
    cells: list[dict]
    solutions: bool = False

    @property
    def texts(self) -> list[str]:
        """Return the Markdown of its text cells."""
        return [source(cell) for cell in self.cells if cell["cell_type"] == "markdown"]

    @property
    def equations(self) -> list[Equation]:
        """Return its displayed equations."""
        name = f"{self.number}s" if self.solutions else self.number
        return equations_of(name, "\n\n".join(self.texts))

    @property
    def sections(self) -> list[str]:
        """Return the numbers of its sections: "1", "3.1"."""
        return sections_of(self.texts)

    @property
    def minutes(self) -> int:
        """Return about how long it takes to read."""
        return reading_minutes(self.cells)


def source(cell: dict) -> str:
    """Return a cell's text."""
    return "".join(cell["source"])


def read_chapter(path: Path, number: str, solutions: bool = False) -> Chapter:
    """Return a notebook's cells; VarbookError where the file is not a notebook."""
    cells = read_json(path, "restore it from the repository").get("cells")
    if not isinstance(cells, list):
        raise VarbookError(f"{path} is not a notebook: restore it from the repository.")
    return Chapter(number, cells, solutions)


def pictures(cell: dict) -> list[tuple[bytes, str]]:
    """Return (data, alternative text) of each picture that a cell shows.

    The text is what the cell shows where pictures cannot be seen: `[a horse]`. It is empty where a
    cell leaves it out.
    """
    found = []
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        for kind in PICTURES:
            if kind in data:
                raw = "".join(data[kind])
                told = _ALT.fullmatch("".join(data.get("text/plain", "")).strip())
                body = raw.encode() if kind.endswith("xml") else b64decode(raw)
                found.append((body, " ".join(told[1].split()) if told else ""))
                break
    return found


def alternative_texts(chapter: Chapter) -> dict[str, str]:
    """Return digest of a picture -> its alternative text, for a chapter's outputs.

    VarbookError where a picture has none.
    """
    texts = {}
    for place, cell in enumerate(chapter.cells):
        for data, alt in pictures(cell):
            if not alt:
                raise VarbookError(
                    f"A picture in cell {place} of chapter {chapter.number} has no text for "
                    "those who cannot see it: show it with show_figure(picture, alt) or "
                    "save_figure(..., alt=...)."
                )
            texts[hashlib.sha256(data).hexdigest()] = alt
    return texts


def section_words(chapter: Chapter, glossary: list[Entry]) -> dict[str, list[str]]:
    """Return section -> the words of the glossary that it is about, for a chapter's sections."""
    parts = _HEADING.split("\n\n".join(chapter.texts))
    sections = zip(parts[1::3], parts[2::3], parts[3::3], strict=True)
    return {number: index_entries(head, text, glossary) for head, number, text in sections}


@dataclass
class _Page:
    """What the cells of one page share while it is made."""

    chapter: Chapter
    linker: Linker
    glossary: list[Entry]
    files: Callable[[str], str]  # leads links to files on to pages
    equations: list[Equation]  # not yet shown
    linked: set[str]  # words of the glossary that were linked already
    index: dict[str, list[str]]  # section -> words of the glossary that it is about

    def text(self, text: str) -> str:
        """Return a text cell's Markdown for the site."""
        text = self.linker(numbered(self.files(text), self.equations))
        text = linked_words(text, self.glossary, self.linked)
        return text if self.chapter.solutions else self._sections(text)

    def _sections(self, text: str) -> str:
        """Give each numbered heading its address, and below it what the index finds there."""

        def anchored(match: re.Match) -> str:
            heading, section = match.groups()
            number = self.chapter.number
            found = [f"{word}; {number} section {section}" for word in self.index[section]]
            index = f"\n\n```{{index}} {', '.join(found)}\n```\n" if found else ""
            return f"({section_anchor(number, section)})=\n{heading}{index}"

        return _HEADING.sub(anchored, text)

    def code(self, cell: dict) -> dict:
        """Return a code cell for the site: parameters and imports are folded away."""
        text, tags = source(cell), list(cell["metadata"].get("tags", []))
        if "parameters" in tags or "chapter_header(" in text:
            tags.append("hide-input")
        outputs = [self.output(output) for output in cell.get("outputs", [])]
        return cell | {"metadata": cell["metadata"] | {"tags": tags}, "outputs": outputs}

    def output(self, output: dict) -> dict:
        """Return an output whose links lead to pages, and whose table can be scrolled sideways."""
        data = dict(output.get("data", {}))
        if "text/html" in data:
            table = "".join(data["text/html"])
            data["text/html"] = f'<div class="table-scroll" tabindex="0">{table}</div>'
        if "text/markdown" in data:
            text = self.linker(self.files("".join(data["text/markdown"])))
            data["text/markdown"] = in_prose(text, named_chapters)
        return output | {"data": data} if data else output


def page(
    chapter: Chapter,
    places: Places,
    top: str,
    glossary: list[Entry],
    files: Callable[[str], str],
) -> str:
    """Return the notebook of a page as JSON.

    `top` is Markdown that stands below the title; `files` turns links to files in Markdown into
    links to pages.
    """
    linker = Linker(chapter.number, places)
    index = section_words(chapter, glossary)
    made = _Page(chapter, linker, glossary, files, chapter.equations, set(), index)
    cells = []
    for cell in chapter.cells:
        if cell["cell_type"] == "markdown":
            cells.append(cell | {"source": made.text(source(cell)), "metadata": {}})
        else:
            cells.append(made.code(cell))
    title, _, rest = cells[0]["source"].partition("\n")
    anchor = f"{chapter_anchor(chapter.number)}{'s' if chapter.solutions else ''}"
    cells[0]["source"] = f"({anchor})=\n{title}\n\n{top}\n{rest}"
    return notebook(cells)


def notebook(cells: list[dict]) -> str:
    """Return a notebook of these cells as JSON."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    whole = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, ensure_ascii=False, indent=1)
