"""A reader's run is a comparison: it changes nothing that comes with the book, and says what came out
as published.
"""

import json
import os
import shutil
import subprocess
import sys

import pytest
from claims import checks_of

from varbook import paths
from varbook.book.claims import readme, save
from varbook.book.claims.registry import of_chapter
from varbook.errors import VarbookError
from varbook.runner import pages, plan, run

CHAPTER = "03"


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout with two published results, and a README."""
    for module in (paths, plan, pages, run, readme):
        monkeypatch.setattr(module, "repository", lambda: tmp_path)
    monkeypatch.delenv("VARBOOK_FIGURES", raising=False)
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path / "home"))
    with paths.only_in(paths.published()):
        result("published")
        result("published", name="flexvar-fig-4")
    blocks = [f"<!-- {name}:begin -->\n<!-- {name}:end -->\n" for name in readme.BLOCKS]
    (tmp_path / "README.md").write_text("".join(blocks))
    return tmp_path


def result(ours, holds=True, name="flexvar-table-1"):
    save.save_result(name, "laptop", checks=checks_of(name, holds), ours=ours)


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def written(mode):
    return pages.written(mode, "laptop", [])


def test_a_run_writes_its_own_report_and_leaves_what_is_published(checkout):
    result("mine", holds=False)
    before = {path: text for path, text in files(checkout).items() if "mine" not in path.parts}
    told = written("figures")
    assert "Beside what comes with the book (figures/laptop):\n" in told
    assert "FlexVAR table 1  03       other checks" in told
    assert told.endswith("\nReport: figures/mine/REPORT.md")
    mine = checkout / "figures" / "mine"
    report = (mine / "REPORT.md").read_text()
    assert "| mine |" in report and "| published |" not in report
    assert "1 other checks, 34 not made here" in (mine / "laptop" / "COMPARISON.txt").read_text()
    after = files(checkout)
    assert all(after[path] == text for path, text in before.items())
    assert {path for path in after if path not in before} == set(files(mine))


def test_publishing_writes_the_pages_that_come_with_the_book_from_these_alone(checkout):
    result("mine", holds=False)
    with paths.only_in(paths.published()):
        assert written("publish") == "Report: figures/REPORT.md"
    assert "| published |" in (checkout / "figures" / "REPORT.md").read_text()
    assert "2 held, 33 not run" in (checkout / "README.md").read_text()


def test_a_profile_of_which_nothing_is_published_is_said_so(checkout):
    assert "profile gpu come with the book: nothing to compare" in pages.beside_published("gpu")


def test_notebooks_read_a_reader_s_results_before_the_published_ones(checkout):
    assert save.load_result("flexvar-table-1", "laptop")["ours"] == "published"
    result("mine")
    assert save.load_result("flexvar-table-1", "laptop")["ours"] == "mine"
    with paths.only_in(paths.published()):
        assert save.load_result("flexvar-table-1", "laptop")["ours"] == "published"


def test_a_notebook_whose_results_are_gone_runs_again(checkout):
    nodes = [plan.Node(name, checkout / f"{name}.ipynb", ()) for name in ("03", "03s", "00")]
    assert run.owing("figures", "laptop", nodes) == nodes[:1]
    result("mine")
    assert run.owing("figures", "laptop", nodes) == run.owing("check", "smoke", nodes) == []


def test_a_run_into_the_published_figures_is_refused(checkout, monkeypatch):
    monkeypatch.setattr(run, "check_checkout", lambda: None)
    monkeypatch.setattr(plan, "nodes", lambda *_: [plan.Node("03", checkout / "03.ipynb", ())])
    monkeypatch.setattr(run, "given_values", lambda *_: {})
    monkeypatch.setattr(run, "snakemake", lambda *_: pytest.fail("something ran"))
    monkeypatch.setenv("VARBOOK_FIGURES", str(checkout / "figures"))
    with pytest.raises(VarbookError, match="come with the book, which a run leaves alone"):
        run.run(run.parse(["--profile", "smoke"]))


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A clone of this checkout, as git sees it."""
    here, there = paths.repository(), tmp_path_factory.mktemp("clone") / "book"
    made_here = shutil.ignore_patterns(
        ".*", "build", "mine", "smoke", "shared", "__pycache__", "*.egg-info", "shipped"
    )
    shutil.copytree(here, there, ignore=made_here)
    shutil.copy(here / ".gitignore", there)
    (there / "varbook" / "shipped").symlink_to(here / "varbook" / "shipped")
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *command], cwd=there, check=True)
    return there


def run_book(clone, *options):
    home = clone.parent / "home"
    away = {"VARBOOK_FIGURES", "VARBOOK_DATA", "VARBOOK_RETRAIN"}
    env = {name: value for name, value in os.environ.items() if name not in away}
    env |= {"PYTHONPATH": str(clone), "VARBOOK_HOME": str(home)}
    call = [sys.executable, "-m", "varbook.runner.run", "--profile", "smoke", "--only", CHAPTER]
    done = subprocess.run([*call, *options], cwd=clone, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def changed(clone):
    """Return what differs from the first commit-to-be, new files too, as git sees it."""
    status = ["git", "status", "--porcelain"]
    done = subprocess.run(status, cwd=clone, capture_output=True, text=True, check=True)
    return [line[2:] for line in done.stdout.splitlines() if line[1] != " "]


def test_a_reader_s_run_changes_nothing_that_git_sees_and_ends_with_the_comparison(clone):
    told = run_book(clone)
    mine = clone / "figures" / "mine" / "smoke"
    assert "nothing to compare" in told and (mine / "REPORT.md").is_file()
    # As if these results had been published, of which one was then another.
    shutil.copytree(mine, clone / "figures" / "smoke")
    told = run_book(clone)  # finds its notebook up to date
    assert f"  {CHAPTER}       as published\n" in told and "done (" not in told
    assert "1 as published, 34 not made here; times apart." in told
    theirs = clone / "figures" / "smoke" / f"{of_chapter(CHAPTER)[0].id}.json"
    value = json.loads(theirs.read_text())
    key = next(iter(value["checks"]))
    value["checks"][key] = not value["checks"][key]
    theirs.write_text(json.dumps(value))
    told = run_book(clone)
    assert f"{CHAPTER}       other checks" in told and key in told
    noted = json.loads((mine / "times.json").read_text())[CHAPTER]
    assert noted["minutes"] >= 0 and set(noted["load"]) == {"load", "cores"}
    assert changed(clone) == []


def test_publishing_changes_what_comes_with_the_book(clone):
    told = run_book(clone, "--publish")
    assert "Report: figures/smoke/REPORT.md" in told and "compare" not in told
    assert (clone / "figures" / "smoke" / f"{of_chapter(CHAPTER)[0].id}.json").is_file()
    assert changed(clone) == [f" notebooks/{plan.nodes(CHAPTER)[0].path.name}"]
