"""A blinded preference study: a folder of pictures, an order per voter, and votes that nothing can
lose (CycleVAR table 2).

A study is a folder: `source/*.png` and, for each method, `methods/NAME/*.png` under the same file
names. Any method can take part by filling its folder. Votes lie in `votes/VOTER.jsonl`, one line
per click; files of several machines can be copied into one folder.
"""

import hashlib
import json
import os
import random
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from torch import Tensor

from varbook.data.images import load_image, save_image
from varbook.errors import VarbookError

# The three questions of CycleVAR section 4.2.1, which took them from Scenimefy.
QUESTIONS = {
    "style": "Which shows the target's style best?",
    "content": "Which keeps the content of the source best?",
    "overall": "Which is the best translation overall?",
}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


@dataclass(frozen=True)
class Study:
    """The pictures of a study: every method has one of each name."""

    folder: Path
    methods: tuple[str, ...]
    pictures: tuple[str, ...]  # file names
    key: str  # hash of all files: votes on other pictures do not count

    def source(self, picture: str) -> Tensor:
        """Return a source picture, uint8 (3, H, W)."""
        return load_image(self.folder / "source" / picture)

    def result(self, method: str, picture: str) -> Tensor:
        """Return a method's translation of a source picture, uint8 (3, H, W)."""
        return load_image(self.folder / "methods" / method / picture)


@dataclass(frozen=True)
class Vote:
    """One click: which method a voter preferred for one picture and question, and the order in
    which all were shown.
    """

    study: str
    voter: str
    picture: str
    question: str
    choice: str
    shown: tuple[str, ...]
    seconds: int  # since 1970


def fill(
    folder: Path, part: str, images: Sequence[Tensor], names: Sequence[str] | None = None
) -> None:
    """Write images (3, H, W) into `source` ("source") or into a method's folder (its name), as
    NAME.png or 000.png, 001.png ...
    """
    where = folder / "source" if part == "source" else folder / "methods" / part
    names = names or [f"{index:03d}" for index in range(len(images))]
    for image, name in zip(images, names, strict=True):
        save_image(image, where / f"{name}.png")
    for name in _files(where):  # what an earlier filling left over
        if name.removesuffix(".png") not in names:
            (where / name).unlink()


def open_study(folder: Path | str) -> Study:
    """Return the study of a folder; VarbookError where a source, a second method or one of the
    pictures is missing.
    """
    folder = Path(folder)
    pictures = _files(folder / "source")
    methods = tuple(sorted(one.name for one in (folder / "methods").glob("*") if one.is_dir()))
    if not pictures or len(methods) < 2:
        raise VarbookError(
            f"{folder} is not a study: it needs source/*.png and at least two folders methods/NAME/*.png."
        )
    for method in methods:
        lacking = sorted(set(pictures) - set(_files(folder / "methods" / method)))
        if lacking:
            raise VarbookError(
                f"The method {method} of the study {folder} lacks {lacking[0]}: every method shows every source."
            )
    digest = hashlib.sha256()
    for name in pictures:
        for file in (
            folder / "source" / name,
            *(folder / "methods" / method / name for method in methods),
        ):
            digest.update(
                f"{file.relative_to(folder)}\0".encode()
                + hashlib.sha256(file.read_bytes()).digest()
            )
    return Study(folder, methods, pictures, digest.hexdigest()[:12])


def _files(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(one.name for one in folder.glob("*.png") if not one.name.startswith(".")))


def order(study: Study, voter: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return (picture, methods from left to right) for one voter: random, but the same whenever
    that voter comes back.
    """
    generator = random.Random(f"{study.key} {voter}")
    pictures = generator.sample(study.pictures, len(study.pictures))
    return [
        (picture, tuple(generator.sample(study.methods, len(study.methods))))
        for picture in pictures
    ]


def append_vote(folder: Path, vote: Vote) -> None:
    """Add one line to the voter's file and return when it is on the disk: one write, so that a
    crash leaves all or nothing.

    Half a line that an earlier crash has left is closed first, and skipped when votes are read.
    Raises VarbookError where the disk does not take the vote.
    """
    path = folder / f"{vote.voter}.jsonl"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        torn = path.is_file() and path.stat().st_size and not path.read_bytes().endswith(b"\n")
        line = (("\n" if torn else "") + json.dumps(asdict(vote), sort_keys=True) + "\n").encode()
        with open(path, "ab", buffering=0) as file:
            if file.write(line) != len(line):
                raise OSError("the disk is full")
            os.fsync(file.fileno())
    except OSError as error:
        raise VarbookError(
            f"The vote was not stored in {path} ({error.strerror or error}): make room, and click again."
        ) from None


def read_votes(folder: Path, study: Study) -> list[Vote]:
    """Return the votes on this study, of all voters: the last where somebody changed their mind;
    torn lines are skipped.
    """
    last: dict[tuple, Vote] = {}
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                fields = json.loads(line)
                vote = Vote(**fields | {"shown": tuple(fields["shown"])})
            except (ValueError, TypeError, KeyError):
                continue
            if vote.study == study.key and vote.question in QUESTIONS and vote.choice in vote.shown:
                last[vote.voter, vote.picture, vote.question] = vote
    return list(last.values())


class Session:
    """One voter going through a study, from the first picture that they have not finished; knows
    nothing of widgets.
    """

    def __init__(self, study: Study, voter: str, folder: Path | None = None):
        if not NAME.fullmatch(voter):
            raise VarbookError(
                f"A voter needs a name of letters, digits, - and _ (it need not be your own), not {voter!r}."
            )
        self.study, self.voter, self.folder = study, voter, folder or study.folder / "votes"
        self.tasks = order(study, voter)
        mine = (vote for vote in read_votes(self.folder, study) if vote.voter == voter)
        self.given = {(vote.picture, vote.question): vote.choice for vote in mine}
        self.at = next(
            (index for index, _ in enumerate(self.tasks) if not self.complete(index)),
            len(self.tasks),
        )

    def complete(self, index: int) -> bool:
        """Say whether all questions on the picture at a place of the voter's order are answered."""
        return all((self.tasks[index][0], question) in self.given for question in QUESTIONS)

    @property
    def done(self) -> bool:
        """Say whether the voter stands behind the last picture."""
        return self.at == len(self.tasks)

    def answers(self) -> dict[str, int]:
        """Return question -> place (from 0) of the answers on the current picture."""
        picture, shown = self.tasks[self.at]
        return {
            question: shown.index(self.given[picture, question])
            for question in QUESTIONS
            if (picture, question) in self.given
        }

    def answer(self, question: str, place: int) -> None:
        """Store the choice of what is shown at `place` for the current picture, at once;
        VarbookError for what is not there.
        """
        if self.done or question not in QUESTIONS or not 0 <= place < len(self.study.methods):
            raise VarbookError(f"There is no answer {place} to the question {question!r} here.")
        picture, shown = self.tasks[self.at]
        vote = Vote(
            self.study.key, self.voter, picture, question, shown[place], shown, round(time.time())
        )
        append_vote(self.folder, vote)
        self.given[picture, question] = vote.choice

    def forward(self) -> None:
        """Go on to the next picture, once this one is finished."""
        if not self.done and self.complete(self.at):
            self.at += 1

    def back(self) -> None:
        """Return to the picture before, to change an answer."""
        self.at = max(0, self.at - 1)


def finished(votes: Iterable[Vote], study: Study) -> list[str]:
    """Return the voters who answered every question on every picture."""
    counts: dict[str, int] = {}
    for vote in votes:
        counts[vote.voter] = counts.get(vote.voter, 0) + 1
    return sorted(
        voter for voter, count in counts.items() if count == len(study.pictures) * len(QUESTIONS)
    )
