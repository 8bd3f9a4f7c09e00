"""Tables as text: what a cell shows, which columns there are, Markdown."""

from collections.abc import Mapping, Sequence

# Records keep these names, by which their numbers are found; a reader is shown the field's term.
_TERMS = {
    "taken for its class": "accuracy",
    "drawn, dice at all scales": "drawn, random codes at all scales",
}


def term(name: str) -> str:
    """Return the field's term for a measure as a record names it: "accuracy"."""
    return _TERMS.get(name, name)


def cell_text(value: object) -> str:
    """Return a table cell as text: floats with four significant digits, ticks for booleans, a dash
    for nothing.
    """
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    if isinstance(value, (tuple, list)):
        return " ".join(cell_text(item) for item in value)
    return term(str(value))


def columns_of(rows: Sequence[Mapping], columns: Sequence[str] | None = None) -> list[str]:
    """Return the columns of a table: those named, else every key in order of first appearance."""
    return list(columns) if columns else list(dict.fromkeys(key for row in rows for key in row))


def markdown_table(rows: Sequence[Mapping], columns: Sequence[str] | None = None) -> str:
    """Return rows (dictionaries) as a Markdown table, numbers aligned right."""
    names = columns_of(rows, columns)
    numeric = [any(isinstance(row.get(name), (int, float)) for row in rows) for name in names]
    lines = [[term(name) for name in names], ["---:" if right else "---" for right in numeric]]
    lines += [[cell_text(row.get(name)).replace("|", "\\|") for name in names] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
