"""Held-out numbers of a trained tokenizer and model: measured once, kept in the record, printed."""

import json

import pytest

from varbook.book.models import build, scores
from varbook.book.models.profiles import profile
from varbook.book.models.tasks import PHOTOGRAPHS, TOY
from varbook.cli import train
from varbook.errors import VarbookError
from varbook.tokenizer.schedule import token_count

SMOKE = profile("smoke")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Give every test a home of its own, and few samples."""
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path))
    monkeypatch.setattr(scores, "PER_CLASS", 2)


def test_the_command_measures_a_tokenizer_once_and_prints_it(capsys, monkeypatch):
    asked = ["--profile", "smoke", "--model", "toy-tokenizer-ground-truth", "--score", "--json"]
    assert train.main(asked) == 0
    told = json.loads(capsys.readouterr().out)["score"]
    schedule = SMOKE.chains["toy"].tokenizer.schedule
    assert len(told["psnr per scale"]) == len(schedule)
    assert told["psnr"] == pytest.approx(told["psnr per scale"][-1])
    side = SMOKE.image_size
    assert set(told["grid"]) == {str(side), str(2 * side)}
    assert 0 < told["codes used"] <= SMOKE.chains["toy"].tokenizer.vocab_size
    monkeypatch.setattr(scores, "tokenizer_scores", lambda *_: pytest.fail("measured again"))
    assert train.main(asked) == 0
    assert json.loads(capsys.readouterr().out)["score"] == told


def test_samples_of_every_class_are_judged_and_held_out_tokens_predicted():
    made = build.next_scale(TOY, SMOKE, "ground_truth")
    numbers = scores.score(TOY, SMOKE, made)
    assert set(numbers["recognised by class"]) == set(TOY.shown)
    mean = sum(numbers["recognised by class"].values()) / len(TOY.shown)
    assert numbers["samples"]["taken for its class"] == pytest.approx(mean)
    assert len(numbers["tokens"]["loss_per_scale"]) == len(made.model.config.schedule)
    assert numbers["tokens"]["images"] == SMOKE.held_out


def test_what_no_judge_of_the_toy_world_knows_is_refused():
    with pytest.raises(VarbookError, match="Only tokenizers and next-scale models"):
        scores.score(TOY, SMOKE, build.judge(TOY, SMOKE))
    assert PHOTOGRAPHS.judge is None


def test_the_chain_at_the_papers_geometry_takes_the_toy_worlds_place_where_it_is_asked_for(
    monkeypatch,
):
    laptop = profile("laptop")
    monkeypatch.setenv("VARBOOK_FINE", "1")
    fine = profile("laptop")
    chain = fine.chains["toy"]
    assert laptop.chains["toy"] != chain and fine.name == "laptop"
    assert token_count(chain.tokenizer.schedule) == 680
    stride = chain.tokenizer.patch * 2 ** (len(chain.tokenizer.channels) - 1)
    assert chain.image_size // stride == 16
    assert chain.model.schedule == chain.tokenizer.schedule
    assert chain.model.vocab_size == chain.tokenizer.vocab_size
    assert chain.tokenizer.full_channels > 0 and not chain.tokenizer.line
    assert chain.tokenizer_training.random_scales == 5  # K of FlexVAR section 3.3
    assert chain.tokenizer_training.smallest_scale and chain.model_training.max_steps == 10
    assert {name for name in laptop.chains if fine.chains[name] != laptop.chains[name]} == {"toy"}
    assert fine.chains.keys() - laptop.chains.keys() == {"animals"}
    assert profile("smoke") == SMOKE
