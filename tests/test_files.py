"""Files: written whole or not at all, and JSON that says when it is damaged."""

import os

import pytest

from varbook.errors import VarbookError
from varbook.files import read_json, write_atomically, write_json


def test_json_comes_back_and_a_damaged_one_is_named(tmp_path):
    value = {"b": [1, 2.5, None], "a": {"text": "zèbre", "yes": True}}
    write_json(tmp_path / "r.json", value)
    assert read_json(tmp_path / "r.json") == value
    (tmp_path / "r.json").write_text('{"half": ')
    for path in (tmp_path / "r.json", tmp_path / "absent.json"):
        with pytest.raises(VarbookError, match=path.name):
            read_json(path)


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "t"
    write_atomically(path, b"old")

    def full(source, target):
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]
    monkeypatch.undo()
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"


def test_text_is_written_as_utf_8_and_folders_are_made(tmp_path):
    write_atomically(tmp_path / "new" / "t.txt", "z\u00e8bre")
    assert (tmp_path / "new" / "t.txt").read_bytes() == b"z\xc3\xa8bre"
