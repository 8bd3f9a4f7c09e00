"""The package as a graph of definitions: what each function, class or constant refers to.

Imports say too little: nearly every module of the book reaches nearly every other. What matters is
which definitions a notebook's code reaches, so the graph is drawn between those.

    names in a cell -> the definitions they stand for -> the names in those definitions -> ...

Where it cannot be known what a name stands for (a module that is passed on whole, an attribute that
it does not define), all of the module counts: a change may reach too far, never too short.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PACKAGE = "varbook"
REST = ""  # what a module does when it is imported, besides defining

Symbol = tuple[str, str]  # dotted name of a module, and of a definition in it


@dataclass
class Module:
    """One file: its definitions (name -> source), and what its imported names stand for."""

    name: str
    file: Path
    sources: dict[str, str] = field(default_factory=dict)
    trees: dict[str, list[ast.AST]] = field(default_factory=dict)
    # Local name -> (module, definition in it, or "" for the module itself).
    imports: dict[str, Symbol] = field(default_factory=dict)
    dynamic: bool = False  # does it import by names that only a run knows?


def imported_names(tree: ast.AST) -> dict[str, Symbol]:
    """Return local name -> what it stands for, of every import of the package within a tree."""
    names: dict[str, Symbol] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == PACKAGE:
                    names[alias.asname or PACKAGE] = (alias.name if alias.asname else PACKAGE, "")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE:
            for alias in node.names:
                names[alias.asname or alias.name] = (node.module or "", alias.name)
    return names


class Package:
    """The package below `root` as it is now: each file is read once."""

    def __init__(self, root: Path):
        self.root = root
        self._files: dict[str, Path | None] = {}
        self._modules: dict[str, Module] = {}
        self._direct: dict[Symbol, frozenset[Symbol]] = {}

    def file(self, name: str) -> Path | None:
        """Return the file of a dotted module name, or None where there is none."""
        if name not in self._files:
            path = self.root.joinpath(*name.split("."))
            places = (path.with_suffix(".py"), path / "__init__.py")
            self._files[name] = next((place for place in places if place.is_file()), None)
        return self._files[name]

    def module(self, name: str) -> Module:
        """Return a module with its definitions."""
        if name not in self._modules:
            file = self.file(name)
            assert file is not None  # asked only for names that have one
            self._modules[name] = _parsed(name, file)
        return self._modules[name]

    def direct(self, symbol: Symbol) -> frozenset[Symbol]:
        """Return the definitions that a definition refers to, or that its import runs."""
        if symbol not in self._direct:
            self._direct[symbol] = _of_symbol(self, symbol)
        return self._direct[symbol]

    def resolved(self, symbol: Symbol) -> Symbol:
        """Return (module, definition): `from package import module` names a module."""
        module, name = symbol
        inner = f"{module}.{name}" if name else module
        return (inner, "") if name and self.file(inner) else symbol

    def parents(self, name: str) -> list[str]:
        """Return the packages above a module, which its import runs."""
        parts = name.split(".")
        above = [".".join(parts[:count]) for count in range(1, len(parts))]
        return [package for package in above if self.file(package)]


def _parsed(name: str, file: Path) -> Module:
    text = file.read_text(encoding="utf-8")
    tree, lines = ast.parse(text), text.splitlines(keepends=True)
    module = Module(name, file, imports=imported_names(tree), dynamic="import_module(" in text)
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            continue
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        source = "".join(lines[first - 1 : node.end_lineno])
        for defined in _defines(node) or [REST]:
            module.sources[defined] = module.sources.get(defined, "") + source
            module.trees.setdefault(defined, []).append(node)
    return module


def _defines(node: ast.stmt) -> list[str]:
    """Return the names that a statement at the top of a module defines."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = [n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)]
        simple = all(isinstance(target, (ast.Name, ast.Tuple)) for target in targets)
        return names if simple else []  # `TABLE["x"] = ...` changes what is there
    return []


def references(tree: ast.AST) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield (name, attributes behind it) for every name that a tree reads: `a.b.c` as ("a", ("b",
    "c")).
    """
    inner: set[ast.AST] = set()
    for node in ast.walk(tree):  # from the outside to the inside
        if node in inner:
            continue
        chain: list[str] = []
        while isinstance(node, ast.Attribute):
            chain.append(node.attr)
            node = node.value
            inner.add(node)
        if isinstance(node, ast.Name):
            yield node.id, tuple(reversed(chain))


def _wanted(package: Package, symbol: Symbol, attributes: tuple[str, ...]) -> list[Symbol]:
    """Return the definitions that a reference to an imported name means."""
    module, name = package.resolved(symbol)
    for attribute in attributes:
        if name:
            break
        module, name = package.resolved((module, attribute))
    if package.file(module) is None:
        return []
    known = package.module(module)
    if name and name not in known.sources and name in known.imports:
        return _wanted(package, known.imports[name], ())  # passed on from where it is defined
    if name and name in known.sources:
        return [(module, name)]
    return [(module, one) for one in (*known.sources, REST)]  # all of it


def direct(package: Package, tree: ast.AST, imports: dict[str, Symbol], module: str) -> set[Symbol]:
    """Return the definitions that a tree refers to; `imports` and `module` say where it stands."""
    found: set[Symbol] = set()
    names = imports | imported_names(tree)
    own = package.module(module).sources if module else {}
    for name, attributes in references(tree):
        if name in names:
            found |= set(_wanted(package, names[name], attributes))
        elif name in own:
            found.add((module, name))
    return found


def _of_symbol(package: Package, symbol: Symbol) -> frozenset[Symbol]:
    module = package.module(symbol[0])
    found: set[Symbol] = set()
    for node in module.trees.get(symbol[1], []):
        found |= direct(package, node, module.imports, module.name)
    # To reach a definition is to import its module, and the packages above it.
    found |= {(name, REST) for name in (*package.parents(symbol[0]), symbol[0])}
    if symbol[1] == REST and module.dynamic:
        found |= _siblings(package, module)
    return frozenset(found)


def _siblings(package: Package, module: Module) -> set[Symbol]:
    """Return all that stands beside a module which imports by names that only a run knows."""
    above = module.name.rpartition(".")[0]
    stems = [f"{above}.{file.stem}" for file in module.file.parent.glob("*.py")]
    return {
        (name, one)
        for name in stems
        if package.file(name)
        for one in (*package.module(name).sources, REST)
    }


def reached(source: str, package: Package) -> set[Symbol]:
    """Return every definition of the package that code reaches, directly or not."""
    tree = ast.parse(source)
    waiting = direct(package, tree, {}, "")
    for symbol in imported_names(tree).values():
        module, _ = package.resolved(symbol)
        waiting |= {(module, REST)} if package.file(module) else set()
    found: set[Symbol] = set()
    while waiting:
        symbol = waiting.pop()
        found.add(symbol)
        waiting |= package.direct(symbol) - found
    return found
