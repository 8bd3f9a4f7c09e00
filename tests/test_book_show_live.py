"""A training that is seen while it runs: when it is drawn, what is kept, and its scale."""

import IPython.display
import matplotlib.pyplot as plt
import pytest
import torch
from tiny import pictures

from varbook.book.show import live as live_module
from varbook.book.show.live import LivePlot, Screen, training_figure
from varbook.train.steps import Steps


@pytest.fixture
def drawn(monkeypatch):
    """What is displayed, in order: the words for it, and whether it is the first time there."""
    calls = []

    class Handle:
        def update(self, bundle, raw):
            calls.append((bundle["text/plain"], False))

    def display(bundle, raw, display_id):
        assert any(mime.startswith("image/") for mime in bundle)
        calls.append((bundle["text/plain"], True))
        return Handle()

    monkeypatch.setattr(IPython.display, "display", display)
    monkeypatch.setattr(live_module, "in_notebook", lambda: True)
    return calls


def plot(monkeypatch, batch, steps=4, **settings):
    monkeypatch.setenv("VARBOOK_BATCH", "1")
    if not batch:
        monkeypatch.setattr(live_module, "is_batch", lambda: False)
    return LivePlot(steps, {"error": ["mse"]}, **settings)


def test_in_batch_losses_and_film_are_drawn_once_at_the_end(drawn, monkeypatch):
    live = plot(monkeypatch, True, images=lambda: pictures(2), rows=3)
    for step in live:
        assert not drawn
        live.log({"mse": 1.0 / (step + 1)})
    assert [first for _, first in drawn] == [True, True]
    assert drawn[1][0].endswith("step 0, step 2, step 4]")


def test_who_watches_sees_both_drawn_again_in_place(drawn, monkeypatch):
    live = plot(monkeypatch, False, images=lambda: pictures(2), rows=3, seconds=0)
    for _ in live:
        live.log({"mse": 1.0})
    losses = [first for words, first in drawn if words.startswith("[error")]
    film = [first for words, first in drawn if "examples" in words]
    assert losses == [True] + [False] * 4 and film == [True, False, False]


def test_losses_are_not_drawn_at_every_step_but_when_it_is_time(drawn, monkeypatch):
    clock = iter(range(100)).__next__
    live = plot(monkeypatch, False, steps=12, seconds=9, clock=clock)
    for _ in live:
        live.log({"mse": 1.0})
    assert 2 <= len(drawn) <= 4 and live.spent > 12


def test_a_loop_that_is_stopped_shows_how_far_it_got(drawn, monkeypatch):
    live = plot(monkeypatch, True, steps=50)
    steps = iter(live)
    for _ in range(3):
        next(steps)
        live.log({"mse": 1.0})
    steps.close()
    assert len(live.curve) == 3 and len(drawn) == 1


def test_outside_of_a_notebook_nothing_is_drawn_and_the_curve_is_kept(monkeypatch):
    live = LivePlot(2, {"error": ["mse"]}, lambda: pytest.fail("asked for pictures"))
    for step in live:
        live.log({"mse": torch.tensor(2.0, requires_grad=True) * step})
    assert live.curve == [{"step": 0, "mse": 0.0}, {"step": 1, "mse": 2.0}]


def test_numbers_of_one_step_stand_in_one_point():
    live = LivePlot(1, {"a": ["x"], "b": ["y"]})
    for _ in live:
        live.log({"x": 1})
        live.log({"y": 2})
    assert live.curve == [{"step": 0, "x": 1.0, "y": 2.0}]


def test_a_loop_of_the_package_is_shown_through_its_keeper(drawn, monkeypatch, tmp_path):
    live = plot(monkeypatch, True, images=lambda: pictures(1), rows=3)
    keeper = live.keeper(tmp_path)
    steps = Steps("tiny", 4, {}, [], lambda step: 1.0, 0, keeper, log_every=1)
    for step, _ in steps:
        steps.log({"mse": step})
    assert [point["mse"] for point in live.curve] == [0, 1, 2, 3]
    assert list(live.film) == ["step 0", "step 2", "step 4"] and len(drawn) == 2
    assert not list(tmp_path.iterdir())  # it saves nothing


def test_the_film_begins_with_the_rows_above(drawn, monkeypatch):
    live = plot(monkeypatch, True, images=lambda: pictures(2), rows=2, above={"x": pictures(2)})
    for _ in live:
        pass
    assert list(live.film) == ["x", "step 0", "step 4"]


def test_a_panel_has_its_lines_its_levels_and_the_scale_that_its_values_need():
    curve = [{"step": step, "mse": 10.0**-step, "used": 5.0} for step in range(4)]
    figure = training_figure(curve, {"e": ["mse"], "codes": ["used"]}, 9, {"codes": {"all": 8.0}})
    error, codes = figure.axes
    assert error.get_yscale() == "log" and codes.get_yscale() == "linear"
    assert [text.get_text() for text in codes.get_legend().texts] == ["used", "all"]
    assert error.get_xlim() == (0, 9) and len(error.lines) == 1  # four values have no mean
    plt.close(figure)


def test_a_screen_closes_the_figure_so_that_it_is_not_shown_twice(drawn):
    figure = training_figure([], {"e": ["mse"]}, 3)
    Screen().draw("losses", figure, "losses")
    assert not plt.fignum_exists(figure.number) and len(drawn) == 1
