import json

import pytest
import torch
from claims import checks_of

from varbook.book.claims import read
from varbook.book.claims.registry import REGISTRY
from varbook.book.claims.save import beside_paper, save_figure, save_result, save_table
from varbook.book.claims.verdict_map import verdict_map
from varbook.book.claims.verdicts import SIGNS
from varbook.book.show.sheets import sheet
from varbook.evaluate.card import MetricCard

ACCURACY = "horse to zebra: accuracy at least 0.98"
CARD = MetricCard(
    "torch-fidelity 0.4.0", "judge", 256, 1000, "training images", "distance of pooled features", 0
)
RUN = {
    "kind": "toy-var",
    "key": "0123456789ab",
    "minutes": 3.5,
    "hardware": "CPU",
    "seed": 0,
    "profile": "smoke",
}


@pytest.fixture
def saved(tmp_path, monkeypatch, capsys):
    """Two results of the smoke profile: a figure of which one check fails, and a table."""
    monkeypatch.setenv("VARBOOK_FIGURES", str(tmp_path))
    save_figure("cyclevar-fig-3", sheet(torch.zeros(2, 3, 8, 8)), "smoke", show=False)
    save_result(
        "cyclevar-fig-3",
        "smoke",
        checks=checks_of("cyclevar-fig-3") | {ACCURACY: False},
        ours="x",
        metric_card={"fd": CARD},
        runs=[RUN],
    )
    save_table(
        "cyclevar-table-3",
        beside_paper("cyclevar-table-3", [{"FD-toy": 1.5, "good": True}]),
        "smoke",
        show=False,
    )
    save_result(
        "cyclevar-table-3",
        "smoke",
        checks=checks_of("cyclevar-table-3"),
        ours="y",
        metric_card=[CARD, CARD],
        runs=[RUN, "by hand"],
    )
    return read.saved_results(("smoke",))


def test_smoke_results_stay_among_themselves(saved):
    assert read.profiles_to_read("smoke") == ("smoke",)
    assert "smoke" not in read.profiles_to_read("laptop")
    assert set(saved) == {"cyclevar-fig-3", "cyclevar-table-3"}
    assert read.saved_results(read.profiles_to_read("laptop")) == {}


def test_tables_come_back_with_numbers_and_empty_cells(saved):
    rows = read.saved_table("cyclevar-table-3", "smoke")
    assert rows[-1]["source"] == "ours" and rows[-1]["FD-toy"] == 1.5 and rows[-1]["good"] == "yes"
    assert rows[0]["source"] == "paper" and rows[0]["FD-toy"] is None
    assert read.saved_table("cyclevar-table-1", "smoke") == []


def test_pictures_come_back(saved):
    assert read.saved_picture("cyclevar-fig-3", "smoke").mode == "RGB"
    assert read.saved_picture("cyclevar-fig-1", "smoke") is None


def test_each_card_and_each_run_stands_once(saved):
    (card,) = read.card_rows(saved)
    assert card["features"] == "judge" and card["used for"] == "CycleVAR fig 3, CycleVAR table 3"
    (run,) = read.run_rows(saved)
    assert (
        run["run"] == "toy-var-0123456789ab"
        and run["core-minutes"] == 3.5
        and run["with the book"] is False
    )
    assert run["used for"] == "CycleVAR fig 3, CycleVAR table 3"


def test_runs_are_told_in_core_minutes(tmp_path, monkeypatch):
    monkeypatch.setattr(read, "shipped", lambda: tmp_path)
    (tmp_path / "records").mkdir()
    record = tmp_path / "records" / "toy-var-0123456789ab.json"
    record.write_text('{"core_minutes": 2.5, "minutes": 9.0}')
    for run in ({"minutes": 9.0}, {"core_minutes": 2.5, "minutes": 8.0}):
        named = run | {"name": "toy-var-0123456789ab"}
        (row,) = read.run_rows({"cyclevar-fig-3": {"runs": [named]}})
        assert row["core-minutes"] == 2.5


def test_a_file_that_changed_after_its_verdict_is_named(saved, tmp_path):
    assert read.stale(saved) == []
    (tmp_path / "smoke" / "cyclevar-table-3.csv").write_text("other\n")
    (tmp_path / "smoke" / "cyclevar-fig-3.png").unlink()
    assert sorted(read.stale(saved)) == ["smoke/cyclevar-fig-3.png", "smoke/cyclevar-table-3.csv"]


def test_what_is_owed_and_what_is_saved_make_the_whole(saved):
    owed = [label for row in read.missing_rows(saved) for label in row["owes"].split(", ")]
    assert sorted(owed) == sorted(row.label for name, row in REGISTRY.items() if name not in saved)
    assert read.missing_rows(dict.fromkeys(REGISTRY, {})) == []


def test_the_map_of_verdicts_has_a_tile_for_each(saved):
    import matplotlib.pyplot as plt

    words = {name: saved[name]["verdict"] if name in saved else "not run" for name in REGISTRY}
    figure = verdict_map(words)
    axes = figure.axes[0]
    plt.close(figure)
    assert len(axes.patches) == len(REGISTRY)
    texts = [text.get_text() for text in axes.texts]
    assert f"3 {SIGNS['partly']}" in texts and f"3 {SIGNS['held']}" in texts


def test_a_damaged_result_counts_as_not_run(saved, tmp_path):
    (tmp_path / "smoke" / "cyclevar-fig-3.json").write_text("{")
    assert set(read.saved_results(("smoke",))) == {"cyclevar-table-3"}
    assert (
        json.loads((tmp_path / "smoke" / "cyclevar-table-3.json").read_text())["verdict"] == "held"
    )


def test_links_lead_to_where_a_result_lies(tmp_path, monkeypatch):
    own, theirs = tmp_path / "figures" / "mine", tmp_path / "figures"
    for folder, name in ((own, "cyclevar-fig-3"), (theirs, "flexvar-fig-3")):
        (folder / "laptop").mkdir(parents=True)
        (folder / "laptop" / f"{name}.json").write_text("{}")
    for folder, names in ((own, "ab"), (theirs, "bc")):
        (folder / "laptop" / "extra").mkdir()
        for name in names:
            (folder / "laptop" / "extra" / f"{name}.png").write_bytes(b"")
    monkeypatch.setattr(read, "repository", lambda: tmp_path)
    monkeypatch.setattr(read, "figure_places", lambda: [own, theirs])
    monkeypatch.setattr("varbook.book.claims.saved.figure_places", lambda: [own, theirs])
    results = {name: {"profile": "laptop"} for name in ("cyclevar-fig-3", "flexvar-fig-3")}
    assert read.figure_links(list(results), results) == [
        "[CycleVAR fig 3](../figures/mine/laptop/cyclevar-fig-3.png)",
        "[FlexVAR fig 3](../figures/laptop/flexvar-fig-3.png)",
    ]
    assert read.extra_links(["laptop"]) == [
        "[a](../figures/mine/laptop/extra/a.png)",
        "[b](../figures/mine/laptop/extra/b.png)",
        "[c](../figures/laptop/extra/c.png)",
    ]
