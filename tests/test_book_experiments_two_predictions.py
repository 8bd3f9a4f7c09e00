"""VAR and FlexVAR beside each other: their settings, curves, and what a loss means."""

from types import SimpleNamespace

import pytest
import torch

from varbook.book.experiments import two_predictions
from varbook.book.models.tasks import HELD_OUT_SEED
from varbook.data.images import to_float
from varbook.evaluate.usage import frequency_loss
from varbook.tokenizer.schedule import square

CURVE = [{"step": step, "loss": loss} for step, loss in ((0, 6.0), (4, 4.0), (8, 2.0), (12, 3.0))]
SCHEDULE = square(1, 2)
VIEW = {"loss": 2.0, "loss_per_scale": [4.0, 1.5], "accuracy_per_scale": [0.1, 0.2]}
VIEW |= {"frequencies": [4.0, 3.0], "copying": [0.0, 0.5]}


@pytest.fixture(scope="module")
def chains(smoke):
    made = two_predictions.both(smoke)
    for chain in made.values():
        chain.load()
    return made


def test_the_last_quarter_is_a_mean_over_it():
    assert two_predictions.last_quarter(CURVE) == 3.0
    assert two_predictions.last_quarter(CURVE[:3]) == 2.0


def test_a_level_is_reached_by_the_mean_of_three_points_not_by_one():
    assert two_predictions.step_reaching(CURVE, 4.0) == 8  # (6 + 4 + 2) / 3
    assert two_predictions.step_reaching(CURVE, 3.0) == 12
    assert two_predictions.step_reaching(CURVE, 2.5) is None


def test_gain_is_what_the_model_knows_beyond_frequencies():
    rows = two_predictions.per_scale({"residual": VIEW}, SCHEDULE)
    assert [row["gain"] for row in rows] == [0.0, 1.5]
    assert rows[1]["accuracy of copying"] == 0.5 and rows[1]["scale"] == "2 x 2"
    whole = two_predictions.over_all_tokens({"residual": VIEW}, SCHEDULE)["residual"]
    assert whole["frequencies alone"] == pytest.approx((4 + 4 * 3) / 5)
    assert whole["gain"] == pytest.approx(1.2) and whole["nats per image"] == 10.0


def test_only_settings_that_differ_are_rows(chains):
    rows = two_predictions.different_settings(chains)
    assert all(row["VAR"] != row["FlexVAR"] for row in rows)
    by = {(row["part"], row["field"]): row for row in rows}
    assert by["tokenizer", "pyramid"]["FlexVAR"] == "ground_truth"
    assert by["model", "positions"]["FlexVAR"] == "scalable"


def test_a_residual_offers_nothing_to_copy_and_a_constant_picture_everything(chains):
    tokenizer = chains["ground truth"].parents[0].model
    maps = [torch.full((3, *size), 5) for size in tokenizer.config.schedule]
    shares = two_predictions.copying(tokenizer, maps)
    assert shares[0] == 0.0 and all(share == 1.0 for share in shares[1:])


def test_the_fair_view_is_measured_once_and_kept_with_the_run(smoke, chains):
    chain = chains["ground truth"]
    view = two_predictions.fair_view(smoke, chain)
    assert two_predictions.fair_view(smoke, chain) is view
    tokenizer, schedule = chain.parents[0].model, chain.model.config.schedule
    task = two_predictions.task_of(smoke)
    held = task.sample(smoke)
    others = task.sample(smoke, 4 * smoke.held_out, seed=HELD_OUT_SEED + 200)
    known, asked = (
        two_predictions.token_maps(tokenizer, one.images, schedule) for one in (others, held)
    )
    # Frequencies come from other pictures than those that are asked about.
    expected = frequency_loss(known, asked, tokenizer.config.vocab_size)
    assert view["frequencies"] == pytest.approx(expected)
    images = to_float(held.images[:8])
    cosines = two_predictions.continuity(tokenizer, images, schedule)
    assert len(cosines) == len(schedule) - 1 and all(-1 <= one <= 1 for one in cosines)


def test_each_prediction_has_a_row_for_its_tokenizer_and_one_for_its_samples():
    numbers = {"FD": 1.0}
    one = SimpleNamespace(
        reconstructed=lambda: numbers, sharpness=lambda: {"PSNR": 20.0}, drawn=lambda: numbers
    )
    found = two_predictions.qualities({"residual": one})
    assert found == {
        "residual: reconstructed": {"FD": 1.0, "PSNR": 20.0},
        "residual: drawn": {"FD": 1.0},
    }
