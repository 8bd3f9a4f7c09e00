"""Chapter 09's photographs: rows of pictures, reports, and nothing at all where there are none."""

from dataclasses import replace

import torch
from tiny import tiny_cyclevar

from varbook.book.experiments import translated_photographs, translator_rivals
from varbook.book.experiments.translated_photographs import SHOWN, TranslatedPhotographs, find
from varbook.book.experiments.translator_reports import FLOORS, OURS, REAL, WAYS
from varbook.book.models.tasks import PHOTOGRAPHS


class Record:
    """A run that remembers what was asked to be measured, and measures it."""

    def __init__(self):
        self.asked = {}

    def measure(self, name, settings, function):
        self.asked[name] = settings
        return function()


def photographs(smoke, monkeypatch):
    parts = {
        part: torch.randint(256, (12 + k, 3, 16, 16), dtype=torch.uint8)
        for k, part in enumerate(("trainA", "trainB", "testA", "testB"))
    }
    seen = {way: {"seen_as": {"value": 0.25}} for way in WAYS}
    monkeypatch.setattr(translator_rivals, "photograph_reports", lambda parts, translate: seen)
    monkeypatch.setattr(translator_rivals, "real_reports", lambda parts: "real")
    rivals = replace(smoke.rivals, photograph_translators=())
    cyclevar = tiny_cyclevar().eval()
    return TranslatedPhotographs(replace(smoke, rivals=rivals), parts, cyclevar, Record())


def test_rows_hold_photographs_and_their_translations_both_ways(smoke, monkeypatch):
    rows = photographs(smoke, monkeypatch).pictures()
    assert list(rows) == [
        *("source: horse", "CycleVAR: to zebra"),
        *("source: zebra", "CycleVAR: to horse"),
    ]
    assert {images.shape for images in rows.values()} == {(SHOWN, 3, 16, 16)}


def test_reports_hold_the_floors_and_real_photographs_beside_ours(smoke, monkeypatch):
    photos = photographs(smoke, monkeypatch)
    assert list(photos.reports) == [*FLOORS, OURS, REAL]
    assert photos.run.asked["photographs"] == {"images": [14, 15]}
    assert photos.seen_as_target == dict.fromkeys(WAYS, 0.25)


def test_without_photographs_there_is_nothing(smoke, monkeypatch):
    monkeypatch.setattr(translated_photographs.build, "translator", None)
    assert find(replace(smoke, use_photographs=False)) is None
    monkeypatch.setattr(type(PHOTOGRAPHS), "parts", lambda task, profile: None)
    assert find(replace(smoke, use_photographs=True)) is None
