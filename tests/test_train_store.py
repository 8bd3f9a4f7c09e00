"""The store: trained once, found afterwards; what shapes a run changes its key; shipped runs, and
RETRAIN.
"""

import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from tiny import same_state
from torch import nn

from varbook import paths
from varbook.config import added, recorded_names
from varbook.errors import VarbookError
from varbook.files import read_json, write_json
from varbook.tokenizer.tokenizer import TokenizerConfig
from varbook.train import finding, store
from varbook.train.store import (
    experiment,
    find_record,
    plain,
    run_key,
    ship,
    train_or_load,
)
from varbook.train.weights import ROUNDED_FROM, load_tensors, save_tensors


@dataclass(frozen=True)
class Settings:
    width: int = 3
    rate: float = 1e-3
    sides: tuple[int, ...] = (1, 2)


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """Give every test a home and a folder of shipped runs of its own."""
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("VARBOOK_RETRAIN", raising=False)
    monkeypatch.setattr(paths, "shipped", lambda: tmp_path / "shipped")
    return tmp_path


class Trainer:
    """Counts how often it trains; each training gives other weights."""

    def __init__(self):
        self.count = 0

    def load(self, settings=None, seed: int = 0):
        """Return a fresh model and its run."""
        torch.manual_seed(100)
        model = nn.Linear(256, ROUNDED_FROM // 256)

        def fit(keeper):
            self.count += 1
            nn.init.normal_(model.weight, std=self.count)
            return [{"step": 0, "loss": 1.0 / self.count}]

        return model, train_or_load(
            "toy", model, settings or Settings(), fit, seed=seed, profile="smoke"
        )


def names(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


@dataclass(frozen=True)
class Grown(Settings):
    shape: str = added("round")


def test_a_field_that_came_later_counts_only_where_it_is_not_at_its_default():
    assert run_key("kind", Grown(), 0) == run_key("kind", Settings(), 0)
    assert run_key("kind", Grown(shape="square"), 0) != run_key("kind", Settings(), 0)
    assert plain(Grown(shape="square")) == plain(Settings()) | {"shape": "square"}


def test_the_key_is_the_same_for_the_same_content_and_another_for_every_change():
    base = run_key("kind", Settings(), 0)
    assert len(base) == 12 and base == run_key("kind", Settings(sides=(1, 2)), 0)
    assert base == run_key(
        "kind", {"sides": [1, 2], "rate": 0.001, "width": 3}, 0
    )  # order and kind of container do not matter
    changed = [run_key("other", Settings(), 0), run_key("kind", Settings(), 1)]
    changed += [
        run_key("kind", replace(Settings(), **change), 0)
        for change in ({"width": 4}, {"rate": 2e-3}, {"sides": (2, 1)})
    ]
    assert len({base, *changed}) == 6


def test_every_field_of_a_configuration_is_in_the_key():
    config = TokenizerConfig()
    for name in recorded_names(TokenizerConfig):
        value = getattr(config, name)
        other = replace(
            config,
            **{
                name: not value
                if isinstance(value, bool)
                else value + 1
                if isinstance(value, (int, float))
                else "x"
            },
        )
        assert run_key("tokenizer", config, 0) != run_key("tokenizer", other, 0), name


def test_the_key_does_not_change_from_one_version_of_the_book_to_the_next():
    """A silent change would make every shipped checkpoint unfindable; raise RECIPE on purpose, and
    this with it.
    """
    assert store.RECIPE == 1
    assert run_key("kind", {"a": [1, 2.5, None, True, "x"]}, 7) == "0a3b680335cb"


def test_it_trains_once_and_then_loads_the_same_weights():
    trainer = Trainer()
    first, run = trainer.load()
    second, again = trainer.load()
    assert trainer.count == 1 and (run.source, again.source) == ("trained", "found")
    assert same_state(first, second)  # the rounded weights, also right after the training
    assert run.record["settings"] == {"width": 3, "rate": 0.001, "sides": [1, 2]}
    assert again.record == run.record and again.curve == [{"step": 0, "loss": 1.0}]
    assert "found" in again.say() and run.key in run.say()


def test_a_run_says_its_core_minutes_and_the_clocks_only_where_it_has_no_others():
    _, run = Trainer().load()
    run.record.update(core_minutes=1.5, minutes=20.0)
    assert "; 1.5 core-minutes on " in run.say()
    del run.record["core_minutes"]
    assert "; 20.0 minutes on the clock on " in run.say()


def test_other_settings_or_seeds_are_other_runs():
    trainer = Trainer()
    runs = {
        trainer.load(settings, seed)[1].name
        for settings, seed in ((None, 0), (Settings(width=9), 0), (None, 1))
    }
    assert len(runs) == trainer.count == 3


def test_what_the_machine_lends_counts_unless_the_run_comes_with_the_book():
    """A run that saw with a random network is not found where a trained one is at hand, and the
    reverse.
    """

    def run(machine):
        def fit(keeper):
            return []

        return train_or_load("toy", nn.Linear(2, 2), {"width": 3}, fit, seed=0, machine=machine)

    usual, random = run({}), run({"perceptual": "lpips-random"})
    assert (usual.source, random.source) == ("trained", "trained") and usual.key != random.key
    assert random.record["settings"] == {"width": 3, "perceptual": "lpips-random"}
    assert run({"perceptual": "lpips-random"}).source == run({}).source == "found"
    store.ship([usual.name])
    assert (
        run({"perceptual": "lpips-random"}).key == run({"perceptual": "lpips-vgg"}).key == usual.key
    )


def test_an_experiment_s_key_holds_what_it_stands_on_unless_it_comes_with_the_book(monkeypatch):
    def row(machine):
        return experiment("row", {"a": 1}, lambda: ({}, []), seed=0, machine=machine)

    usual, other = row(None), row({"run": "0123456789ab"})
    assert usual.key != other.key and other.record["settings"] == {"a": 1, "run": "0123456789ab"}
    assert row({"run": "0123456789ab"}).source == "found"
    store.ship([usual.name])
    assert row({"run": "0123456789ab"}).key == usual.key
    monkeypatch.setenv("VARBOOK_RETRAIN", "1")
    assert row({"run": "0123456789ab"}).key == other.key


def test_a_training_that_was_killed_resumes_and_leaves_nothing_behind(places):
    model, seen = nn.Linear(2, 2), []

    def killed(keeper):
        keeper.save(5, {"model": model})
        raise KeyboardInterrupt

    def resumed(keeper):
        seen.append(keeper.resume({"model": model}))
        return []

    with pytest.raises(KeyboardInterrupt):
        train_or_load("toy", model, Settings(), killed, seed=0)
    assert find_record(f"toy-{run_key('toy', Settings(), 0)}") is None  # half a training is no run
    train_or_load("toy", model, Settings(), resumed, seed=0)
    assert seen == [5] and not [name for name in names(places) if "partial" in name]


def test_a_damaged_checkpoint_is_named_and_deleting_it_trains_again(places):
    trainer = Trainer()
    _, run = trainer.load()
    file = places / "home" / "runs" / f"{run.name}.safetensors"
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(VarbookError, match=f"{run.name}.*delete it"):
        trainer.load()
    file.unlink()
    assert trainer.load()[1].source == "trained" and trainer.count == 2


def test_shipped_runs_are_found_without_a_home(places):
    trainer = Trainer()
    first, run = trainer.load()
    ship([run.name])
    assert names(places / "shipped") == [
        f"checkpoints/{run.name}.safetensors",
        f"records/{run.name}.json",
    ]
    for file in (places / "home" / "runs").iterdir():
        file.unlink()
    second, shipped = trainer.load()
    assert trainer.count == 1 and shipped.source == "shipped" and same_state(first, second)
    assert "comes with the book" in shipped.say()
    assert names(places / "home") == []  # looking does not write


def test_what_is_measured_on_a_shipped_run_is_kept_at_home_and_the_run_stays_a_shipped_one(places):
    trainer, calls = Trainer(), []
    _, run = trainer.load()
    ship([run.name])
    for file in (places / "home" / "runs").iterdir():
        file.unlink()

    def measure():
        calls.append(1)
        return {"value": 2.5}

    for _ in range(2):
        _, shipped = trainer.load()
        assert (
            shipped.measure("fd", {"n": 4}, measure) == {"value": 2.5}
            and shipped.source == "shipped"
        )
    assert len(calls) == 1 and trainer.count == 1
    assert read_json(places / "shipped" / "records" / f"{run.name}.json")["measurements"] == {}


def test_a_newer_shipped_run_replaces_what_was_measured_on_the_older_one(places):
    """The book is updated: same settings, other weights. Neither the old numbers nor a wrong
    checksum may remain.
    """
    trainer = Trainer()
    _, run = trainer.load()
    ship([run.name])
    for file in (places / "home" / "runs").iterdir():
        file.unlink()
    trainer.load()[1].measure("fd", {}, lambda: {"value": 1})
    tensors = load_tensors(places / "shipped" / "checkpoints" / f"{run.name}.safetensors")
    tensors["bias"] = tensors["bias"] + 1
    record = read_json(places / "shipped" / "records" / f"{run.name}.json")
    record["sha256"] = save_tensors(
        places / "shipped" / "checkpoints" / f"{run.name}.safetensors", tensors
    )
    record["finished"] += 100
    write_json(places / "shipped" / "records" / f"{run.name}.json", record)
    model, newer = trainer.load()
    assert (
        torch.equal(model.bias, tensors["bias"])
        and newer.record["measurements"] == {}
        and trainer.count == 1
    )


def test_retraining_passes_over_what_is_older_and_keeps_what_is_newer(places, monkeypatch):
    trainer = Trainer()
    _, run = trainer.load()
    ship([run.name])
    path = places / "home" / "runs" / f"{run.name}.json"
    write_json(path, read_json(path) | {"finished": time.time() - 3600})
    monkeypatch.setenv("VARBOOK_RETRAIN", str(time.time() - 60))
    assert trainer.load()[1].source == "trained" and trainer.count == 2
    assert (
        trainer.load()[1].source == "found" and trainer.count == 2
    )  # the other chapters of the same command share it
    monkeypatch.setenv("VARBOOK_RETRAIN", "0")
    assert trainer.load()[1].source == "found" and trainer.count == 2


def test_retrain_1_means_older_than_this_process(monkeypatch):
    trainer = Trainer()
    monkeypatch.setenv("VARBOOK_RETRAIN", "1")
    trainer.load()
    assert trainer.load()[1].source == "found" and trainer.count == 1
    monkeypatch.setattr(
        finding, "_STARTED", time.time() + 10
    )  # as seen by a process that starts later
    assert trainer.load()[1].source == "trained" and trainer.count == 2


def test_a_run_that_has_just_ended_is_not_older_than_its_own_process(monkeypatch):
    """Times are kept in whole seconds; a training within the first half second of a process must
    still count.
    """
    monkeypatch.setenv("VARBOOK_RETRAIN", "1")
    for fraction in (0.05, 0.45, 0.95):
        now = 1_700_000_000 + fraction
        monkeypatch.setattr(finding, "_STARTED", now)
        monkeypatch.setattr(store.time, "time", lambda now=now: now + 0.01)
        trainer = Trainer()
        trainer.load(Settings(rate=fraction))
        assert trainer.load(Settings(rate=fraction))[1].source == "found" and trainer.count == 1


def test_measurements_are_kept_by_settings():
    trainer, calls = Trainer(), []
    _, run = trainer.load()

    def measure():
        calls.append(1)
        return {"value": len(calls), "pair": (1, 2)}

    assert run.measure("fd", {"n": 4}, measure) == {"value": 1, "pair": [1, 2]}
    assert run.measure("fd", {"n": 4}, measure)["value"] == 1
    assert trainer.load()[1].measure("fd", {"n": 4}, measure)["value"] == 1
    assert run.measure("fd", {"n": 5}, measure)["value"] == 2
    assert run.measure("kid", {"n": 4}, measure)["value"] == 3


def test_a_measurement_does_not_outlive_the_weights_it_was_made_with(places, monkeypatch):
    trainer = Trainer()
    _, run = trainer.load()
    run.measure("fd", {}, lambda: {"value": 1})
    monkeypatch.setenv("VARBOOK_RETRAIN", str(time.time() + 5))
    _, run = trainer.load()
    assert run.measure("fd", {}, lambda: {"value": 2}) == {"value": 2}


def test_experiments_keep_numbers_and_curve_without_a_model(places):
    calls = []

    def trial():
        calls.append(1)
        return {"loss": 0.25, "per_scale": (1, 2)}, [{"step": 0, "loss": 0.5}]

    runs = [experiment("row", {"alpha": 0.5}, trial, seed=0, profile="smoke") for _ in range(2)]
    assert len(calls) == 1 and [run.source for run in runs] == ["trained", "found"]
    for run in runs:
        kept = run.record["measurements"]["result"]
        assert kept["values"] == {"loss": 0.25, "per_scale": [1, 2]} and run.curve == [
            {"step": 0, "loss": 0.5}
        ]
        assert run.record["settings"] == kept["settings"] == {"alpha": 0.5}
    experiment("row", {"alpha": 0.75}, trial, seed=0)
    assert len(calls) == 2 and not [name for name in names(places) if name.endswith(".safetensors")]


def test_a_damaged_record_is_named(places):
    trainer = Trainer()
    _, run = trainer.load()
    (places / "home" / "runs" / f"{run.name}.json").write_text("{")
    with pytest.raises(VarbookError, match=run.name):
        trainer.load()


def test_the_record_says_how_it_came_about():
    _, run = Trainer().load()
    wanted = {
        "kind",
        "key",
        "settings",
        "seed",
        "profile",
        "minutes",
        "hardware",
        "versions",
        "finished",
        "curve",
        "measurements",
        "sha256",
    }
    assert wanted <= run.record.keys()
    assert (
        run.record["kind"] == "toy" and run.record["profile"] == "smoke" and run.record["seed"] == 0
    )
    assert (
        abs(run.record["finished"] - time.time()) < 600
        and run.record["versions"]["torch"] == torch.__version__.split("+")[0]
    )
