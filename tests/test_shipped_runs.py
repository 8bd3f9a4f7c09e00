"""No shipped result is orphaned: what today's laptop profile asks for is what comes with the book,
under the same keys.

A renamed field, a new default or another kind would make a reader's laptop train for hours what
lies in the repository. Nothing is rendered, decoded or loaded here: only the keys are computed, and
every one of them must find its file.
"""

import json

import pytest
import torch

from varbook.book.experiments import (
    cyclevar_ablations,
    flexvar_ablations,
    streets_and_flat,
    translator_rivals,
)
from varbook.book.models import build, sources, tasks
from varbook.book.models.profiles import profile
from varbook.book.models.profiles.fine import with_fine_chain
from varbook.paths import shipped
from varbook.train import store

RECORDS = sorted(path.stem for path in (shipped() / "records").glob("*.json"))
CHECKPOINTS = sorted(path.stem for path in (shipped() / "checkpoints").glob("*.safetensors"))
LAPTOP = profile("laptop")
# Pictures of horse2zebra in each part; one test photograph of horses is in the training part too.
PHOTOGRAPHS = {"trainA": 1067, "trainB": 1334, "testA": 119, "testB": 140}
# The judge of chapter 10's small chain: its key stands in the records, its weights are not needed.
NOT_SHIPPED = "judge-058042b55856"
# Rows whose settings are written in a notebook: `make figures` finds them; here their keys must
# follow from what they record.
IN_NOTEBOOKS = ("editing-", "flexible-", "toy-care-")

MODELS = {
    name: lambda make=make: make(LAPTOP).load()
    for name, make in build.models_of(tasks.TASKS.values()).items()
    if name
    in (
        *("toy-judge", "toy-tokenizer", "toy-tokenizer-ground-truth", "toy-tokenizer-single"),
        *("toy-var", "toy-flexvar", "toy-cyclevar"),
        *("photo-tokenizer", "photo-var", "photo-cyclevar"),
        *("attribute-judge", "bit-tokenizer", "text-var", "text-cyclevar-night"),
    )
} | {"small": lambda: build.next_scale(tasks.SMALL, LAPTOP).runs}
# Models of the papers' geometry, which will take the place of the laptop profile's chain "toy": those
# that have been trained.
FINE = {
    f"{name}, the papers' geometry": lambda make=make: make(with_fine_chain(LAPTOP)).load()
    for name, make in build.models_of([tasks.TOY]).items()
    if name
    in (
        "toy-judge",
        "toy-tokenizer",
        "toy-tokenizer-ground-truth",
        "toy-tokenizer-single",
        "toy-flexvar",
        "toy-var",
    )
}
EXPERIMENTS = {
    "FlexVAR's ablations": lambda: [
        flexvar_ablations.results(LAPTOP, name) for name in flexvar_ablations.ROWS
    ],
    "their ceilings": lambda: [
        flexvar_ablations.ceiling(LAPTOP, name) for name in flexvar_ablations.ROWS
    ],
    "CycleVAR taken apart": lambda: [
        cyclevar_ablations.results(LAPTOP, name) for name in cyclevar_ablations.VARIANTS
    ],
    "yardsticks": lambda: cyclevar_ablations.references(LAPTOP),
    "rivals": lambda: translator_rivals.all_numbers(LAPTOP),
    "rivals on photographs": lambda: [
        translator_rivals.photograph_rival(LAPTOP, name)
        for name in LAPTOP.rivals.photograph_translators
    ],
    "streets": lambda: streets_and_flat.streets(LAPTOP),
    "flat": lambda: streets_and_flat.flat(LAPTOP),
}


@pytest.fixture
def asked(monkeypatch, tmp_path) -> set[str]:
    """The names of the runs that were found with the book while this fixture was in use; what is
    not found fails the test.
    """
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path))
    monkeypatch.delenv("VARBOOK_RETRAIN", raising=False)
    names, find = set(), store.find_record

    def found(name: str):
        answer = find(name)
        assert answer, f"{name} does not come with the book: its key has changed"
        names.add(name)
        return answer

    monkeypatch.setattr(store, "find_record", found)
    monkeypatch.setattr(store, "load_tensors", lambda *_: {})
    monkeypatch.setattr(store, "unpack", lambda *_: None)
    monkeypatch.setattr(
        sources, "toy_images", lambda *_, **__: pytest.fail("keys need no pictures")
    )
    blank = torch.zeros((), dtype=torch.uint8)
    parts = {part: blank.expand(count, 3, 64, 64) for part, count in PHOTOGRAPHS.items()}
    monkeypatch.setattr(sources.Folders, "parts", lambda *_: parts)
    monkeypatch.setattr(sources.Folders, "parts_files", lambda _: parts)
    monkeypatch.setattr(sources, "data_folder", lambda name: tmp_path)
    for digest in ("trained_on", "held_out"):  # those of the published pictures
        monkeypatch.setattr(sources.Folders, digest, lambda *_: {})
    return names


def test_todays_laptop_profile_finds_every_shipped_checkpoint_and_record(asked):
    for ask in (MODELS | FINE | EXPERIMENTS).values():
        ask()
    assert set(CHECKPOINTS) <= asked, "shipped weights that nothing asks for"
    orphans = {name for name in RECORDS if not name.startswith(IN_NOTEBOOKS)} - asked
    assert not orphans, "shipped records that nothing asks for"


@pytest.mark.parametrize("task", [tasks.PHOTOGRAPHS, tasks.STREETS], ids=lambda task: task.name)
def test_the_published_pictures_are_those_of_the_shipped_runs(task):
    if task.missing():
        pytest.skip(f"needs the photographs of {task.name}")
    assert task.fingerprint() == {}


@pytest.mark.parametrize("name", RECORDS)
def test_a_shipped_records_key_follows_from_its_settings(name):
    record = json.loads((shipped() / "records" / f"{name}.json").read_text())
    assert (
        name
        == f"{record['kind']}-{record['key']}"
        == f"{record['kind']}-{store.run_key(record['kind'], record['settings'], record['seed'])}"
    )
    for what, one in record["measurements"].items():
        if what != "result":  # of an experiment, under the key of the run itself
            assert one["key"] == store.run_key(what, one["settings"], 0)


def _keys_in(value) -> list[str]:
    values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [value] if isinstance(value, str) else [one for part in values for one in _keys_in(part)]


@pytest.mark.parametrize("name", RECORDS)
def test_a_shipped_record_stands_on_shipped_runs(name):
    record = json.loads((shipped() / "records" / f"{name}.json").read_text())
    known = {one.rpartition("-")[2] for one in RECORDS}
    keys = [
        one
        for one in _keys_in(record["settings"])
        if len(one) == 12 and set(one) <= set("0123456789abcdef")
    ]
    assert set(keys) <= known | {NOT_SHIPPED.rpartition("-")[2]}
