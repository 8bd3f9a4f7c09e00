"""Samples beside reconstructions and real pictures: what is measured, and what is said of it."""

from types import SimpleNamespace

import pytest
import torch

from varbook.book.experiments import generation_quality
from varbook.generate.sampling import Drawing
from varbook.tokenizer.schedule import square


class Judge:
    """Takes a picture for class 1 where its mean is positive, else for class 0."""

    def __call__(self, images):
        bright = images.mean((1, 2, 3)) > 0
        return SimpleNamespace(species=torch.stack((~bright, bright), 1).float())


@pytest.fixture(autouse=True)
def judged(monkeypatch):
    monkeypatch.setattr(generation_quality, "look", lambda judge, images: judge(images))


def test_accuracy_counts_labels_and_variety_looks_within_a_class_alone():
    bright, dark = torch.full((3, 16, 16), 0.5), torch.full((3, 16, 16), -0.5)
    labels = torch.tensor([1, 1, 0, 0])
    found = generation_quality.accuracy_and_variety(
        Judge(), torch.stack((bright, bright, dark, bright)), labels
    )
    assert found["taken for its class"] == 0.75
    # Two equal pictures of one class, and two of the other that differ by 1 everywhere.
    assert found["apart"] == pytest.approx(0.5)


def test_variety_does_not_see_what_is_finer_than_its_grid():
    checks = (torch.arange(16)[:, None] + torch.arange(16)) % 2 * 2.0 - 1
    pictures = torch.stack((checks.expand(3, 16, 16), -checks.expand(3, 16, 16)))
    found = generation_quality.accuracy_and_variety(Judge(), pictures, torch.tensor([0, 0]))
    assert found["apart"] == pytest.approx(0.0, abs=1e-6)


def rows(ramp, constant):
    forms = [("ramp", 1.5, ramp), ("constant", 1.5, constant), ("ramp", 0.0, 2.0)]
    return [{"form": form, "strength": one, "apart": apart} for form, one, apart in forms]


def test_a_row_says_first_how_its_pictures_were_drawn():
    (row,) = generation_quality.variety_rows(
        [{"apart": 0.5, "form": "ramp", "strength": 1.5, "taken for its class": 0.75}]
    )
    assert list(row.items()) == [
        ("strength", 1.5),
        ("form", "ramp"),
        ("accuracy", 0.75),
        ("variety", 0.5),
    ]


def test_the_ramp_is_said_to_keep_variety_only_where_it_does():
    told = generation_quality.ramp_text(rows(1.8, 1.0))
    assert "keeps 90%" in told and "the constant 50%" in told and "keeps more variety" in told
    assert "does not keep more variety" in generation_quality.ramp_text(rows(1.0, 1.8))


def test_a_table_leaves_the_card_out_and_the_settings_are_said():
    shown = generation_quality.without_card({"real": {"FD-toy": 1.0, "card": {}}})
    assert shown == [{"pictures": "real", "FD-toy": 1.0}]
    told = generation_quality.how_drawn(Drawing(1.5, top_k=100, top_p=0.95), square(1, 2))
    assert told == "guidance 1.5, top-k 100, top-p 0.95, 2 steps"
