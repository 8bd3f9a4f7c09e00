"""What notebooks save: right place, right verdict, provenance that does not change without a
reason.
"""

import csv
import io
import json

import pytest
import torch
from claims import checks_of
from PIL import Image

from varbook.book.claims import provenance, save
from varbook.book.claims.registry import PUBLISHED
from varbook.book.claims.verdicts import verdict
from varbook.book.show.sheets import sheet
from varbook.errors import VarbookError

LOWER = checks_of("flexvar-fig-4")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("VARBOOK_FIGURES", str(tmp_path))
    return tmp_path


def plot():
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    from varbook.book.show.style import use_style

    use_style()
    figure, axes = plt.subplots()
    axes.plot([0, 1], [1, 0], label="loss")
    axes.legend()
    return figure


def picture():
    return sheet(torch.zeros(2, 3, 8, 8))


def test_a_plot_is_saved_as_picture_and_as_vectors(folder):
    save.save_figure("flexvar-fig-4", plot(), "smoke")
    assert sorted(path.suffix for path in (folder / "smoke").glob("flexvar-fig-4.*")) == [
        ".pdf",
        ".png",
        ".svg",
    ]


def test_equal_plots_are_equal_files(folder):
    save.save_figure("flexvar-fig-4", plot(), "smoke")
    first = {path.name: path.read_bytes() for path in (folder / "smoke").iterdir()}
    save.save_figure("flexvar-fig-4", plot(), "smoke")
    assert first == {path.name: path.read_bytes() for path in (folder / "smoke").iterdir()}


def test_a_plot_is_laid_out_once_as_its_png_needs_it(folder, monkeypatch):
    alone = io.BytesIO()
    plot().savefig(alone, format="png", metadata={"Software": None})
    figure, layouts = plot(), []
    engine = figure.get_layout_engine()
    monkeypatch.setattr(
        type(engine), "execute", lambda *_, run=engine.execute: layouts.append(run(figure))
    )
    save.save_figure("flexvar-fig-4", figure, "smoke")
    assert (folder / "smoke" / "flexvar-fig-4.png").read_bytes() == alone.getvalue()
    assert len(layouts) == 1


def test_a_sheet_replaces_the_plot_of_the_same_name(folder):
    save.save_figure("cyclevar-fig-3", plot(), "smoke")
    save.save_figure("cyclevar-fig-3", picture(), "smoke")
    assert [path.name for path in (folder / "smoke").iterdir()] == ["cyclevar-fig-3.png"]


def test_the_file_of_a_sheet_is_wide_enough_for_a_screen_of_high_density(folder):
    rows = {"source": torch.zeros(4, 3, 32, 32), "translated": torch.zeros(4, 3, 32, 32)}
    save.save_figure("cyclevar-fig-3", sheet(rows, titles=list("abcd")), "smoke", show=False)
    with Image.open(folder / "smoke" / "cyclevar-fig-3.png") as saved:
        assert saved.width >= 1200


def test_profiles_cannot_overwrite_each_other(folder):
    save.save_figure("cyclevar-fig-3", picture(), "laptop")
    before = (folder / "laptop" / "cyclevar-fig-3.png").read_bytes()
    save.save_figure("cyclevar-fig-3", sheet(torch.ones(2, 3, 8, 8)), "smoke")
    assert (folder / "laptop" / "cyclevar-fig-3.png").read_bytes() == before


def test_pictures_of_no_paper_lie_apart(folder):
    save.save_extra("loss-curves", picture(), "smoke", alt="loss")
    assert (folder / "smoke" / "extra" / "loss-curves.png").is_file()
    with pytest.raises(VarbookError, match="file name"):
        save.save_extra("../cyclevar-fig-3", picture(), "smoke", alt="loss")


@pytest.mark.parametrize(
    "saver",
    [
        lambda: save.save_figure("cyclevar-fig-99", picture(), "smoke"),
        lambda: save.save_table("cyclevar-table-99", [], "smoke"),
        lambda: save.save_result("cyclevar-fig-99", "smoke", checks=LOWER, ours="x"),
    ],
)
def test_unknown_ids_are_refused_and_nothing_is_written(folder, saver):
    with pytest.raises(VarbookError, match="registry"):
        saver()
    assert not list(folder.iterdir())


def test_a_table_holds_the_papers_rows_and_ours(folder):
    rows = save.beside_paper(
        "cyclevar-table-3", [{"mode": "parallel one-step", "seconds": 0.5, "FD-toy h2z": 3.0}]
    )
    save.save_table("cyclevar-table-3", rows, "smoke")
    with (folder / "smoke" / "cyclevar-table-3.csv").open(encoding="utf-8") as file:
        read = list(csv.DictReader(file))
    assert [row["source"] for row in read] == ["paper", "paper", "ours"]
    assert float(read[0]["FID h2z"]) == PUBLISHED["cyclevar-table-3"].rows[0][2]
    assert read[2]["FD-toy h2z"] == "3.0" and read[2]["FID h2z"] == ""
    assert "| paper | serial multi-step |" in (folder / "smoke" / "cyclevar-table-3.md").read_text()


def test_our_rows_of_a_table_that_is_none_are_refused():
    with pytest.raises(VarbookError, match="not a published table"):
        save.beside_paper("cyclevar-fig-3", [])


@pytest.mark.parametrize(
    ("values", "word"),
    [((True, True), "held"), ((True, False), "partly"), ((False, False), "not held")],
)
def test_a_verdict_follows_from_its_checks(values, word, capsys):
    checks = dict(zip(LOWER, values, strict=True))
    assert verdict(checks) == word
    save.save_result("flexvar-fig-4", "smoke", checks=checks, ours="lower")
    result = save.load_result("flexvar-fig-4", "smoke")
    assert (result["verdict"], result["checks"]) == (word, checks)
    failed = [key for key, holds in checks.items() if not holds]
    assert all(key in capsys.readouterr().out for key in failed[:1])


def test_checks_that_the_row_does_not_name_are_refused_and_nothing_is_written(folder):
    with pytest.raises(VarbookError, match='FlexVAR fig 4 .* "nicer" not in the row'):
        save.save_result("flexvar-fig-4", "smoke", checks=LOWER | {"nicer": True}, ours="x")
    assert save.load_result("flexvar-fig-4", "smoke") is None
    with pytest.raises(VarbookError, match="at least one check"):
        verdict({})


def test_what_was_not_run_says_why():
    save.save_result("flexvar-fig-4", "smoke", checks=None, ours="-", why="no votes yet")
    assert save.load_result("flexvar-fig-4", "smoke")["verdict"] == "not run"
    with pytest.raises(VarbookError, match="must say why"):
        save.save_result("flexvar-fig-4", "smoke", checks=None, ours="-")


def test_a_result_says_where_it_came_from(folder):
    save.save_figure("flexvar-fig-4", plot(), "smoke")
    run = {"kind": "var", "key": "abc", "seed": 3, "minutes": 1.5, "curve": [1, 2, 3]}
    save.save_result(
        "flexvar-fig-4",
        "smoke",
        checks=LOWER,
        ours="lower",
        numbers={"loss": torch.tensor(2.5), "bad": float("nan")},
        runs=[run],
        params={"steps": 3},
        seed=3,
        metric_card={"evaluator": "x"},
        data=folder / "toy",
    )
    result = json.loads((folder / "smoke" / "flexvar-fig-4.json").read_text())
    assert result["numbers"] == {"loss": 2.5, "bad": "nan"}
    assert result["runs"] == [{"kind": "var", "key": "abc", "seed": 3, "minutes": 1.5}]
    assert result["data"] == "toy", "a path of one machine must not be kept"
    assert (result["chapter"], result["seed"], result["params"]) == ("04", 3, {"steps": 3})
    assert result["packages"]["torch"].split("+")[0] == torch.__version__.split("+")[0]
    for name, digest in result["files"].items():
        assert provenance.file_digest(folder / "smoke" / name) == digest
    known = {"commit", "dirty", "utc", "hardware", "threads", "seconds", "load", "cores"}
    assert known == set(result["volatile"])


def test_the_volatile_part_changes_only_with_the_rest(folder):
    path = folder / "smoke" / "flexvar-fig-4.json"
    save.save_result("flexvar-fig-4", "smoke", checks=LOWER, ours="lower", numbers={"loss": 1.0})
    old = json.loads(path.read_text())
    old["volatile"]["utc"] = "earlier"
    path.write_text(json.dumps(old))
    save.save_result("flexvar-fig-4", "smoke", checks=LOWER, ours="lower", numbers={"loss": 1.0})
    assert json.loads(path.read_text())["volatile"]["utc"] == "earlier"
    save.save_result("flexvar-fig-4", "smoke", checks=LOWER, ours="lower", numbers={"loss": 2.0})
    assert json.loads(path.read_text())["volatile"]["utc"] != "earlier"


def test_the_configuration_hash_depends_on_parameters_and_not_on_the_result():
    def saved(params, ours):
        save.save_result("flexvar-fig-4", "smoke", checks=LOWER, ours=ours, params=params)
        return save.load_result("flexvar-fig-4", "smoke")["config_hash"]

    assert saved({"steps": 1}, "a") == saved({"steps": 1}, "b") != saved({"steps": 2}, "a")


def test_the_configuration_hash_depends_on_runs_and_not_on_their_minutes():
    def saved(**facts):
        run = {"kind": "var", "key": "abc", "minutes": 1.5, "core_minutes": 2.0} | facts
        save.save_result("flexvar-fig-4", "smoke", checks=LOWER, ours="a", runs=[run])
        return save.load_result("flexvar-fig-4", "smoke")["config_hash"]

    assert saved() == saved(minutes=3.0, core_minutes=4.0)
    assert len({saved(), saved(key="abd"), saved(sha256="1")}) == 3


def test_missed_targets_are_told_and_stop_a_strict_chapter_but_never_in_smoke(capsys):
    save.say_missed({"a": True}, "laptop", strict=True)
    save.say_missed({"a": True, "b": False}, "laptop")
    save.say_missed({"b": False}, "smoke", strict=True)
    met, missed, excused = capsys.readouterr().out.splitlines()
    assert met == "Every target is met." and missed == "**Missed:** b."
    assert excused.startswith(missed) and "smoke" in excused
    with pytest.raises(AssertionError, match="missed: b"):
        save.say_missed({"a": True, "b": False}, "laptop", strict=True)


def test_a_damaged_result_counts_as_none(folder):
    (folder / "smoke").mkdir()
    (folder / "smoke" / "flexvar-fig-4.json").write_text("{")
    assert save.load_result("flexvar-fig-4", "smoke") is None


def test_a_figure_may_be_shown_in_fewer_bytes_than_it_is_saved_in(folder, monkeypatch):
    shown = []
    monkeypatch.setattr(save, "show_figure", lambda *arguments: shown.append(arguments[1:]))
    save.save_figure("flexvar-fig-5", picture(), "smoke", alt="two squares", limit=1000)
    assert shown == [("two squares", 1000)]
    assert (folder / "smoke" / "flexvar-fig-5.png").is_file()
