"""The rooms of the package stand in the order in which data flows: each imports only from itself
and from its left.
"""

import ast
import graphlib

import pytest

from varbook.paths import repository

ROOMS = (
    "world",
    "data",
    "features",
    "tokenizer",
    "transformer",
    "generate",
    "translate",
    "train",
    "evaluate",
    "pretrained",
    "book",
    "own",
    "runner",
    "cli",
)
# Inside the book: beside them are only modules that import no room, such as chapters.py.
BOOK = ("show", "exercises", "models", "claims", "experiments", "preference", "site")
PACKAGE = repository() / "varbook"
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


def tree(module: str) -> ast.Module:
    return ast.parse((PACKAGE / module).read_text(encoding="utf-8"))


def imports(module: str) -> list[str]:
    """Every module that a module imports, anywhere in it."""
    names = []
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively; name the room instead"
            names.append(node.module)
    return names


def targets(module: str) -> list[str]:
    """The files of the package that a module imports."""
    files = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            # `from room import module`, else `from module import name`
            files |= {_file(name) or _file(node.module or "") for name in names}
        if isinstance(node, ast.Import):
            files |= {_file(alias.name) for alias in node.names}
    return sorted(file for file in files if file and file != module)


def _file(name: str) -> str | None:
    path = name.removeprefix("varbook.").replace(".", "/")
    files = (f"{path}.py", f"{path}/__init__.py") if name.startswith("varbook.") else ()
    return next((file for file in files if file in MODULES), None)


def room_of(module: str) -> tuple[int, int]:
    """Where a file or a dotted name stands: its room, and inside the book the room there."""
    parts = module.removeprefix("varbook.").replace("/", ".").split(".")
    inside = parts[0] == "book" and parts[1] in BOOK
    return ROOMS.index(parts[0]), BOOK.index(parts[1]) if inside else -1


def test_every_folder_is_a_known_room():
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == set(ROOMS)
    assert {path.parent.name for path in PACKAGE.glob("book/*/__init__.py")} == set(BOOK)


def test_no_module_imports_itself_through_others():
    graphlib.TopologicalSorter({module: targets(module) for module in MODULES}).prepare()


@pytest.mark.parametrize("room", [name for name in MODULES if name.endswith("__init__.py")])
def test_each_room_says_what_is_in_it(room):
    assert len(ast.get_docstring(tree(room)) or "") > 20


@pytest.mark.parametrize("module", [name for name in MODULES if "/" in name])
def test_imports_only_from_the_left(module):
    for name in targets(module):
        assert "/" not in name or room_of(name) <= room_of(module), (
            f"{module} imports {name}, which lies to its right"
        )


@pytest.mark.parametrize(
    "module", [name for name in MODULES if "/" not in name and name != "__main__.py"]
)
def test_root_modules_import_no_room(module):
    assert not [
        name for name in imports(module) if name.split(".")[1:2] and name.split(".")[1] in ROOMS
    ]


@pytest.mark.parametrize("module", MODULES)
def test_a_module_can_be_read_in_one_sitting(module):
    assert (
        len((PACKAGE / module).read_text(encoding="utf-8").splitlines()) <= 340
    )  # some 330: a table of data may be a few lines longer


@pytest.mark.parametrize("module", MODULES)
def test_functions_are_short_and_named_ones_explained(module):
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.FunctionDef):
            lines = node.end_lineno - node.lineno + 1
            assert lines <= 70, f"{module}: {node.name} has {lines} lines; give its parts names"
    for node in tree(module).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{module}: {node.name} has no docstring"


@pytest.mark.parametrize("module", MODULES)
def test_no_function_swallows_unknown_options(module):
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.FunctionDef):
            # Another package's interface may demand it; then the name says that nothing in it is
            # used.
            taken = node.args.kwarg.arg if node.args.kwarg else "unused"
            assert taken == "unused", f"{module}: {node.name} takes **{taken}"
