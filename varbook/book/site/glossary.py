"""The glossary as a page whose words can be linked to and found in the index, and the places in the
chapters where its words are used.
"""

import re
from dataclasses import dataclass

from varbook.book.markdown import in_prose, plain

_ROW = re.compile(r"^\| (?P<word>[^|]*\*\*[^|]*) \| (?P<means>[^|]*) \| (?P<where>[^|]*) \|$", re.M)
_TABLE = re.compile(r"(?:^\|.*\|\n?)+", re.M)
# Shorter words without a space or a capital are everyday words as well ("key", "run", "scale").
_LONG = 9


@dataclass(frozen=True)
class Entry:
    """A row of the glossary."""

    words: tuple[str, ...]  # the word of the literature first
    also: str  # what others call it, or ""
    means: str
    where: str  # the file, as Markdown

    @property
    def block(self) -> str:
        """Return the entry as Sphinx's glossary directive has it."""
        also = f" Also: {self.also}." if self.also else ""
        where = "" if self.where in ("-", "same") else f" ({self.where})"
        return "\n".join([*self.words, f"  {self.means}.{also}{where}"])


def _entry(match: re.Match, before: str) -> Entry:
    named, _, also = match["word"].partition("[")
    words = [plain(word) for word in named.split(",") if plain(word)]
    where = before if match["where"] == "same" else match["where"]
    return Entry(tuple(words), also.rstrip("] "), match["means"].rstrip("."), where)


def entries(text: str) -> list[Entry]:
    """Return the rows of the glossary's tables; "same" becomes the file that it means."""
    found: list[Entry] = []
    for match in _ROW.finditer(text):
        found.append(_entry(match, found[-1].where if found else "-"))
    return found


def glossary_page(text: str) -> str:
    """Return the glossary's Markdown with a glossary directive in place of each table."""

    def directive(match: re.Match) -> str:
        blocks = "\n\n".join(one.block for one in entries(match[0]))
        return f"```{{glossary}}\n{blocks}\n```\n"

    return _TABLE.sub(directive, text)


def linked_words(text: str, glossary: list[Entry], used: set[str]) -> str:
    """Return Markdown in which a word of the glossary leads there, where a chapter has it first.

    `used` holds the words that the chapter has linked already, and grows.
    """
    names = {word.lower(): word for entry in glossary for word in entry.words if _telling(word)}
    if not names:
        return text
    longest = sorted(map(re.escape, names), key=len, reverse=True)
    pattern = re.compile(rf"(?<![\w-])({'|'.join(longest)})(?P<many>e?s)?(?![\w-])", re.I)

    def link(match: re.Match) -> str:
        word = names[match[1].lower()]
        if word in used:
            return match[0]
        used.add(word)
        return f"{{term}}`{' '.join(match[0].split())} <{word}>`"

    return in_prose(text, lambda piece: pattern.sub(link, piece))


def _telling(word: str) -> bool:
    return len(word) >= _LONG or " " in word or "-" in word or word != word.lower()


def index_entries(heading: str, text: str, glossary: list[Entry]) -> list[str]:
    """Return the words of the glossary that a section is about: in its heading, or, where they are
    no everyday words, at least three times in its text.
    """
    found = []
    for entry in glossary:
        for word in entry.words:
            pattern = re.compile(rf"(?<![\w-]){re.escape(word)}(?:e?s)?(?![\w-])", re.I)
            often = _telling(word) and len(pattern.findall(text)) >= 3
            if often or pattern.search(plain(heading)):
                found.append(word)
    return found
