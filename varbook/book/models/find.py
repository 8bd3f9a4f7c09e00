"""Which trained models are on this machine: listed, found by name or path, and chosen where nobody
named one.

A run is a record (JSON) and its weights (safetensors). They lie beside each other in a folder that
the reader names, below VARBOOK_HOME, or with the book; the first place that has a run counts.
`load_run.load` puts the model itself together again.
"""

import difflib
import time
from dataclasses import dataclass
from pathlib import Path

from varbook import paths
from varbook.book.models.profiles import PROFILES, Profile
from varbook.book.models.sources import World
from varbook.book.models.tasks import TASKS, domains_of
from varbook.book.models.unpaired_task import Task
from varbook.data.toy import SPECIES
from varbook.errors import VarbookError
from varbook.train.records import read_record
from varbook.train.run_files import weights_in
from varbook.train.store import Run, checkpoint_path

ROLES = ("tokenizer", "next-scale", "translator")


@dataclass(frozen=True)
class Stored:
    """A run whose record and weights are on this machine."""

    record: dict
    file: Path  # the record's

    @property
    def name(self) -> str:
        """The run's name: kind and key."""
        return self.file.stem

    @property
    def shipped(self) -> bool:
        """Does the run come with the book?"""
        return self.file.parent == paths.shipped() / "records" or bool(self.record.get("shipped"))

    @property
    def role(self) -> str:
        """One of ROLES, or "" for what is none of them (a judge, a rival)."""
        settings = self.record.get("settings", {})
        if "cyclevar" in settings:
            return "translator"
        if isinstance(settings.get("tokenizer"), dict):
            return "tokenizer"
        rival = any(word in self.record.get("kind", "") for word in ("rival", "diffusion"))
        return "next-scale" if isinstance(settings.get("model"), dict) and not rival else ""

    @property
    def reads(self) -> bool:
        """Is it a next-scale model that takes words, not classes?"""
        return self.role == "next-scale" and "words" in self.record["settings"]["model"]

    @property
    def task(self) -> Task | None:
        """The book's task that the run belongs to; None for pictures of the reader's own."""
        if "task" in self.record:
            return TASKS.get(self.record["task"]["name"])
        kind = self.record["kind"]  # of a record that is older than tasks
        return next((task for task in TASKS.values() if kind in _kinds(task)), None)

    @property
    def drawn(self) -> bool:
        """Was it trained on the drawn world, not on pictures?"""
        return self.task is not None and isinstance(self.task.pictures, World)

    def run(self) -> Run:
        """Return the run as those who train get it."""
        return Run(self.name, self.record, "shipped" if self.shipped else "found")

    def weights(self) -> Path:
        """Return the file of the weights."""
        shipped = paths.shipped() / "records" == self.file.parent
        folder = paths.shipped() / "checkpoints" if shipped else self.file.parent
        beside = weights_in(folder, self.name, self.record)
        return beside if beside.is_file() else checkpoint_path(self.name, self.record or None)

    def classes(self) -> dict[str, int | str]:
        """Return the names that this run knows -> class number, or prompt; a translator's from X to
        Y. Empty where nothing says so: then classes have numbers only.
        """
        if self.role != "next-scale":
            return domains_of(self.record)
        if self.reads:
            return {}  # any words of its vocabulary
        names: dict[str, int | str] = {}
        if self.drawn:
            names = {name: label for label, name in enumerate(SPECIES)}
        elif "task" in self.record:
            names = dict(self.record["task"]["domains"])
        elif self.task:
            names = dict(self.task.domains)
        count = self.record["settings"]["model"]["classes"]
        return {name: label for name, label in names.items() if int(label) < count}

    def facts(self) -> dict:
        """Return what a list shows of the run, as plain data."""
        return {
            "name": self.name,
            "role": self.role,
            "profile": self.record.get("profile", ""),
            "finished": self.record.get("finished"),
            "minutes": self.record.get("minutes"),
            "data": self._data(),
            "knows": "words" if self.reads else list(self.classes()),
            "shipped": self.shipped,
            "where": str(self.weights()),
        }

    def say(self) -> str:
        """Return a line of a list: what the run is, between which domains, when and from what it
        was trained, and where it is.
        """
        facts, known = self.facts(), list(self.classes())
        when = "at an unknown time"
        if facts["finished"]:
            when = time.strftime("%Y-%m-%d %H:%M", time.localtime(facts["finished"]))
        knows = (" <-> " if self.role == "translator" else ", ").join(known)
        if not known:
            knows = "words" if self.reads else "classes by number"
        if self.role == "tokenizer":
            knows = "tokenizer"
        return (
            f"{self.name}: {knows}, trained {when} ({facts['profile'] or 'no profile'}) on "
            f"{facts['data']}; {'comes with the book' if self.shipped else facts['where']}"
        )

    def _data(self) -> str:
        """Return from what pictures the run is, in a few words."""
        counts = self.record["settings"].get("images")
        counts = counts if isinstance(counts, list) else [counts] if counts else []
        told = f", {' + '.join(map(str, counts))} pictures" if counts else ""
        # Of another set than the book's of that name, or of the reader's own: how it is known.
        digest = self.record["settings"].get("data")
        told += f", known as {digest}" if digest else ""
        if "task" in self.record:
            return f"{self.record['task']['data']}{told}"
        if self.task is None:
            return told.removeprefix(", ") or "unknown pictures"
        source = self.task.pictures
        return f"{'the toy world' if isinstance(source, World) else source.name}{told}"


def _kinds(task: Task) -> set[str]:
    parts = (
        "tokenizer",
        "tokenizer-ground-truth",
        "tokenizer-single",
        "var",
        "flexvar",
        "flexvar-sizes",
        "cyclevar",
        "published",
    )
    return {task.kind(part) for part in parts}


def _records(pattern: str, beside: Path | None = None) -> list[Path]:
    """Return the files of the records that match, the nearest place first, each name once."""
    places = [*([beside] if beside else []), paths.home() / "runs", paths.shipped() / "records"]
    files: dict[str, Path] = {}
    for place in places:
        for path in sorted(place.glob(pattern)):
            if not path.name.startswith("."):
                files.setdefault(path.name, path)
    return list(files.values())


def _read(file: Path) -> Stored:
    record = read_record(file, renamed=True)  # a reader may have called it otherwise
    shipped = paths.shipped() / "records" / file.name
    # Below VARBOOK_HOME a run that comes with the book has but a copy with more measurements.
    return Stored(record, shipped if record.get("shipped") and shipped.is_file() else file)


def stored(role: str = "", pattern: str = "*", beside: Path | None = None) -> list[Stored]:
    """Return the runs of a role (one of ROLES, "": all three) whose weights are there: the reader's
    own before those that come with the book, the newest first. Damaged records are passed over.
    """
    runs = []
    for file in _records(f"{pattern}.json", beside):
        if not Stored({}, file).weights().is_file():
            continue  # a row of a table: its numbers are kept, its model is not
        try:
            run = _read(file)
        except VarbookError:
            continue
        if run.role and role in ("", run.role):
            runs.append(run)
    return sorted(runs, key=lambda run: (run.shipped, -run.record.get("finished", 0), run.name))


def find_run(name_or_path: str | Path, role: str = "") -> Stored:
    """Return the run with this name, of this kind (the newest one), or at this .safetensors or
    .json; VarbookError where there is none, its weights are missing, or its role is not `role`.
    """
    path = Path(name_or_path).expanduser()
    beside = path.parent if path.suffix in (".safetensors", ".json") else None
    name = path.stem if beside else str(name_or_path)
    if beside and not path.with_suffix(".json").is_file():
        raise VarbookError(
            f"{name_or_path} cannot be loaded: {path.with_suffix('.json')} is missing beside the weights."
        )
    files = [] if set(name) & set("*?[]/") else _records(f"{name}.json", beside)
    if files:
        run = _read(files[0])
    else:
        # A kind without its key stands for the newest run of that kind: `--run photo-cyclevar`.
        of_kind = [run for run in stored(role) if run.record.get("kind") == name]
        if not of_kind:
            raise VarbookError(_unknown(name, role))
        run = of_kind[0]
    if role and run.role != role:
        raise VarbookError(
            f"{run.name} is {_article(run.role or run.record.get('kind', 'something else'))}, not {_article(role)}: "
            f"name one of {_names(role)}."
        )
    if not run.weights().is_file():
        raise VarbookError(
            f"{run.name} has a record, but its weights {run.weights()} are missing: train it again."
        )
    return run


def _article(noun: str) -> str:
    return (
        f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}{' model' if noun == 'next-scale' else ''}"
    )


def _names(role: str) -> str:
    return ", ".join(run.name for run in stored(role)) or "none (nothing of the kind is trained)"


def _unknown(name: str, role: str) -> str:
    names = [run.name for run in stored(role)]
    near = difflib.get_close_matches(name, names, 4, 0.3) or names[:4]
    known = f"near it: {', '.join(near)}" if near else "no such run is on this machine"
    return f"There is no run of that name, {name!r} ({known})."


def parent(key: str, child: Stored) -> Stored:
    """Return the run with this key, on which `child` stands, beside it first: what comes with the
    book stands on what comes with the book. VarbookError where it is nowhere.
    """
    for file in _records(f"*-{key}.json", child.file.parent):
        run = _read(file)
        if run.weights().is_file():
            return run
    raise VarbookError(
        f"The run {child.name} stands on a run with the key {key}, which is missing: put its two files beside it."
    )


def default_translator(profile: Profile, to: str | None = None) -> Stored:
    """Return the translator to use where nobody named one.

    Of those that know the domain `to` (None: of all): the reader's own newest on pictures, then one
    on pictures that comes with the book, then those of the drawn world likewise. VarbookError where
    nothing is trained, or nothing knows `to`.
    """
    every = [run for run in stored("translator") if _counts(run, profile)]
    if not every:
        raise VarbookError(
            f"No translator is trained in the {profile.name} profile yet: train one with `varbook train`."
        )
    knows = [run for run in every if to is None or to in run.classes() or to.isdigit()]
    if not knows:
        known = sorted({name for run in every for name in run.classes()})
        raise VarbookError(f"No run translates to {to!r}; there are runs to {', '.join(known)}.")
    return min(knows, key=lambda run: run.drawn)  # stable: own before shipped, newest first


def default_generator(profile: Profile, name: str | None, words: bool = False) -> Stored:
    """Return the next-scale model to use where nobody named one: for the class `name` (None: any),
    or for `words`.

    Models that predict the ground truth (FlexVAR) come first: they draw at every size. VarbookError
    where no model knows the class.
    """
    every = [run for run in stored("next-scale") if _counts(run, profile)]
    models = [run for run in every if run.reads == words]
    if not models:
        raise VarbookError(
            f"No such model is trained in the {profile.name} profile yet: `varbook train --list` names those that can be."
        )
    knows = [run for run in models if name is None or name in run.classes() or name.isdigit()]
    if not knows:
        classes = sorted({known for run in models for known in run.classes()})
        near = difflib.get_close_matches(name or "", classes, 3)
        hint = f"near it: {', '.join(near)}" if near else f"known: {', '.join(classes)}"
        raise VarbookError(f"No model knows the class {name!r} ({hint}).")
    return min(knows, key=lambda run: "flexvar" not in run.record["kind"])


def _counts(run: Stored, profile: Profile) -> bool:
    # Runs of another profile are not what was asked for, those on folders of the reader's own are:
    # they belong to no profile of the book.
    of_profile = run.record.get("profile")
    return of_profile == profile.name or of_profile not in PROFILES
