"""Where things are looked for and kept."""

from pathlib import Path

import pytest

import varbook
from varbook import paths
from varbook.errors import VarbookError


@pytest.fixture(autouse=True)
def empty(tmp_path, monkeypatch):
    """Start from an environment and a checkout with nothing in them."""
    for name in ("VARBOOK_HOME", "VARBOOK_DATA", "VARBOOK_WEIGHTS", "VARBOOK_FIGURES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setattr(paths, "repository", lambda: tmp_path / "work" / "checkout")
    return tmp_path


def test_the_repository_is_the_checkout_and_shipped_lies_in_the_package(monkeypatch):
    monkeypatch.undo()
    assert (paths.repository() / "varbook" / "paths.py").is_file()
    assert paths.shipped() == Path(varbook.__file__).parent / "shipped"


def test_home_is_in_the_cache_or_where_the_environment_says(empty, monkeypatch):
    assert paths.home() == empty / "user" / ".cache" / "varbook"
    monkeypatch.setenv("VARBOOK_HOME", "~/models")
    assert paths.home() == empty / "user" / "models"


def test_figures_lie_in_the_checkout_or_where_the_environment_says(empty, monkeypatch):
    assert paths.published() == empty / "work" / "checkout" / "figures"
    assert paths.figures() == paths.published() / "mine"
    assert paths.figure_places() == [paths.figures(), paths.published()]
    monkeypatch.setenv("VARBOOK_FIGURES", str(empty / "f"))
    assert paths.figure_places() == [paths.figures()] == [empty / "f"]


def test_data_are_found_in_the_order_checkout_home_beside(empty, monkeypatch):
    assert paths.data_folder("horse2zebra") is None
    places = [
        empty / "work" / "shared" / "data",
        empty / "user" / ".cache" / "varbook" / "data",
        empty / "work" / "checkout" / "data",
    ]
    for place in places:  # each better than the one before
        (place / "horse2zebra").mkdir(parents=True)
        assert paths.data_folder("horse2zebra") == place / "horse2zebra"
    assert paths.data_places() == places[::-1]
    assert paths.data_folder("another") is None


def test_a_place_of_data_that_is_named_is_the_only_one(empty, monkeypatch):
    (empty / "work" / "checkout" / "data" / "horse2zebra").mkdir(parents=True)
    (empty / "named").mkdir()
    monkeypatch.setenv("VARBOOK_DATA", str(empty / "named"))
    assert paths.data_folder("horse2zebra") is None  # what lies elsewhere is not meant
    assert f"(it names {empty / 'named'}, which does" in paths.not_there("horses", "fetch them")
    (empty / "named" / "horse2zebra" / "trainA").mkdir(parents=True)
    assert paths.data_folder("horse2zebra") == empty / "named" / "horse2zebra"
    monkeypatch.setenv("VARBOOK_DATA", str(empty / "named" / "horse2zebra"))
    for name in ("horse2zebra", "day2night"):
        with pytest.raises(VarbookError, match=f"a data set itself.*VARBOOK_DATA={empty}/named"):
            paths.data_folder(name)


@pytest.mark.parametrize(
    "variable, look",
    [("VARBOOK_DATA", paths.data_places), ("VARBOOK_WEIGHTS", paths.weights_places)],
)
def test_a_named_place_that_is_no_folder_is_answered(empty, monkeypatch, variable, look):
    (empty / "file").touch()
    for name, found in (("gone", "not there"), ("file", "a file"), ("~nobody/x", "not there")):
        monkeypatch.setenv(variable, str(empty / name) if "~" not in name else name)
        with pytest.raises(VarbookError, match=f"{variable} names .*, which is {found}"):
            look()


def test_a_named_place_without_any_weights_is_answered(empty, monkeypatch):
    (empty / "named").mkdir()
    (empty / "named" / "README.md").touch()
    monkeypatch.setenv("VARBOOK_WEIGHTS", str(empty / "named"))
    with pytest.raises(VarbookError, match="holds no weights"):
        paths.weights_file("net.npz")
    (empty / "named" / "other.pth").touch()  # some of them are enough: the rest lies elsewhere
    assert paths.weights_file("net.npz") is None


def test_weights_are_files_and_found_likewise(empty, monkeypatch):
    assert paths.weights_file("net.npz") is None
    beside = empty / "work" / "shared" / "weights" / "net.npz"
    beside.mkdir(parents=True)
    assert paths.weights_file("net.npz") is None  # a folder of that name is no file
    beside.rmdir()
    beside.touch()
    assert paths.weights_file("net.npz") == beside
    monkeypatch.setenv("VARBOOK_WEIGHTS", str(empty))
    (empty / "net.npz").touch()
    assert paths.weights_file("net.npz") == empty / "net.npz"


def test_an_empty_setting_is_no_setting(monkeypatch):
    monkeypatch.setenv("VARBOOK_DATA", "")
    assert len(paths.data_places()) == 3


@pytest.mark.parametrize(
    "variable, place", [("VARBOOK_HOME", paths.home), ("VARBOOK_FIGURES", paths.figures)]
)
def test_an_empty_setting_counts_as_none(variable, place, monkeypatch):
    usual = place()
    monkeypatch.setenv(variable, "")
    assert place() == usual


@pytest.mark.parametrize("named", [None, "f"])
def test_a_page_about_some_results_looks_at_no_others(empty, monkeypatch, named):
    if named:
        monkeypatch.setenv("VARBOOK_FIGURES", str(empty / named))
    before = paths.figure_places()
    with pytest.raises(KeyError), paths.only_in(paths.published()):
        assert paths.figure_places() == [paths.published()]
        raise KeyError
    assert paths.figure_places() == before
