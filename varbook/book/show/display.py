"""What a notebook shows: images, tables, the package's own source, and checks that say what holds."""

import html
import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence

from varbook.book.show.sheets import INLINE_BYTES, for_notebook, sheet, to_picture
from varbook.book.show.tables import cell_text, columns_of, term

# Characters of a line of a table as plain text, up to which its columns are made level with spaces:
# in a wider one they would be most of a notebook's bytes, and every line would be broken anyhow.
WIDEST = 200
PLAIN = 1000  # characters of the plain text that stands beside HTML or Markdown


def in_notebook() -> bool:
    """Say whether a kernel is there to show things (a plain script shows nothing)."""
    import sys

    return "IPython" in sys.modules and sys.modules["IPython"].get_ipython() is not None


def _emit(bundle: dict) -> None:
    from IPython.display import publish_display_data

    if in_notebook():
        told = {"text/html", "text/markdown"} & set(bundle)
        plain = {"text/plain": _shortened(bundle["text/plain"])} if told else {}
        publish_display_data(bundle | plain)


def _shortened(plain: str) -> str:
    """Return the plain text beside something richer: a notebook need not hold all of it twice."""
    return plain if len(plain) <= PLAIN else f"{plain[:PLAIN]}..."


def show_figure(figure, alt: str = "figure", limit: int = INLINE_BYTES) -> None:
    """Show a matplotlib figure or a PIL picture once, in about `limit` bytes; `alt` says in words
    what is to be seen.
    """
    if in_notebook():
        mime, data = for_notebook(to_picture(figure), limit)
        _emit({mime: _base64(data), "text/plain": f"[{alt}]"})
    close(figure)


def show_png(data: bytes, alt: str) -> None:
    """Show a PNG file as it is, at its own size (a page makes it as narrow as its column)."""
    if in_notebook():
        _emit({"image/png": _base64(data), "text/plain": f"[{alt}]"})


def close(figure) -> None:
    """Take a matplotlib figure from pyplot's list, so that the notebook does not show it a second
    time.
    """
    if hasattr(figure, "savefig"):
        import matplotlib.pyplot as plt

        plt.close(figure)


def _base64(data: bytes) -> str:
    import base64

    return base64.b64encode(data).decode("ascii")


def show_images(
    images,
    titles: Sequence[str] | None = None,
    *,
    columns: int | None = None,
    scale: int | None = None,
    alt: str = "images",
) -> None:
    """Show images, (N,3,H,W) float in [-1, 1] or uint8, in rows of `columns`, each pixel `scale`
    pixels large.
    """
    picture = sheet(images, columns=columns, titles=titles, scale=scale, inline=True)
    show_figure(picture, alt)


def show_grid(
    rows: Mapping[str, object],
    titles: Sequence[str] | None = None,
    *,
    scale: int | None = None,
    alt: str = "images",
) -> None:
    """Show labelled rows of images: `rows` maps a label to (N,3,H,W) images; `titles` stand above
    the columns.
    """
    show_figure(sheet(rows, titles=titles, scale=scale, inline=True), alt)


def _html_table(rows: Sequence[Mapping], names: list[str], caption: str) -> str:
    # Plain tags only: GitHub drops styles and scripts.
    # A column of labels without a name has no head: an empty one is read out as a head.
    heads = [("th" if name else "td", html.escape(term(name))) for name in names]
    head = "".join(f"<{tag}>{name}</{tag}>" for tag, name in heads)
    lines = [
        "".join(f"<td>{html.escape(cell_text(row.get(name)))}</td>" for name in names)
        for row in rows
    ]
    body = "".join(f"<tr>{line}</tr>\n" for line in lines)
    top = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    return f"<table>{top}<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table>"


def _plain_table(rows: Sequence[Mapping], names: list[str]) -> str:
    grid = [
        [term(name) for name in names],
        *[[cell_text(row.get(name)) for name in names] for row in rows],
    ]
    widths = [max(len(line[i]) for line in grid) for i in range(len(names))]
    if sum(widths) > WIDEST:
        return "\n".join(" | ".join(line) for line in grid)
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in grid)


def show_table(
    rows: Sequence[Mapping],
    columns: Sequence[str] | None = None,
    caption: str = "",
    folded: str = "",
) -> None:
    """Show rows (dictionaries) as a table that JupyterLab, GitHub and a terminal can all read.

    With `folded` a page shows that line alone, and the table when the reader unfolds it.
    """
    names = columns_of(rows, columns)
    plain = "\n".join(part for part in (folded, caption, _plain_table(rows, names)) if part)
    if in_notebook():
        table = _html_table(rows, names, caption)
        if folded:
            line = f"<summary>{html.escape(folded)}</summary>"
            table = f"<details>{line}\n{table}\n</details>"
        _emit({"text/html": table, "text/plain": plain})
    else:
        print(plain)


def show_values(
    first: str,
    rows: Mapping[str, Sequence],
    columns: Sequence[str],
    caption: str = "",
    folded: str = "",
) -> None:
    """Show `rows`, label -> one value per column, as a table whose column of labels is called
    `first`; `folded` as in `show_table`.
    """
    lines = [
        {first: label} | dict(zip(columns, values, strict=True)) for label, values in rows.items()
    ]
    show_table(lines, [first, *columns], caption, folded)


def show_source(*objects: Callable) -> None:
    """Show the package's own source of functions or classes, highlighted, with the module that
    holds each.
    """
    for item in objects:
        source = textwrap.dedent(inspect.getsource(item)).rstrip()
        module = item.__module__.replace(".", "/") + ".py"
        if in_notebook():
            _emit({"text/markdown": f"`{module}`\n```python\n{source}\n```", "text/plain": source})
        else:
            print(source)


def show_text(markdown: str) -> None:
    """Show a piece of Markdown made by code (a verdict, a generated list)."""
    if in_notebook():
        _emit({"text/markdown": markdown, "text/plain": markdown})
    else:
        print(markdown)


def check(name: str, condition: bool) -> None:
    """Print "name: True", or stop the notebook with one sentence: a claim of the text that must
    hold everywhere.
    """
    if not bool(condition):
        raise AssertionError(f'The check "{name}" does not hold on this machine.')
    print(f"{name}: True")
