"""The command that trains one model: by one process or two, found by the chapters afterwards,
nonsense refused in a sentence.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest
import torch

from varbook.book.models import build, sources
from varbook.cli import main, train
from varbook.data.images import save_image
from varbook.paths import repository


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ["--profile", "smoke", "--model", "huge"],
            "There is no model 'huge'; choose one of toy-judge",
        ),
        (["--profile", "tiny", "--model", "toy-var"], "There is no profile 'tiny'"),
        (
            ["--profile", "smoke", "--model", "photo-cyclevar"],
            "The photographs of horse2zebra are not there",
        ),
        ([], "Name a folder with two subfolders of pictures"),
        (["--model", "toy-var", "--minutes", "3"], "--minutes belongs to your own pictures"),
        (["folder", "--model", "toy-var"], "A folder belongs to your own pictures"),
        (["folder", "--profile", "smoke"], "--profile belongs to --model"),
        (["folder", "--minutes", "0"], "--minutes is a number above 0, not 0"),
        (["folder", "--minutes", "nan"], "--minutes is a number above 0, not nan"),
        (["folder", "--size", "7"], "not a whole number from 16 on"),
    ],
)
def test_nonsense_is_refused_in_one_sentence(capsys, monkeypatch, arguments, says):
    monkeypatch.setattr(sources, "data_folder", lambda name: None)
    assert train.main(arguments) == 2
    told = capsys.readouterr().err
    assert says in told and len(told.strip().splitlines()) == 1


def test_the_models_of_the_book_are_listed_by_their_tasks(capsys):
    assert train.main(["--list"]) == 0
    told = capsys.readouterr().out
    assert "photographs (horse <-> zebra): photo-tokenizer" in told
    # What is trained: between which domains, when, from what, and where it is.
    (line,) = [line for line in told.splitlines() if line.startswith("photo-cyclevar-c2b1")]
    assert re.search(
        r"horse <-> zebra, trained 20\d\d-\d\d-\d\d \d\d:\d\d \(laptop\) on "
        r"horse2zebra, 1067 \+ 1334 pictures; comes with the book$",
        line,
    )
    assert train.main(["--list", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert "toy-flexvar" in told["models"]["toy"]
    assert all(run["data"] and run["finished"] for run in told["runs"])


def test_a_model_of_photographs_in_a_profile_without_them_is_said(capsys, monkeypatch):
    monkeypatch.setattr(build, "train_or_find", made := mock.Mock())
    monkeypatch.setattr(train, "print_json", mock.Mock())
    monkeypatch.setattr(sources.Folders, "parts_files", lambda _: {"trainA": [], "trainB": []})
    for missing, said in ((None, 1), ("not there", 0)):
        monkeypatch.setattr(sources.Folders, "missing", lambda _, missing=missing: missing)
        train.main(["--profile", "smoke", "--model", "photo-tokenizer", "--json"])
        told = capsys.readouterr().err
        assert told.count("use no photographs in the profile smoke; this model is asked") == said
    train.main(["--profile", "laptop", "--model", "photo-tokenizer", "--json"])
    assert capsys.readouterr().err == "" and made.call_count == 3


@pytest.mark.parametrize("variable", ["VARBOOK_DATA", "VARBOOK_WEIGHTS"])
def test_a_place_that_names_something_wrong_is_answered(tmp_path, monkeypatch, capsys, variable):
    monkeypatch.setenv(variable, str(tmp_path / "nowhere"))
    for model in ("photo-cyclevar", "toy-judge"):
        assert train.main(["--profile", "smoke", "--model", model]) == 2
        assert f"{variable} names {tmp_path}/nowhere, which is not there" in capsys.readouterr().err


def test_folders_of_one_s_own_are_trained_with_what_was_asked_for(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path))
    asked = []

    def train_own(request, say):
        asked.append(request)
        say("looking")
        return {"run": "own-cyclevar-1"}

    monkeypatch.setattr("varbook.own.train.train_own", train_own)
    options = ["--minutes", "5", "--names", "cat", "dog", "--seed", "3", "--dry-run", "--json"]
    assert main.main(["train", "--source", "a", "--target", "b", *options]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out) == {"run": "own-cyclevar-1"} and said.err == "looking\n"
    (request,) = asked
    assert (request.source, request.target, request.folder) == (Path("a"), Path("b"), None)
    assert (request.minutes, request.names, request.seed) == (5, ("cat", "dog"), 3)
    assert request.dry_run and request.start == "book"


@pytest.mark.parametrize(
    "pictures, match",
    [
        (None, "There is no folder"),
        ({}, "holds no"),
        ({"a": 1, "b": 1}, "each domain needs 4 or more"),
        ({"a": 5}, "a translation needs a second one"),
    ],
)
def test_folders_that_cannot_be_learnt_from_are_told_in_one_sentence(
    pictures, match, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path / "home"))
    folder = tmp_path / "mine"
    if pictures is not None:
        folder.mkdir()
    for name, count in (pictures or {}).items():
        for number in range(count):
            save_image(torch.full((3, 40, 40), number / 9), folder / name / f"{number}.png")
    assert main.main(["train", str(folder)]) == 2
    told = capsys.readouterr().err
    assert match in told and len(told.splitlines()) == 1


def test_a_script_reads_which_run_was_trained(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path))
    asked = ["--profile", "smoke", "--model", "toy-tokenizer", "--json"]
    told = []
    for _ in range(2):
        assert train.main(asked) == 0
        told.append(json.loads(capsys.readouterr().out))
    assert [run["source"] for run in told] == ["trained", "found"]
    assert told[0]["run"] == told[1]["run"] and told[0]["profile"] == "smoke"


def test_two_processes_train_what_one_then_finds(tmp_path):
    environment = os.environ | {
        "PYTHONPATH": str(repository()),
        "VARBOOK_HOME": str(tmp_path),
        "VARBOOK_DEVICE": "cpu",
        "OMP_NUM_THREADS": "1",
    }
    asked = ["-m", "varbook.cli.train", "--profile", "smoke", "--model", "toy-tokenizer"]
    launched = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        *asked,
    ]
    told = []
    for command in (launched, [sys.executable, *asked]):
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, cwd=tmp_path, timeout=600
        )
        assert done.returncode == 0, done.stderr
        told.append(done.stdout.strip())
    first, second = told
    assert "trained just now" in first and "2 x CPU" in first and len(first.splitlines()) == 1
    assert "found below VARBOOK_HOME" in second and first.split(":")[0] == second.split(":")[0]
