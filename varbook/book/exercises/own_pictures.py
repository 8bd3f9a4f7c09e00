"""The exercises of chapter 14."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from varbook.book.exercises.checking import Case, Mistake, try_out
from varbook.errors import VarbookError

PARTS = ("tokenizer", "next-scale model", "translator")


def copied(folder: Path, files: Mapping[str, Sequence[Path]]) -> Path:
    """Copy pictures into subfolders of `folder`, name -> files, and return it."""
    for name, pictures in files.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number, file in enumerate(pictures):
            shutil.copyfile(file, folder / name / f"{number}{file.suffix}")
    return folder


def what_is_said(function: Callable, folder: Path, fewest: int) -> None:
    """Try `function(folder)` -> the sentence that refuses a folder with fewer than `fewest` pictures
    in a domain.
    """

    def fault(answer: object) -> str:
        if isinstance(answer, VarbookError):
            return "that is the error itself: return its sentence, str(error)"
        if not isinstance(answer, str):
            return f"got a {type(answer).__name__}, wanted the error's sentence as a text"
        if answer.startswith("VarbookError("):
            return "that is the error as code shows it: str(error) is its sentence"
        if f"needs {fewest} or more" not in answer:
            return f'got "{answer[:60]}", wanted the sentence of the VarbookError, as it is'
        return ""

    try_out("exercise 1", function, [Case((folder,), fault, "three pictures a domain")])


def first_and_third(function: Callable, folder: Path) -> None:
    """Try `function(folder)` -> the names of two domains, the first and the third subfolder."""
    first, second, third = sorted(part.name for part in folder.iterdir() if part.is_dir())

    def fault(answer: object) -> str:
        names = getattr(answer, "names", None)
        if names is not None:
            return "that is all that `look` found: return its `names`"
        if not isinstance(answer, (tuple, list)) or not all(isinstance(n, str) for n in answer):
            return f"got a {type(answer).__name__}, wanted two names"
        if tuple(answer) == (third, first):
            return "the wrong way round: the first is the source, the third the target"
        if second in answer:
            return f'"{second}" is the second folder: take the first and the third'
        if tuple(answer) != (first, third):
            return f"got {tuple(answer)}, wanted the names of the first and the third folder"
        return ""

    try_out("exercise 2", function, [Case((folder,), fault, "three subfolders")])


def trained_anew(function: Callable, wanted: Sequence[bool]) -> None:
    """Try `function()` -> three truth values: is each part trained anew when the folders are
    exchanged? `wanted` is what the keys say.
    """

    def fault(answer: object) -> str:
        if not isinstance(answer, (tuple, list)) or len(answer) != len(PARTS):
            return f"return three truth values: for {', '.join(PARTS)}"
        for mine, right, part in zip(answer, wanted, PARTS, strict=True):
            if not isinstance(mine, bool):
                return f"the one for the {part} is neither True nor False"
            if mine != right:
                reason = (
                    "does its key hold which pictures are source and which are target?"
                    if part == PARTS[0]
                    else "its key holds the key of what it stands on"
                )
                return f"look at the {part}: {reason}"
        return ""

    try_out("exercise 3", function, [Case((), fault, "exchanged folders")])


def floor(function: Callable) -> None:
    """Try `function(variances, count)` -> the mean squared distance between the means of two groups
    of `count` pictures, whose channels have these variances.
    """
    cases = [
        Case((torch.tensor(v), n), 2 * sum(v) / n, f"{n} pictures, variances {v}")
        for v, n in (([0.1, 0.2, 0.4], 4), ([0.3, 0.3, 0.3], 10), ([1.0, 0.0, 0.5], 1))
    ]
    mistakes = (
        Mistake(lambda v, n: v.sum() / n, "both groups have a mean that is uncertain, not one"),
        Mistake(lambda v, n: 2 * v.mean() / n, "a squared distance adds the channels up"),
        Mistake(
            lambda v, n: 2 * v.sum() / n**0.5,
            "the root of n belongs to a standard deviation; a variance is divided by n",
        ),
        Mistake(lambda v, n: 2 * v.square().sum() / n, "these are variances: squared already"),
        Mistake(lambda v, n: _per_channel(v, n), "one number: the sum over the channels"),
    )
    try_out("exercise 4", function, cases, mistakes)


def _per_channel(variances: Tensor, count: int) -> Tensor:
    return 2 * variances / count
