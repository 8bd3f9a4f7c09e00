"""The book's own entries of a study: which methods, of which pictures, made once."""

import pytest
import torch
from tiny import tiny_cyclevar, tiny_runs, uint8_pictures

from varbook import paths
from varbook.book.models import build, sources
from varbook.book.models.profiles import profile
from varbook.book.models.tasks import TOY
from varbook.book.models.trained import Trained
from varbook.book.preference import methods
from varbook.book.preference.methods import (
    OURS,
    our_methods,
    photograph_study,
    study_of_run,
    toy_study,
)
from varbook.data.images import to_float, to_uint8
from varbook.errors import VarbookError
from varbook.train.store import Run
from varbook.translate.apply import translate_all


@pytest.fixture(autouse=True)
def run(tmp_path, monkeypatch) -> Run:
    """A home of its own, and a run in it."""
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VARBOOK_DEVICE", "cpu")
    monkeypatch.setattr(paths, "shipped", lambda: tmp_path / "shipped")
    return Run(tiny_runs(), {}, "trained")


def test_the_methods_are_what_their_names_say():
    cyclevar, images = tiny_cyclevar(), uint8_pictures(3)
    found = our_methods(cyclevar, images, 2)
    assert set(found) == {OURS, "in-series", "tokenizer-only"}
    assert torch.equal(found[OURS], to_uint8(translate_all(cyclevar, images, 2)))
    with torch.no_grad():
        assert torch.equal(
            found["tokenizer-only"], to_uint8(cyclevar.tokenizer.reconstruct(to_float(images))[-1])
        )
    assert not torch.equal(found["in-series"], found[OURS]) and all(
        one.shape == images.shape for one in found.values()
    )


def test_a_study_is_made_once_and_then_left_alone(run):
    first = study_of_run(tiny_cyclevar(), run, uint8_pictures(3), 2)
    again = study_of_run(None, run, uint8_pictures(3), 2)  # no model is asked again
    assert (
        again == first
        and first.pictures == ("000.png", "001.png", "002.png")
        and run.name in first.folder.name
    )
    assert torch.equal(first.source("001.png"), uint8_pictures(3)[1])


def test_another_run_is_another_study(run):
    first = study_of_run(tiny_cyclevar(), run, uint8_pictures(2), 2)
    other = study_of_run(tiny_cyclevar(), Run("retrained", {}, "trained"), uint8_pictures(2), 2)
    measured = Run(run.name, {"measured on": "0123456789ab"}, "found")  # on others' photographs
    elsewhere = study_of_run(tiny_cyclevar(), measured, uint8_pictures(2), 2)
    assert len({first.folder, other.folder, elsewhere.folder}) == 3


def test_an_interrupted_filling_is_filled_again(run):
    first = study_of_run(tiny_cyclevar(), run, uint8_pictures(3), 2)
    (first.folder / "methods" / OURS / "001.png").unlink()
    assert study_of_run(tiny_cyclevar(), run, uint8_pictures(3), 2) == first


def test_the_toy_study_shows_held_out_horses_and_asks_for_zebras(run, monkeypatch):
    asked = []
    made = Trained("key", lambda watch: (tiny_cyclevar(), run))
    monkeypatch.setattr(build, "translator", lambda task, profile: made)
    monkeypatch.setattr(
        methods,
        "our_methods",
        lambda c, images, target: asked.append(target) or {"a": images, "b": images},
    )
    study, behind = toy_study(profile("smoke"), 4)
    assert behind is run and asked == [TOY.domains["zebra"]] and len(study.pictures) == 4
    assert torch.equal(
        study.source("003.png"),
        TOY.domain(profile("smoke"), "horse", held_out=True).images[3],
    )


def test_without_photographs_it_says_where_they_are_looked_for(monkeypatch):
    monkeypatch.setattr(sources, "data_folder", lambda name: None)
    with pytest.raises(VarbookError, match="VARBOOK_DATA"):
        photograph_study(profile("smoke"))
