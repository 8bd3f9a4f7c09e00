"""The report: one row for each figure and table, from the best profile, the same text for the same
results.
"""

import pytest
from claims import checks_of

from varbook.book.claims import report, save
from varbook.book.claims.registry import REGISTRY
from varbook.book.show.sheets import sheet


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("VARBOOK_FIGURES", str(tmp_path))
    return tmp_path


def result(profile, ours, why="", holds=True, name="flexvar-fig-4"):
    save.save_result(name, profile, checks=checks_of(name, holds), ours=ours, why=why)


def not_run(profile, why):
    save.save_result("flexvar-fig-4", profile, checks=None, ours="-", why=why)


def row(rows, label="FlexVAR fig 4"):
    return next(one for one in rows if label in one["figure or table"])


def test_without_results_every_row_is_not_run_and_says_why():
    rows = report.rows_of_report()
    assert len(rows) == len(REGISTRY)
    assert report.counts(rows) == {"not run": len(REGISTRY)}
    assert all(one["verdict"].startswith("not run: ") and one["ours"] == "-" for one in rows)


def test_the_best_profile_wins():
    result("laptop", "from laptop")
    result("paper", "from paper")
    result("gpu", "from gpu")
    assert row(report.rows_of_report())["ours"] == "from paper"


def test_smoke_results_stand_only_in_the_smoke_report(folder):
    result("smoke", "from smoke")
    assert row(report.rows_of_report())["ours"] == "-"
    assert report.write_report("smoke") == folder / "smoke" / "REPORT.md"
    assert "from smoke" in (folder / "smoke" / "REPORT.md").read_text()
    assert report.write_report("laptop") == folder / "REPORT.md"
    assert "from smoke" not in (folder / "REPORT.md").read_text()


def test_a_claim_that_does_not_hold_is_reported_so():
    result("laptop", "higher", why="too few steps", holds=False)
    first, second = checks_of("flexvar-fig-4")
    verdict = f"not held (0 of 2 checks): not so: {first}; {second} (too few steps)"
    assert row(report.rows_of_report())["verdict"] == verdict


def test_a_result_marked_not_run_gives_its_reason_and_no_number():
    not_run("laptop", "needs ImageNet")
    found = row(report.rows_of_report())
    assert (found["verdict"], found["ours"], found["profile"]) == (
        "not run: needs ImageNet",
        "-",
        "-",
    )


def test_a_result_marked_not_run_does_not_hide_one_that_was():
    result("laptop", "lower")
    not_run("paper", "needs a cluster")
    assert row(report.rows_of_report())["ours"] == "lower"


def test_the_same_results_give_the_same_text_and_no_date():
    result("laptop", "lower")
    first = report.report_text()
    assert first == report.report_text()
    assert save.load_result("flexvar-fig-4", "laptop")["volatile"]["utc"] not in first


def test_the_table_is_well_formed_and_links_to_the_picture(folder):
    import torch

    save.save_figure("cyclevar-fig-3", sheet(torch.zeros(1, 3, 8, 8)), "laptop")
    result("laptop", "a | b", name="cyclevar-fig-3")
    report.write_report()
    text = (folder / "REPORT.md").read_text()
    lines = [line.replace("\\|", "") for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == len(REGISTRY) + 2
    assert {line.count("|") for line in lines} == {len(report.COLUMNS) + 1}
    assert "[CycleVAR fig 3](laptop/cyclevar-fig-3.png)" in text
    assert f"1 held, {len(REGISTRY) - 1} not run" in text
    for key in checks_of("cyclevar-fig-3"):
        assert f"  - \N{CHECK MARK} {key}\n" in text
    assert "(where horse2zebra is there)" in text
