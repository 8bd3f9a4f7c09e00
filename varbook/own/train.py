"""From two folders of pictures to a translator between them: look, plan, train, measure.

    train_own("my_folder", minutes=30)

Every part is kept below VARBOOK_HOME as it is done, so that the same call resumes where it was
stopped.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image
from torch import nn

from varbook import paths, processes
from varbook.book.models.profiles import Profile
from varbook.book.models.trained import Trained, Watch
from varbook.book.models.unpaired_task import Task
from varbook.device import pick_device
from varbook.errors import VarbookError
from varbook.features import squeezenet
from varbook.features.perceptual import best_at_hand
from varbook.files import read_json, remedy, write_json
from varbook.own.folder import listed
from varbook.own.layout import OUTPUT
from varbook.own.plan import Plan, base_chain, chain_of_size, make_plan, plan_from
from varbook.own.report import measure, say_report, tokenizer_sheet, translation_sheet
from varbook.own.speed import measure_speed
from varbook.own.start import book_model, book_tokenizer
from varbook.own.survey import Survey
from varbook.own.task import parts_of, pictures_of, profile_of, survey_for, task_of
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.train.keeper import Curve
from varbook.transformer.model import NextScaleModel
from varbook.translate.cyclevar import CycleVAR

REPORTS = 4  # lines about each part while it is trained; a sheet with each of the translator's
# What is shown on the way: the part at work, its curve so far, and now and then a new sheet.
Shown = Callable[[str, Curve, Image.Image | None], None]
SPACE = 300e6  # bytes that the runs, their saved states and the sheets may take, at 64 pixels


@dataclass(frozen=True)
class Request:
    """What the user asked for. Without a `size` the plan chooses one; `start` is "book" (the
    tokenizer that comes with the book is adapted) or "new".
    """

    folder: Path | None = None
    source: Path | None = None
    target: Path | None = None
    names: tuple[str, str] | None = None
    minutes: float = 60.0
    size: int | None = None
    out: Path | None = None
    start: str = "book"
    seed: int = 0
    dry_run: bool = False

    @property
    def place(self) -> Path:
        """The folder for sheets and numbers: `out`, or one beside the folder of both domains, or,
        for two folders, one where the command is given.
        """
        if self.out is not None:
            return self.out
        if self.folder is not None:
            beside = self.folder.resolve()
            return beside.with_name(beside.name + OUTPUT)
        ends = [place.resolve().name for place in (self.source, self.target) if place]
        return Path("-".join(ends) + OUTPUT).absolute()


def train_own(request: Request, say: Callable[[str], None] = print) -> dict:
    """Train a translator between the two domains of the user's pictures, and return what was found,
    planned and measured, as plain data; `say` is given what a reader may want to see on the way.

    Raises VarbookError, in one sentence, where the pictures or the time do not suffice, or a folder
    cannot be written.
    """
    if request.start not in ("book", "new"):
        raise VarbookError(f'A tokenizer starts from "book" or "new", not {request.start!r}.')
    if processes.count() > 1:
        raise VarbookError("Your own pictures are trained by one process: leave torchrun out.")
    parts = listed(
        request.folder, source=request.source, target=request.target, names=request.names
    )
    check_places(request)
    starts = (book_tokenizer(), book_model()) if request.start == "book" else (None, None)
    plan = planned(request, parts, starts[0])
    looked = survey_for(plan, parts)
    say(looked.say())
    say("")
    say(plan.say())
    if best_at_hand() == "lpips-random":
        say(
            f"no pretrained features are at hand ({squeezenet.FILE} in a folder that VARBOOK_WEIGHTS "
            "names): the losses see with random ones, and translations will be worse"
        )
    result = {"pictures": looked.numbers(), "plan": plan.numbers()}
    if request.dry_run:
        return result
    write_left_out(looked, request.place)
    task, own_profile = task_of(looked), profile_of(plan, request.seed)
    trained = Training(task, own_profile, plan, request.place, say).run(*starts)
    return result | finish(trained, task, own_profile, request.place, say)


def check_places(request: Request) -> None:
    """Raise VarbookError where what is trained, or its sheets, could not be written: before any
    work.
    """
    places = {paths.home(): "name another folder in VARBOOK_HOME"}
    if not request.dry_run:
        places[request.place] = "name another folder with --out"
    for folder, advice in places.items():
        paths.check_writable(folder, advice)
        free = shutil.disk_usage(folder).free
        if free < SPACE:
            raise VarbookError(
                f"{folder} has {free / 1e6:.0f} MB left, and {SPACE / 1e6:.0f} may be needed: make "
                f"room, or {advice}."
            )


def planned(
    request: Request, parts, start: Trained | None, *, most_minutes: float | None = None
) -> Plan:
    """Return the plan for a request: the one that was made for the same request before, so that the
    same command resumes the same training, or starts a new one.

    Where the time is too short for this machine it is refused with a VarbookError, or, with
    `most_minutes`, these are planned for.
    """
    files = [[str(header.file.resolve()) for header in (*part.train, *part.test)] for part in parts]
    names = [part.place.name for part in parts]
    wish = [files, names, request.minutes, request.size, request.seed, start.key if start else None]
    text = json.dumps([wish, base_chain().image_size])
    file = paths.home() / "plans" / f"{hashlib.sha256(text.encode()).hexdigest()[:12]}.json"
    if file.is_file():
        try:
            return plan_from(read_json(file))
        except (KeyError, TypeError):
            raise VarbookError(f"{file} is damaged; {remedy(file)}.") from None
    speed_at = cache(lambda size: measure_speed(chain_of_size(size), pick_device()))
    options: dict[str, Any] = {"size": request.size, "adapted": start is not None}
    try:
        plan = make_plan(request.minutes, speed_at, **options)
    except VarbookError:
        if most_minutes is None:
            raise
        plan = make_plan(most_minutes, speed_at, **options)
    write_json(file, plan.numbers())
    return plan


def write_left_out(looked: Survey, folder: Path) -> None:
    """Write every file that is left out, and why, to left_out.txt: the table names a few."""
    lines = [
        f"{domain.name}\t{reason}\t{name}"
        for domain in looked.domains
        for reason, names in domain.left_out.items()
        for name in names
        if name
    ]
    if lines:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "left_out.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


class Training:
    """The three trainings, one after the other, with sample sheets and the time that is left;
    `shown` is called after every step, `say` now and then.
    """

    def __init__(
        self,
        task: Task,
        own_profile: Profile,
        plan: Plan,
        folder: Path,
        say: Callable[[str], None],
        shown: Shown | None = None,
    ) -> None:
        self.task, self.profile, self.plan = task, own_profile, plan
        self.folder, self.say = folder, say
        self.shown: Shown = shown or (lambda part, curve, sheet: None)
        self.domains = pictures_of(task, own_profile)

    def run(
        self,
        first: Trained[Tokenizer] | None = None,
        second: Trained[NextScaleModel] | None = None,
    ) -> Trained[CycleVAR]:
        """Return the translator, trained or found; `first` and `second` are what its tokenizer and
        its next-scale model begin with.
        """
        tokenizer, model, translator = parts_of(self.task, self.profile, first, second)
        tokenizer.load(self.watch("tokenizer"))
        self.say(tokenizer.run.say())
        sheet = tokenizer_sheet(tokenizer.model, self.domains)
        self.shown("tokenizer", tokenizer.run.curve, sheet)
        self.keep(sheet, "tokenizer")
        model.load(self.watch("next-scale model"))
        self.say(model.run.say())
        self.shown("next-scale model", model.run.curve, None)
        translator.load(self.watch("translator"))
        self.say(translator.run.say())
        sheet = translation_sheet(translator.model, self.domains)
        self.shown("translator", translator.run.curve, sheet)
        self.keep(sheet, "translations")
        return translator

    def watch(self, part: str) -> Watch:
        """Return what is called after every step of a part: it tells the time that is left, and
        keeps sheets of the translator.
        """
        order, until = list(self.plan.seconds), self.plan.seconds_until
        later = sum(self.plan.seconds[name] for name in order[order.index(part) + 1 :])
        steps = self.plan.steps[part]
        began: list[tuple[int, float]] = []

        def done(step: int, model: nn.Module, curve: Curve) -> None:
            self.shown(part, curve, None)
            now = time.monotonic()
            if not began:
                began.append((step, now))  # where this run came in: a resumed one not at 0
                return
            if (step + 1) * REPORTS // steps == step * REPORTS // steps:
                return
            first, clock = began[0]
            planned_so_far = until(part, step) - until(part, first)
            slower = (now - clock) / planned_so_far  # than was planned
            rest = slower * (until(part, steps) - until(part, step + 1) + later)
            self.say(f"{part}: {step + 1} of {steps} steps, about {rest / 60:.1f} minutes left")
            if isinstance(model, CycleVAR) and step + 1 < steps:
                sheet = translation_sheet(model, self.domains)
                self.shown(part, curve, sheet)
                self.keep(sheet, f"step-{step + 1:06}")

        return done

    def keep(self, picture: Image.Image, name: str) -> None:
        """Write a sheet into the folder; one that cannot be written is said, and nothing stops."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            picture.save(self.folder / f"{name}.png")
        except OSError as error:
            self.say(f"{self.folder / name}.png is not written: {error.strerror or error}.")


def finish(
    translator: Trained,
    task: Task,
    own_profile: Profile,
    folder: Path,
    say: Callable[[str], None],
) -> dict:
    """Measure the translator on held-out pictures, write report.json, say the table and the line
    that translates; return run, numbers and that line.
    """
    first, second = pictures_of(task, own_profile)
    counts = [[len(domain.train), len(domain.held_out)] for domain in (first, second)]
    numbers = translator.run.measure(
        "held out",
        {"pictures": counts} | task.fingerprint(),
        lambda: measure(translator.model, first, second).numbers(),
    )
    line = f"varbook translate PICTURES OUT --run {translator.run.name} --to {second.name}"
    result = {"run": translator.run.name, "numbers": numbers, "translate": line}
    write_json(folder / "report.json", result)
    say("")
    say(say_report(numbers))
    say("")
    say(f"sheets and numbers: {folder}")
    say(f"translate with:     {line}")
    return result
