"""What the text names becomes a link: chapters, sections, equations, figures and tables, issues."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from varbook.book.chapters import CHAPTERS, NUMBER
from varbook.book.claims.registry import REGISTRY
from varbook.book.markdown import in_prose

_BETWEEN = r"(?:,\s+and\s+|,\s+|\s+and\s+|\s+to\s+|\s+or\s+)"
_ONE = r"\d+(?:\.\d+)*"
_LIST = rf"{_ONE}(?:{_BETWEEN}{_ONE}(?![\w%]))*"
_CHAPTERS = rf"{NUMBER}(?:{_BETWEEN}{NUMBER}(?!\w))*"
_PAPER = r"(?P<paper>CycleVAR|FlexVAR)(?:'s)?\s+"
# Where the issues stand that the text names as VAR#38 or "VAR issue 38".
_REPOSITORIES = {
    "VAR": "FoundationVision/VAR",
    "Infinity": "FoundationVision/Infinity",
    "img2img-turbo": "GaParmar/img2img-turbo",
}
_OF_REPOSITORY = rf"(?P<repository>{'|'.join(_REPOSITORIES)})"
# In this order: issues, a chapter with its sections, equations, figures and tables, sections,
# chapters.
_REFERENCE = re.compile(
    rf"\b{_OF_REPOSITORY}(?P<issues>#\d+(?:,\s+#\d+)*|,?\s+issue\s+\d+)"
    rf"|(?P<of>[Cc]hapter\s+(?P<of_number>{NUMBER})),\s+(?P<of_sections>sections?\s+{_LIST})"
    rf"|(?:{_PAPER})?(?P<equations>eqs?\.\s+{_LIST})"
    rf"(?:\s+of\s+(?P<there>chapter\s+(?P<there_number>{NUMBER})))?"
    r"|(?P<claim_paper>CycleVAR|FlexVAR)(?:'s)?\s+"
    rf"(?P<claims>(?P<kind>fig|table)(?:ure)?s?\s+{_LIST})"
    r"|(?P<whose>(?:CycleVAR|FlexVAR|VAR|Infinity|[Pp]aper|chapter)(?:'s)?\s+)?"
    rf"(?P<sections>[Ss]ections?\s+{_LIST})"
    rf"(?:\s+of\s+(?P<in>chapter\s+(?P<in_number>{NUMBER})))?"
    rf"|(?P<chapters>[Cc]hapters?\s+{_CHAPTERS})"
)


@dataclass
class Places:
    """Where everything is that a text can name."""

    sections: set[tuple[str, str]]  # (chapter, section): ("09", "3"), ("00", "3.1")
    equations: dict[tuple[str, int, str], str]  # see `first_places`
    missing: list[str] = field(default_factory=list)  # references that lead nowhere


def _linked(text: str, targets: dict[str, str], number: str = _ONE) -> str:
    """Return "sections 3 and 5" with links: at the number, or at both words where it is one.
    `number` is what counts as one.
    """
    numbers = re.findall(number, text)
    if len(numbers) == 1:
        return f"[{text}](#{targets[numbers[0]]})" if numbers[0] in targets else text
    return re.sub(
        number,
        lambda one: f"[{one[0]}](#{targets[one[0]]})" if one[0] in targets else one[0],
        text,
    )


def section_anchor(chapter: str, section: str) -> str:
    """Return the address of a section within the site: "ch-09-3"."""
    return f"ch-{chapter}-{section.replace('.', '-')}"


def chapter_anchor(chapter: str) -> str:
    """Return the address of a chapter within the site: "ch-09"."""
    return f"ch-{chapter}"


def named_chapters(text: str) -> str:
    """Return generated text with a link at each chapter's number and title: "03 Next-scale
    prediction".
    """
    for number, entry in CHAPTERS.items():
        name = f"{number} {entry.title}"
        text = re.sub(
            rf"{re.escape(name)}(?![\w ]*\])", f"[{name}](#{chapter_anchor(number)})", text
        )
    return text


def paper_of(chapter: str) -> str:
    """Return the paper that a bare "eq. 5" means in a chapter: FlexVAR up to 07, then CycleVAR."""
    return "FlexVAR" if chapter < "08" else "CycleVAR"


class Linker:
    """Turns the references of one chapter's text into links; what leads nowhere is noted in
    `places.missing`.
    """

    def __init__(self, chapter: str, places: Places):
        self.chapter, self.places = chapter, places

    def __call__(self, text: str) -> str:
        """Return Markdown with links."""
        return in_prose(text, lambda piece: _REFERENCE.sub(self._link, piece))

    def _link(self, match: re.Match) -> str:
        if match["issues"]:
            return match["repository"] + self._issues(match)
        if match["of"]:
            chapter = match["of_number"]
            first = self._chapters(match["of"])
            return f"{first}, {self._sections(chapter, match['of_sections'])}"
        if match["equations"]:
            return self._equations(match)
        if match["claims"]:
            return self._claims(match)
        if match["sections"]:
            return self._own_sections(match)
        return self._chapters(match["chapters"])

    def _issues(self, match: re.Match) -> str:
        address = f"https://github.com/{_REPOSITORIES[match['repository']]}/issues"
        return re.sub(r"#?(\d+)", rf"[\g<0>]({address}/\1)", match["issues"])

    def _note(self, what: str) -> None:
        self.places.missing.append(f"chapter {self.chapter}: {' '.join(what.split())}")

    def _chapters(self, text: str) -> str:
        numbers = re.findall(NUMBER, text)
        for number in numbers:
            if number not in CHAPTERS:
                self._note(text)
        targets = {n: chapter_anchor(n) for n in numbers if n in CHAPTERS}
        return _linked(text, targets, NUMBER)

    def _sections(self, chapter: str, text: str) -> str:
        numbers = re.findall(_ONE, text)
        known = [number for number in numbers if (chapter, number) in self.places.sections]
        if len(known) < len(numbers):
            self._note(f"{text} of chapter {chapter}")
        return _linked(text, {number: section_anchor(chapter, number) for number in known})

    def _own_sections(self, match: re.Match) -> str:
        if match["whose"] and not match["whose"].startswith("chapter"):
            return match[0]  # a section of a paper
        chapter = match["in_number"] or self.chapter
        linked = (match["whose"] or "") + self._sections(chapter, match["sections"])
        return f"{linked} of {self._chapters(match['in'])}" if match["in"] else linked

    def _equations(self, match: re.Match) -> str:
        text = match["equations"]
        before = match[0][: match.start("equations") - match.start()]
        paper = match["paper"] or paper_of(match["there_number"] or self.chapter)
        targets = equation_targets(text, paper, self.chapter, self.places.equations)
        after = f" of {self._chapters(match['there'])}" if match["there"] else ""
        return before + _linked(text, targets) + after

    def _claims(self, match: re.Match) -> str:
        paper, kind = match["claim_paper"].lower(), match["kind"]
        numbers = re.findall(_ONE, match["claims"])
        ids = {number: f"{paper}-{kind}-{number}" for number in numbers}
        for name in ids.values():
            if name not in REGISTRY:
                self._note(match[0])
        before = match[0][: match.start("claims") - match.start()]
        return before + _linked(match["claims"], {n: i for n, i in ids.items() if i in REGISTRY})


def equation_targets(
    text: str, paper: str, chapter: str, equations: dict[tuple[str, int, str], str]
) -> dict[str, str]:
    """Return number -> anchor for the equations of `paper` that `text` ("eqs. 8 and 9") names and
    the book displays, in this chapter where it does.
    """
    found = {}
    for number in re.findall(_ONE, text):
        if number.isdigit():
            here = equations.get((paper, int(number), chapter))
            anchor = here or equations.get((paper, int(number), ""))
            if anchor:
                found[number] = anchor
    return found


_IN_CODE = re.compile(rf"(?:{_PAPER})?(?P<equations>eqs?\. {_LIST})")
_COMMENT = re.compile(r'(<span class="(?:c1|sd)">)(.*?)(</span>)', re.S)


def link_comments(
    body: str, chapter: str, equations: dict[tuple[str, int, str], str], addresses: dict[str, str]
) -> str:
    """Return a page's HTML with links at the equations that comments and docstrings of highlighted
    code name. `addresses` maps an anchor to its address seen from this page.
    """

    def reference(match: re.Match) -> str:
        paper = match["paper"] or paper_of(chapter)
        text = match["equations"]
        targets = equation_targets(text, paper, chapter, equations)
        before = match[0][: match.start("equations") - match.start()]
        return before + re.sub(
            _ONE,
            lambda one: (
                f'<a class="eq-link" href="{addresses[targets[one[0]]]}">{one[0]}</a>'
                if one[0] in targets
                else one[0]
            ),
            text,
        )

    return _COMMENT.sub(lambda m: m[1] + _IN_CODE.sub(reference, m[2]) + m[3], body)


def sections_of(texts: Iterable[str]) -> list[str]:
    """Return the numbers of the numbered headings in a chapter's Markdown: "1", "3.1"."""
    return [n for text in texts for n in re.findall(r"^##+ (\d+(?:\.\d+)*)\.? ", text, re.M)]
