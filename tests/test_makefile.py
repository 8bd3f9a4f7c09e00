"""The commands of the Makefile work wherever the clone lies: its path is data, no shell code."""

import os
import shutil
import subprocess

import pytest

from varbook.paths import repository

PLACES = (
    "a clone",
    "it's mine",
    "mine (2)",
    'a "quoted" one',
    "a;touch b",
    "$(touch b)",
    "`a`",
    "$a",
    "grün",
)


def make(place, *words: str) -> subprocess.CompletedProcess:
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", "--no-print-directory", *words], cwd=place, env=env, capture_output=True, text=True
    )


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize("name", PLACES)
def test_a_goal_calls_this_clone_s_python_with_what_was_asked_for(tmp_path, name):
    clone = tmp_path / name
    python = clone / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    (clone / ".ci").mkdir()
    shutil.copy(repository() / "Makefile", clone)
    (clone / ".ci" / "setup").write_text('#!/bin/sh\nprintf "%s\\n" "$@" > setup\n')
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$PYTHONPATH" "$@" > called\n')
    for script in (clone / ".ci" / "setup", python):
        script.chmod(0o755)
    done = make(clone, "figures", "ONLY=09", "PROFILE=smoke", "SET=steps=3")
    assert done.returncode == 0, done.stderr
    assert (clone / "setup").read_text().splitlines() == [str(clone / ".venv")]
    path, *words = (clone / "called").read_text().splitlines()
    assert path.split(":")[0] == str(clone)
    assert words == [
        *("-m", "varbook.runner.run", "--profile", "smoke", "--only", "09"),
        *("--set", "steps=3"),
    ]
    assert [entry.name for entry in tmp_path.iterdir()] == [name]  # nothing beside the clone
