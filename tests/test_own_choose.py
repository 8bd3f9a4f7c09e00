"""A reader chooses two folders by a path, an archive or uploads; a wrong choice is answered, and
changes nothing.
"""

import errno
import io
import zipfile

import pytest

from varbook.data.toy_folders import write_seasons
from varbook.errors import VarbookError
from varbook.own import choose
from varbook.own.choose import Chooser, choose_folder
from varbook.own.layout import two_places


@pytest.fixture
def default(tmp_path, monkeypatch):
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path / "home"))
    return write_seasons(tmp_path / "seasons", 4, side=16)


def archive(entries: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        for name, content in entries.items():
            file.writestr(name, content)
    return data.getvalue()


def domains(chooser: Chooser) -> list[str]:
    return [place.name for place in two_places(chooser.folder)]


def test_without_a_choice_the_default_is_taken_and_a_parameter_is_a_choice(default, tmp_path):
    assert choose_folder(default).folder == default
    assert choose_folder(tmp_path, f" {default} ").said == "seasons: summer and winter."
    with pytest.raises(VarbookError, match="There is no folder"):
        choose_folder(default, str(tmp_path / "nowhere"))


def test_a_wrong_path_is_answered_and_changes_nothing(default, tmp_path):
    chooser = Chooser(default)
    assert "There is no folder" in chooser.type(str(tmp_path / "nowhere"))
    assert "no subfolders with pictures" in chooser.type(str(default / "summer"))
    assert chooser.folder == default
    assert "small folder" in chooser.type("")


def test_an_archive_is_unpacked_once_and_stays_in_its_folder(default, tmp_path):
    picture = next((default / "summer").glob("*.png")).read_bytes()
    content = archive({"pair/day/a.png": picture, "pair/night/b.png": picture})
    chooser = Chooser(default)
    upload = [{"name": "Pair.ZIP", "content": memoryview(content)}]
    assert chooser.upload(upload) == chooser.upload(upload)
    assert chooser.folder.parent == tmp_path / "home" / "uploads"
    assert (chooser.folder / "pair" / "day" / "a.png").read_bytes() == picture


@pytest.mark.parametrize(
    "entries", [{"../out.png": b"x"}, {"/out.png": b"x"}, {"a/x.png": b"1", "A/x.png": b"2"}]
)
def test_an_archive_that_leads_outside_or_loses_a_picture_is_refused(default, tmp_path, entries):
    chooser = Chooser(default)
    said = chooser.upload([{"name": "a.zip", "content": archive(entries)}])
    assert "do not use this zip" in said and chooser.folder == default
    assert not list((tmp_path / "home" / "uploads").glob("*")) and not list(
        tmp_path.rglob("out.png")
    )


@pytest.mark.parametrize("names", [("a.png", "a.png"), ("a.png", "A.png"), ("..",), ("",)])
def test_uploads_whose_names_are_none_or_the_same_are_told(default, names):
    chooser = Chooser(default)
    said = chooser.upload([{"name": name, "content": b"1"} for name in names], "A")
    assert "are named" in said or "not a file's name" in said


def test_a_full_disk_is_told_in_the_notebook(default, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device", "x")

    monkeypatch.setattr(choose, "unpack", full)
    assert "no space is left" in Chooser(default).upload([{"name": "a.zip", "content": b""}])


def test_what_is_no_archive_or_too_large_is_refused(default, monkeypatch):
    chooser = Chooser(default)
    assert "is damaged" in chooser.upload([{"name": "a.zip", "content": b"no archive"}])
    monkeypatch.setattr(choose, "MOST_BYTES", 3)
    content = archive({"a/a.png": b"1234"})
    assert "type the path" in chooser.upload([{"name": "a.zip", "content": content}])
    assert chooser.folder == default


def test_pictures_of_two_sides_become_two_domains(default):
    chooser = Chooser(default)
    files = [{"name": "../a.png", "content": b"1"}, {"name": "b.png", "content": b"2"}]
    assert "a second one" in chooser.upload(files, "A") and chooser.folder == default
    chooser.upload(files[1:], "B")
    assert domains(chooser) == ["A", "B"]
    chooser.upload(files[:1], "A")
    assert [file.name for file in (chooser.folder / "A").iterdir()] == ["a.png"]
