"""The command that trains one model: by one process or two, found by the chapters afterwards,
nonsense refused in a sentence.
"""

import os
import subprocess
import sys

import pytest

from varbook.book.models import build
from varbook.book.models.profiles import profile
from varbook.cli import train
from varbook.paths import repository


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ["--profile", "smoke", "--model", "huge"],
            "There is no model 'huge'; choose one of toy-judge",
        ),
        (["--profile", "tiny", "--model", "toy-var"], "There is no profile 'tiny'"),
        (["--profile", "smoke", "--model", "photo-cyclevar"], "finds no photographs"),
    ],
)
def test_nonsense_is_refused_in_one_sentence(capsys, arguments, says):
    assert train.main(arguments) == 2
    told = capsys.readouterr().err
    assert says in told and len(told.strip().splitlines()) == 1


def test_every_model_of_the_book_has_a_name(monkeypatch):
    """The names lead to the functions that the chapters call, with the same arguments."""
    called = []
    for name in ("toy_tokenizer", "toy_next_scale"):
        monkeypatch.setattr(
            build, name, lambda *arguments, name=name: called.append((name, *arguments[1:]))
        )
    for name in ("toy-tokenizer-single", "toy-tokenizer-ground-truth", "toy-flexvar"):
        train.MODELS[name](profile("smoke"))
    assert called == [
        ("toy_tokenizer", "single"),
        ("toy_tokenizer", "ground_truth"),
        ("toy_next_scale", "ground_truth"),
    ]


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
