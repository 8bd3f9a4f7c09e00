"""Chapter 10's verdicts: the checks are the registry's, and follow from the rows' numbers alone."""

from types import SimpleNamespace

import pytest
import torch

from varbook.book.claims.checks import refuse_others
from varbook.book.claims.registry import REGISTRY
from varbook.book.experiments import ablation_verdicts
from varbook.book.experiments.ablation_rows import both_ways
from varbook.book.experiments.cyclevar_ablations import KEPT, TEMPERATURES, VARIANTS
from varbook.book.show.base64_strip import encode_strip


def seed(distance: float, accuracy: float = 1.0, structure: float = 1.0) -> dict:
    values = dict.fromkeys(both_ways("IoU"), 0.5)
    values |= dict.fromkeys(both_ways("accuracy"), accuracy)
    values |= dict.fromkeys(both_ways("structure"), structure)
    return values | {"FD h2z": distance, "FD z2h": distance, "state": {"perplexity": 1.0}}


@pytest.fixture
def numbers() -> dict:
    """Rows as the paper has them: the default is best, and both ends of the temperatures fail."""
    rows = {name: [seed(2.0), seed(2.2)] for name in VARIANTS}
    rows["default"] = [seed(1.0), seed(1.4)]
    rows["temperature 10"] = [seed(1.2), seed(1.3)]
    rows["temperature 0.7"] = rows["temperature 0.7, noise"] = [seed(1.1), seed(1.4)]
    rows["temperature 0.01"] = [seed(9.0, accuracy=0.1, structure=0.1)] * 2
    rows["temperature 10000"] = [seed(8.0, accuracy=0.1, structure=0.2)] * 2
    rows["last scale alone, no context"] = [seed(5.0)]
    return rows


RUNS = {name: [SimpleNamespace(name=name)] for name in VARIANTS}
SPEED = {"study": {"parallel": 0.1, "serial": 0.3}, "main": {"parallel": 0.2, "serial": 0.5}}
FLOORS = {"source, untouched": seed(17.0, accuracy=0.0, structure=0.0)}


def judged(numbers, profile) -> dict:
    rows = ablation_verdicts.table_5_rows(numbers, FLOORS)
    three = ablation_verdicts.table_3_rows(numbers, SPEED["study"])
    four = ablation_verdicts.table_4_rows(numbers)
    return {
        "cyclevar-fig-6": ablation_verdicts.figure_6(profile, numbers, RUNS),
        "cyclevar-table-5": ablation_verdicts.table_5(profile, numbers, RUNS, rows),
        "cyclevar-table-3": ablation_verdicts.table_3(profile, numbers, RUNS, three, SPEED),
        "cyclevar-table-4": ablation_verdicts.table_4(profile, numbers, RUNS, four),
    }


def test_rows_as_the_papers_hold_every_check_of_the_registry(numbers, smoke):
    for name, (checks, report) in judged(numbers, smoke).items():
        refuse_others(REGISTRY[name], checks)
        assert all(checks.values()), name
        assert report["runs"] and str(smoke.chains["small"].image_size) + " px" in report["data"]


@pytest.mark.parametrize(
    ("row", "values", "table", "failing"),
    [
        ("temperature 0.01", seed(9.0, accuracy=0.8), "cyclevar-table-5", "hardly translates"),
        ("temperature 10", seed(4.0), "cyclevar-table-5", "0.7 to 10 differ by no more"),
        ("temperature 0.7, noise", seed(4.0), "cyclevar-table-5", "Gumbel noise"),
        ("temperature 1", seed(1.0, structure=0.0), "cyclevar-table-5", "most structure"),
        ("serial", seed(1.2), "cyclevar-table-3", "sum kept apart, every seed, h2z"),
        ("last scale alone", seed(6.0), "cyclevar-table-4", "'last scale alone, no context' is"),
        ("default", seed(1.0, accuracy=0.5), "cyclevar-fig-6", "temperature 2 reaches"),
    ],
)
def test_another_number_makes_its_own_check_false(row, values, table, failing, numbers, smoke):
    checks, _ = judged(numbers | {row: [values]}, smoke)[table]
    assert any(failing in name for name, holds in checks.items() if not holds)


def test_parallel_is_faster_only_where_it_is(numbers, smoke):
    slow = {"study": {"parallel": 0.4, "serial": 0.3}}
    rows = ablation_verdicts.table_3_rows(numbers, slow["study"])
    assert [row["seconds"] for row in rows] == [0.3, 0.3, 0.4]
    checks, report = ablation_verdicts.table_3(smoke, numbers, RUNS, rows, slow)
    assert not checks["parallel is faster"] and report["ours"].endswith("in 0.3 s")


def test_the_papers_claims_are_told_one_by_one(numbers, smoke):
    checks = {}
    for name in ("cyclevar-table-3", "cyclevar-table-5"):
        checks |= judged(numbers, smoke)[name][0]
    held = ablation_verdicts.claims(numbers, checks)
    assert len(held) == 10 and all(held.values())
    level = ablation_verdicts.claims(numbers | {"serial": [seed(1.2)]}, checks)
    fallen = [name for name in held if not level[name]]
    assert fallen == ["(4) parallel is better than serial with the sum kept apart"]


def test_figure_6_shows_sources_translations_and_weights(numbers):
    strip = torch.arange(2 * KEPT, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, 4, 4)
    kept = {"pictures": encode_strip(strip.float() / 127.5 - 1), "token": [99_000, 1000]}
    rows = {name: [values[0] | kept] for name, values in numbers.items()}
    sources = {"h2z": strip + 100, "z2h": strip + 200}
    pictures, titles, weights = ablation_verdicts.figure_6_parts(rows, TEMPERATURES[:2], sources)
    assert [[int(one[0, 0, 0]) for one in row] for row in pictures] == [
        [100, 0, 0],
        [101, 1, 1],
        [200, KEPT, KEPT],
    ]
    assert titles == ["source", "temperature 0.01", "temperature 0.1"]
    assert weights == [[0.99, 0.01]] * 2
