"""The parameters cell of a notebook as data, so that a wrong name or type is refused at once."""

import ast
import re
import types
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from varbook.errors import VarbookError
from varbook.files import read_json

RESTORE = "restore it from git"
_NAMES = {
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "list": list,
    "tuple": tuple,
    "None": type(None),
}


@dataclass(frozen=True)
class Parameter:
    """One line of a parameters cell: `name: annotation = default  # comment`."""

    name: str
    annotation: str
    default: object
    comment: str


def read_cell(notebook: Path) -> str | None:
    """Return the source of the cell tagged `parameters`, or None.

    Raises VarbookError where the file is not a notebook.
    """
    cells = read_json(Path(notebook), RESTORE).get("cells")
    try:
        tagged = [c for c in cells or () if "parameters" in c.get("metadata", {}).get("tags", [])]
        if cells is not None:
            return "".join(tagged[0]["source"]) if tagged else None
    except (AttributeError, KeyError, TypeError):
        pass  # not a list of cells
    raise VarbookError(f"{Path(notebook).name} is damaged: it is not a notebook; {RESTORE}.")


def parse_cell(source: str, where: str = "the parameters cell") -> dict[str, Parameter]:
    """Return name -> Parameter for a cell of annotated literals; VarbookError for any other line."""
    # The parser's lines, in the bytes that it counts: no other separator ends one.
    lines = re.split(r"\r\n|\r|\n", source)
    parameters = {}
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise VarbookError(f"{where} is not Python ({error}): {RESTORE}.") from error
    for node in body:
        if not (
            isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and node.value is not None
        ):
            raise VarbookError(
                f"Line {node.lineno} of {where} must read `name: type = literal  # what it does`."
            )
        try:
            default = ast.literal_eval(node.value)
        except (ValueError, TypeError, RecursionError, MemoryError) as error:
            raise VarbookError(
                f"Line {node.lineno} of {where} must hold a literal, not a computation."
            ) from error
        end = lines[(node.end_lineno or node.lineno) - 1].encode()[node.end_col_offset or 0 :]
        comment = end.decode().strip().lstrip("#").strip()
        name = node.target.id
        parameters[name] = Parameter(name, ast.unparse(node.annotation), default, comment)
    return parameters


def of_notebook(notebook: Path) -> dict[str, Parameter]:
    """Return the parameters of a notebook, empty where it has no such cell."""
    source = read_cell(notebook)
    return parse_cell(source, f"the parameters cell of {Path(notebook).name}") if source else {}


def _type(annotation: str):
    """Return the type that an annotation names: one of _NAMES, list[...], tuple[...] or a union.

    Read as data: nothing in it is called. VarbookError for anything else.
    """
    try:
        kind = _of_node(ast.parse(annotation, mode="eval").body)
        if kind is Ellipsis:
            raise TypeError("... is not a type by itself")
        return kind
    except (KeyError, TypeError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise VarbookError(
            f"The type {annotation!r} of a parameter is not one of {', '.join(_NAMES)}."
        ) from error


def _of_node(node: ast.expr):
    if isinstance(node, ast.Constant) and node.value in (None, Ellipsis):
        return node.value
    if isinstance(node, ast.Name):
        return _NAMES[node.id]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _of_node(node.left) | _of_node(node.right)
    if isinstance(node, ast.Subscript):
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        outer: dict[str, Any] = {"list": list, "tuple": tuple}
        return outer[ast.unparse(node.value)][tuple(map(_of_node, inner))]
    raise TypeError(f"{ast.unparse(node)} is not a type")


def fits(value: object, kind) -> bool:
    """Return whether `value` is of type `kind`: a class, union, list[...] or tuple[...].

    An int may stand for a float.
    """
    if kind is None:
        return value is None
    origin = typing.get_origin(kind)
    inner = typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, choice) for choice in inner)
    if origin in (list, tuple):
        kinds = [choice for choice in inner if choice is not Ellipsis]
        return isinstance(value, (list, tuple)) and all(
            any(fits(item, choice) for choice in kinds) for item in value
        )
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)


def convert(parameter: Parameter, text: str) -> object:
    """Return `text` from the command line as a value of the parameter's type.

    Raises VarbookError where it does not fit.
    """
    kind = _type(parameter.annotation)
    try:
        value = ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        value = {"true": True, "false": False, "none": None}.get(text.lower(), text)
    for candidate in (value, text):  # text second: a string parameter may look like a number
        if fits(candidate, kind):
            return candidate
    raise VarbookError(
        f"The parameter {parameter.name} is of type {parameter.annotation}, and {text!r} is not: "
        f"try --set {parameter.name}={parameter.default!r} (its default)."
    )
