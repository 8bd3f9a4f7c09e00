"""What is seen while a training runs: pictures that are drawn again in place, now and then."""

import IPython.display
import pytest
from PIL import Image

from varbook.own.live import Live, curves_figure

CURVE = [{"step": 0, "loss": 3.0, "cycle": 1.0}, {"step": 20, "loss": 2.0, "cycle": 0.5}]


@pytest.fixture
def drawn(monkeypatch):
    """What is displayed, as (the number of the place, is it the first time there?)."""
    calls = []

    class Handle:
        def __init__(self, place):
            self.place = place

        def update(self, bundle, raw):
            calls.append((self.place, False))

    def display(bundle, raw, display_id):
        assert any(mime.startswith("image/") for mime in bundle)
        place = sum(first for _, first in calls)
        calls.append((place, True))
        return Handle(place)

    monkeypatch.setattr(IPython.display, "display", display)
    return calls


def live(times, watched=True) -> Live:
    shown = Live(seconds=2, clock=iter(times).__next__)
    shown.watched = watched
    return shown


def test_the_curves_are_drawn_again_in_place_but_not_at_every_step(drawn):
    shown = live([0, 1, 3])
    for _ in range(3):
        shown("translator", CURVE)
    assert drawn == [(0, True), (0, False)]


def test_a_sheet_is_shown_whenever_there_is_one_in_a_place_of_its_own(drawn):
    shown = live([0, 1, 1])
    shown("translator", CURVE)
    shown("translator", CURVE, Image.new("RGB", (8, 8)))
    shown("translator", CURVE, Image.new("RGB", (8, 8)))
    assert drawn == [(0, True), (1, True), (1, False)]


def test_in_batch_nothing_is_shown_and_the_curves_are_kept(drawn):
    shown = live([], watched=False)
    shown("tokenizer", CURVE, Image.new("RGB", (8, 8)))
    assert not drawn and shown.curves == {"tokenizer": CURVE}


def test_a_panel_shows_the_losses_that_its_part_has():
    panels = curves_figure({"translator": CURVE}).axes
    assert [panel.get_title() for panel in panels] == [
        "tokenizer",
        "next-scale model",
        "translator",
    ]
    assert [len(panel.lines) for panel in panels] == [0, 0, 2]
    assert [text.get_text() for text in panels[2].get_legend().texts] == ["all", "cycle"]
