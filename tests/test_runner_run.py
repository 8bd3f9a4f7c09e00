"""The runner refuses what makes no sense before anything runs, and says what became of every
notebook.
"""

import json
import os
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import varbook.cores
from varbook.errors import VarbookError
from varbook.paths import repository
from varbook.runner import clean, parameters, plan, run

CELL = """steps: int = 10  # optimiser steps
rate: float = 0.1  # learning rate
name: str | None = None  # a label
sizes: list[int] = [1, 2]  # sides
fast: bool = False  # skip the slow part"""


def write_notebook(path, source=CELL):
    cell = new_code_cell(source, metadata={"tags": ["parameters"]})
    nbformat.write(
        new_notebook(cells=[new_markdown_cell("# A"), cell, new_code_cell("print(steps)")]), path
    )
    return path


@pytest.fixture
def node(tmp_path):
    return plan.Node("09", write_notebook(tmp_path / "09_cyclevar.ipynb"), ())


@pytest.mark.parametrize(
    ("setting", "name", "value"),
    [
        ("steps=3", "steps", 3),
        ("rate=3", "rate", 3),
        ("rate=1e-3", "rate", 1e-3),
        ("name=fast", "name", "fast"),
        ("name=12", "name", "12"),
        ("name=None", "name", None),
        ("sizes=[1, 2, 3]", "sizes", [1, 2, 3]),
        ("fast=true", "fast", True),
    ],
)
def test_values_get_the_type_of_their_parameter(node, setting, name, value):
    assert run.given_values([setting], [node]) == {"09": {name: value}}


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("steps=many", "steps is of type int"),
        ("steps=1.5", "steps is of type int"),
        ("steps=True", "steps is of type int"),
        ("fast=1", "fast is of type bool"),
        ("sizes=[1, 'a']", "sizes is of type"),
        ("stepz=3", "has a parameter 'stepz'"),
        ("steps", "write --set name=value"),
    ],
)
def test_what_does_not_fit_is_refused_with_one_sentence(node, setting, sentence):
    with pytest.raises(VarbookError, match=sentence):
        run.given_values([setting], [node])


@pytest.mark.parametrize("setting", ["steps=a\nb", "a\nb=1", "a\nb"])
def test_what_was_typed_breaks_no_sentence(node, setting):
    with pytest.raises(VarbookError) as told:
        run.given_values([setting], [node])
    assert "\n" not in str(told.value) and r"a\nb" in str(told.value)


def test_a_setting_goes_to_the_notebooks_that_have_it(node, tmp_path):
    other = plan.Node("02", write_notebook(tmp_path / "02.ipynb", "seed: int = 0  # seed"), ())
    assert run.given_values(["seed=4"], [node, other]) == {"09": {}, "02": {"seed": 4}}


@pytest.mark.parametrize("setting", ["seed=-1", "seed=4294967296", "profile_name=huge"])
def test_what_every_chapter_takes_is_checked_before_anything_runs(tmp_path, setting):
    cell = 'profile_name: str = ""  # sizes\nseed: int = 0  # of all'
    node = plan.Node("09", write_notebook(tmp_path / "09_cyclevar.ipynb", cell), ())
    with pytest.raises(VarbookError, match="seed|profile"):
        run.given_values([setting], [node])
    assert run.given_values(["seed=3"], [node]) == {"09": {"seed": 3}}


@pytest.mark.parametrize(
    "annotation",
    [
        "open('/tmp/ran', 'w')",
        "(lambda: int)()",
        "[c for c in ().__class__.__base__.__subclasses__()][0]",
        "int.__class__",
        "dict",
        "list[dict]",
        "int | 3",
        "int if int else str",
        "",
    ],
)
def test_a_type_is_read_as_data_and_nothing_in_it_runs(tmp_path, annotation):
    parameter = parameters.Parameter("size", annotation, 3, "")
    with pytest.raises(VarbookError, match="is not one of int, float"):
        parameters.convert(parameter, "3")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        ("int | None", "none", None),
        ("list[int]", "[1, 2]", [1, 2]),
        ("tuple[int, ...]", "(1, 2)", (1, 2)),
        ("tuple[int, str] | None", "(1, 'a')", (1, "a")),
        ("float", "2", 2),
        ("str", "{[]: 1}", "{[]: 1}"),
        ("str", "(" * 5000, "(" * 5000),
    ],
)
def test_every_type_of_a_parameter_is_understood(annotation, text, value):
    assert parameters.convert(parameters.Parameter("p", annotation, None, ""), text) == value


@pytest.mark.parametrize("source", ["x: int = = 3", "x: int = {[]: 1}", "x = 3", "x: int = 1 + y"])
def test_a_parameters_cell_that_is_none_is_one_sentence(source):
    with pytest.raises(VarbookError):
        parameters.parse_cell(source)


def test_lines_and_comments_of_a_parameters_cell_are_the_parser_s():
    source = 'a: str = "grün\x0c, blau"  # Farben\r\nb: int = 1  # one'
    cell = parameters.parse_cell(source)
    assert [(one.default, one.comment) for one in cell.values()] == [
        ("grün\x0c, blau", "Farben"),
        (1, "one"),
    ]


@pytest.mark.parametrize("annotation", ["...", "(" * 500, "int | ...", "", "3"])
def test_an_annotation_that_is_no_type_is_told(annotation):
    with pytest.raises(VarbookError, match="is not one of"):
        parameters.convert(parameters.Parameter("a", annotation, 1, ""), "1")


def test_parameters_are_read_with_type_default_and_comment(node):
    found = parameters.of_notebook(node.path)
    assert found["rate"] == parameters.Parameter("rate", "float", 0.1, "learning rate")
    assert list(found) == ["steps", "rate", "name", "sizes", "fast"]


@pytest.mark.parametrize(
    "source", ["steps = 3", "steps: int = 3 * len([])", "import os", "steps: int"]
)
def test_a_parameters_cell_holds_annotated_literals_only(source):
    with pytest.raises(VarbookError, match="Line 1"):
        parameters.parse_cell(source)


def test_a_damaged_notebook_is_named(tmp_path):
    (tmp_path / "x.ipynb").write_text("{")
    with pytest.raises(VarbookError, match="x.ipynb is damaged"):
        parameters.of_notebook(tmp_path / "x.ipynb")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--profile", "huge"], "huge"),
        (["--only", "77"], 'no chapter "77"'),
        (["--only", "x"], 'no chapter "x"'),
    ],
)
def test_the_command_line_answers_nonsense_with_a_sentence_and_code_two(
    capsys, monkeypatch, arguments, sentence
):
    monkeypatch.setattr(run, "snakemake", lambda *_: pytest.fail("something ran"))
    assert run.main(arguments) == 2
    told = capsys.readouterr().err
    assert sentence in told and told.startswith("varbook: ") and "Traceback" not in told


@pytest.mark.parametrize(
    ("variable", "named", "sentence"),
    [
        ("VARBOOK_DATA", "nowhere", "which is not there"),
        ("VARBOOK_DATA", "empty", "which holds no data set"),
        ("VARBOOK_WEIGHTS", "nowhere", "which is not there"),
        ("VARBOOK_WEIGHTS", "empty", "which holds no weights"),
    ],
)
def test_a_place_that_names_something_wrong_is_told_before_anything_runs(
    built, tmp_path, capsys, monkeypatch, variable, named, sentence
):
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv(variable, str(tmp_path / named))
    monkeypatch.setattr(run, "snakemake", lambda *_: pytest.fail("something ran"))
    assert run.main(["--profile", "smoke", "--only", "01"]) == 2
    told = capsys.readouterr().err
    assert sentence in told and variable in told and len(told.splitlines()) == 1


def test_a_chapter_that_is_not_written_is_said_so(monkeypatch):
    monkeypatch.setattr(plan, "written", lambda: [])
    with pytest.raises(VarbookError, match="chapter 09 .CycleVAR. is not written yet"):
        plan.chosen("9")


def test_chapters_are_chosen_by_number_and_once(monkeypatch):
    from varbook.book.chapters import CHAPTERS

    monkeypatch.setattr(plan, "written", lambda: [CHAPTERS[key] for key in ("01", "02", "09")])
    assert plan.chosen("9,02, 9") == ["02", "09"]
    assert plan.chosen(None) == plan.chosen("") == ["01", "02", "09"]


def test_a_chapter_with_a_letter_runs_between_its_neighbours(monkeypatch):
    from varbook.book.chapters import CHAPTERS

    monkeypatch.setattr(plan, "written", lambda: [CHAPTERS[key] for key in ("01", "01b", "02")])
    assert plan.chosen("2, 1b, 01") == ["01", "01b", "02"]
    nodes = plan.nodes("01b", solutions=True)
    assert [(one.name, one.chapter, one.solutions) for one in nodes] == [
        ("01b", "01b", False),
        ("01bs", "01b", True),
    ]


@pytest.fixture
def built(tmp_path, monkeypatch):
    monkeypatch.setattr(plan, "build", lambda: tmp_path / "build")
    monkeypatch.setattr(plan, "repository", lambda: tmp_path)
    return tmp_path


def note(node, code, mode="figures"):
    path = plan.state_file(mode, "smoke", node)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"exit": code}))


def test_the_summary_names_the_failing_notebook_and_its_error(built, node):
    good = plan.Node("01", built / "01_a.ipynb", ())
    note(good, 0)
    note(node, 1)
    error = new_output("error", ename="ValueError", evalue="no such code\nmore", traceback=[])
    target = plan.executed("figures", "smoke", node)
    target.parent.mkdir(parents=True)
    nbformat.write(new_notebook(cells=[new_code_cell("1", outputs=[error])]), target)
    code, text = plan.summary("figures", "smoke", [good, node])
    assert code == 1
    assert "1 of 2 notebooks ended well" in text
    assert "FAILED 09_cyclevar.ipynb: ValueError: no such code\n" in text


def test_the_summary_counts_what_has_not_run_as_a_failure(built, node):
    code, text = plan.summary("figures", "smoke", [node])
    assert code == 1 and "has not run" in text


def test_status_tells_how_notebooks_ended_and_runs_nothing(built, node, monkeypatch, capsys):
    monkeypatch.setattr(plan, "nodes", lambda *_: [node])
    monkeypatch.setattr(run, "snakemake", lambda *_: pytest.fail("something ran"))
    assert run.main(["--status", "--profile", "smoke"]) == 1
    assert "has not run" in capsys.readouterr().err
    note(node, 0)
    assert run.main(["--status", "--profile", "smoke"]) == 0
    assert "1 of 1 notebooks ended well" in capsys.readouterr().err


QUICK = """
import sys
from varbook.runner.run import main
assert main(["--status", "--profile", "laptop"]) in (0, 1)  # whether this checkout ran before or not
slow = {"torch", "numpy", "PIL", "matplotlib", "nbformat"} & set(sys.modules)
assert not slow, slow
"""


def test_planning_and_status_need_nothing_slow():
    done = subprocess.run([sys.executable, "-c", QUICK], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "notebooks ended well (figures, profile laptop)" in done.stderr


def test_only_failures_are_forgotten(built, node):
    good = plan.Node("01", built / "01_a.ipynb", ())
    note(good, 0)
    note(node, 1)
    plan.forget("figures", "smoke", [good, node])
    assert (
        plan.outcome("figures", "smoke", good) is True
        and plan.outcome("figures", "smoke", node) is None
    )


def test_notebooks_run_with_this_checkout_and_this_interpreter(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    env = run.environment("smoke", retrain=False)
    assert env["PYTHONPATH"].endswith(":elsewhere") and env["PYTHONPATH"].startswith(
        str(run.repository())
    )
    assert env["JUPYTER_PATH"].startswith(sys.prefix) and env["VARBOOK_BATCH"] == "1"
    assert "VARBOOK_RETRAIN" not in env
    assert int(run.environment("smoke", retrain=True)["VARBOOK_RETRAIN"]) > 1_700_000_000


def test_outputs_of_changed_parameters_are_never_kept(monkeypatch, node):
    monkeypatch.setattr(plan, "nodes", lambda *_: [node])
    monkeypatch.setattr(run, "snakemake", lambda *_: pytest.fail("something ran"))
    assert run.main(["--profile", "smoke", "--set", "steps=3", "--publish"]) == 2


def executed_notebook():
    cells = [
        new_markdown_cell("# A", metadata={"papermill": {"duration": 1}}),
        new_code_cell(
            "steps: int = 1  # x",
            metadata={"tags": ["parameters"], "execution": {}},
            execution_count=4,
        ),
        new_code_cell("steps = 2", metadata={"tags": ["injected-parameters"]}, execution_count=5),
        new_code_cell("", execution_count=None),
        new_code_cell(
            "go()",
            execution_count=9,
            outputs=[
                new_output("stream", name="stdout", text="a"),
                new_output("stream", name="stderr", text="warning"),
                new_output("stream", name="stdout", text="b"),
                new_output(
                    "execute_result", {"text/plain": "1"}, execution_count=9, metadata={"x": 1}
                ),
                new_output("display_data", {clean._LIVE: {}, "text/plain": "Slider()"}),
            ],
        ),
    ]
    metadata = {
        "papermill": {},
        "widgets": {},
        "kernelspec": {"name": "other", "display_name": "x"},
        "language_info": {"name": "python", "version": "3.11.7"},
    }
    return new_notebook(cells=cells, metadata=metadata)


def test_an_executed_notebook_is_made_fit_to_commit():
    cleaned = clean.normalise(executed_notebook())
    assert (
        set(cleaned.metadata) == {"kernelspec", "language_info"}
        and cleaned.metadata.kernelspec.name == "python3"
    )
    assert [cell.execution_count for cell in cleaned.cells if cell.cell_type == "code"] == [
        1,
        None,
        2,
    ]
    assert [cell.metadata for cell in cleaned.cells] == [{}, {"tags": ["parameters"]}, {}, {}]
    outputs = cleaned.cells[-1].outputs
    assert [output.output_type for output in outputs] == ["stream", "execute_result"]
    assert outputs[0].text == "ab" and outputs[1].execution_count == 2


def test_bookkeeping_is_folded_in_jupyterlab_too():
    notebook = executed_notebook()
    notebook.cells[-1].metadata = {"tags": [clean.FOLDED]}
    folded = clean.normalise(notebook).cells[-1].metadata
    assert folded == {"tags": [clean.FOLDED], "jupyter": {"source_hidden": True}}


def test_cleaning_twice_changes_nothing():
    once = nbformat.writes(clean.normalise(executed_notebook()))
    assert nbformat.writes(clean.normalise(nbformat.reads(once, 4))) == once


def test_paths_of_this_machine_are_taken_out_of_outputs():
    notebook = executed_notebook()
    notebook.cells[-1].outputs[0].text = f"{clean.repository()}/varbook"
    assert clean.normalise(notebook).cells[-1].outputs[0].text.startswith("./varbook")


def test_the_threads_of_a_notebook_are_the_profile_s_however_many_run_at_a_time(monkeypatch):
    for name in ("VARBOOK_THREADS", "OMP_NUM_THREADS", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(run, "cores", lambda: 8)
    monkeypatch.setattr(varbook.cores, "cores", lambda: 8)
    assert [run.at_a_time(*one) for one in (("laptop", None), ("smoke", None), ("smoke", 3))] == [
        1,
        4,
        3,
    ]
    for profile, count in (("smoke", "1"), ("laptop", "8"), ("paper", "8")):
        for jobs in (1, 2, 5):
            env = run.environment(profile, False, jobs)
            assert env["VARBOOK_THREADS"] == env["OMP_NUM_THREADS"] == count
    assert "OMP_WAIT_POLICY" not in run.environment("laptop", False, 1)
    assert run.environment("laptop", False, 2)["OMP_WAIT_POLICY"] == "PASSIVE"
    monkeypatch.setenv("OMP_NUM_THREADS", "3,2")
    assert run.environment("laptop", False, 2)["VARBOOK_THREADS"] == "3"
    monkeypatch.setenv("VARBOOK_THREADS", "2")
    assert run.environment("smoke", False, 2)["OMP_NUM_THREADS"] == "2"


@pytest.mark.parametrize("cores", ["1", "4"])
def test_a_job_has_its_threads_however_many_cores_snakemake_has(tmp_path, cores):
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(repository() / "Snakefile")]
    command += ["--cores", cores, "--nolock", "--dry-run", "--forceall", "--printshellcmds"]
    done = subprocess.run(
        [*command, "--config", "profile=laptop", "only=01"],
        cwd=tmp_path,
        env=os.environ | {"VARBOOK_THREADS": "3", "PYTHONPATH": str(repository())},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "export VARBOOK_THREADS=3 OMP_NUM_THREADS=3 " in done.stdout + done.stderr


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5", "\u00b2"])
def test_a_number_of_threads_that_is_none_is_refused(monkeypatch, value):
    monkeypatch.setenv("VARBOOK_THREADS", value)
    with pytest.raises(VarbookError, match="VARBOOK_THREADS is .* whole number above 0"):
        varbook.cores.thread_count("laptop")
