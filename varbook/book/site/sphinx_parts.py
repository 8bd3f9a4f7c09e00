"""What Sphinx is taught for the book: KaTeX, alternative texts, equations in comments."""

import json
from html import escape
from pathlib import Path

from docutils import nodes

from varbook.book.chapters import number_of
from varbook.book.site.equations import without_number
from varbook.book.site.references import link_comments


def _inline(translator, node: nodes.math) -> None:
    translator.body.append(f'<span class="formula inline">{escape(node.astext())}</span>')
    raise nodes.SkipNode


def _displayed(translator, node: nodes.math_block) -> None:
    """Write a formula and its number side by side: the formula is scrolled where it is wider than
    the page, and a number within it, as KaTeX draws it, would lie on the formula.
    """
    formula, number = without_number(node.astext())
    anchors = "".join(f'<span id="{one}"></span>' for one in node.get("ids", []))
    shown = f'<span class="formula displayed" tabindex="0">{escape(formula)}</span>'
    told = f'<span class="number">({number})</span>' if number else ""
    translator.body.append(f'<div class="equation">{anchors}{shown}{told}</div>\n')
    raise nodes.SkipNode


def _alternative_texts(app, doctree) -> None:
    """Give each picture that a notebook shows its text: myst-nb names files by their digest."""
    for picture in doctree.findall(nodes.image):
        digest = Path(picture["uri"]).stem
        if digest in app.varbook_pictures:
            picture["alt"] = app.varbook_pictures[digest]


def _comments(app, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Turn the equations that comments and docstrings name into links."""
    if "body" not in context or not pagename.startswith("notebooks/"):
        return
    number = number_of(pagename)
    addresses = {
        anchor: f"{app.builder.get_relative_uri(pagename, target)}#{anchor}"
        for anchor, target in app.varbook_anchors.items()
    }
    context["body"] = link_comments(context["body"], number, app.varbook_places, addresses)


def _read(app) -> None:
    """Read what `stage` wrote beside the pages, and where each equation's page is."""
    folder = Path(app.srcdir)
    app.varbook_pictures = json.loads((folder / "pictures.json").read_text(encoding="utf-8"))
    told = json.loads((folder / "equations.json").read_text(encoding="utf-8"))
    app.varbook_places = {tuple(row[:3]): row[3] for row in told["places"]}
    app.varbook_anchors = told["pages"]


def setup(app) -> dict:
    """Connect the parts; Sphinx calls it."""
    app.add_html_math_renderer("katex", (_inline, None), (_displayed, None))
    app.connect("builder-inited", _read)
    app.connect("doctree-read", _alternative_texts)
    app.connect("html-page-context", _comments)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
