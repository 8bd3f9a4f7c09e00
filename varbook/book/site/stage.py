"""Writes the sources of the site: every chapter and its solutions, the pages of docs/, the results.

`stage(folder)` mirrors the repository: the page of `notebooks/09_cyclevar.ipynb` is made of
`notebooks/09_cyclevar.ipynb` in the folder.
"""

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from varbook.book import chapters
from varbook.book.site.address import install_cell, resolved
from varbook.book.site.book import DOCS, Book, read_book
from varbook.book.site.contents import contents, short_path, top, trees
from varbook.book.site.glossary import glossary_page
from varbook.book.site.in_browser import translator_block
from varbook.book.site.notebooks import Chapter, alternative_texts, notebook, page
from varbook.book.site.references import Linker
from varbook.book.site.results import results_page
from varbook.errors import VarbookError
from varbook.files import write_atomically, write_json
from varbook.paths import repository

# Pages on which something of a chapter is tried in the browser: the chapter, and the page's file in
# docs/book.
TO_TRY = {"09": "translator.md", "08": "relaxations.md"}


def _write_chapter(book: Book, entry: chapters.Chapter, chapter: Chapter, folder: Path) -> str:
    """Write a chapter's page and the notebook to download; return its place without suffix."""
    path = entry.solutions if chapter.solutions else entry.path
    place = path.relative_to(repository())

    def files(text: str) -> str:
        return resolved(text, place.as_posix(), book.pages, book.name)

    text = page(chapter, book.places, top(book, entry, chapter), book.glossary, files)
    write_atomically(folder / place, text)
    cells = list(chapter.cells)
    if book.name:
        first: dict = {
            "cell_type": "code",
            "execution_count": None,
            "id": "install",
            "metadata": {},
        }
        cells.insert(1, first | {"outputs": [], "source": install_cell(book.name)})
    write_atomically(folder / "extra" / "download" / place, notebook(cells))
    return place.with_suffix("").as_posix()


def _filled(page: str, blocks: dict[str, str]) -> str:
    """Return a page of docs/book with its places filled; VarbookError where it has lost one."""
    text = (repository() / "docs" / "book" / page).read_text(encoding="utf-8")
    for mark, block in blocks.items():
        place = f"<!-- {mark} -->\n"
        if place not in text:
            raise VarbookError(f"docs/book/{page} has lost its place for the {mark}: put it back.")
        text = text.replace(place, block)
    return text


def _write_docs(book: Book, folder: Path) -> None:
    for name in DOCS:
        here = f"docs/{name}.md"
        text = (repository() / here).read_text(encoding="utf-8")
        text = resolved(text, here, book.pages, book.name)
        write_atomically(folder / here, glossary_page(text) if name == "glossary" else text)


def _copy_pictures(pictures: Iterable[Path], folder: Path) -> None:
    for picture in pictures:
        target = folder / "figures" / picture.parent.name / picture.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(picture, target)


def stage(folder: Path, missing: Sequence[str] = ()) -> Book:
    """Write the site's sources into `folder`, which is emptied first, and return the book.

    `missing` says what the page that translates in the browser lacks. `equations.json` and
    `pictures.json` there tell Sphinx where equations stand, and what pictures show. VarbookError
    where a reference leads nowhere or a picture has no text.
    """
    book = read_book()
    shutil.rmtree(folder, ignore_errors=True)
    texts: dict[str, str] = {}
    written: dict[bool, dict[str, str]] = {False: {}, True: {}}
    for chapter in (*book.chapters.values(), *book.solutions.values()):
        entry = chapters.CHAPTERS[chapter.number]
        place = _write_chapter(book, entry, chapter, folder)
        written[chapter.solutions][chapter.number] = place
        texts |= alternative_texts(chapter)
    for number, name in TO_TRY.items():
        blocks = {"translator": translator_block(missing)} if name == "translator.md" else {}
        text = Linker(number, book.places)(_filled(name, blocks))
        write_atomically(folder / "try" / name, text)
    if book.places.missing:
        raise VarbookError(
            f"References that lead nowhere: {'; '.join(book.places.missing)}. Fix the text, or "
            "say whose section or figure is meant (CycleVAR section 3.2)."
        )
    results, pictures = results_page()
    write_atomically(folder / "results.md", results)
    first = repository() / "figures" / "laptop" / "extra" / "cyclevar_toy_world.png"
    _copy_pictures([*pictures, first], folder)
    _write_docs(book, folder)
    leading = {"contents": contents(book), "short path": short_path(book)}
    tables = {"trees": trees(written[False], written[True])}
    write_atomically(folder / "index.md", _filled("index.md", leading | tables))
    rows = [[*key, anchor] for key, anchor in book.places.equations.items()]
    pages = {
        one.anchor: written[one.chapter.endswith("s")][one.chapter.removesuffix("s")]
        for one in book.equations
    }
    write_json(folder / "equations.json", {"places": rows, "pages": pages})
    write_json(folder / "pictures.json", texts)
    return book
