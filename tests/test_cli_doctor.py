"""The examination says what is there, what is missing and what is lost without it, and fails only
where something that is needed is broken.
"""

import json
import sys
import types

import pytest

from varbook import paths
from varbook.cli import main
from varbook.features import clip, flan_t5
from varbook.runner import inventory


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A home and a folder of figures of the test's own, and no data."""
    for name in ("HOME", "FIGURES"):
        monkeypatch.setenv(f"VARBOOK_{name}", str(tmp_path / name.lower()))
    for name in ("DATA", "WEIGHTS"):
        monkeypatch.delenv(f"VARBOOK_{name}", raising=False)
    return tmp_path


def verdicts(rows: list[dict]) -> dict[str, str]:
    return {row["check"]: row["verdict"] for row in rows}


def test_a_machine_that_runs_the_book_is_well(place, capsys):
    assert main.main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "Everything that is needed is there." in said and str(place / "home") in said
    assert all(len(line) <= 100 for line in said.splitlines() if "/" not in line)


def test_a_script_reads_the_same(capsys):
    assert main.main(["doctor", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["broken"] == [] and {"needed", "data sets", "pretrained weights"} < set(told)


def test_a_home_that_cannot_be_written_is_broken(place, monkeypatch, capsys):
    (place / "file").touch()
    monkeypatch.setenv("VARBOOK_HOME", str(place / "file"))
    assert main.main(["doctor", "--json"]) == 1
    assert "VARBOOK_HOME" in json.loads(capsys.readouterr().out)["broken"]


@pytest.mark.parametrize(
    "folders, named, told",
    [
        (["sets/horse2zebra/trainA"], "sets", None),
        (["sets/horse2zebra/trainA"], "sets/horse2zebra", "names a data set itself"),
        (["mine/trainA"], "mine", "names a data set itself"),
        (["mine/cats"], "mine", "holds no data set"),
        ([], "nowhere", "which is not there"),
    ],
)
def test_a_wrong_place_of_data_is_answered(place, monkeypatch, folders, named, told):
    for folder in folders:
        (place / folder).mkdir(parents=True)
    monkeypatch.setenv("VARBOOK_DATA", str(place / named))
    wrong = [row for row in inventory.data_sets() if row["check"] == "VARBOOK_DATA"]
    assert [told in row["found"] for row in wrong] == ([True] if told else [])
    assert all(row["verdict"] == "FAIL" and row["what to do"] for row in wrong)


def test_what_is_missing_says_what_is_lost(place, monkeypatch):
    monkeypatch.setattr(paths, "repository", lambda: place / "checkout" / "here")
    monkeypatch.setattr(inventory, "find_spec", lambda name: None)
    assert set(verdicts(inventory.data_sets()).values()) == {"missing"}
    packages = inventory.optional_packages()
    assert set(verdicts(packages).values()) == {"missing"}
    assert all('pip install "varbook[' in row["found"] for row in packages)
    weights = verdicts(inventory.weights())
    assert weights["MobileNet (distances on photographs)"] == "missing"


def test_shipped_runs_are_whole_and_found_by_their_keys(place, monkeypatch):
    assert verdicts(inventory.shipped_runs()) == {"runs that come with the book": "OK"}
    for folder in ("checkpoints", "records"):
        (place / "shipped" / folder).mkdir(parents=True)
    (place / "shipped" / "checkpoints" / "toy-var-1.safetensors").touch()
    record = dict.fromkeys(("profile", "hardware"), "") | dict.fromkeys(("seed", "minutes"), 0)
    record |= {"kind": "toy-var", "key": "1", "finished": 1, "curve": [], "measurements": {}}
    record |= {"settings": {}, "sha256": "0"}
    (place / "shipped" / "records" / "toy-var-1.json").write_text(json.dumps(record))
    monkeypatch.setattr(paths, "shipped", lambda: place / "shipped")
    (row,) = inventory.shipped_runs()
    assert row["verdict"] == "FAIL" and "toy-var-1 is looked for as toy-var-" in row["found"]
    assert "checksum" in row["found"] and "git checkout" in row["what to do"]


def test_weights_of_the_hub_are_looked_for_at_the_commit_that_is_fetched(monkeypatch):
    kept = {(flan_t5.NAME, flan_t5.REVISION), (clip.REPOSITORY, clip.REVISION)}
    hub = types.ModuleType("huggingface_hub")
    hub.try_to_load_from_cache = lambda name, file, revision=None: (
        "a file" if (name, revision) in kept else None
    )
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    for module in (inventory, clip):
        monkeypatch.setattr(module, "find_spec", lambda name: True)
    rows = {row.name: row.place() for row in inventory.WEIGHTS}
    assert rows["CLIP ViT-B/32"] and rows["Flan-T5-XL"]
