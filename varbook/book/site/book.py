"""The book as it is read for the site: its notebooks, its glossary, and where everything stands."""

from dataclasses import dataclass

from varbook.book import chapters
from varbook.book.site.address import repository_name
from varbook.book.site.equations import Equation, first_places
from varbook.book.site.glossary import Entry, entries
from varbook.book.site.notebooks import Chapter, read_chapter
from varbook.book.site.references import Places
from varbook.paths import check_checkout, repository

# Pages of docs/ that belong to the book; what else the text names is linked to the repository.
DOCS = ("glossary", "notation", "promises")


@dataclass(frozen=True)
class Book:
    """All that the pages are made of."""

    chapters: dict[str, Chapter]  # number -> notebook
    solutions: dict[str, Chapter]
    glossary: list[Entry]
    places: Places
    name: str | None  # "owner/name" of the repository

    @property
    def pages(self) -> dict[str, str]:
        """Return file of the repository -> page that is made of it."""
        entries = [chapters.CHAPTERS[number] for number in self.chapters]
        files = [entry.path for entry in entries]
        files += [entry.solutions for entry in entries if entry.number in self.solutions]
        files += [repository() / "docs" / f"{name}.md" for name in DOCS]
        places = [path.relative_to(repository()).as_posix() for path in files]
        return {place: place for place in places} | {"figures/REPORT.md": "results.md"}

    @property
    def equations(self) -> list[Equation]:
        """Return every displayed equation."""
        every = [*self.chapters.values(), *self.solutions.values()]
        return [one for chapter in every for one in chapter.equations]


def read_book() -> Book:
    """Return the book's notebooks and pages; VarbookError where there is no checkout."""
    check_checkout()
    written = chapters.written()
    read = {one.number: read_chapter(one.path, one.number) for one in written}
    solved = {
        one.number: read_chapter(one.solutions, one.number, solutions=True)
        for one in written
        if one.solutions.is_file()
    }
    sections = {(number, n) for number, chapter in read.items() for n in chapter.sections}
    glossary = entries((repository() / "docs" / "glossary.md").read_text(encoding="utf-8"))
    book = Book(read, solved, glossary, Places(sections, {}), repository_name())
    book.places.equations.update(first_places(book.equations))
    return book
