"""The tables of chapter 08 put what was measured beside the exact gradient and beside the paper."""

from varbook.book.claims.registry import published
from varbook.book.experiments.relaxations import NAMES, gradient_rows, temperature_rows


def test_every_relaxation_has_its_row():
    report = {
        name: {"cosine": 0.5 + n, "lowest cosine": float(n), "norm": 1.0}
        for n, name in enumerate(NAMES)
    }
    rows = gradient_rows(report)
    assert [row["relaxation"] for row in rows] == list(NAMES.values())
    assert rows[1]["cosine to the exact gradient"] == 1.5
    assert rows[1]["lowest of the tokens"] == 1.0


def test_a_temperature_stands_beside_the_papers_row_of_it():
    state = {"perplexity": 8.0, "norm_ratio": 0.5, "gradient": 2.0, "share": 0.75}
    paper = published("cyclevar-table-5").as_dicts()
    (row,) = temperature_rows({"2.0": state}, paper)
    (theirs,) = [line for line in paper if line["temperature"] == "2.00"]
    assert row["temperature"] == 2.0 and row["norm ratio"] == 0.5
    assert row["paper: FID h2z"] == theirs["FID h2z"]


def test_temperatures_rise_whatever_order_a_record_has_them_in():
    state = {"perplexity": 8.0, "norm_ratio": 0.5, "gradient": 2.0, "share": 0.75}
    states = dict.fromkeys(("0.1", "10.0", "10000.0", "2.0"), state)
    rows = temperature_rows(states, published("cyclevar-table-5").as_dicts())
    assert [row["temperature"] for row in rows] == [0.1, 2.0, 10.0, 10_000.0]
