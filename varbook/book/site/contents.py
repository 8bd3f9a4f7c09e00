"""What leads through the book: the parts, the short path, and the top of each chapter."""

from collections.abc import Iterable

from varbook.book import chapters
from varbook.book.site.address import colab_address
from varbook.book.site.book import DOCS, Book
from varbook.book.site.notebooks import Chapter
from varbook.book.site.references import chapter_anchor
from varbook.paths import repository

# Pages on which something of a chapter can be tried in the browser: anchor, and what it offers.
_TO_TRY = {
    "08": ("try-relaxations", "drag the four relaxations"),
    "09": ("try-translator", "translate a picture in the browser"),
}


def _told(book: Book, entry: chapters.Chapter, chapter: Chapter) -> list[str]:
    if chapter.solutions:
        return [f"[the chapter](#{chapter_anchor(entry.number)})"]
    parts = [f"about {chapter.minutes} minutes to read"]
    if entry.number in chapters.SHORT_PATH:
        parts.append("[on the short path](#short-path)")
    if entry.number in _TO_TRY:
        anchor, offer = _TO_TRY[entry.number]
        parts.append(f"[{offer}](#{anchor})")
    if entry.number in book.solutions:
        parts.append(f"[solutions](#{chapter_anchor(entry.number)}s)")
    return parts


def top(book: Book, entry: chapters.Chapter, chapter: Chapter) -> str:
    """Return what stands below a chapter's title: minutes, the short path, where to run it."""
    path = entry.solutions if chapter.solutions else entry.path
    place = path.relative_to(repository()).as_posix()
    depth = "../" * place.count("/")
    links = [f'<a href="{depth}download/{place}" download>Download the notebook</a>']
    colab = colab_address(book.name, place)
    if colab:
        links.insert(0, f'<a href="{colab}" rel="noreferrer">Open in Colab</a>')
    told = " · ".join(_told(book, entry, chapter))
    return f'{told}\n\n<p class="run-it">{" ".join(links)}</p>\n'


def contents(book: Book) -> str:
    """Return the table of the parts with their chapters and minutes."""
    lines = []
    for part, numbers in chapters.PARTS.items():
        lines += [f"### {part}\n", "| chapter | at the end you can | minutes |", "|---|---|---:|"]
        for number in numbers:
            if number in book.chapters:
                entry, chapter = chapters.CHAPTERS[number], book.chapters[number]
                name = f"[{number} {entry.title}](#{chapter_anchor(number)}){chapters.star(number)}"
                lines.append(f"| {name} | {entry.purpose} | {chapter.minutes} |")
        lines.append("")
    return "\n".join(lines)


def short_path(book: Book) -> str:
    """Return the chapters of the short path with their minutes, and the sum."""
    steps = [
        f"[{n} {chapters.CHAPTERS[n].title}](#{chapter_anchor(n)}) ({book.chapters[n].minutes} min)"
        for n in chapters.SHORT_PATH
        if n in book.chapters
    ]
    total = sum(book.chapters[n].minutes for n in chapters.SHORT_PATH if n in book.chapters)
    return f"{', '.join(steps)}: {total} minutes of reading in all.\n"


def _tree(caption: str, places: Iterable[str]) -> str:
    inside = "\n".join(places)
    return f"```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{inside}\n```\n"


def trees(written: dict[str, str], solved: dict[str, str]) -> str:
    """Return the site's table of contents; both dictionaries map a chapter's number to its page."""
    trees = [
        _tree(part, [written[n] for n in numbers if n in written])
        for part, numbers in chapters.PARTS.items()
    ]
    trees.append(_tree("In the browser", ["try/translator", "try/relaxations"]))
    trees.append(_tree("Results", ["results"]))
    more = [f"docs/{name}" for name in DOCS]
    trees.append(_tree("To look up", [*more, "genindex"]))
    trees.append(_tree("Solutions", solved.values()))
    return "\n".join(trees)
