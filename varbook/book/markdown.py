"""Markdown in pieces: what is prose, and what must be left as it is (code, formulas, links)."""

import re
from collections.abc import Callable

# Fences, displayed and inline formulas, inline code.
_CODE = (
    r"^ {0,3}(?P<fence>```+|~~~+|:::+).*?^ {0,3}(?P=fence)[ \t]*$"
    r"|\$\$.+?\$\$"
    r"|(?<![\\$\w])\$(?!\s)(?:\\.|[^$\\])+?(?<!\s)\$(?!\d)"
    r"|(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)"
)
# Links, HTML, headings and addresses of Markdown.
_REST = r"|!?\[[^\]\[]*\]\([^)\s]*\)|<[a-zA-Z/!][^>]*>|^#{1,6} .*?$|^\([\w-]+\)=$"
DISPLAYED = re.compile(r"^(?P<indent>[ \t]*)\$\$(?P<tex>.+?)\$\$[ \t]*$", re.M | re.S)
_KEPT = re.compile(_CODE + _REST, re.M | re.S)
_KEPT_BUT_LINKS = re.compile(_CODE, re.M | re.S)


def in_prose(text: str, change: Callable[[str], str], links: bool = False) -> str:
    """Return Markdown `text` with `change` applied to its prose: to each piece between code,
    formulas, links, HTML and headings; with `links`, to all but code and formulas.
    """
    parts, end = [], 0
    for kept in (_KEPT_BUT_LINKS if links else _KEPT).finditer(text):
        parts += [change(text[end : kept.start()]), kept.group()]
        end = kept.end()
    return "".join([*parts, change(text[end:])])


def words(text: str) -> int:
    """Return how many words of prose and headings a piece of Markdown has."""
    counted = 0

    def count(piece: str) -> str:
        nonlocal counted
        counted += len(re.findall(r"[^\W_][\w'-]*", piece))
        return piece

    in_prose(re.sub(r"^#+ ", "", text, flags=re.M), count)
    return counted


def displayed(text: str) -> int:
    """Return how many displayed equations a piece of Markdown has."""
    return len(DISPLAYED.findall(text))


def plain(text: str) -> str:
    """Return a heading or a sentence without Markdown's signs: for attributes and indices."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"[*`$\\{}]", "", text).strip()
