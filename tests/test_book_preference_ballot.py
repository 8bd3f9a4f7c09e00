"""The ballot without a front end: its buttons are clicked, and what it shows is read back."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import uint8_pictures

from varbook.book.preference import ballot as module
from varbook.book.preference.ballot import LETTERS, Ballot, png, strip, vote
from varbook.book.preference.study import QUESTIONS, Session, fill, open_study, read_votes

METHODS = ("alpha", "beta", "gamma")


@pytest.fixture
def session(tmp_path):
    """A voter at the beginning of a study of three methods and two pictures."""
    fill(tmp_path, "source", uint8_pictures(2))
    for seed, method in enumerate(METHODS, start=1):
        fill(tmp_path, method, uint8_pictures(2, seed=seed))
    return Session(open_study(tmp_path), "ann")


def shown_as(data: bytes) -> torch.Tensor:
    """What an image widget holds, brought back to its 16 pixels."""
    pixels = np.asarray(Image.open(io.BytesIO(data)))
    step = pixels.shape[0] // 16
    return torch.from_numpy(pixels[::step, ::step].copy()).permute(2, 0, 1)


def click(paper: Ballot, place: int = 0) -> None:
    for buttons in paper.choices.values():
        buttons[place].click()


def widgets_of(box) -> list:
    found = [box]
    for child in getattr(box, "children", ()):
        found += widgets_of(child)
    return found


def test_it_says_what_the_target_is(session):
    assert "Target: zebra &lt;striped&gt;." in Ballot(session, "zebra <striped>").status.value
    assert "Target" not in Ballot(session).status.value


def test_it_shows_the_source_and_the_results_in_the_voter_s_order(session):
    paper, (picture, shown) = Ballot(session), session.tasks[0]
    assert torch.equal(shown_as(paper.source.value), session.study.source(picture))
    for image, method in zip(paper.results, shown, strict=True):
        assert torch.equal(shown_as(image.value), session.study.result(method, picture))


def test_no_name_of_a_method_is_anywhere_on_the_paper(session):
    paper = Ballot(session)
    click(paper)
    for widget in widgets_of(paper.box):
        for text in (
            getattr(widget, "value", ""),
            getattr(widget, "description", ""),
            getattr(widget, "tooltip", ""),
        ):
            assert not any(method in str(text) for method in METHODS)


def test_a_click_is_kept_and_marked(session):
    paper = Ballot(session)
    paper.choices["content"][1].click()
    (kept,) = read_votes(session.folder, session.study)
    assert (kept.question, kept.choice) == ("content", session.tasks[0][1][1])
    assert [button.button_style for button in paper.choices["content"]] == ["", "success", ""]
    paper.choices["content"][2].click()  # a changed mind
    assert [button.button_style for button in paper.choices["content"]] == ["", "", "success"]
    assert read_votes(session.folder, session.study)[0].choice == session.tasks[0][1][2]


def test_next_waits_for_three_answers_and_back_for_a_first_picture(session):
    paper = Ballot(session)
    assert paper.forward.disabled and paper.back.disabled and "picture 1 of 2" in paper.status.value
    click(paper)
    assert not paper.forward.disabled
    paper.forward.click()
    assert (
        "picture 2 of 2" in paper.status.value
        and paper.forward.disabled
        and not paper.back.disabled
    )
    assert torch.equal(shown_as(paper.source.value), session.study.source(session.tasks[1][0]))
    assert not any(button.button_style for buttons in paper.choices.values() for button in buttons)
    paper.back.click()
    assert all(buttons[0].button_style == "success" for buttons in paper.choices.values())


def test_at_the_end_it_thanks_and_takes_no_more(session):
    paper = Ballot(session)
    for _ in range(2):
        click(paper, 2)
        paper.forward.click()
    assert (
        "Thank you, ann" in paper.status.value
        and paper.paper.layout.display == "none"
        and paper.forward.disabled
    )
    click(paper)  # a click that was still on its way
    assert len(read_votes(session.folder, session.study)) == 2 * len(QUESTIONS)
    paper.back.click()
    assert paper.paper.layout.display == "" and "picture 2 of 2" in paper.status.value


def test_a_new_paper_after_a_restart_goes_on(session):
    first = Ballot(session)
    click(first)
    first.forward.click()
    first.choices["style"][1].click()
    again = Ballot(Session(session.study, "ann"))
    assert (
        "picture 2 of 2" in again.status.value
        and again.choices["style"][1].button_style == "success"
    )


def test_a_vote_that_was_not_stored_is_said_and_not_marked(session):
    session.folder.write_text("in the way")
    paper = Ballot(session)
    paper.choices["style"][0].click()
    assert "was not stored" in paper.status.value and paper.choices["style"][0].button_style == ""


def test_pictures_are_enlarged_by_whole_factors():
    data = png(uint8_pictures(1)[0], side=50)
    assert Image.open(io.BytesIO(data)).size == (48, 48)
    assert torch.equal(shown_as(data), uint8_pictures(1)[0])
    assert Image.open(io.BytesIO(png(uint8_pictures(1)[0], side=3))).size == (
        16,
        16,
    )  # never smaller


def test_on_paper_there_is_a_strip_and_no_widget(session, monkeypatch):
    drawn = []
    monkeypatch.setattr(module, "show_figure", lambda picture, alt: drawn.append((picture, alt)))
    assert vote(session) is None
    ((picture, alt),) = drawn
    assert picture.size == strip(session.study, "ann").size and not any(
        method in alt for method in METHODS
    )
    assert not (session.folder).exists()  # looking is not voting


def test_live_it_displays_the_paper(session, monkeypatch):
    displayed = []
    monkeypatch.setattr(module, "is_batch", lambda: False)
    monkeypatch.setattr(module, "in_notebook", lambda: True)
    monkeypatch.setattr("IPython.display.display", lambda box: displayed.append(box))
    paper = vote(session)
    assert displayed == [paper.box] and len(paper.results) == len(METHODS) <= len(LETTERS)
