"""The command that trains one model: by one process or two, found by the chapters afterwards,
nonsense refused in a sentence.
"""

import os
import subprocess
import sys

import pytest

from varbook.book.models import sources
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
        (
            ["--profile", "smoke", "--model", "photo-cyclevar"],
            "The photographs of horse2zebra are not there",
        ),
    ],
)
def test_nonsense_is_refused_in_one_sentence(capsys, monkeypatch, arguments, says):
    monkeypatch.setattr(sources, "data_folder", lambda name: None)
    assert train.main(arguments) == 2
    told = capsys.readouterr().err
    assert says in told and len(told.strip().splitlines()) == 1


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
