"""CycleVAR's ablations: each row swaps what it says, all have one budget, and a record gives its
numbers and pictures back.
"""

from dataclasses import fields, replace

import pytest
import torch

from varbook.book.experiments.cyclevar_ablations import (
    ALPHAS,
    AT_EVALUATION,
    DIRECTIONS,
    KEPT,
    TEMPERATURES,
    VARIANTS,
    at_alpha,
    at_temperature,
    image_measures,
    kept_images,
    references,
    results,
    seeds_of,
    shown_token,
    training_of,
    with_codes,
)
from varbook.book.experiments.shared import _made, shared
from varbook.book.models import build
from varbook.book.models.profiles import profile
from varbook.book.models.tasks import SMALL
from varbook.data.images import to_float
from varbook.train import store
from varbook.translate.cyclevar import CycleVAR, CycleVARConfig


def changed(name: str) -> set[str]:
    return {
        f.name
        for f in fields(CycleVARConfig)
        if getattr(VARIANTS[name].config, f.name) != getattr(CycleVARConfig(), f.name)
    }


def test_every_row_of_the_papers_tables_is_there_and_changes_what_it_says():
    assert changed("default") == set()
    assert all(VARIANTS[at_temperature(tau)].config.temperature == tau for tau in TEMPERATURES)
    assert all(VARIANTS[at_alpha(alpha)].config.alpha == alpha for alpha in ALPHAS)
    assert changed("serial") == {"mode"} and changed("serial, as printed") == {"mode", "fusion"}
    assert changed("last scale alone") == {"multi_scale_output"}
    assert changed("last scale alone, no context") == {"multi_scale_output", "multi_scale_context"}
    assert changed("temperature 0.7, noise") - changed("temperature 0.7") == {"noise"}
    assert len({(v.config, v.rate, v.optimiser, v.vocab_size) for v in VARIANTS.values()}) == len(
        VARIANTS
    )


def test_rows_that_carry_a_claim_have_every_seed():
    one = profile("laptop")
    assert len(one.small_seeds) == 3
    claims = (
        "default",
        "temperature 0.01",
        "temperature 10",
        "temperature 10000",
        "serial",
        "serial, as printed",
        "last scale alone",
    )
    assert all(seeds_of(one, name) == one.small_seeds for name in claims)
    assert seeds_of(one, "shifted context") == one.small_seeds[:1]


@pytest.mark.parametrize("name", ("smoke", "laptop", "gpu", "paper"))
def test_all_rows_have_one_training_but_for_rate_and_optimiser(name):
    one = profile(name)
    usual = one.chains["small"].cyclevar_training
    for variant in VARIANTS.values():
        training = training_of(one, variant)
        assert replace(training, lr=usual.lr, optimiser=usual.optimiser) == usual
        assert training.optimiser == variant.optimiser
        assert training.lr == pytest.approx(variant.rate * usual.lr)
    assert (
        one.chains["small"].image_size % one.chains["small"].tokenizer.patch == 0
        and usual.identity_steps < usual.steps
    )


def test_another_codebook_changes_tokenizer_and_model_alone():
    laptop = profile("laptop")
    usual, other = (with_codes(laptop, codes).chains["small"] for codes in (None, 2048))
    assert (other.tokenizer.vocab_size, other.model.vocab_size) == (
        2048,
        2048,
    ) and usual.tokenizer.vocab_size == 512
    assert replace(other, tokenizer=usual.tokenizer, model=usual.model) == usual
    assert (
        replace(other.tokenizer, vocab_size=512) == usual.tokenizer
        and replace(other.model, vocab_size=512) == usual.model
    )


@pytest.fixture(scope="module")
def own_home(tmp_path_factory):
    # One folder for the tests below: judge, tokenizer and next-scale model are trained once.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VARBOOK_HOME", str(tmp_path_factory.mktemp("home")))
        yield profile("smoke")


def test_a_row_is_trained_once_and_its_record_gives_numbers_and_pictures_back(own_home):
    runs, values = results(own_home, "default")
    again, _ = results(own_home, "default")
    assert [run.source for run in runs] == ["trained"] * 2 and [run.source for run in again] == [
        "found"
    ] * 2
    assert values[0] != values[1] and [run.record["seed"] for run in runs] == [0, 1]
    kept = kept_images(values[0])
    side = own_home.chains["small"].image_size
    assert list(kept) == list(DIRECTIONS) and all(
        one.shape == (KEPT, 3, side, side) for one in kept.values()
    )
    assert (
        sum(values[0]["token"]) == pytest.approx(1e5, rel=0.01)
        and 0 < values[0]["state"]["perplexity"]
    )
    for one in (values[0], *(values[0][name] for name in AT_EVALUATION)):
        assert all(
            f"{what} {short}" in one
            for what in ("FD", "structure", "accuracy", "IoU", "background")
            for short in DIRECTIONS
        )
    assert values[0]["alpha 1"]["background h2z"] != values[0]["background h2z"]
    serial = results(own_home, "serial")[1][0]
    assert "token" not in serial and serial["FD h2z"] > 0


def test_rows_load_what_they_stand_on_once_and_leave_it_as_it_was(own_home, monkeypatch):
    results(own_home, "default")  # whoever runs this test alone trains the parents here
    loaded, load = [], store.load_tensors

    def noted(path, *arguments):
        loaded.append(path.stem.rsplit("-", 1)[0])
        return load(path, *arguments)

    monkeypatch.setattr(store, "load_tensors", noted)
    _made.cache_clear()
    rows = [results(own_home, name)[0][0] for name in ("temperature 0.1", "temperature 1")]
    assert [row.source for row in rows] == ["trained"] * 2
    assert sorted(loaded) == ["judge", "toy-tokenizer-residual", "toy-var"]
    for make in (build.judge, build.next_scale, build.tokenizer):
        kept = shared(make, SMALL, own_home).model.state_dict()
        fresh = make(SMALL, own_home).model.state_dict()
        assert all(torch.equal(fresh[name], tensor) for name, tensor in kept.items())


def test_the_measures_know_their_yardsticks(own_home):
    values = references(own_home).result
    source, hidden = values["source, untouched"], values["hidden counterpart"]
    assert source["structure h2z"] == pytest.approx(0, abs=1e-6) and hidden["structure h2z"] > 0
    assert source["background h2z"] > 60 and hidden["FD h2z"] < source["FD h2z"]
    judge = build.judge(SMALL, own_home).model
    sets = {
        s: to_float(SMALL.domain(own_home, s, held_out=True).images) for s in ("horse", "zebra")
    }
    assert image_measures(
        own_home, judge, {"h2z": sets["horse"], "z2h": sets["zebra"]}
    ) == pytest.approx(source, rel=1e-4)


def test_the_token_shown_lies_in_the_animal(own_home):
    model, _, (codec,) = build.next_scale(SMALL, own_home)
    tokenizer, schedule = codec.model, own_home.chains["small"].tokenizer.schedule
    side = own_home.chains["small"].image_size
    images, place = shown_token(own_home, CycleVAR(tokenizer, model))
    coarse, stride, width = (
        sum(h * w for h, w in schedule[:-1]),
        tokenizer.stride,
        schedule[-1][1],
    )
    row, column = divmod(place - coarse, width)
    there = SMALL.domain(own_home, "horse", held_out=True).silhouettes[0]
    assert there[row * stride : (row + 1) * stride, column * stride : (column + 1) * stride].any()
    assert images.shape[1:] == (3, side, side) and images.min() >= -1
