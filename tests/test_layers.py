"""The rooms of the package stand in the order in which data flows: each imports only from itself
and from its left.
"""

import ast

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


def test_every_folder_is_a_known_room():
    found = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert found == set(ROOMS)


@pytest.mark.parametrize("module", [name for name in MODULES if "/" in name])
def test_imports_only_from_the_left(module):
    own = ROOMS.index(module.split("/")[0])
    for name in imports(module):
        if name.startswith("varbook.") and name.split(".")[1] in ROOMS:
            assert ROOMS.index(name.split(".")[1]) <= own, (
                f"{module} imports {name}, which lies to its right"
            )


@pytest.mark.parametrize("module", [name for name in MODULES if "/" not in name])
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
