"""A change makes exactly the notebooks run again that it can reach: every edge is walked, both
ways.
"""

import shutil

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from varbook.book.chapters import written
from varbook.paths import repository
from varbook.runner.depends import Dependencies

MODULES = {
    "__init__": '"""A package."""\n',
    "numbers/__init__": '"""Numbers."""\nSTARTED = 1\n',
    "numbers/small": """
from varbook.numbers import large
from varbook.numbers.large import LIMIT as BOUND

TABLE = {"a": 1}
TABLE["b"] = 2


def one():
    return TABLE["a"]


def two():
    return one() + BOUND


def three():
    return large.million() - large.LIMIT


class Four:
    def value(self):
        return self.helper()

    def helper(self):
        from varbook.numbers.late import late

        return late()


class Five(Four):
    pass
""",
    "numbers/large": """
LIMIT = 10


def million():
    return 10**6


def unused():
    return million()
""",
    "numbers/late": """
from varbook.numbers.large import million as passed


def late():
    return 4
""",
    "show/style": """
from pathlib import Path

STYLE = Path(__file__).with_name("plots.style")


def apply():
    return STYLE.read_text()
""",
    "book/models/profiles/__init__": """
from varbook.book.models.profiles.laptop import LAPTOP
from varbook.book.models.profiles.smoke import SMOKE

PROFILES = {"laptop": LAPTOP, "smoke": SMOKE}
""",
    "book/models/profiles/laptop": "LAPTOP = 1\n",
    "book/models/profiles/smoke": "SMOKE = 2\n",
}
CELLS = {
    "one": "from varbook.numbers.small import one\none()",
    "two": "from varbook.numbers.small import two\ntwo()",
    "three": "from varbook.numbers import small\nsmall.three()",
    "five": "import varbook.numbers.small as numbers\nnumbers.Five()",
    "all": "from varbook.numbers import small\nprint(vars(small))",
    "passed": "%matplotlib inline\nfrom varbook.numbers.late import passed",
    "passed on": "from varbook.numbers.late import passed\npassed()",
    "style": "from varbook.show.style import apply\napply()",
    "sizes": "from varbook.book.models.profiles import PROFILES\nPROFILES",
    "none": "1 + 1",
}
# What is changed in which module, and which notebooks it reaches.
EDGES = [
    # What a module does while it is imported reaches all that imports it.
    (
        "numbers/small",
        'TABLE = {"a": 1}',
        'TABLE = {"a": 3}',
        {"one", "two", "three", "five", "all"},
    ),
    (
        "numbers/small",
        'TABLE["b"] = 2',
        'TABLE["b"] = 3',
        {"one", "two", "three", "five", "all"},
    ),
    ("numbers/small", 'return TABLE["a"]', 'return TABLE["b"]', {"one", "two", "all"}),
    ("numbers/small", "return one() + BOUND", "return one() - BOUND", {"two", "all"}),
    ("numbers/large", "LIMIT = 10", "LIMIT = 11", {"two", "three", "all"}),
    ("numbers/large", "return 10**6", "return 10**7", {"three", "passed on", "all"}),
    ("numbers/large", "return million()", "return 2 * million()", set()),
    ("numbers/late", "return 4", "return 5", {"five", "all"}),
    ("numbers/small", "return self.helper()", "return -self.helper()", {"five", "all"}),
    (
        "numbers/small",
        "class Five(Four):\n    pass",
        "class Five(Four):\n    x = 1",
        {"five", "all"},
    ),
    (
        "numbers/__init__",
        "STARTED = 1",
        "STARTED = 1\nprint()",
        {"one", "two", "three", "five", "all", "passed", "passed on"},
    ),
    ("show/style", "return STYLE.read_text()", "return STYLE", {"style"}),
    ("book/models/profiles/laptop", "LAPTOP = 1", "LAPTOP = 3", {"sizes"}),
    ("book/models/profiles/smoke", "SMOKE = 2", "SMOKE = 3", set()),
    ("numbers/small", "\n\n\ndef one():", "\n\n# a comment\ndef one():", set()),
]


@pytest.fixture
def checkout(tmp_path):
    for name, text in MODULES.items():
        file = tmp_path / "varbook" / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tmp_path / "varbook" / "show" / "plots.style").write_text("blue")
    (tmp_path / "varbook" / "show" / "notes.txt").write_text("nobody names this")
    (tmp_path / "requirements.txt").write_text("torch==1")
    for name, profile in (("toy-1", "laptop"), ("toy-2", "smoke")):
        records = tmp_path / "varbook" / "shipped" / "records"
        records.mkdir(parents=True, exist_ok=True)
        (records / f"{name}.json").write_text(f'{{"profile": "{profile}"}}')
        (tmp_path / "varbook" / "shipped" / "checkpoints").mkdir(exist_ok=True)
        (tmp_path / "varbook" / "shipped" / "checkpoints" / f"{name}.safetensors").write_text("1")
    for name, source in CELLS.items():
        cells = [new_markdown_cell("import varbook"), *map(new_code_cell, source.split("\n"))]
        nbformat.write(new_notebook(cells=cells), tmp_path / f"{name}.ipynb")
    return tmp_path


def fingerprints(root, profile="laptop"):
    known = Dependencies(root)
    return {name: known.fingerprint(root / f"{name}.ipynb", profile) for name in CELLS}


def reached(before, after) -> set[str]:
    return {name for name in before if before[name] != after[name]}


@pytest.mark.parametrize(("module", "old", "new", "wanted"), EDGES)
def test_a_change_reaches_the_notebooks_that_use_it_and_no_other(
    checkout, module, old, new, wanted
):
    before = fingerprints(checkout)
    file = checkout / "varbook" / f"{module}.py"
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))
    assert reached(before, fingerprints(checkout)) == wanted
    file.write_text(text)
    assert fingerprints(checkout) == before  # and back


@pytest.mark.parametrize(
    ("file", "wanted"),
    [
        ("varbook/show/plots.style", {"style"}),
        ("varbook/show/notes.txt", set()),
        ("varbook/shipped/records/toy-1.json", set(CELLS)),
        ("varbook/shipped/checkpoints/toy-1.safetensors", set(CELLS)),
        ("varbook/shipped/records/toy-2.json", set()),
        ("varbook/shipped/checkpoints/toy-2.safetensors", set()),
        ("requirements.txt", set(CELLS)),
        ("README.md", set()),
    ],
)
def test_files_that_are_no_code_count_where_they_are_read(checkout, file, wanted):
    before = fingerprints(checkout)
    path = checkout / file
    text = path.read_text() if path.is_file() else ""
    path.write_text(text + " ")
    assert reached(before, fingerprints(checkout)) == wanted
    assert (reached(fingerprints(checkout), before) == wanted) and path.write_text(text) >= 0
    assert fingerprints(checkout) == before


def test_a_file_that_is_touched_or_cloned_anew_is_the_same_file(checkout, tmp_path):
    before = fingerprints(checkout)
    for file in (checkout / "varbook").rglob("*.py"):
        file.touch()
    assert fingerprints(checkout) == before
    shutil.copytree(checkout, tmp_path / "clone")
    assert fingerprints(tmp_path / "clone") == before


def test_in_the_book_itself_a_definition_reaches_the_chapters_that_use_it():
    known = Dependencies(repository())
    parts = {row.number: set(known.parts(row.path, "laptop")) for row in written()}

    def chapters(part: str) -> set[str]:
        return {number for number, names in parts.items() if part in names}

    every = set(parts)
    assert chapters("varbook/book/show/varbook.mplstyle") >= every - {"13"}
    assert chapters("requirements.txt") == every
    assert chapters("varbook.translate.relaxation:relax") == {
        "00",
        "08",
        "09",
        "10",
        "11",
        "12",
        "14",
    }
    assert chapters("varbook.pretrained.export:export_onnx") == {"14"}
    assert chapters("varbook.pretrained.evaluate:main") == set()
    assert chapters("varbook.book.models.profiles.paper:PAPER") == set()
    assert chapters("varbook.book.models.profiles.laptop:LAPTOP") == every
