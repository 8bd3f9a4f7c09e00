"""The comparison of both predictions says what its numbers say."""

from varbook.book.experiments.ablation_texts import (
    fair_text,
    positions_text,
    tokenizers_text,
    two_vocabularies,
)

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


def rows(**means):
    names = {"residual": "residual", "var": "VAR's tokenizer", "llama": "LlamaGen's tokenizer"}
    names["flex"] = "FlexVAR's tokenizer"
    return {names[key]: [{"FD": mean - 0.1}, {"FD": mean + 0.1}] for key, mean in means.items()}


def test_ground_truth_is_called_better_only_where_its_own_tokenizer_beats_residuals():
    text = tokenizers_text(rows(residual=8.0, var=18.0, llama=9.0, flex=3.0), "FD")
    assert "18.0 on VAR's tokenizer, 9.0 on LlamaGen's tokenizer, 3.0 on FlexVAR's" in text
    assert "range over the seeds is 0.2" in text and "is **better**" in text
    text = tokenizers_text(rows(residual=2.0, var=18.0, llama=9.0, flex=3.0), "FD")
    assert "is **no better**" in text


def test_rows_differ_only_where_they_differ_by_more_than_the_seeds_do():
    numbers = {"a": [{"FD": 1.0}, {"FD": 2.0}], "b": [{"FD": 1.2}, {"FD": 2.2}]}
    assert "**no more than** the seeds" in positions_text(numbers, ("a", "b"), "FD")
    numbers["b"] = [{"FD": 3.0}, {"FD": 4.0}]
    text = positions_text(numbers, ("a", "b"), "FD")
    assert "2.00 FD apart" in text and "up to 1.00" in text and "**more than** the seeds" in text
