"""What was trained before is found by the hash of everything that shaped it; what was not is
trained, kept and recorded: by one process, while others that ask for the same wait.

A run record is a JSON with the configuration, seed, hardware, minutes, curve and every measurement.
Records and the main checkpoints of the laptop profile come with the repository; others lie below
VARBOOK_HOME.
"""

import hashlib
import json
import platform
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import nn

from varbook import paths, processes
from varbook.config import plain
from varbook.device import pick_device, precision
from varbook.errors import VarbookError, within_memory
from varbook.files import odd_value, remedy, write_json
from varbook.train.finding import (
    checkpoint_path,
    comes_with_book,
    find_record,
    record_comes_with_book,
)
from varbook.train.keeper import Curve, Keeper
from varbook.train.measurements import keep, measured, take_over
from varbook.train.records import read_record
from varbook.train.run_files import (
    alone,
    check_places,
    put,
    record_file,
    record_held,
    remove_state,
    runs,
    state_folder,
    tidy,
    weights_in,
)
from varbook.train.weights import check_sound, load_tensors, pack, save_tensors, unpack

# Raised by hand when the meaning of a configuration changes, so that old runs are no longer found.
RECIPE = 1
# What to do where memory does not suffice for a training.
LIGHTER = (
    "make its batch smaller in the profile, choose a smaller profile (VARBOOK_PROFILE), or for your "
    "own pictures a smaller size"
)


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
        """The numbers of an `experiment`; VarbookError where its record has none."""
        if "result" not in self.record["measurements"]:
            raise VarbookError(
                f"The record of {self.name} lacks its result; {remedy(record_file(self.name))}."
            )
        return self.record["measurements"]["result"]["values"]

    @property
    def core_minutes(self) -> float:
        """Processor time of the training in minutes; on the clock where an old record has no other."""
        return self.record.get("core_minutes", self.record["minutes"])

    @property
    def sha256(self) -> str:
        """The digest of the weights; VarbookError where the record has none."""
        if "sha256" not in self.record:
            raise VarbookError(
                f"The record of {self.name} lacks the sha256 of its weights; {remedy(record_file(self.name))}."
            )
        return self.record["sha256"]

    def measure(self, name: str, settings, function: Callable[[], dict]) -> dict:
        """Return the numbers of `function`, computed once per run, name and settings and kept in the
        record; another process that asks for the same waits for them.

        Of processes that were launched together each calls it, and the first keeps the numbers.
        """
        key = run_key(name, settings, 0)
        measurement = measured(self.record, name, key)
        if measurement is None:
            with alone(f"{self.name}.{key}", f"{name} of {self.name} is measured"):
                take_over(self.name, self.record)
                measurement = processes.from_first(measured(self.record, name, key))
                if measurement is None:
                    values, threads = plain(function()), torch.get_num_threads()
                    odd = odd_value(values)
                    if odd:
                        raise VarbookError(
                            f"Measuring {name!r} of {self.name} went wrong: {odd}; nothing of it is "
                            "kept: measure more pictures, or look at what the model makes of them."
                        )
                    measurement = {"key": key, "settings": plain(settings), "values": values}
                    keep(self.name, self.record, name, measurement | {"threads": threads})
        return measurement["values"]

    def say(self) -> str:
        """Return one line for the reader: what was loaded, or how long it took."""
        origin = {
            "shipped": "comes with the book",
            "found": "found below VARBOOK_HOME",
            "trained": "trained just now",
            "published": "published weights",
        }[self.source]
        facts = f"{self.record['hardware']}, seed {self.record['seed']}"
        return f"{self.name}: {origin}; {self._time()} on {facts}{self._features()}"

    def _time(self) -> str:
        # Time on the clock also counts what else the machine did, so it is the last resort.
        unit = "core-minutes" if "core_minutes" in self.record else "minutes on the clock"
        return f"{self.core_minutes:.1f} {unit}"

    def _features(self) -> str:
        # "features" is the best network at hand (see `translate.discriminator`): which one, changes
        # what was trained. Where it was SqueezeNet, the settings do not name it.
        settings = self.record["settings"]
        if "features" not in settings.get("training", {}).get("critic", ""):
            return ""
        return f", discriminator on the features of {settings.get('critic_features', 'squeezenet')}"


def find_run(name: str) -> Run | None:
    """Return the run `name` where both its record and its weights are there, else None: of several
    processes the first decides.
    """
    processes.join()
    known = find_record(name)
    known = processes.from_first(
        known if known and checkpoint_path(name, known[0]).is_file() else None
    )
    return Run(name, *known) if known else None


def run_settings(kind: str, settings: dict, seed: int, machine: dict | None) -> dict:
    """Return the settings that a run's key holds: `machine` are those that differ from machine to
    machine, and do not count where the run without them comes with the book.
    """
    if machine and not comes_with_book(f"{kind}-{run_key(kind, settings, seed)}"):
        return settings | machine
    return settings


def experiment_settings(kind: str, settings: dict, seed: int, machine: dict | None) -> dict:
    """Return the settings that the key of an experiment holds, as `run_settings` does for a run
    with weights.
    """
    if machine and not record_comes_with_book(f"{kind}-{run_key(kind, settings, seed)}"):
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
    if run is None:
        check_places(name)
        tidy()
        with alone(name, f"{name} is trained"):
            run = find_run(name)  # another process may have trained it meanwhile
            if run is None:
                return _trained(name, kind, model, settings, fit, seed, profile, facts or {})
    _load(model, run)
    return run


def _load(model: nn.Module, run: Run) -> None:
    weights = checkpoint_path(run.name, run.record)
    try:
        tensors = load_tensors(weights, run.sha256)
    except VarbookError:
        # Where it was trained anew while we read, the new record and weights are the run.
        newer = find_run(run.name)
        if newer is None or newer.sha256 == run.sha256:
            raise
        run.record, run.source = newer.record, newer.source
        weights = checkpoint_path(run.name, run.record)
        tensors = load_tensors(weights, run.sha256)
    unpack(model, tensors, weights)


def _trained(name, kind, model, settings, fit, seed, profile, facts) -> Run:
    """Train a model, keep it, and give it the weights as they are kept."""
    keeper = Keeper(state_folder(name))
    with within_memory(f"The training {name}", LIGHTER):
        curve = fit(keeper)
    packed, record = pack(model), None
    check_sound(packed, f"The training {name}")
    facts = {"core_minutes": round(keeper.core_seconds() / 60, 2)} | facts  # of all processes
    if processes.first():
        record = _record(kind, settings, seed, profile, keeper.elapsed(), curve) | facts
        record = put(name, record, packed)
        remove_state(name)
    unpack(model, packed)
    return Run(name, processes.from_first(record), "trained")


def experiment(
    kind: str,
    settings: dict,
    function: Callable[[], tuple[dict, Curve]],
    *,
    seed: int,
    on: Callable[[], dict] = dict,
    profile: str = "",
    machine: dict | None = None,
    parents: Iterable[Callable[[], object]] = (),
) -> Run:
    """Return the record of a short experiment whose numbers are kept but whose model is not (a row
    of an ablation).

    `function` trains, measures and returns (values, curve); the values stand in the record as the
    measurement "result". `on` returns what stands in the key for the pictures that the numbers rest
    on (`Task.fingerprint`). `machine` holds the keys of runs that the experiment stands on, and what
    else may be another on each machine: as for `train_or_load`. Where there is no record, `parents`
    are called first, before the clock starts: they train what the experiment stands on.
    """
    processes.join()
    settings = experiment_settings(kind, settings | on(), seed, machine)
    name = f"{kind}-{run_key(kind, settings, seed)}"
    known = processes.from_first(find_record(name))
    if known is None:
        check_places(name)
        tidy()
        with alone(name, f"{name} is made"):
            known = processes.from_first(find_record(name))
            if known is None:
                for parent in parents:
                    parent()
                record = _tried(name, kind, settings, function, seed, profile)
                return Run(name, processes.from_first(record), "trained")
    return Run(name, *known)


def _tried(name, kind, settings, function, seed, profile) -> dict:
    began, core_began = time.monotonic(), time.process_time()
    with within_memory(f"The experiment {name}", LIGHTER):
        values, curve = function()
    record = _record(kind, settings, seed, profile, time.monotonic() - began, curve)
    record["core_minutes"] = round(processes.total(time.process_time() - core_began) / 60, 2)
    record["measurements"]["result"] = {
        "key": record["key"],
        "settings": record["settings"],
        "values": plain(values),
    }
    if processes.first():
        with record_held(name):
            write_json(record_file(name), record)
    return record


def _record(kind: str, settings, seed: int, profile: str, seconds: float, curve: Curve) -> dict:
    return {
        "kind": kind,
        "key": run_key(kind, settings, seed),
        "settings": plain(settings),
        "seed": seed,
        "profile": profile,
        "minutes": round(seconds / 60, 2),
        "hardware": hardware(),
        "threads": torch.get_num_threads(),
        "versions": {"torch": torch.__version__.split("+")[0], "python": platform.python_version()},
        "finished": round(time.time()),
        "curve": plain(curve),
        "measurements": {},
    }


def ship(names: list[str], *, weights: bool = True) -> None:
    """Copy runs from VARBOOK_HOME into the repository (for the maintainers of the book)."""
    for name in names:
        record = read_record(record_file(name))
        write_json(paths.shipped() / "records" / f"{name}.json", record)
        own = weights_in(runs(), name, record)
        if weights and own.is_file():
            save_tensors(paths.shipped() / "checkpoints" / f"{name}.safetensors", load_tensors(own))
