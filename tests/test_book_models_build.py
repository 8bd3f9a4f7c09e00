"""The rivals of the toy world: trained once, found again, and called as CycleVAR is."""

import pytest
import torch
from tiny import same_state

from varbook import paths
from varbook.book.models import build, trained
from varbook.book.models.profiles import PROFILES, profile
from varbook.errors import VarbookError
from varbook.translate.rival_translators import METHODS


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Give every test a home of its own."""
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VARBOOK_DEVICE", "cpu")
    monkeypatch.delenv("VARBOOK_RETRAIN", raising=False)
    monkeypatch.setattr(paths, "shipped", lambda: tmp_path / "shipped")


@pytest.mark.parametrize("name", METHODS)
def test_a_rival_is_trained_once_and_translates_both_ways(name):
    smoke = profile("smoke")
    rival, run = build.toy_rival_translation(smoke, name)
    again, found = build.toy_rival_translation(smoke, name)
    assert (
        (run.source, found.source) == ("trained", "found")
        and same_state(rival, again)
        and not rival.training
    )
    horses = build.toy_domain(smoke, "horse", held_out=True).images[:3]
    to_zebra, to_horse = (
        build.translate_all(rival, horses, label, batch=2) for label in (build.ZEBRA, build.HORSE)
    )
    assert (
        to_zebra.shape == horses.shape
        and to_zebra.abs().max() <= 1
        and not torch.equal(to_zebra, to_horse)
    )


def test_an_unknown_rival_is_refused():
    with pytest.raises(VarbookError, match="no rival 'pix2pix'"):
        build.toy_rival_translation(profile("smoke"), "pix2pix")


def test_what_saw_with_other_networks_than_the_book_s_own_runs_has_another_key(monkeypatch):
    monkeypatch.setattr(paths, "weights_file", lambda name: None)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: "/nowhere")
    blind = build.toy_tokenizer(profile("smoke"))[1]
    assert blind.record["settings"]["perceptual"] == "lpips-random"
    assert trained.eyes(0.5, "patch+features") == {
        "perceptual": "lpips-random",
        "critic_features": "random",
    }
    assert trained.eyes(0.0, "patch") == {}  # who looks at nothing is the same everywhere
    monkeypatch.setattr(trained, "best_at_hand", lambda: "squeezenet")
    assert build.toy_tokenizer(profile("smoke"))[1].key != blind.key


def test_the_domains_are_the_classes_that_the_chains_use():
    assert build.DOMAINS["toy-cyclevar"] == {"horse": build.HORSE, "zebra": build.ZEBRA}
    assert all(
        max(build.DOMAINS["photo-cyclevar"].values()) < one.chains["photographs"].model.classes
        for one in PROFILES.values()
    )


def test_the_rows_of_flexvar_s_tables_have_equal_budgets_and_the_main_depth_is_among_the_depths():
    for one in PROFILES.values():
        assert one.ground_truth_steps == one.chains["toy"].tokenizer_training.steps
        assert one.chains["toy"].model.depth in one.flex_depths and len(one.flex_depths) > 1
        assert set(one.rivals.generators) == {"raster", "masked", "diffusion"}
