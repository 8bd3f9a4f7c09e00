"""The rows of the ablation tables: each swaps what its table says, at one budget; noise is the
range over the seeds.
"""

from dataclasses import fields

import pytest
import torch

from varbook.book.experiments.flexvar_ablations import (
    KEPT,
    ROWS,
    ablation,
    ceiling,
    kept_images,
    measured_row,
    per_token,
    settings_of,
    tokenizer_of,
)
from varbook.book.experiments.seeds import clearly_higher, floats, spread, within_noise
from varbook.book.models.profiles import profile
from varbook.tokenizer.pyramid import GroundTruthPyramid, ResidualPyramid
from varbook.tokenizer.schedule import square
from varbook.train.store import Run

TABLES = {
    4: ("residual", "VAR's tokenizer", "LlamaGen's tokenizer", "FlexVAR's tokenizer"),
    6: ("FlexVAR's tokenizer", "no step embedding"),
    "positions": ("positions not learned", "scalable positions"),
    5: ("scalable positions", "Mamba"),
}
A, B = [{"x": 1.0}, {"x": 1.4}, {"x": 1.2}], [{"x": 1.5}, {"x": 1.6}, {"x": 1.55}]


@pytest.mark.parametrize("table", TABLES)
def test_from_row_to_row_of_a_table_one_field_changes(table):
    for first, second in zip(TABLES[table], TABLES[table][1:]):
        changed = [
            f.name
            for f in fields(ROWS[first])
            if getattr(ROWS[first], f.name) != getattr(ROWS[second], f.name)
        ]
        assert len(changed) == 1


def test_every_row_has_the_same_budget():
    for name in ("smoke", "laptop", "gpu", "paper"):
        made = [settings_of(profile(name), row) for row in ROWS.values()]
        assert len({(m.depth, m.width, m.heads, t.steps, t.batch, t.lr) for m, t in made}) == 1
    assert len({ROWS[name] for name in ROWS}) == len(ROWS)


def test_noise_is_the_range_over_the_seeds():
    assert spread(A, "x") == (pytest.approx(1.2), pytest.approx(0.4))
    assert within_noise(A, B, "x") and within_noise(B, A, "x")  # 0.35 apart, 0.4 wide
    assert not within_noise(B, [{"x": 1.0}, {"x": 1.1}], "x")
    assert (
        clearly_higher(B, A, "x")
        and not clearly_higher(A, B, "x")
        and not clearly_higher([{"x": 1.3}], A, "x")
    )


def test_a_mean_over_tokens_weighs_the_scales_by_their_size():
    assert per_token([10.0, 5.0], square(1, 2)) == pytest.approx((10 + 4 * 5) / 5)


@pytest.fixture
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path))
    return profile("smoke")


def test_ground_truth_on_var_s_tokenizer_keeps_everything_but_the_pyramid(own_home):
    plain, swapped = (
        tokenizer_of(own_home, ROWS[name]) for name in ("residual", "VAR's tokenizer")
    )
    assert isinstance(plain.pyramid, ResidualPyramid) and isinstance(
        swapped.pyramid, GroundTruthPyramid
    )
    assert torch.equal(plain.codebook.vectors(), swapped.codebook.vectors())
    assert all(
        torch.equal(a, b) for a, b in zip(plain.decoder.parameters(), swapped.decoder.parameters())
    )


def test_a_row_is_trained_once_and_its_pictures_come_back_from_their_tokens(own_home):
    run = ablation(own_home, "VAR's tokenizer", 0)
    again = ablation(own_home, "VAR's tokenizer", 0)
    values = run.result
    assert (run.source, again.source) == ("trained", "found") and again.record == run.record
    assert values["gain"] == pytest.approx(values["frequencies alone"] - values["loss"])
    assert len(run.curve) > 0 and 0 <= values["taken for its class"] <= 1 and values["FD-toy"] > 0
    pictures = kept_images(own_home, "VAR's tokenizer", values)
    side = own_home.image_size
    assert pictures.shape == (KEPT, 3, side, side) and pictures.std() > 0
    best = ceiling(own_home, "VAR's tokenizer").result
    assert best["FD-toy"] > 0


def test_a_measured_row_has_means_over_the_seeds_and_the_tokenizers_own_distance():
    row = {"FD-toy": 4.0, "taken for its class": 0.5, "loss": 3.0, "gain": 1.0}
    ceiling = Run("ceiling", {"measurements": {"result": {"values": {"FD-toy": 2.0}}}}, "shipped")
    measured = measured_row([row, row | {"FD-toy": 6.0}], ceiling, "FD-toy")
    assert (measured["FD-toy"], measured["range over seeds"]) == (5.0, 2.0)
    assert (measured["tokenizer alone"], measured["held-out loss"]) == (2.0, 3.0)


def test_floats_are_the_measured_numbers_of_a_row():
    assert floats({"depth": 8, "learnable": True, "mixer": "Mamba", "loss": 3.5}) == {"loss": 3.5}
