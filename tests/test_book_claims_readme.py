"""The README says what the registry and the results say."""

import re

import pytest

from varbook.book.chapters import CHAPTERS
from varbook.book.claims import readme
from varbook.errors import VarbookError
from varbook.paths import repository

TEXT = (repository() / "README.md").read_text(encoding="utf-8")


def test_the_generated_parts_are_up_to_date(monkeypatch, tmp_path):
    monkeypatch.setenv("VARBOOK_FIGURES", str(tmp_path))  # a reader's results are not looked at
    assert readme.filled(TEXT) == TEXT, "run `make report`"


def test_every_chapter_and_profile_is_named():
    for one in CHAPTERS.values():
        assert f"{one.number} {one.title}" in TEXT
    for name in ("smoke", "laptop", "gpu", "paper"):
        assert f"| `{name}` |" in TEXT


def test_the_two_commands_stand_on_the_first_screen():
    first = TEXT.splitlines()[:30]
    assert any(line.startswith("make figures") for line in first) and any(
        line.startswith("make test") for line in first
    )


def test_links_into_the_repository_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        if "://" not in target:
            assert (repository() / target).is_file(), target


def test_a_lost_place_is_said_so():
    with pytest.raises(VarbookError, match="lost its place for the picture"):
        readme.filled("# nothing here")
