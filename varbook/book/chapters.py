"""The chapters: what each is for, what it needs from earlier ones, and where its notebook lies."""

import re
from dataclasses import dataclass
from pathlib import Path

from varbook.errors import VarbookError
from varbook.paths import repository

# A chapter's number as a regular expression; a letter is one that was put between two others, so
# that none of them had to change its number.
NUMBER = r"\d\d[a-f]?"


@dataclass(frozen=True)
class Chapter:
    """One chapter of the book."""

    number: str  # "00" to "14", "01b" for one that was put in after 01
    slug: str  # the notebook's file name after the number
    title: str
    purpose: str  # one sentence: what the reader has at the end
    sections: str  # the papers' sections behind it
    hardware: str  # what it runs on
    needs: tuple[
        str, ...
    ] = ()  # chapters whose checkpoints this one loads, or trains where they are missing
    reads: tuple[str, ...] = ()  # chapters that a reader should have read before

    @property
    def file_name(self) -> str:
        """Return the notebook's file name: "09_cyclevar.ipynb"."""
        return f"{self.number}_{self.slug}.ipynb"

    @property
    def path(self) -> Path:
        """Return where the notebook lies in the checkout, whether it is written yet or not."""
        return repository() / "notebooks" / self.file_name

    @property
    def solutions(self) -> Path:
        """Return where the notebook with the exercises' solutions lies."""
        return (
            repository() / "notebooks" / "solutions" / f"{self.number}_{self.slug}_solutions.ipynb"
        )


_CPU = "any computer; two cores are enough"
_CARD = "two cores for the toy world, one GPU for photographs"

_ALL = (
    Chapter(
        "00",
        "start_here",
        "Start here",
        "check the machine, meet the toy world, and translate one image in ten lines",
        "none",
        _CPU,
        needs=("09",),
    ),
    Chapter(
        "01",
        "vector_quantization",
        "Vector quantization",
        "build nearest-code lookup, the straight-through gradient, and the cure for dead codes",
        "CycleVAR 3.1, FlexVAR 3.3",
        _CPU,
        reads=("00",),
    ),
    Chapter(
        "01b",
        "how_pictures_are_judged",
        "How pictures are judged",
        "compute each measure of this book by hand, and say what it can and cannot tell",
        "CycleVAR 4.1, FlexVAR 4.2",
        _CPU,
        reads=("00",),
    ),
    Chapter(
        "02",
        "two_pyramids",
        "Two pyramids",
        "build the residual and the ground-truth pyramid and train a multi-scale tokenizer",
        "CycleVAR 3.1, FlexVAR 3.1 to 3.3",
        _CARD,
        reads=("01",),
    ),
    Chapter(
        "02b",
        "attention_from_zero",
        "Attention from zero",
        "build attention, heads, masks, positions and a block by hand, and watch a model learn to look",
        "none",
        _CPU,
        reads=("01",),
    ),
    Chapter(
        "03",
        "next_scale_prediction",
        "Next-scale prediction",
        "build the transformer that draws an image scale by scale, train it and sample from it",
        "CycleVAR 3.1, FlexVAR 3.1",
        _CARD,
        needs=("02",),
        reads=("02",),
    ),
    Chapter(
        "04",
        "ground_truth_prediction",
        "Ground truth instead of residuals",
        "turn VAR into FlexVAR in a few dozen lines, and compare the two at equal cost",
        "FlexVAR 3.4, 4.3, 4.4",
        _CARD,
        needs=("02", "03"),
        reads=("03",),
    ),
    Chapter(
        "05",
        "flexible_generation",
        "Flexible generation",
        "generate at any resolution, aspect ratio and number of steps",
        "FlexVAR 4.2, 4.4, 6 to 9, 11",
        _CARD,
        needs=("04",),
        reads=("04",),
    ),
    Chapter(
        "06",
        "editing_without_training",
        "Editing without training",
        "refine, paint in, paint out and extend images with a model that was never trained for it",
        "FlexVAR 4.4",
        _CARD,
        needs=("04",),
        reads=("05",),
    ),
    Chapter(
        "07",
        "mamba",
        "Mamba instead of attention",
        "build the selective scan and let eight zigzag paths stand in for attention",
        "FlexVAR 4.3, 7",
        _CARD,
        needs=("04",),
        reads=("04",),
    ),
    Chapter(
        "08",
        "softmax_relaxed_quantization",
        "Softmax relaxed quantization",
        "send a gradient through the choice of a code, four ways, and see what temperature does",
        "CycleVAR 3.3",
        _CPU,
        needs=("02", "03"),
        reads=("01", "03"),
    ),
    Chapter(
        "09",
        "cyclevar",
        "CycleVAR",
        "translate horses to zebras and back without pairs, in one pass of the model you built",
        "CycleVAR 3.2 to 3.4, 4.2",
        _CARD,
        needs=("02", "03"),
        reads=("03", "08"),
    ),
    Chapter(
        "10",
        "cyclevar_taken_apart",
        "CycleVAR taken apart",
        "take each part of CycleVAR away and see what it was for",
        "CycleVAR 4.3",
        _CPU,
        needs=("02", "03"),
        reads=("09",),
    ),
    Chapter(
        "11",
        "bits_and_words",
        "Bits and words",
        "replace the codebook by sign bits and the class by a text, and translate day to night",
        "CycleVAR 4.1, 4.2",
        _CARD,
        reads=("09",),
    ),
    Chapter(
        "12",
        "preference_study",
        "A preference study",
        "run the papers' blinded preference study with your friends",
        "CycleVAR 4.2",
        _CPU,
        needs=("09",),
        reads=("09",),
    ),
    Chapter(
        "13",
        "results",
        "Results",
        "see every figure and table of both papers beside ours, with a verdict on each claim",
        "all",
        _CPU,
        needs=("00", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12"),
        reads=("09",),
    ),
    Chapter(
        "14",
        "your_own_pictures",
        "Your own pictures",
        "go from two folders of your own pictures to a translator that other programs can run",
        "none",
        _CPU,
        reads=("09",),
    ),
)

CHAPTERS: dict[str, Chapter] = {chapter.number: chapter for chapter in _ALL}

# The parts of the book in order, with their chapters.
PARTS: dict[str, tuple[str, ...]] = {
    "From an image to tokens": ("00", "01", "01b", "02"),
    "Drawing, scale by scale": ("02b", "03", "04", "05", "06", "07"),
    "Translating without pairs": ("08", "09", "10", "11"),
    "Judging, and your own": ("12", "13", "14"),
}
# Enough to understand and run CycleVAR; the other chapters are labs that go deeper.
SHORT_PATH = ("00", "01", "02", "03", "08", "09")


def chapter(number: str | int) -> Chapter:
    """Return chapter `number` (9, "9" or "09", "1b" or "01b"); VarbookError where the book has none of that
    number.
    """
    given = str(number).strip().lower()
    key = f"0{given}" if re.fullmatch(r"\d[a-f]?", given) else given
    if key not in CHAPTERS:
        raise VarbookError(f'There is no chapter "{number}"; the book has {", ".join(CHAPTERS)}.')
    return CHAPTERS[key]


def star(number: str) -> str:
    """Return what stands after a chapter's name in a list: a star on the short path, else nothing."""
    return " ★" if number in SHORT_PATH else ""


def number_of(path: Path | str) -> str:
    """Return the number of the chapter that a notebook or a page is of: "01b_how....ipynb" is of
    01b.
    """
    return Path(path).name.split("_")[0]


def neighbours(number: str) -> tuple[Chapter | None, Chapter | None]:
    """Return the chapters before and after chapter `number`, None at the ends of the book."""
    keys = list(CHAPTERS)
    place = keys.index(number)
    around = [keys[i] if 0 <= i < len(keys) else None for i in (place - 1, place + 1)]
    before, after = (CHAPTERS[key] if key else None for key in around)
    return before, after


def written() -> list[Chapter]:
    """Return the chapters whose notebooks exist, in order."""
    return [one for one in CHAPTERS.values() if one.path.is_file()]
