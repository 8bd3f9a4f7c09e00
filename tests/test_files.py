"""Files: written whole or not at all, and JSON that says when it is damaged."""

import errno
import math
import os

import pytest

from varbook import paths
from varbook.errors import VarbookError
from varbook.files import peek_json, read_json, write_atomically, write_json


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


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"3", b"\xff\xfe\x00", b"[" * 100_000])
def test_what_is_no_object_is_told_and_may_be_passed_over(tmp_path, text):
    (tmp_path / "r.json").write_bytes(text)
    with pytest.raises(VarbookError, match="r.json is damaged .* delete it and run again"):
        read_json(tmp_path / "r.json")
    assert peek_json(tmp_path / "r.json") == {} == peek_json(tmp_path / "absent.json")


def test_nobody_is_told_to_delete_what_is_not_damaged_or_comes_with_the_book(tmp_path, monkeypatch):
    def denied(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    (tmp_path / "folder.json").mkdir()
    with pytest.raises(VarbookError, match="a folder stands where a file is needed") as folder:
        read_json(tmp_path / "folder.json")
    (tmp_path / "shipped").mkdir()
    shipped = tmp_path / "shipped" / "r.json"
    shipped.write_text("{")
    monkeypatch.setattr(paths, "shipped", lambda: tmp_path / "shipped")
    with pytest.raises(VarbookError, match="restore the checkout") as restored:
        read_json(shipped)
    monkeypatch.setattr(type(shipped), "read_bytes", denied)
    with pytest.raises(VarbookError, match="there is no right to do so") as closed:
        read_json(shipped)
    assert not any("delete it" in str(told.value) for told in (folder, restored, closed))


def test_json_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("?")
    with pytest.raises(VarbookError, match="a file stands where a folder is needed"):
        write_json(tmp_path / "file" / "r.json", {})
    (tmp_path / "folder").mkdir()
    with pytest.raises(VarbookError, match="a folder stands where a file is needed"):
        write_json(tmp_path / "folder", {})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_what_is_flushed_is_on_the_disk_before_its_name_is(tmp_path, monkeypatch):
    """First the content, then the name, then the folder that holds the name."""
    done, path = [], tmp_path / "t"
    original = os.fsync

    def fsync(descriptor):
        there = os.fstat(descriptor)
        folder = os.path.samestat(there, os.stat(tmp_path))
        done.append(("folder" if folder else there.st_size, path.exists()))
        original(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    write_atomically(path, b"four", flush=True)
    assert done == [(4, False), ("folder", True)]
    write_atomically(path, b"five")
    assert len(done) == 2


def test_a_name_as_long_as_names_may_be_is_written(tmp_path):
    path = tmp_path / ("\u00e8" * 127)
    write_atomically(path, b"x")
    assert path.read_bytes() == b"x" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_never_gets_into_a_file(number, tmp_path):
    file = tmp_path / "record.json"
    write_json(file, {"curve": [1.0]})
    with pytest.raises(
        VarbookError, match=r"record.json is not written: curve.1.loss is -?(nan|inf)"
    ):
        write_json(file, {"curve": [1.0, {"loss": number}]})
    assert read_json(file) == {"curve": [1.0]}
