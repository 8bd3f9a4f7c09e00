"""The hygiene of the notebooks: what a reader on GitHub, nbval and papermill each need of them."""

import ast
import json
import re
import statistics
from dataclasses import asdict, replace
from functools import cache

import nbformat
import pytest
import torch

from varbook.book.chapters import CHAPTERS, number_of, written
from varbook.book.claims.registry import REGISTRY, of_chapter
from varbook.book.models import tasks
from varbook.paths import repository
from varbook.runner import parameters
from varbook.runner.clean import FOLDED, normalise
from varbook.translate.cyclevar import CycleVARConfig

FOLDER = repository() / "notebooks"
CHAPTER_FILES = sorted(FOLDER.glob("*.ipynb"))
SOLUTION_FILES = sorted((FOLDER / "solutions").glob("*.ipynb"))
ALL = CHAPTER_FILES + SOLUTION_FILES
WIDGET = "application/vnd.jupyter.widget-view+json"

chapters_only = pytest.mark.parametrize("path", CHAPTER_FILES, ids=lambda path: path.stem)
every_notebook = pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)


def read(path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def code(path) -> list:
    return [cell for cell in read(path).cells if cell.cell_type == "code" and cell.source.strip()]


def tagged(path, tag: str) -> list:
    return [cell for cell in read(path).cells if tag in cell.metadata.get("tags", [])]


def headings(path) -> list[tuple[int, str]]:
    """(level, text) of every heading, code blocks left out."""
    found, fenced = [], False
    for cell in read(path).cells:
        for line in cell.source.splitlines() if cell.cell_type == "markdown" else []:
            fenced ^= line.startswith("```")
            match = re.match(r"(#{1,6}) (.+)", line)
            if match and not fenced:
                found.append((len(match[1]), match[2]))
    return found


def texts(cell) -> list[str]:
    """The texts of a cell's outputs that nbval compares and that a reader reads."""
    found = [output.text for output in cell.outputs if output.output_type == "stream"]
    for output in cell.outputs:
        found += [
            value for mime, value in output.get("data", {}).items() if mime.startswith("text/")
        ]
    return found


def calls(path, name: str) -> list[ast.Call]:
    trees = [ast.parse(cell.source) for cell in code(path)]
    nodes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [
        node for node in nodes if getattr(node.func, "id", getattr(node.func, "attr", "")) == name
    ]


def test_every_file_is_a_chapter_of_the_book():
    if not ALL:
        pytest.skip("no notebook is written yet")
    assert {path.name for path in CHAPTER_FILES} <= {one.file_name for one in CHAPTERS.values()}
    assert {path.name for path in SOLUTION_FILES} <= {
        one.solutions.name for one in CHAPTERS.values()
    }


@every_notebook
def test_is_valid_and_clean(path):
    notebook = read(path)
    nbformat.validate(notebook)
    before = json.dumps(notebook, sort_keys=True)
    assert json.dumps(normalise(notebook), sort_keys=True) == before, (
        "run `make publish`: it cleans what it writes"
    )


@every_notebook
def test_metadata_says_nothing_about_one_run(path):
    notebook = read(path)
    assert set(notebook.metadata) <= {"kernelspec", "language_info"}
    assert notebook.metadata.kernelspec.name == "python3"
    for cell in notebook.cells:
        folded = {"jupyter"} if FOLDED in cell.metadata.get("tags", []) else set()
        assert set(cell.metadata) - {"tags"} == folded


@every_notebook
def test_one_title_and_no_level_skipped(path):
    found = headings(path)
    assert [level for level, _ in found].count(1) == 1 and found[0][0] == 1
    for (before, _), (after, text) in zip(found, found[1:], strict=False):
        assert after <= before + 1, f"the heading {text!r} skips a level"


@every_notebook
def test_the_title_is_the_chapters_number_and_name(path):
    chapter = CHAPTERS[number_of(path)]
    ending = "" if path in CHAPTER_FILES else ": solutions"
    assert headings(path)[0] == (1, f"{chapter.number} {chapter.title}{ending}")


@chapters_only
def test_opens_with_title_parameters_and_the_generated_header(path):
    cells = read(path).cells
    assert cells[0].source.startswith("# ")
    assert "parameters" in cells[1].metadata.get("tags", [])
    assert [call.args[0].value for call in calls(path, "chapter_header")] == [number_of(path)]


@every_notebook
def test_the_profile_is_the_parameters_and_said_once(path):
    given = [ast.unparse(call) for call in calls(path, "profile")]
    assert given in ([], ["profiles.profile(profile_name)"])


@chapters_only
def test_sections_are_numbered(path):
    numbers = [re.match(r"(\d+)\.", text) for level, text in headings(path) if level == 2]
    assert numbers and all(numbers)
    assert [int(match[1]) for match in numbers] == list(
        range(int(numbers[0][1]), int(numbers[0][1]) + len(numbers))
    )


@chapters_only
def test_one_short_parameters_cell_of_annotated_literals(path):
    cells = tagged(path, "parameters")
    assert len(cells) == 1
    assert len(cells[0].source.splitlines()) <= 10
    found = parameters.of_notebook(path)
    assert found and all(one.comment for one in found.values())
    for one in found.values():
        assert parameters.fits(one.default, parameters._type(one.annotation)), one.name


@every_notebook
def test_ran_from_top_to_bottom_without_error(path):
    assert [cell.execution_count for cell in code(path)] == list(range(1, len(code(path)) + 1))
    outputs = [output for cell in code(path) for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert not [output for output in outputs if WIDGET in output.get("data", {})]
    assert sum(bool(cell.outputs) for cell in code(path)) >= 0.3 * len(code(path)), (
        "a reader on GitHub sees nothing"
    )


@every_notebook
def test_is_small_enough_to_read_on_github(path):
    assert path.stat().st_size <= 800_000


def test_all_notebooks_together_are_small():
    # seventeen chapters with their solutions; more would make every clone and every diff slow
    assert sum(path.stat().st_size for path in ALL) <= 8_000_000


@every_notebook
def test_compared_outputs_are_stored_and_hold_on_any_machine(path):
    cells = tagged(path, "nbval-check-output")
    assert len(cells) >= (5 if path in CHAPTER_FILES else 1)
    for cell in cells:
        assert any(text.strip() for text in texts(cell)), (
            f"nothing to compare: {cell.source[:80]!r}"
        )
        for text in texts(cell):
            assert not re.search(r"\d\.\d", text), (
                f"a raw float in a compared output: {text[:80]!r}"
            )


@every_notebook
def test_no_path_of_one_machine(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"(?<![\w.])/(home|Users|root|tmp|work|mnt)/\w", text)
    assert not re.search(r"[A-Z]:\\\\\\\\Users", text)


@every_notebook
def test_cells_are_short(path):
    lengths = sorted(len(cell.source.splitlines()) for cell in code(path))
    assert statistics.median(lengths) <= 10
    assert lengths[int(0.9 * (len(lengths) - 1))] <= 28


@every_notebook
def test_cells_run_everywhere(path):
    for cell in code(path):
        assert not re.search(r"^\s*[%!]", cell.source, re.M), (
            "magics and shell lines belong to one front end"
        )
        assert not cell.source.rstrip().endswith(";"), (
            "nbval shows what a trailing ; hides: use show_figure"
        )
        assert not re.search(r"\binteract\(", cell.source), (
            "use interact_or_strip: readers on GitHub see no slider"
        )


@chapters_only
def test_has_exercises_with_solutions(path):
    assert any("exercise" in text.lower() for _, text in headings(path))
    assert CHAPTERS[number_of(path)].solutions.is_file()


@every_notebook
def test_verdicts_are_computed(path):
    for call in calls(path, "save_result"):
        given = {keyword.arg: keyword.value for keyword in call.keywords}.get("checks")
        typed = isinstance(given, ast.Constant) and given.value is not None
        assert given is not None and not typed, "a verdict is computed from checks, never typed in"


def test_each_figure_is_written_by_its_chapter_alone():
    if not CHAPTER_FILES:
        pytest.skip("no notebook is written yet")
    for path in ALL:
        for saver in ("save_figure", "save_table", "save_result"):
            for call in calls(path, saver):
                first = call.args[0]
                assert isinstance(first, ast.Constant), (
                    f"{path.name}: name the figure in the call itself"
                )
                row = REGISTRY[first.value]
                assert path == CHAPTERS[row.chapter].path, (
                    f"{path.name} writes {row.label} of chapter {row.chapter}"
                )


SHEETS = [f"flexvar-fig-{n}" for n in (1, 2, 3, 5, 6, 8, 9, 10, 11, 13, 14, 15, 16, 17)]
SHEETS += ["cyclevar-fig-3", "cyclevar-fig-4", "cyclevar-fig-5", "next_scale_samples"]
SHEETS += ["cyclevar_toy_world", "cyclevar_rivals", "cyclevar_rivals_photographs"]
SHEETS += ["day_night_toy_world", "text_to_image"]


@cache
def nodes_of(path) -> list[list[ast.AST]]:
    """The nodes of each cell's code, read once for all sheets."""
    return [[*ast.walk(ast.parse(cell.source))] for cell in code(path)]


def sheet_calls(path, name: str) -> list[ast.Call]:
    """The calls of `sheet` that make the picture which is saved as `name`."""
    nodes = nodes_of(path)
    found = []
    for cell in nodes:
        for save in cell:
            first = getattr(save, "args", None) if isinstance(save, ast.Call) else None
            if not first or not isinstance(first[0], ast.Constant) or first[0].value != name:
                continue
            if save.func.id not in ("save_figure", "save_extra"):
                continue
            if isinstance(first[1], ast.Call):
                found.append(first[1])
                continue
            for scope in (cell, sum(nodes, [])):  # made in this cell, or in one above
                made = [n.value for n in scope if isinstance(n, ast.Assign)]
                names = [n.targets[0] for n in scope if isinstance(n, ast.Assign)]
                pairs = zip(names, made)
                values = [v for n, v in pairs if getattr(n, "id", "") == first[1].id]
                if values:
                    found += values
                    break
    return found


@pytest.mark.parametrize("name", SHEETS)
def test_a_saved_sheet_has_titles_and_the_width_of_saved_sheets(name):
    made = [call for path in CHAPTER_FILES for call in sheet_calls(path, name)]
    assert made, f"no chapter saves {name}"
    for call in made:
        assert call.func.id == "sheet"
        keywords = {keyword.arg for keyword in call.keywords}
        assert "titles" in keywords, f"{name}: columns without titles"
        assert not keywords & {"scale", "inline"}, (
            f"{name}: it would not be as wide as it should be"
        )


@pytest.mark.parametrize("chapter", [one.number for one in written()])
def test_a_written_chapter_saves_a_verdict_on_all_it_owns(chapter):
    path = CHAPTERS[chapter].path
    saved = {call.args[0].value for call in calls(path, "save_result")}
    assert saved >= {row.id for row in of_chapter(chapter)}


# --- exercises


def test_the_descent_of_chapter_08_takes_a_temperature():
    (source,) = [c.source for c in code(CHAPTERS["08"].path) if "def descend(" in c.source]
    (function,) = [n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef)]
    seen, leaf = [], torch.zeros(1, 3)

    def code_maps(logits, relaxation, tau=2.0, generator=None):
        seen.append((relaxation, tau))
        return logits

    known = {"torch": torch, "seed": 0, "descent_steps": 1, "temperature": 2.0, "target": 0.0}
    known |= {"predicted_logits": lambda *_: leaf, "horses": None, "code_maps": code_maps}
    known |= {"TOY": tasks.TOY, "image_losses": lambda maps, target: (maps - target).square()}
    exec(ast.unparse(function), known)  # noqa: S102
    known["descend"]("softmax", 0.1)
    assert seen[0] == ("softmax", 0.1)


# The settings that an exercise proposes, of the configuration that its chapter trains with.
PROPOSED = re.compile(r"(CycleVARConfig\(|replace\(config, )(\w+)=([\d.]+)\)")


@pytest.mark.parametrize(("chapter", "task"), [("09", tasks.TOY), ("11", tasks.NIGHT)])
def test_an_exercise_that_trains_with_another_setting_changes_that_setting_alone(chapter, task):
    paths = (CHAPTERS[chapter].path, CHAPTERS[chapter].solutions)
    texts = [c.source for path in paths for c in read(path).cells if c.cell_type == "markdown"]
    proposed = PROPOSED.findall("\n".join(texts))
    assert proposed
    for how, name, value in proposed:
        start = CycleVARConfig() if how.startswith("Cycle") else task.config
        asked = replace(start, **{name: float(value)})
        own, other = asdict(task.config), asdict(asked)
        assert [field for field in own if own[field] != other[field]] == [name]
