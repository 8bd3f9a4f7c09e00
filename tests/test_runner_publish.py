"""What is published keeps the times of a quiet machine, and minutes too."""

import json
import os

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from varbook import cores, paths
from varbook.book.claims.registry import REGISTRY
from varbook.runner import plan, publish, run

QUIET, BUSY = {"load": 1.5, "cores": 2}, {"load": 4.0, "cores": 2}
TIMED = next(row for row in REGISTRY.values() if row.chapter == "10" and row.timed)


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout without anything but what a test puts there."""
    for module in (paths, plan, publish):
        if hasattr(module, "repository"):
            monkeypatch.setattr(module, "repository", lambda: tmp_path)
    monkeypatch.delenv("VARBOOK_FIGURES", raising=False)
    return tmp_path


@pytest.fixture
def node(checkout):
    (checkout / "notebooks").mkdir()
    node = plan.Node("10", checkout / "notebooks" / "10_taken_apart.ipynb", ())
    node.path.write_text("kept")
    return node


def result(seconds, load, **more):
    volatile = {"volatile": load} if load is not None else {}
    return {"numbers": {"speed": {"main": seconds}}, "checks": {}} | volatile | more


def save(checkout, value, table="1\n"):
    folder = checkout / "figures" / "laptop"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{TIMED.id}.json").write_text(json.dumps(value))
    (folder / f"{TIMED.id}.csv").write_text(table)
    return folder


def ran(node, mode="publish", load=None, minutes=2.0, cells=()):
    """Note that a notebook ran well, and write its executed copy."""
    state, copy = plan.state_file(mode, "laptop", node), plan.executed(mode, "laptop", node)
    for path in (state, copy):
        path.parent.mkdir(parents=True, exist_ok=True)
    state.write_text(json.dumps({"exit": 0, "load": load or {}}))
    metadata = {"papermill": {"duration": 60 * minutes}}
    nbformat.write(new_notebook(cells=[new_markdown_cell("# A"), *cells], metadata=metadata), copy)


@pytest.mark.parametrize(
    ("before", "now", "held"),
    [
        (QUIET, BUSY, True),
        ({}, BUSY, True),
        (None, BUSY, True),
        (QUIET, QUIET, False),
        (BUSY, BUSY, False),
        (BUSY, QUIET, False),
        (QUIET, {}, False),
    ],
)
def test_times_of_a_busy_machine_do_not_replace_those_of_a_quiet_one(
    checkout, node, before, now, held
):
    folder = save(checkout, result(0.006, before))
    kept = publish.timed_results("laptop", [node])
    save(checkout, result(1.1, now), "2\n")
    (folder / f"{TIMED.id}.md").write_text("new")
    assert publish.keep_quiet_times("laptop", kept) == ["10"] * held
    seconds = json.loads((folder / f"{TIMED.id}.json").read_text())["numbers"]["speed"]["main"]
    assert seconds == (0.006 if held else 1.1)
    assert (folder / f"{TIMED.id}.csv").read_text() == ("1\n" if held else "2\n")
    assert (folder / f"{TIMED.id}.md").exists() != held


def test_a_busy_machine_may_publish_what_has_the_same_times(checkout, node):
    folder = save(checkout, result(0.006, QUIET))
    kept = publish.timed_results("laptop", [node])
    save(checkout, result(0.006, BUSY, ours="other words"))
    assert publish.keep_quiet_times("laptop", kept) == []
    assert "other words" in (folder / f"{TIMED.id}.json").read_text()


def test_what_was_never_published_is_taken_as_it_is(checkout, node):
    kept = publish.timed_results("laptop", [node])
    save(checkout, result(1.1, BUSY))
    assert kept == {} and publish.keep_quiet_times("laptop", kept) == []


def test_a_notebook_that_is_held_back_stays_and_runs_again(checkout, node):
    ran(node)
    publish.write_back("laptop", [node], held=["10"])
    assert node.path.read_text() == "kept" and plan.outcome("publish", "laptop", node) is None
    ran(node)
    publish.write_back("laptop", [node], held=["09"])
    assert "# A" in node.path.read_text() and plan.outcome("publish", "laptop", node) is True


def test_the_chapter_that_shows_all_results_waits_for_the_others(checkout, node):
    last = plan.Node("13", node.path, ())
    ran(last)
    publish.write_back("laptop", [last], held=["10"])
    assert node.path.read_text() == "kept"
    assert "`make publish ONLY=10,13`" in publish.told(["10"])


def test_an_outcome_stays_newer_than_the_notebook_that_was_written_back(checkout, node):
    ran(node, cells=[new_code_cell("1", execution_count=1)])
    os.utime(plan.state_file("publish", "laptop", node), (1, 1))
    publish.write_back("laptop", [node])
    state = plan.state_file("publish", "laptop", node)
    assert state.stat().st_mtime >= node.path.stat().st_mtime


@pytest.mark.parametrize(
    ("before", "now", "minutes"), [(QUIET, BUSY, 0.3), (QUIET, QUIET, 2.0), (BUSY, QUIET, 2.0)]
)
def test_minutes_of_a_busy_machine_do_not_replace_those_of_a_quiet_one(
    checkout, node, before, now, minutes
):
    times = checkout / "figures" / "mine" / "laptop" / "times.json"
    times.parent.mkdir(parents=True)
    times.write_text(json.dumps({"10": {"minutes": 0.3, "load": before}, "09": {"minutes": 5}}))
    ran(node, "figures", now)
    run.note_times("figures", "laptop", [node], since=0, retrain=False)
    noted = json.loads(times.read_text())
    assert noted["10"]["minutes"] == minutes and noted["09"] == {"minutes": 5}
    run.note_times("figures", "laptop", [node], since=0, retrain=True)
    assert json.loads(times.read_text())["10"]["retrain_minutes"] == 2.0


def test_a_load_is_of_the_machine_and_may_be_unknown(monkeypatch):
    monkeypatch.setattr(os, "getloadavg", lambda: (1.234, 9.0, 9.0))
    assert cores.load() == {"load": 1.23, "cores": os.cpu_count()}

    def unknown():
        raise OSError

    monkeypatch.setattr(os, "getloadavg", unknown)
    assert cores.load() == {} and not cores.busy({})
    assert cores.busy({"load": 2.6, "cores": 2}) and not cores.busy({"load": 2.5, "cores": 2})
