"""The study: blinded, resumable, and no vote lost, whatever happens in between."""

import json
import math

import pytest
import torch
from tiny import uint8_pictures

from varbook.book.preference import study as module
from varbook.book.preference.study import (
    QUESTIONS,
    Session,
    Vote,
    append_vote,
    fill,
    finished,
    open_study,
    order,
    read_votes,
)
from varbook.errors import VarbookError

METHODS = ("alpha", "beta", "gamma")


@pytest.fixture
def study(tmp_path):
    """A study of three methods on five pictures."""
    fill(tmp_path, "source", uint8_pictures(5))
    for seed, method in enumerate(METHODS, start=1):
        fill(tmp_path, method, uint8_pictures(5, seed=seed))
    return open_study(tmp_path)


def vote_of(one, **changes) -> Vote:
    """A vote of ann for beta, in the study `one`."""
    fields = {"study": one.key, "voter": "ann", "picture": "000.png", "question": "style"}
    return Vote(**fields | {"choice": "beta", "shown": METHODS, "seconds": 1} | changes)


def answer_all(session: Session, place: int = 0) -> None:
    while not session.done:
        for question in QUESTIONS:
            session.answer(question, place)
        session.forward()


def test_a_study_is_its_folder(study, tmp_path):
    assert study.methods == METHODS and study.pictures == tuple(f"00{k}.png" for k in range(5))
    assert torch.equal(study.source("002.png"), uint8_pictures(5)[2])
    assert torch.equal(study.result("beta", "004.png"), uint8_pictures(5, seed=2)[4])
    assert open_study(tmp_path) == study


def test_other_pictures_are_another_study(study, tmp_path):
    fill(tmp_path, "beta", uint8_pictures(5, seed=9))
    assert open_study(tmp_path).key != study.key


def test_filling_again_leaves_nothing_of_before(study, tmp_path):
    for part in ("source", *METHODS):
        fill(tmp_path, part, uint8_pictures(2), ["first", "second"])
    assert open_study(tmp_path).pictures == ("first.png", "second.png")


def test_what_a_study_lacks_is_named(study, tmp_path):
    (tmp_path / "methods" / "beta" / "003.png").unlink()
    with pytest.raises(VarbookError, match="beta.*lacks 003.png"):
        open_study(tmp_path)
    with pytest.raises(VarbookError, match="at least two folders"):
        open_study(tmp_path / "methods")


def test_the_order_is_random_differs_between_voters_and_is_the_same_tomorrow(study):
    assert order(study, "ann") == order(study, "ann") != order(study, "bob")
    assert sorted(picture for picture, _ in order(study, "ann")) == list(study.pictures)
    assert all(sorted(shown) == list(METHODS) for _, shown in order(study, "ann"))


def test_every_method_stands_in_every_place_equally_often_over_many_voters(study):
    voters, places = 300, {method: [0, 0, 0] for method in METHODS}
    for number in range(voters):
        for _, shown in order(study, f"voter{number}"):
            for place, method in enumerate(shown):
                places[method][place] += 1
    expected, spread = voters * 5 / 3, math.sqrt(voters * 5 * 2 / 9)
    assert all(abs(count - expected) < 5 * spread for counts in places.values() for count in counts)


def test_a_click_is_on_the_disk_at_once_under_the_method_s_name(study, tmp_path):
    session = Session(study, "ann")
    session.answer("content", 2)
    (line,) = (tmp_path / "votes" / "ann.jsonl").read_text().splitlines()
    picture, shown = order(study, "ann")[0]
    kept = json.loads(line)
    assert (kept["picture"], kept["choice"], kept["question"], tuple(kept["shown"])) == (
        picture,
        shown[2],
        "content",
        shown,
    )
    assert session.answers() == {"content": 2}


def test_each_vote_is_flushed_to_the_disk(study, monkeypatch):
    flushed = []
    monkeypatch.setattr(module.os, "fsync", lambda handle: flushed.append(handle))
    Session(study, "ann").answer("style", 0)
    assert len(flushed) == 1


def test_a_restarted_kernel_goes_on_where_the_voter_was(study):
    first = Session(study, "ann")
    for question in QUESTIONS:
        first.answer(question, 1)
    first.forward()
    first.answer("style", 2)
    again = Session(study, "ann")
    assert again.at == 1 and again.answers() == {"style": 2} and again.tasks == first.tasks
    assert Session(study, "bob").at == 0  # and nobody else does


def test_one_cannot_go_on_before_all_three_are_answered_and_may_change_one_s_mind(study):
    session = Session(study, "ann")
    session.answer("style", 0)
    session.forward()
    assert session.at == 0
    for question in ("content", "overall"):
        session.answer(question, 0)
    session.forward()
    assert session.at == 1
    session.back()
    session.answer("style", 1)
    session.back()
    assert session.at == 0 and Session(study, "ann").given == session.given
    votes = read_votes(session.folder, study)
    shown = session.tasks[0][1]
    assert len(votes) == 3 and {vote.question: vote.choice for vote in votes} == {
        "style": shown[1],
        "content": shown[0],
        "overall": shown[0],
    }


def test_to_the_end_and_no_further(study):
    session = Session(study, "ann")
    answer_all(session)
    assert session.done and Session(study, "ann").done
    assert finished(read_votes(session.folder, study), study) == ["ann"]
    session.forward()
    with pytest.raises(VarbookError, match="no answer"):
        session.answer("style", 0)
    Session(study, "bob").answer("style", 0)
    assert finished(read_votes(session.folder, study), study) == ["ann"]


def test_a_torn_line_costs_itself_alone(study, tmp_path):
    folder = tmp_path / "votes"
    append_vote(folder, vote_of(study))
    with (folder / "ann.jsonl").open("a") as file:
        file.write('{"study": "' + study.key)  # the machine died here
    append_vote(folder, vote_of(study, question="overall"))
    assert {vote.question for vote in read_votes(folder, study)} == {"style", "overall"}


def test_votes_on_other_pictures_and_strange_lines_do_not_count(study, tmp_path):
    folder = tmp_path / "votes"
    for changes in ({"study": "other"}, {"question": "colour"}, {"choice": "delta"}):
        append_vote(folder, vote_of(study, **changes))
    (folder / "bob.jsonl").write_text("[]\n3\nnothing\n" + json.dumps({"study": study.key}) + "\n")
    assert read_votes(folder, study) == [] and read_votes(tmp_path / "nowhere", study) == []


def test_files_of_two_machines_add_up(study, tmp_path):
    folder = tmp_path / "votes"
    for voter in ("ann", "bob"):
        append_vote(folder, vote_of(study, voter=voter))
    assert [vote.voter for vote in read_votes(folder, study)] == ["ann", "bob"]


def test_a_vote_that_the_disk_does_not_take_is_said_so(study, tmp_path):
    (tmp_path / "votes").write_text("a file in the way")
    session = Session(study, "ann")
    with pytest.raises(VarbookError, match="was not stored"):
        session.answer("style", 0)
    assert session.answers() == {}


@pytest.mark.parametrize("voter", ["", "a b", "../x", "-x", "a" * 41])
def test_a_voter_s_name_is_a_file_name(study, voter):
    with pytest.raises(VarbookError, match="A voter needs a name"):
        Session(study, voter)


@pytest.mark.parametrize("question, place", [("colour", 0), ("style", 3), ("style", -1)])
def test_answers_that_are_not_there_are_refused(study, question, place):
    with pytest.raises(VarbookError, match="no answer"):
        Session(study, "ann").answer(question, place)
