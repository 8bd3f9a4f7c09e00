"""The computed jury chooses by its measures, and is no voter."""

import pytest
import torch
from tiny import tiny_judge, uint8_pictures

from varbook.book.claims.checks import refuse_others
from varbook.book.claims.registry import artefact
from varbook.book.preference.jury import JURY, Jury, chosen_by_jury, jury_of
from varbook.book.preference.study import QUESTIONS, fill, open_study, read_votes


@pytest.fixture
def study(tmp_path):
    """Three methods: one returns the source, one the hidden counterpart, one noise."""
    source, hidden = uint8_pictures(4), uint8_pictures(4, seed=1)
    noise = torch.randint(256, source.shape, generator=torch.Generator().manual_seed(2))
    fill(tmp_path, "source", list(source))
    for name, images in (("CycleVAR", hidden), ("noise", noise.byte()), ("nothing", source)):
        fill(tmp_path, name, list(images))
    return open_study(tmp_path)


def chosen(votes, question):
    return {vote.choice for vote in votes if vote.question == question}


def test_each_question_has_its_measure(study):
    hidden = uint8_pictures(4, seed=1)
    votes, checks = chosen_by_jury(Jury(tiny_judge(), hidden, hidden), study)
    assert len(votes) == 4 * len(QUESTIONS) and {vote.voter for vote in votes} == {JURY}
    assert chosen(votes, "content") == {"nothing"} and chosen(votes, "overall") == {"CycleVAR"}
    assert "noise" not in chosen(votes, "style")
    refuse_others(artefact("cyclevar-table-2"), checks)
    assert not checks["computed jury: CycleVAR has most votes in content"]
    assert checks["computed jury: CycleVAR has most votes in overall"]


def test_without_counterparts_ranks_in_style_and_content_decide(study):
    jury = Jury(tiny_judge(), uint8_pictures(4, seed=1))
    scores = jury.scores(study)
    ranks = torch.stack(list(scores["overall"].values()))
    assert ranks.min() >= 0 and ranks.max() <= 2
    assert torch.equal(ranks.sum(0), torch.full((4,), 3.0, dtype=ranks.dtype))


def test_nothing_of_it_stands_among_the_votes_of_people(study):
    chosen_by_jury(Jury(tiny_judge(), uint8_pictures(4)), study)
    assert read_votes(study.folder / "votes", study) == [] and not (study.folder / "votes").exists()


def test_a_study_of_ones_own_has_no_jury(study, smoke):
    assert jury_of(smoke, str(study.folder), study) is None
