"""The comparison of both predictions says what its numbers say."""

from varbook.book.experiments.ablation_texts import fair_text, two_vocabularies

LOW = {"loss": 2.0, "frequencies alone": 3.5, "gain": 1.5}
HIGH = {"loss": 4.0, "frequencies alone": 5.0, "gain": 1.0}


def test_a_lower_loss_with_easier_codes_and_more_gain_is_called_so():
    text = fair_text(residual=HIGH, ground_truth=LOW)
    assert "the **lower** loss (2.00 against 4.00 nats)" in text
    assert "are easier to guess" in text and "is **larger** with ground truth" in text


def test_the_contrary_is_called_so_too():
    text = fair_text(residual=LOW, ground_truth=HIGH)
    assert "**higher**" in text and "no easier" in text and "**not larger**" in text


def test_both_vocabularies_are_told_ground_truth_first():
    text = two_vocabularies(residual=HIGH, ground_truth=LOW)
    assert text.endswith("cost 3.50 and 5.00 nats, the gain beyond is 1.50 and 1.00")
