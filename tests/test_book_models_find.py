"""A run is put together again from three records, wherever they lie, and every way in which it
cannot be is named.
"""

import json
import shutil

import pytest
import torch
from tiny import MODEL, SIDE, TOKENIZER, pictures, tiny_model, tiny_runs, tiny_tokenizer

from varbook import paths
from varbook.book.models import find
from varbook.book.models.profiles import profile
from varbook.errors import VarbookError
from varbook.files import read_json, write_json
from varbook.tokenizer.tokenizer import TokenizerConfig
from varbook.train.store import plain
from varbook.transformer.model import NextScaleConfig
from varbook.translate.cyclevar import CycleVAR, CycleVARConfig


@pytest.fixture(autouse=True)
def name(tmp_path, monkeypatch):
    """Give every test a home with one translator in it."""
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VARBOOK_DEVICE", "cpu")
    monkeypatch.delenv("VARBOOK_RETRAIN", raising=False)
    monkeypatch.setattr(paths, "shipped", lambda: tmp_path / "shipped")
    return tiny_runs()


def record_of(name: str) -> dict:
    return read_json(paths.home() / "runs" / f"{name}.json")


def same_as_built(cyclevar: CycleVAR) -> bool:
    built = CycleVAR(tiny_tokenizer(), tiny_model(seed=5), CycleVARConfig(temperature=1.5)).eval()
    with torch.no_grad():
        return torch.equal(
            cyclevar(pictures(2), torch.tensor([0, 1])), built(pictures(2), torch.tensor([0, 1]))
        )


def test_what_was_trained_comes_back_by_its_name(name):
    cyclevar, run = find.load_cyclevar(name)
    assert same_as_built(cyclevar) and cyclevar.config.temperature == 1.5 and not cyclevar.training
    assert (
        run.name == name and run.source == "found" and find.domains(run) == {"horse": 0, "zebra": 1}
    )
    assert find.side(cyclevar) == SIDE


@pytest.mark.parametrize("ending", [".safetensors", ".json"])
def test_a_file_is_loaded_with_what_lies_beside_it(name, tmp_path, ending):
    moved = shutil.move(paths.home() / "runs", tmp_path / "elsewhere")
    cyclevar, _ = find.load_cyclevar(f"{moved}/{name}{ending}")
    assert same_as_built(cyclevar)


def test_shipped_runs_are_found_too(name, tmp_path):
    for kind, ending in (("records", ".json"), ("checkpoints", ".safetensors")):
        (tmp_path / "shipped" / kind).mkdir(parents=True)
        for file in (paths.home() / "runs").glob(f"*{ending}"):
            shutil.move(file, tmp_path / "shipped" / kind)
    cyclevar, run = find.load_cyclevar(name)
    assert same_as_built(cyclevar) and run.source == "shipped" and find.runs() == [name]


def test_a_run_that_started_from_published_weights_takes_them_as_its_parents(name, monkeypatch):
    published = copied(name, "published-cyclevar-1", kind="published-cyclevar")
    stem = CycleVAR(tiny_tokenizer(), tiny_model(seed=9), CycleVARConfig(temperature=1.5))
    monkeypatch.setattr(find, "published_cyclevar", lambda config: stem)
    cyclevar, run = find.load_cyclevar(published)
    assert same_as_built(cyclevar) and find.domains(run) == {"horse": 339, "zebra": 340}


@pytest.mark.parametrize("config", [TOKENIZER, MODEL, CycleVARConfig(mode="serial", alpha=0.3)])
def test_a_configuration_survives_its_record(config):
    assert find.rebuild(type(config), json.loads(json.dumps(plain(config)))) == config


def test_settings_of_another_version_are_refused():
    with pytest.raises(VarbookError, match="another version.*TokenizerConfig knows no colour"):
        find.rebuild(TokenizerConfig, plain(TOKENIZER) | {"colour": 1})
    assert (
        find.rebuild(NextScaleConfig, {}) == NextScaleConfig()
    )  # and what was not there yet is at its default


def test_what_is_missing_is_named(name, tmp_path):
    with pytest.raises(VarbookError, match=f"no run of that name.*{name}"):
        find.load_cyclevar("photo-cyclevar-0")
    with pytest.raises(VarbookError, match="missing beside the weights"):
        find.load_cyclevar(tmp_path / "mine.safetensors")
    model_key = record_of(name)["settings"]["model"]
    (paths.home() / "runs" / f"photo-var-{model_key}.safetensors").unlink()
    with pytest.raises(VarbookError, match=f"key {model_key}, which is nowhere"):
        find.load_cyclevar(name)


def test_a_run_that_does_not_translate_is_refused(name):
    with pytest.raises(VarbookError, match="is a photo-var, not a CycleVAR"):
        find.load_cyclevar(f"photo-var-{record_of(name)['settings']['model']}")


def test_damaged_weights_are_refused(name):
    file = paths.home() / "runs" / f"{name}.safetensors"
    file.write_bytes(file.read_bytes()[:-8])
    with pytest.raises(VarbookError, match="damaged"):
        find.load_cyclevar(name)


def copied(name: str, new: str, **changes) -> str:
    """Leave a second run with other entries in its record."""
    folder = paths.home() / "runs"
    shutil.copy(folder / f"{name}.safetensors", folder / f"{new}.safetensors")
    write_json(folder / f"{new}.json", record_of(name) | changes)
    return new


def measured(value: float) -> dict:
    ways = {way: {"frechet": {"value": value}} for way in ("horse to zebra", "zebra to horse")}
    return {"photographs": {"values": {"CycleVAR w/ VAR": ways}}}


def test_the_best_run_has_the_lowest_distance_else_it_is_the_newest_else_one_of_the_toy_world(name):
    smoke = profile("smoke")
    assert find.best_photograph_run(smoke) == name
    later = copied(name, "photo-cyclevar-later", finished=record_of(name)["finished"] + 10)
    assert find.best_photograph_run(smoke) == later
    copied(name, "photo-cyclevar-bad", measurements=measured(50.0))
    good = copied(name, "photo-cyclevar-good", measurements=measured(20.0))
    copied(name, "photo-cyclevar-other", measurements=measured(1.0), profile="gpu")
    assert find.best_photograph_run(smoke) == good
    for file in (paths.home() / "runs").glob("photo-cyclevar-*"):
        file.rename(file.with_name(file.name.replace("photo", "toy")))
    assert find.best_photograph_run(smoke).startswith("toy-cyclevar")
    with pytest.raises(VarbookError, match="No CycleVAR is trained in the laptop profile"):
        find.best_photograph_run(profile("laptop"))
