"""A run beside what is published: what counts as equal, as noise, as a difference, and as a time."""

import copy
import json
import re

import pytest

from varbook.book.claims import compare
from varbook.book.claims.artefact import Artefact
from varbook.book.claims.registry import REGISTRY
from varbook.files import read_json
from varbook.paths import repository

ROW = Artefact(
    paper="FlexVAR",
    kind="table",
    number=90,
    chapter="04",
    title="a table",
    claim="one is lower",
    published="1",
    alt="a table",
    checks={"lower": "mean", "nearer": "mean", "faster": "seconds"},
    timed=("seconds", "faster"),
    spread={"FD": "range", "loss": "luck"},
)
PUBLISHED = {
    "checks": {"lower": True, "nearer": False, "faster": True},
    "numbers": {
        "ours": {"FD": 2.0, "range": 0.5, "accuracy": 0.9, "seconds": 0.006},
        "rows": [{"name": "a", "count": 3}, {"name": "b", "count": 4}],
        "loss": {"2": {"7": 4.0}},
        "luck": {"2": 0.1},
        "seconds": {"one": {"seconds": 1.0, "shape": [64, 64]}},
        "tiny": 1.3e-8,
    },
    "params": {"steps": 3, "hardware": "CPU, 2 threads"},
    "data": "toy world",
    "seed": 0,
    "volatile": {"load": 0.5, "cores": 2},
}
COMMITTED = repository() / "figures" / "laptop"


def changed(*path, to):
    """Return the published result with one value of it changed."""
    result = copy.deepcopy(PUBLISHED)
    inside = result
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = to
    return result


def out(result):
    return compare.compared(ROW, result, PUBLISHED)


@pytest.mark.parametrize(
    ("path", "to", "outcome"),
    [
        (("numbers", "ours", "FD"), 2.001, "as published"),
        (("numbers", "ours", "FD"), 2.4, "within noise"),
        (("numbers", "ours", "FD"), 2.6, "other numbers"),
        (("numbers", "ours", "range"), 0.7, "within noise"),
        (("numbers", "ours", "range"), 1.1, "other numbers"),
        (("numbers", "ours", "accuracy"), 0.9005, "as published"),
        (("numbers", "ours", "accuracy"), 0.91, "other numbers"),
        (("numbers", "loss", "2", "7"), 4.09, "within noise"),
        (("numbers", "loss", "2", "7"), 4.11, "other numbers"),
        (("numbers", "rows", 0, "name"), "c", "other numbers"),
        (("numbers", "rows", 1, "count"), 5, "other numbers"),
        (("numbers", "tiny"), 1.1e-8, "as published"),
        (("numbers", "tiny"), "nan", "other numbers"),
        (("numbers", "photographs"), {"FD": 3.0}, "in part"),
        (("numbers", "seconds", "one", "shape"), [64, 32], "other numbers"),
        (("checks", "lower"), False, "other checks"),
        (("checks", "photographs: nearer"), True, "in part"),
        (("params", "hardware"), "CPU, 8 threads", "as published"),
        (("ours",), "other words", "as published"),
    ],
)
def test_how_a_result_came_out(path, to, outcome):
    found = out(changed(*path, to=to))
    assert found.outcome == outcome
    assert bool(found.told) == (outcome != "as published") and found.times is None


def test_what_is_missing_here_is_named():
    less = copy.deepcopy(PUBLISHED)
    del less["numbers"]["rows"], less["checks"]["nearer"]
    found = out(less)
    assert (found.outcome, found.told) == ("in part", "not here: nearer, rows")


def test_a_difference_is_told_beside_its_noise():
    told = out(changed("numbers", "ours", "FD", to=3.0)).told
    assert "ours / FD: 2 published, 3 here, 2 times its noise (0.5)" in told
    told = out(changed("numbers", "ours", "accuracy", to=0.99)).told
    assert "0.9 published, 0.99 here, 10.0% apart, noise not measured" in told
    told = out(changed("checks", "nearer", to=True)).told
    assert told == "holds here alone: nearer"


def test_the_number_that_is_told_is_the_farthest_beyond_its_noise():
    result = changed("numbers", "ours", "FD", to=2.4)
    result["numbers"]["loss"]["2"]["7"] = 4.3
    told = out(result).told
    assert told.startswith("2 of 14 numbers, farthest loss / 2 / 7: ") and "3 times its" in told


def test_other_settings_and_pictures_are_said_where_something_differs():
    result = changed("params", "steps", to=4)
    assert out(result).told == ""
    result["checks"]["lower"], result["data"] = False, "photographs"
    assert out(result).told.startswith("other settings (steps); other pictures; holds there alone")


@pytest.mark.parametrize("seconds", [0.001, 1.1])
def test_times_stand_apart_and_are_no_difference(seconds):
    result = changed("numbers", "ours", "seconds", to=seconds)
    result["checks"]["faster"] = False
    result["volatile"] = {"load": 5.0, "cores": 2}
    found = out(result)
    assert (found.outcome, found.told) == ("as published", "")
    assert found.times.ratios == [seconds / 0.006, 1.0] and found.times.checks == ["faster"]
    told = found.times.told()
    assert "(median of 2); load 0.5 on 2 cores, here 5 on 2 cores, busy" in told
    assert told.endswith("otherwise here: faster")


def test_a_load_that_nobody_noted_is_said_so():
    result = changed("numbers", "ours", "seconds", to=0.003)
    del result["volatile"]
    assert "load 0.5 on 2 cores, here not noted" in out(result).times.told()


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Two folders with the results of a registry of three rows, two of which are here."""
    rows = {name: ROW for name in ("a", "b", "c")}
    monkeypatch.setattr(compare, "REGISTRY", rows)
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder, names in ((ours, "ab"), (theirs, "abc")):
        folder.mkdir()
        for name in names:
            (folder / f"{name}.json").write_text(json.dumps(PUBLISHED))
    return ours, theirs


def test_the_count_is_of_the_whole_registry(folders):
    ours, theirs = folders
    (ours / "b.json").write_text(json.dumps(changed("checks", "lower", to=False)))
    text = compare.text(compare.comparison(ours, theirs))
    last = "Of 3 figures and tables: 1 as published, 1 other checks, 1 not made here; times apart."
    assert text.splitlines()[-1] == last
    assert text.startswith("figure or table   chapter  came out      what differs\n")
    assert "\nFlexVAR table 90  04       as published\n" in text
    assert "\nFlexVAR table 90  04       other checks  holds there alone: lower\n" in text
    assert "\nother checks: a check holds in one and not in the other\n" in text


def test_what_a_failed_chapter_left_does_not_count(folders):
    assert len(compare.comparison(*folders)) == 2
    assert compare.comparison(*folders, failed=["04"]) == []
    assert compare.text([]).endswith("3 not made here; times apart.")


def test_a_damaged_result_does_not_count(folders):
    (folders[0] / "a.json").write_text("{")
    assert len(compare.comparison(*folders)) == 1


def test_what_is_published_came_out_as_published():
    rows = compare.comparison(COMMITTED, COMMITTED)
    assert compare.summary(rows).endswith(f"{len(REGISTRY)} as published; times apart.")
    assert not any(one.told or one.times for one in rows)


@pytest.mark.parametrize("name", REGISTRY)
def test_times_and_spreads_of_published_numbers_are_named_in_their_row(name):
    row, numbers = REGISTRY[name], read_json(COMMITTED / f"{name}.json")["numbers"]
    found = dict(compare.leaves(numbers))
    keys = {key for path in found for key in path}
    for path, value in found.items():
        if re.search(r"\b(seconds|minutes|speed)\b", " ".join(path)) and isinstance(value, float):
            assert compare.is_time(row, path, value), path
        spread = [key for key in path if re.match("(range|luck)( |$)", key)]
        assert set(spread) <= set(row.spread.values()), path
    checks = {check.key for check in row.all_checks()}
    assert set(row.timed) <= keys | checks
    for one in row.spread:  # not where there was one seed
        assert any(compare.noise_of(row, path, found) for path in found if one in path), one
