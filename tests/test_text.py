"""What a reader reads: the field's words, numbers that are printed and not typed, references that
lead somewhere, core-minutes, and letters with one meaning.
"""

import ast
import json
import re
from collections import Counter
from functools import cache

import pytest

from varbook.book.chapters import CHAPTERS, NUMBER, number_of, written
from varbook.book.claims.registry import PUBLISHED
from varbook.book.site.references import Linker, Places, sections_of
from varbook.paths import repository

ROOT = repository()
NOTEBOOKS = sorted((ROOT / "notebooks").rglob("*_*.ipynb"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "data_scripts" / "README.md"]
# docs/mutants.md is generated, and its table is about code.
PAGES += [page for page in sorted((ROOT / "docs").rglob("*.md")) if page.name != "mutants.md"]
SOURCES = [*sorted((ROOT / "varbook").rglob("*.py")), *sorted((ROOT / "data_scripts").glob("*.py"))]
name_of = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@cache
def cells(path, kind: str) -> list[str]:
    """The sources of a notebook's cells of one kind: "markdown" or "code"."""
    every = json.loads(path.read_text("utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in every if cell["cell_type"] == kind]


def strings(code: str) -> list[str]:
    """The texts in Python code: what it prints, its captions and its docstrings."""
    nodes = ast.walk(ast.parse(code))
    return [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]


def prose(path) -> str:
    """What a reader reads of a file, without what is code."""
    text = path.read_text("utf-8") if path.suffix != ".ipynb" else ""
    if path.suffix == ".ipynb":
        printed = [text for code in cells(path, "code") for text in strings(code)]
        text = "\n".join([*cells(path, "markdown"), *printed])
    return text


# --- the field's words

# Home-made or quaint -> what to write instead.
BANNED = {
    r"\bdice\b": "seed, random draw",
    r"\btaken for (?:its|their|the) (?:class|target)\b": "accuracy",
    r"\bmade (?:as small|small|smaller)\b(?! (?:first|enough))": "downsampled",
    r"\bmade larger\b": "upsampled, enlarged",
    r"\bto be had\b": "available",
    r"\ba hair\b": "slightly, almost",
    r"\bshall\b": "should",
    r"\bprototype of this book\b": "a measurement that the book makes",
    r"\bhears? of\b": "depends on, receives",
    r"\bstrangers\b": "not connected, far apart",
    r"\ba like (?:time|number|size)\b": "an equal, a comparable",
    r"\bon the way back\b": "backward, in the other direction",
    r"\bnotes? for the way back\b": "steganography, hidden signals",
    r"\bgo(?:es)? on (?:where it|at which|from (?:there|its|the last))\b": "resume",
    r"\bforeign (?:network|classifier)\b": "independent",
    r"\bhalf as much again\b": "a factor of 1.5",
    r"\bhold the (?:study|papers' blinded study)\b": "run the study",
    r"\bcore minutes\b": "core-minutes",
    r"\bsets? of dice\b": "seeds",
    r"\bgo on line\b": "connect to the network",
    r"\bof no use\b": "unusable",
    r"\bwith what is shipped\b": "with the shipped models",
    r"\b(?:each|the) rooms?\b": "subpackage",
    r"\bis no trick\b": "is not an artefact",
    r"(?<!here)(?<!\s)\s+(?:is|are) (?-i:none)[.:]": "is not valid",
    r"\bnetworks? for perception\b": "LPIPS, perceptual network",
}
# Names that records and Python's modules have; a reader is shown other words (`show.tables.term`).
KEPT = ('"taken for its class', '"drawn, dice at all scales')


def banned(text: str) -> list[str]:
    for name in KEPT:
        text = text.replace(name, '"')
    found = [(word, good) for word, good in BANNED.items() if re.search(word, text, re.I)]
    return [f"{re.search(word, text, re.I)[0]!r}: write {good}" for word, good in found]


@pytest.mark.parametrize(
    "path", [*NOTEBOOKS, *PAGES, *SOURCES], ids=lambda path: str(path.relative_to(ROOT))
)
def test_home_made_words_stay_out(path):
    text = prose(path)
    if path.suffix == ".ipynb":  # a string is here without its quotes
        text = re.sub("|".join(name[1:] for name in KEPT), "", text)
    assert not banned(text)


def test_each_banned_word_is_found_and_its_remedy_said():
    assert banned("Rolled dice, made as small.") == [
        "'dice': write seed, random draw",
        "'made as small': write downsampled",
    ]
    assert not banned('row["taken for its class"], indices, a prototype, shallow')


@name_of
def test_quantization_is_spelt_in_one_way(path):
    texts = [re.sub(r"`[^`]*`", "", text) for text in cells(path, "markdown")]
    assert not re.findall(r"\w*quantis\w*", "\n".join(texts), re.I)


# --- numbers that a cell prints or a record holds

_DIGITS = r"\d+(?:[.,]\d+)*"
_NUMBER = rf"(?:{_DIGITS}|half an?|two|three|four|five|six|seven|eight|nine|ten|fifteen|twenty)"
QUANTITY = re.compile(
    rf"{_NUMBER} (?:(?:core-)?minutes?|hours?|seconds?)\b"
    rf"|{_DIGITS} (?:dB\b|%|(?:photographs|pictures|images|scenes)\b)"
    rf"|{_NUMBER} (?:of|out of) {_NUMBER}\b|\b(?:[Aa]ccuracy|FD-\w+|FID) (?:of |is )?{_DIGITS}"
)
# The heading of an exercise says how long it takes.
_EXERCISE = re.compile(r"^### Exercise \d+: .*$", re.M)
# What a text may say with a number of its own, and why: a measured one is printed by a cell, from
# the record that holds it, so that text and record cannot part.
SAID = {
    "a setting": {
        "01b": ["256 pictures"],
        "02": ["60 %"],
        "03": ["60 %", "900 of 4096"],
        "04": ["5 %"],
        "05": ["92 %", "16 of 16", "8 of 8", "10 of 16", "7 of 8"],
        "09": ["100 dB"],
        "11": ["30 %", "6 dB"],
    },
    "arithmetic": {"07": ["13 %"], "08": ["2 %"], "12": ["95 %"]},
    "a question, an exercise or an example": {
        "01": ["128 images"],
        "01b": [
            "80 %",
            "86 %",
            "90 %",
            "92 %",
            "FID is 12",
        ],
        "01bs": ["8 %"],
        "03": ["90 %", "50 %", "20 %", "100 %"],
        "04": ["two of 11"],
        "10": ["FD-toy of 5"],
        "12": ["60 %"],
        "14": ["ten minutes"],
    },
    "told by others": {
        "03": ["accuracy is 5", "6 %", "FID of 7"],
        "13": ["FID of 18", "256 images", "FID is 0.45"],
    },
    "the paper's, in a published table": {
        "08": ["FID 228", "FID 458"],
        "09": ["FID 82"],
        "10": ["FID 228", "FID 458", "FID 58.7", "FID 47.82", "FID of 47"],
    },
}


def short(path) -> str:
    """A notebook by its number: "03", or "03s" for the solutions."""
    return number_of(path) + ("s" if path.parent.name == "solutions" else "")


def said(path) -> set[str]:
    return {snippet for reasons in SAID.values() for snippet in reasons.get(short(path), [])}


@name_of
def test_no_measured_number_is_typed(path):
    text = _EXERCISE.sub("", "\n".join(cells(path, "markdown")))
    found = {match[0] for match in QUANTITY.finditer(text)}
    assert found == said(path), (
        "print it in a cell, from the record; or say in SAID why it may stand"
    )


@pytest.mark.parametrize(
    "text",
    [
        "after at most 15 minutes on two cores",
        "half an hour of training",
        "pays with 2 dB",
        "seen in 79 % of them",
        "some six of seven zebras",
        "on 550 photographs by day",
        "an accuracy of 0.98",
        "FD-toy 0.88",
    ],
)
def test_a_typed_number_is_noticed(text):
    assert QUANTITY.search(text)


def test_the_papers_numbers_are_those_of_the_tables():
    cells_of = [c for t in PUBLISHED.values() for row in t.as_dicts() for c in row.values()]
    printed = [cell for cell in cells_of if isinstance(cell, (int, float))]
    for snippets in SAID["the paper's, in a published table"].values():
        for number in (snippet.split()[-1] for snippet in snippets):
            digits = len(number.partition(".")[2])
            near = [cell for cell in printed if abs(cell - float(number)) < 10**-digits]
            assert near, number


# --- references


def places() -> Places:
    known = {}
    for path in NOTEBOOKS:
        if path.parent.name != "solutions":
            known[number_of(path)] = sections_of(cells(path, "markdown"))
    return Places({(chapter, number) for chapter in known for number in known[chapter]}, {})


# A chapter with or without a section of it; a bare "section 3" in code belongs to a paper.
_CHAPTER = re.compile(
    rf"[Cc]hapters?\s+{NUMBER}(?:,\s+sections?\s+[\d.]*\d)?"
    rf"|section\s+\d[\d.]*\s+of\s+chapter\s+{NUMBER}"
)


@pytest.mark.parametrize(
    "path", [*NOTEBOOKS, *PAGES, *SOURCES], ids=lambda path: str(path.relative_to(ROOT))
)
def test_what_names_a_chapter_or_its_section_leads_to_one(path):
    where = places()
    for reference in _CHAPTER.findall(prose(path)):
        Linker("00", where)(reference)
    assert not where.missing
    assert not re.findall(r"\b[Cc]hapter +\d\b", prose(path)), "chapters have two digits"


@name_of
def test_files_and_names_of_other_chapters_are_there(path):
    text = "\n".join(cells(path, "markdown"))
    for file in re.findall(r"`((?:varbook|tests|data_scripts|benchmarks|profiles)/[\w./]+)`", text):
        assert (ROOT / file).exists(), file
    for name, chapter in re.findall(r"`(\w+)` (?:in|of) chapter (\d\d)", text):
        assert name in CHAPTERS[chapter].path.read_text("utf-8"), f"{name} of chapter {chapter}"


class Recorder(Linker):
    """A linker that remembers the (chapter, section) that a text names."""

    def __init__(self, chapter: str):
        super().__init__(chapter, places())
        self.named: set[tuple[str, str]] = set()

    def _sections(self, chapter: str, text: str) -> str:
        self.named |= {(chapter, number) for number in re.findall(r"\d+(?:\.\d+)*", text)}
        return super()._sections(chapter, text)


def sections_named(path) -> set[tuple[str, str]]:
    recorder = Recorder(number_of(path))
    for text in cells(path, "markdown"):
        recorder(text)
    return recorder.named


@cache
def headings() -> dict[tuple[str, str], str]:
    """The heading of every section: ("09", "3") -> "One pass: eqs. 8 and 9"."""
    return {
        (entry.number, number): heading
        for entry in written()
        for text in cells(entry.path, "markdown")
        for number, heading in re.findall(r"^##+ (\d+(?:\.\d+)*)\.? (.*)$", text, re.M)
    }


@name_of
def test_a_section_that_is_named_is_still_the_one_that_was_meant(path):
    meant = json.loads((ROOT / "tests" / "section_references.json").read_text("utf-8"))
    for name, heading in meant.get(short(path), {}).items():
        section = tuple(name.split(", "))
        if section in sections_named(path):
            assert headings()[section] == heading, (
                f"section {name} is another one now: change its number in the text, "
                "or its heading in tests/section_references.json"
            )


@pytest.mark.parametrize("chapter", [entry.number for entry in written()])
def test_each_prediction_is_answered_where_the_chapter_says(chapter):
    path = CHAPTERS[chapter].path
    text = "\n\n".join(cells(path, "markdown"))
    told = re.search(r"(?:answers are in|down;)\s+sections?\s+(.+?)\.?\s*(?:have the|\n\n|$)", text)
    if not told:
        return
    named = re.findall(r"\d+", re.sub(r"exercise \d+", "", told[1]))
    sections = dict(re.findall(r"^## (\d+)\. .*\n((?:(?!^## ).*\n?)*)", text, re.M))
    for ordinal, number in zip(("first", "second", "third"), named, strict=False):
        answer = rf"\b{ordinal} (?:prediction|question|guess)\b"
        assert re.search(answer, sections[number]), f"section {number} answers no {ordinal} one"


# --- core-minutes


@name_of
def test_times_of_trainings_are_core_minutes(path):
    code = "\n".join(cells(path, "code"))
    assert not re.findall(r"""record(?:\.get\(|\[)["']minutes["']""", code), "use run.core_minutes"
    printed = [text for source in cells(path, "code") for text in strings(source)]
    spent = [text for text in printed if re.search(r"(?<!core-)\bminutes of training\b", text)]
    assert not spent


# --- notation


def symbols(page: str) -> list[list[str]]:
    """The symbols of each row of a table of letters."""
    rows = re.findall(r"^\| (\$.*?) \|", page, re.M)
    return [re.findall(r"\$([^$]+)\$", row) for row in rows]


def test_one_letter_has_one_meaning():
    table, borrowed = (ROOT / "docs" / "notation.md").read_text("utf-8").split("## Letters that a")
    counts = Counter(symbol for row in symbols(table) for symbol in row)
    assert not [symbol for symbol, count in counts.items() if count > 1]
    rows = re.findall(r"^\| (\$.*?) \| ([\d, ]+) \|", borrowed, re.M)
    places = Counter(
        (symbol, chapter)
        for names, chapters in rows
        for symbol in re.findall(r"\$([^$]+)\$", names)
        for chapter in chapters.split(", ")
    )
    assert not [place for place, count in places.items() if count > 1]


# --- exercises


@name_of
def test_exercises_answer_in_one_way(path):
    printed = [text for code in cells(path, "code") for text in strings(code)]
    assert not [text for text in printed if re.search(r"\bnot (?:done )?yet\b", text)], "try_out"
