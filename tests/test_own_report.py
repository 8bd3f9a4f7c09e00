"""A report on one's own pictures, as a notebook's table reads it."""

from varbook.own.report import in_order, plain_measures


def test_each_measure_stands_under_the_name_of_its_features():
    row = {
        "frechet": {"name": "FD-mobilenet", "value": 449.0},
        "seen_as": {"name": "taken for it", "value": 0.25},
    }
    assert plain_measures(row) == {"FD-mobilenet": 449.0, "accuracy": 0.25}


def test_doing_nothing_comes_first_and_real_pictures_last():
    rows = {name: {} for name in ("CycleVAR", "real winter", "tokenizer alone", "untouched")}
    assert [name for name, _ in in_order(rows)] == [
        "untouched",
        "tokenizer alone",
        "CycleVAR",
        "real winter",
    ]
