"""A run is found by name, kind or path, wherever its files lie, put together again from its parents,
and every way in which it cannot be is named.
"""

import shutil

import pytest
import torch
from tiny import (
    MODEL,
    SIDE,
    finished_run,
    pictures,
    same_state,
    tiny_generators,
    tiny_model,
    tiny_runs,
    tiny_tokenizer,
)

from varbook import paths
from varbook.book.models import find, load_run
from varbook.book.models.profiles import profile
from varbook.cli.translate_files import side
from varbook.errors import VarbookError
from varbook.files import read_json, write_json
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


def copied(name: str, new: str, **changes) -> str:
    """Leave a second run with other entries in its record."""
    folder = paths.home() / "runs"
    shutil.copy(folder / f"{name}.safetensors", folder / f"{new}.safetensors")
    write_json(folder / f"{new}.json", record_of(name) | changes)
    return new


def ship(pattern: str) -> None:
    """Move runs from VARBOOK_HOME to those that come with the book."""
    for folder, ending in (("records", ".json"), ("checkpoints", ".safetensors")):
        (paths.shipped() / folder).mkdir(parents=True, exist_ok=True)
        for file in (paths.home() / "runs").glob(f"{pattern}{ending}"):
            shutil.move(file, paths.shipped() / folder)


def same_as_built(cyclevar: CycleVAR) -> bool:
    built = CycleVAR(tiny_tokenizer(), tiny_model(seed=5), CycleVARConfig(temperature=1.5)).eval()
    with torch.no_grad():
        return torch.equal(
            cyclevar(pictures(2), torch.tensor([0, 1])), built(pictures(2), torch.tensor([0, 1]))
        )


def test_what_was_trained_comes_back_by_its_name(name):
    cyclevar, run = load_run.load_cyclevar(name)
    assert same_as_built(cyclevar) and cyclevar.config.temperature == 1.5 and not cyclevar.training
    assert run.name == name and run.source == "found" and side(cyclevar) == SIDE
    assert find.find_run(name).classes() == {"horse": 0, "zebra": 1}


def test_every_role_is_loaded_with_what_it_stands_on(name):
    translator = load_run.load(name)
    (model,) = translator.parents
    (tokenizer,) = model.parents
    assert translator.key == name.rpartition("-")[2] and not tokenizer.parents
    assert same_state(model.model, tiny_model()) and same_state(tokenizer.model, tiny_tokenizer())
    drawer, reader = tiny_generators()
    generator, own, run = load_run.load_generator(drawer)
    assert run.name == drawer and own.config.pyramid == "ground_truth"
    assert same_state(generator, tiny_model("ground_truth"))
    assert load_run.load_generator(reader)[0].ids(["a zebra"]).tolist() == [[1, 4]]


def test_a_kind_stands_for_the_newest_run_of_that_kind(name):
    assert find.find_run("photo-cyclevar").name == name
    later = copied(name, "photo-cyclevar-later", finished=record_of(name)["finished"] + 10)
    assert find.find_run("photo-cyclevar").name == later


@pytest.mark.parametrize("ending", [".safetensors", ".json"])
def test_a_file_is_loaded_with_what_lies_beside_it(name, tmp_path, ending):
    moved = shutil.move(paths.home() / "runs", tmp_path / "elsewhere")
    cyclevar, _ = load_run.load_cyclevar(f"{moved}/{name}{ending}")
    assert same_as_built(cyclevar)


def test_runs_that_come_with_the_book_are_found_too_after_one_s_own(name):
    ship("*")
    cyclevar, run = load_run.load_cyclevar(name)
    assert same_as_built(cyclevar) and run.source == "shipped"
    settings = {"model": "0", "cyclevar": CycleVARConfig()}
    own = finished_run("photo-cyclevar", tiny_model(), settings).name
    assert [run.name for run in find.stored("translator")] == [own, name]
    # A copy with more measurements below VARBOOK_HOME is still the run that comes with the book.
    record = read_json(paths.shipped() / "records" / f"{name}.json")
    write_json(paths.home() / "runs" / f"{name}.json", record | {"shipped": True})
    assert [run.shipped for run in find.stored("translator")] == [False, True]


def test_a_run_that_started_from_published_weights_takes_them_as_its_parents(name, monkeypatch):
    published = copied(name, "published-cyclevar-1", kind="published-cyclevar")
    stem = CycleVAR(tiny_tokenizer(), tiny_model(seed=9), CycleVARConfig(temperature=1.5))
    monkeypatch.setattr(load_run, "published_cyclevar", lambda name, config, classes: stem)
    loaded = load_run.load(published)
    assert same_as_built(loaded.model) and not loaded.parents
    assert find.find_run(published).classes() == {"horse": 0, "zebra": 1}


def test_a_list_says_what_each_run_knows_and_from_what_it_is(name):
    drawer, reader = tiny_generators()
    task = {"name": "pets", "domains": [["cat", 0], ["dog", 1]], "data": "my_pets"}
    own = copied(name, "own-cyclevar-1", kind="own-cyclevar", task=task)
    facts = {run.name: run.facts() for run in find.stored()}
    assert facts[own]["knows"] == ["cat", "dog"] and facts[own]["data"] == "my_pets"
    assert facts[name]["knows"] == ["horse", "zebra"] and facts[name]["data"] == "horse2zebra"
    assert facts[drawer]["knows"] == ["horse", "zebra", "donkey"]  # of its three classes
    assert facts[drawer]["data"] == "the toy world" and facts[reader]["knows"] == "words"
    assert find.find_run(drawer).drawn and not find.find_run(own).drawn


def test_a_damaged_record_hides_no_other_run(name):
    (paths.home() / "runs" / "photo-cyclevar-bad.json").write_text("[]")
    (paths.home() / "runs" / "photo-cyclevar-bad.safetensors").write_text("")
    assert name in [run.name for run in find.stored("translator")]
    with pytest.raises(VarbookError, match="photo-cyclevar-bad.* is damaged"):
        find.find_run("photo-cyclevar-bad")


def test_what_is_missing_is_named(name, tmp_path):
    with pytest.raises(VarbookError, match=f"no run of that name.*{name}"):
        find.find_run("photo-cyclevar-0", "translator")
    with pytest.raises(VarbookError, match="missing beside the weights"):
        find.find_run(tmp_path / "mine.safetensors")
    model_key = record_of(name)["settings"]["model"]
    (paths.home() / "runs" / f"photo-var-{model_key}.safetensors").unlink()
    with pytest.raises(VarbookError, match=f"key {model_key}, which is missing"):
        load_run.load(name)
    (paths.home() / "runs" / f"{name}.safetensors").unlink()
    with pytest.raises(VarbookError, match="weights .* are missing"):
        find.find_run(name)


def test_a_run_of_another_role_is_refused(name):
    model = f"photo-var-{record_of(name)['settings']['model']}"
    with pytest.raises(
        VarbookError, match=f"{model} is a next-scale model, not a translator.*{name}"
    ):
        load_run.load(model, "translator")
    judge = finished_run("judge", tiny_model(), {"judge": {}})
    with pytest.raises(VarbookError, match="neither a tokenizer"):
        load_run.load(judge.name)


def test_damaged_weights_are_refused(name):
    file = paths.home() / "runs" / f"{name}.safetensors"
    file.write_bytes(file.read_bytes()[:-8])
    with pytest.raises(VarbookError, match="damaged"):
        load_run.load_cyclevar(name)


def test_the_default_translator_is_one_s_own_newest_that_knows_the_domain(name):
    smoke = profile("smoke")
    ship("*")
    assert find.default_translator(smoke).name == name
    toy = finished_run("toy-cyclevar", tiny_model(), {"model": "0", "cyclevar": CycleVARConfig()})
    assert find.default_translator(smoke).name == name  # pictures before the drawn world
    ship("toy-*")
    task = {"name": "pets", "domains": [["cat", 0], ["dog", 1]], "data": "my_pets"}
    for new, when in (("own-cyclevar-1", 10), ("own-cyclevar-2", 20)):
        shutil.copy(
            paths.shipped() / "checkpoints" / f"{name}.safetensors",
            paths.home() / "runs" / f"{new}.safetensors",
        )
        record = read_json(paths.shipped() / "records" / f"{name}.json")
        own = {"kind": "own-cyclevar", "task": task, "profile": "own", "finished": when}
        write_json(paths.home() / "runs" / f"{new}.json", record | own)
    assert find.default_translator(smoke).name == "own-cyclevar-2"
    assert find.default_translator(smoke, "zebra").name == name
    assert find.default_translator(profile("laptop")).name == "own-cyclevar-2"
    with pytest.raises(VarbookError, match="No run translates to 'cow'; .* cat, dog, horse, zebra"):
        find.default_translator(smoke, "cow")
    assert toy.name in [run.name for run in find.stored("translator")]
    for file in (paths.home() / "runs").glob("own-*"):
        file.unlink()
    with pytest.raises(VarbookError, match="No translator is trained in the laptop profile"):
        find.default_translator(profile("laptop"))


def test_the_default_generator_knows_the_class_or_reads(name):
    smoke = profile("smoke")
    photograph = f"photo-var-{record_of(name)['settings']['model']}"
    assert find.default_generator(smoke, "zebra").name == photograph
    with pytest.raises(VarbookError, match="No such model is trained in the smoke profile"):
        find.default_generator(smoke, None, words=True)
    drawer, reader = tiny_generators()
    assert find.default_generator(smoke, "zebra").name == drawer  # it draws at every size
    assert find.default_generator(smoke, None, words=True).name == reader
    with pytest.raises(VarbookError, match="No model knows the class 'zebr' .near it: zebra"):
        find.default_generator(smoke, "zebr")


def test_only_classes_that_the_model_has_are_known():
    drawer, _ = tiny_generators()
    assert max(find.find_run(drawer).classes().values()) < MODEL.classes
