"""The pages about the project name files, rooms and commands that exist."""

import re

import pytest
from test_layers import ROOMS

from varbook.paths import repository

ROOT = repository()
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/glossary.md",
    "docs/notation.md",
    "docs/bars.md",
    "docs/promises.md",
    "docs/faults.md",
)
every_page = pytest.mark.parametrize("name", PAGES)


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def anchors(page: str) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    titles = re.findall(r"^#+ (.+)$", page, re.M)
    return {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in titles}


@every_page
def test_every_link_leads_to_a_file_and_a_heading(name):
    for target in re.findall(r"\]\(([^)]+)\)", text(name)):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        page = (ROOT / name).parent / path if path else ROOT / name
        assert page.exists(), f"{name} links to {target}"
        assert not anchor or anchor in anchors(page.read_text(encoding="utf-8")), target


@every_page
def test_every_file_of_the_package_that_is_named_exists(name):
    for path in re.findall(r"`((?:varbook|tests|data_scripts|profiles)/[\w./]+)`", text(name)):
        assert (ROOT / path).exists(), f"{name} names {path}"


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_the_rooms_are_listed_in_the_order_in_which_data_flows(name):
    listed = re.findall(r"^(?:\| `)?varbook/(\w+)`? ", text(name), re.M)
    assert listed == list(ROOMS)


@every_page
def test_every_goal_of_make_that_is_named_exists(name):
    makefile = text("Makefile")
    for goal in re.findall(r"(?:^|`)make ([a-z-]+)", text(name), re.M):
        assert re.search(rf"^{goal}:", makefile, re.M), f"{name} names make {goal}"


def test_every_try_of_a_fault_is_repeated_by_tests_that_exist():
    missing = []
    for row in re.findall(r"^\|.*\|$", text("docs/faults.md"), re.M):
        for files, names in re.findall(r"((?:`test_\w+\.py`,? ?)+): ([^|`.]+)", row):
            for file in re.findall(r"`(\w+\.py)`", files):
                code = (ROOT / "tests" / file).read_text(encoding="utf-8")
                for name in names.split(";"):
                    test = re.sub(r"\W+", "_", name.strip())
                    if not re.search(rf"^def test_{test}\(", code, re.M):
                        missing.append((file, test))
    assert not missing


@pytest.mark.parametrize("name", ["docs/promises.md", "docs/faults.md"])
def test_every_test_that_stands_behind_a_promise_exists(name):
    named = re.findall(r"`(?:tests/)?((?:faults/)?\w+\.py)`", text(name))
    assert named and all((ROOT / "tests" / file).is_file() for file in named)
