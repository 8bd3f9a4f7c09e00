"""The verdicts of chapter 04 follow from the numbers, and name what the registry names."""

from types import SimpleNamespace

import pytest

from varbook.book.claims.checks import refuse_others
from varbook.book.claims.registry import artefact
from varbook.book.experiments import prediction_verdicts as verdicts
from varbook.book.models.profiles import profile

LAPTOP = profile("laptop")
FD = "FD-toy"
MEANS = {"residual": 8.0, "VAR's tokenizer": 18.0, "LlamaGen's tokenizer": 9.0}
MEANS |= {"FlexVAR's tokenizer": 3.0, "scalable positions": 2.9, "drawn schedules": 2.8}
MEANS |= {"no step embedding": 3.1, "positions not learned": 3.05}


def rows(**changed):
    means = MEANS | {name.replace("_", " "): mean for name, mean in changed.items()}
    found = {}
    for name, mean in means.items():
        values = [
            {
                FD: mean + away,
                "taken for its class": 0.5,
                "loss": 4 + (mean + away) / 100,
                "gain": 0.5,
            }
            | {"card": {"evaluator": name}}
            for away in (-0.2, 0.0, 0.2)
        ]
        settings = {"training": {"steps": 150, "batch": 16}, "model": {"depth": 2, "width": 64}}
        runs = [
            SimpleNamespace(record={"settings": settings, "seed": seed}, name=name)
            for seed in range(3)
        ]
        found[name] = (runs, values)
    return found


CEILINGS = {name: SimpleNamespace(result={FD: 1.0}) for name in MEANS}


def failing(checks):
    return [name for name, holds in checks.items() if not holds]


def test_all_checks_hold_where_the_rows_come_out_as_in_the_paper():
    found = rows()
    table4 = verdicts.table_4_rows(found, CEILINGS, FD)
    table6 = verdicts.table_6_rows(found, CEILINGS, FD)
    made = {
        "flexvar-fig-16": verdicts.figure_16(LAPTOP, found, FD),
        "flexvar-table-4": verdicts.table_4(LAPTOP, found, table4, FD),
        "flexvar-table-6": verdicts.table_6(LAPTOP, found, table6, FD),
    }
    for name, (checks, told) in made.items():
        assert not failing(checks)
        refuse_others(artefact(name), checks)
        assert told["runs"] and told["metric_card"]["evaluator"] in MEANS


def test_each_check_fails_with_its_own_row():
    found = rows(residual=2.0)
    checks, told = verdicts.table_4(LAPTOP, found, verdicts.table_4_rows(found, CEILINGS, FD), FD)
    assert "ground truth on FlexVAR's tokenizer is better than residuals" in failing(checks)
    assert told["ours"].startswith("FD-toy, best first: residual 2.00")
    checks, _ = verdicts.figure_16(LAPTOP, rows(**{"FlexVAR's_tokenizer": 8.9}), FD)
    assert failing(checks) == [
        "with LlamaGen's tokenizer every seed is farther from real images than with FlexVAR's"
    ]
    found = rows(no_step_embedding=4.0)
    checks, _ = verdicts.table_6(LAPTOP, found, verdicts.table_6_rows(found, CEILINGS, FD), FD)
    assert "removing it changes FD-toy by no more than the seeds do" in failing(checks)


def test_tables_keep_the_papers_order_and_columns():
    found = rows()
    table = verdicts.table_4_rows(found, CEILINGS, FD)
    assert [row["prediction"] for row in table] == ["residual"] + ["ground truth"] * 5
    assert table[0]["tokenizer alone"] == 1.0 and table[0][FD] == pytest.approx(8.0)
    table = verdicts.table_6_rows(found, CEILINGS, FD)
    assert [row["learnable"] for row in table] == [True, True, False, True]
    assert table[0]["range over seeds"] == pytest.approx(0.4)


def test_rows_of_two_budgets_are_noticed():
    found = rows()
    assert all(verdicts.same_budget(found).values())
    found["residual"][0][0].record["settings"]["training"]["steps"] = 1
    found["residual"][0].pop()
    assert failing(verdicts.same_budget(found)) == [
        "all rows have one budget",
        "every row has every seed",
    ]


def chain(losses):
    curve = [{"step": step, "loss": loss} for step, loss in enumerate(losses)]
    return SimpleNamespace(
        run=SimpleNamespace(curve=curve), parents=[SimpleNamespace(run="tokenizer")]
    )


def test_figure_4_says_when_ground_truth_was_there_first():
    summary = {"loss": 2.0, "frequencies alone": 3.0, "gain": 1.0}
    summary = {"residual": summary, "ground truth": summary}
    quality = {f"{name}: drawn": {FD: 1.0, "card": {}} for name in summary}
    protocol = SimpleNamespace(distance=FD, settings={"seed": 0})
    slow, fast = chain([5.0, 4.0, 3.5, 3.0, 3.0]), chain([4.0, 2.0, 2.0, 2.0, 2.0])
    for pair, held in (((slow, fast), True), ((fast, slow), False)):
        chains = dict(zip(("residual", "ground truth"), pair, strict=True))
        checks, told = verdicts.figure_4(chains, summary, quality, protocol)
        refuse_others(artefact("flexvar-fig-4"), checks)
        assert list(checks.values()) == [held, held]
        assert told["params"] == {"seed": 0}
        assert told["numbers"]["reached at step"] == (1 if held else None)
