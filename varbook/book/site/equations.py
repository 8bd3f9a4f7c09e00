"""Displayed equations: a number of the book and an anchor for each, and where the papers' equations
stand.
"""

import re
from dataclasses import dataclass

from varbook.book.markdown import DISPLAYED

# "(CycleVAR eqs. 3, 4)", "(CycleVAR eq. 1, FlexVAR eq. 4)" inside of a formula.
_NAMED = re.compile(r"(CycleVAR|FlexVAR) eqs?\. (\d+(?:(?:, | and | to )\d+)*)(?![.\d])")
_TAG = re.compile(r"\s*\\tag\{([^{}]*)\}\s*$")


@dataclass(frozen=True)
class Equation:
    """One displayed equation of the book."""

    chapter: str  # "09"
    number: int  # 1, 2, ... within the chapter
    paper: tuple[tuple[str, int], ...]  # the equations of the papers that it is: ("CycleVAR", 5)

    @property
    def anchor(self) -> str:
        """Return its address within the site: "eq-09-2"."""
        return f"eq-{self.chapter}-{self.number}"

    @property
    def tag(self) -> str:
        """Return the number that stands beside it: "9.2"."""
        return f"{self.chapter[0].strip('0')}{self.chapter[1:]}.{self.number}"


def equations_of(chapter: str, text: str) -> list[Equation]:
    """Return the displayed equations in the Markdown of a chapter, in order."""
    found = []
    for number, match in enumerate(DISPLAYED.finditer(text), 1):
        named = [
            (paper, int(one))
            for paper, numbers in _NAMED.findall(match["tex"])
            for one in re.findall(r"\d+", numbers)
        ]
        found.append(Equation(chapter, number, tuple(named)))
    return found


def numbered(text: str, equations: list[Equation]) -> str:
    """Return Markdown whose displayed equations carry the numbers and anchors of `equations`, of
    which it takes away those that it used.
    """

    def label(match: re.Match) -> str:
        one, indent = equations.pop(0), match["indent"]
        tex = match["tex"].strip()
        return f"\n{indent}({one.anchor})=\n{indent}$${tex} \\tag{{{one.tag}}}$$\n"

    return DISPLAYED.sub(label, text)


def without_number(tex: str) -> tuple[str, str | None]:
    """Return a formula without the number that `numbered` put at its end, and that number: "9.1";
    None where it has none.
    """
    tag = _TAG.search(tex)
    return (tex[: tag.start()], tag[1]) if tag else (tex, None)


def first_places(equations: list[Equation]) -> dict[tuple[str, int, str], str]:
    """Return (paper, number, chapter) -> anchor for every equation of a paper, and (paper, number,
    "") -> anchor of its first place in the book.
    """
    places: dict[tuple[str, int, str], str] = {}
    for one in equations:
        for paper, number in one.paper:
            places.setdefault((paper, number, one.chapter), one.anchor)
            places.setdefault((paper, number, ""), one.anchor)
    return places
