"""What was trained before is found by the hash of everything that shaped it; what was not is
trained, kept and recorded.

A run record is a JSON with the configuration, seed, hardware, minutes,
curve and every measurement. Records and the main checkpoints of the
laptop profile come with the repository; others lie below VARBOOK_HOME.
"""

import hashlib
import json
import os
import platform
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from varbook import paths, processes
from varbook.config import plain
from varbook.device import pick_device, precision
from varbook.files import read_json, write_json
from varbook.train.keeper import Curve, Keeper
from varbook.train.weights import load_tensors, pack, save_tensors, unpack

# Raised by hand when the meaning of a configuration changes, so that old runs are no longer found.
RECIPE = 1


def run_key(kind: str, settings, seed: int) -> str:
    """Return the twelve-digit hash of everything that shapes a run."""
    canonical = json.dumps(
        [RECIPE, kind, plain(settings), seed], sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def hardware() -> str:
    """Return a short description of the machine: the card, or the processor and its threads, of how
    many, and the precision.
    """
    times = f"{processes.count()} x " if processes.count() > 1 else ""
    digits = str(precision(pick_device())).removeprefix("torch.")
    if torch.cuda.is_available():
        return f"{times}{torch.cuda.get_device_name(0)}, {digits}"
    return f"{times}CPU {platform.machine()}, {torch.get_num_threads()} threads, {digits}"


@dataclass
class Run:
    """A trained model's record, and where it came from: "shipped", "found" (below VARBOOK_HOME),
    "trained" (just now), or "published" (others' weights, not trained here).
    """

    name: str
    record: dict
    source: str

    @property
    def key(self) -> str:
        """The hash by which the run is found."""
        return self.record["key"]

    @property
    def curve(self) -> Curve:
        """The logged values of the training: a list of dictionaries with "step"."""
        return self.record["curve"]

    @property
    def result(self) -> dict:
        """The numbers of an `experiment`."""
        return self.record["measurements"]["result"]["values"]

    @property
    def core_minutes(self) -> float:
        """Processor time of the training in minutes; time
        on the clock where an older record has no other.
        """
        return self.record.get("core_minutes", self.record["minutes"])

    def measure(self, name: str, settings, function: Callable[[], dict]) -> dict:
        """Return the numbers of `function`, computed once
        per run, name and settings and kept in the record.
        """
        key = run_key(name, settings, 0)
        measurement = self.record["measurements"].get(name)
        if measurement is None or measurement["key"] != key:
            measurement = {"key": key, "settings": plain(settings), "values": plain(function())}
            self.record["measurements"][name] = measurement
            if processes.first():
                write_json(_home(self.name, ".json"), self.record)
        return measurement["values"]

    def say(self) -> str:
        """Return one line for the reader: what was loaded, or how long it took."""
        origin = {
            "shipped": "comes with the book",
            "found": "found below VARBOOK_HOME",
            "trained": "trained just now",
            "published": "published weights",
        }[self.source]
        facts = f"{self.record['minutes']:.1f} minutes on {self.record['hardware']}, seed {self.record['seed']}"
        return f"{self.name}: {origin}; {facts}{self._features()}"

    def _features(self) -> str:
        # "features" is the best network at hand (see `translate.discriminator`): which one, changes
        # what was trained. Where it was SqueezeNet, the settings do not name it.
        settings = self.record["settings"]
        if "features" not in settings.get("training", {}).get("critic", ""):
            return ""
        return f", discriminator on the features of {settings.get('critic_features', 'squeezenet')}"


def _home(name: str, ending: str) -> Path:
    return paths.home() / "runs" / f"{name}{ending}"


def _retrain_since() -> float:
    # VARBOOK_RETRAIN holds the time (seconds since 1970) before which nothing trained counts; "1"
    # stands for this process.
    value = os.environ.get("VARBOOK_RETRAIN", "")
    return 0.0 if value in ("", "0") else _STARTED if value == "1" else float(value)


_STARTED = time.time()


def find_record(name: str) -> tuple[dict, str] | None:
    """Return the record of run `name` and its source, or None.

    The copy below VARBOOK_HOME wins: it may hold more measurements than the shipped one.
    """
    since = _retrain_since()
    shipped, own = paths.shipped() / "records" / f"{name}.json", _home(name, ".json")
    if own.is_file():
        record = read_json(own)
        # A record of measurements on a shipped run counts as long as that run is the one that is
        # shipped.
        outdated = (
            record.get("shipped")
            and shipped.is_file()
            and read_json(shipped)["finished"] != record["finished"]
        )
        if record["finished"] >= int(since) and not outdated:  # records keep whole seconds
            return record, "shipped" if record.get("shipped") else "found"
    if shipped.is_file() and not since:
        return read_json(shipped) | {"shipped": True}, "shipped"
    return None


def comes_with_book(name: str) -> bool:
    """Say whether the weights of run `name` come with the repository, and count."""
    return (
        paths.shipped() / "checkpoints" / f"{name}.safetensors"
    ).is_file() and not _retrain_since()


def records_of(kind: str, profile: str) -> list[dict]:
    """Return the records of a profile whose kind begins with `kind`, in the order of their names."""
    folders = (paths.shipped() / "records", paths.home() / "runs")
    names = sorted({path.stem for folder in folders for path in folder.glob(f"{kind}*.json")})
    records = [found[0] for found in map(find_record, names) if found]
    return [record for record in records if record["profile"] == profile]


def checkpoint_path(name: str) -> Path:
    """Return where the weights of run `name` are stored: below
    VARBOOK_HOME if they are there, else with the repository.
    """
    shipped = paths.shipped() / "checkpoints" / f"{name}.safetensors"
    own = _home(name, ".safetensors")
    return shipped if shipped.is_file() and not own.is_file() else own


def find_run(name: str) -> Run | None:
    """Return the run `name` where both its record and its weights are there, else None: of several
    processes the first decides.
    """
    processes.join()
    known = find_record(name)
    known = processes.from_first(known if checkpoint_path(name).is_file() else None)
    return Run(name, *known) if known else None


def run_settings(kind: str, settings: dict, seed: int, machine: dict | None) -> dict:
    """Return the settings that a run's key holds: `machine` are those that differ from machine to
    machine, and do not count where the run without them comes with the book.
    """
    if machine and not comes_with_book(f"{kind}-{run_key(kind, settings, seed)}"):
        return settings | machine
    return settings


def train_or_load(
    kind: str,
    model: nn.Module,
    settings,
    fit: Callable[[Keeper], Curve],
    *,
    seed: int,
    profile: str = "",
    machine: dict | None = None,
    facts: dict | None = None,
) -> Run:
    """Fill `model` with the weights of the run (kind, settings, seed): loaded where they exist,
    else trained by `fit`.

    `fit` takes a `Keeper` and returns the curve. Either way the weights are those on disk, rounded
    as they are stored. `machine` holds settings that are this machine's, not the profile's: they
    count like `settings`, but what comes with the book is found on every machine. `facts` stand in
    the record and in no key. Processes that were launched together train together; the first
    decides what is there, and it alone writes.
    """
    settings = run_settings(kind, settings, seed, machine)
    name = f"{kind}-{run_key(kind, settings, seed)}"
    run = find_run(name)
    if run:
        weights = checkpoint_path(name)
        unpack(model, load_tensors(weights, run.record["sha256"]), weights)
        return run
    keeper = Keeper(paths.home() / "partial" / name)
    curve = fit(keeper)
    packed, record = pack(model), None
    if processes.first():
        sha256 = save_tensors(_home(name, ".safetensors"), packed)
        record = _record(kind, settings, seed, profile, keeper.elapsed(), curve)
        record |= {"sha256": sha256, "core_minutes": round(keeper.core_seconds() / 60, 2)}
        record |= facts or {}
        write_json(_home(name, ".json"), record)
        for file in (paths.home() / "partial" / name).glob("*"):
            file.unlink()
    unpack(model, packed)
    return Run(name, processes.from_first(record), "trained")


def experiment(
    kind: str,
    settings,
    function: Callable[[], tuple[dict, Curve]],
    *,
    seed: int,
    profile: str = "",
    parents: Iterable[Callable[[], object]] = (),
) -> Run:
    """Return the record of a short experiment whose numbers
    are kept but whose model is not (a row of an ablation).

    `function` trains, measures and returns (values, curve); the values stand in the record as the
    measurement "result". Where there is no record, `parents` are called first, before the clock
    starts: they train what the experiment stands on.
    """
    processes.join()
    name = f"{kind}-{run_key(kind, settings, seed)}"
    known = processes.from_first(find_record(name))
    if known:
        return Run(name, *known)
    for parent in parents:
        parent()
    began, core_began = time.monotonic(), time.process_time()
    values, curve = function()
    record = _record(kind, settings, seed, profile, time.monotonic() - began, curve)
    record["core_minutes"] = round((time.process_time() - core_began) / 60, 2)
    record["measurements"]["result"] = {
        "key": record["key"],
        "settings": record["settings"],
        "values": plain(values),
    }
    if processes.first():
        write_json(_home(name, ".json"), record)
    return Run(name, processes.from_first(record), "trained")


def _record(kind: str, settings, seed: int, profile: str, seconds: float, curve: Curve) -> dict:
    return {
        "kind": kind,
        "key": run_key(kind, settings, seed),
        "settings": plain(settings),
        "seed": seed,
        "profile": profile,
        "minutes": round(seconds / 60, 2),
        "hardware": hardware(),
        "versions": {"torch": torch.__version__.split("+")[0], "python": platform.python_version()},
        "finished": round(time.time()),
        "curve": plain(curve),
        "measurements": {},
    }


def ship(names: list[str], *, weights: bool = True) -> None:
    """Copy runs from VARBOOK_HOME into the repository (for the maintainers of the book)."""
    for name in names:
        record = read_json(_home(name, ".json"))
        write_json(paths.shipped() / "records" / f"{name}.json", record)
        if weights and _home(name, ".safetensors").is_file():
            save_tensors(
                paths.shipped() / "checkpoints" / f"{name}.safetensors",
                load_tensors(_home(name, ".safetensors")),
            )
