"""The sources of the book's web page: what is written before Sphinx runs."""

import json
import re
import shutil
import subprocess
import sys

import pytest
import torch

from varbook.book import chapters
from varbook.book.claims.registry import PUBLISHED, REGISTRY
from varbook.book.markdown import DISPLAYED, in_prose, words
from varbook.book.site import address, glossary, notebooks, references, results
from varbook.book.site.book import read_book
from varbook.book.site.equations import equations_of, first_places, numbered, without_number
from varbook.book.site.stage import stage
from varbook.errors import VarbookError
from varbook.paths import repository
from varbook.translate.relaxation import RELAXATIONS, gumbel_noise, relax

STATIC = repository() / "docs" / "book" / "static"
FORMULA = "$$E = mc^2 \\qquad \\text{(CycleVAR eqs. 8, 9)}$$"
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


@pytest.fixture(scope="module")
def book():
    return read_book()


@pytest.fixture(scope="module")
def staged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site") / "source"
    return stage(folder), folder


def node(script: str, told: object) -> object:
    """What a script of JavaScript, which reads `told`, prints as JSON."""
    asked = json.dumps(told).encode()
    done = subprocess.run(["node", "-e", script], input=asked, capture_output=True, check=True)
    return json.loads(done.stdout)


def text_cells(book) -> list[str]:
    every = [*book.chapters.values(), *book.solutions.values()]
    return [text for chapter in every for text in chapter.texts]


# --- the chapters' order


def test_every_chapter_stands_in_one_part_in_order():
    assert [n for part in chapters.PARTS.values() for n in part] == list(chapters.CHAPTERS)


def test_the_short_path_asks_for_nothing_beside_it():
    for number in chapters.SHORT_PATH:
        assert set(chapters.CHAPTERS[number].reads) <= set(chapters.SHORT_PATH)


def test_reading_takes_longer_the_more_there_is(book):
    chapter = book.chapters["09"]
    half = notebooks.Chapter("09", chapter.cells[: len(chapter.cells) // 2])
    assert 5 <= half.minutes < chapter.minutes
    assert all(10 <= one.minutes <= 120 for one in book.chapters.values())


# --- Markdown


@pytest.mark.parametrize(
    "kept",
    ["`eq. 5`", "$x_5$", "$$y$$", "[eq. 5](#a)", "```python\neq. 5\n```", '<a href="b">'],
)
def test_what_is_no_prose_is_left_as_it_is(kept):
    assert in_prose(f"before\n\n{kept}\n\nafter", str.upper) == f"BEFORE\n\n{kept}\n\nAFTER"


def test_money_and_single_dollars_open_no_formula():
    assert in_prose("it costs 5$ or 6$ each", str.upper) == "IT COSTS 5$ OR 6$ EACH"


def test_words_are_counted_without_code_and_formulas():
    assert words("Three plain words `not this` $nor this$") == 3


# --- equations


def test_displayed_equations_are_numbered_and_say_which_of_the_papers_they_are():
    (one,) = equations_of("09", FORMULA)
    assert (one.tag, one.anchor) == ("9.1", "eq-09-1")
    assert one.paper == (("CycleVAR", 8), ("CycleVAR", 9))
    assert numbered(FORMULA, [one]).strip() == f"(eq-09-1)=\n{FORMULA[:-2]} \\tag{{9.1}}$$"


def test_an_equation_is_found_in_its_own_chapter_first():
    both = [*equations_of("01", FORMULA), *equations_of("09", FORMULA)]
    places = first_places(both)
    for chapter, anchor in (("01", "eq-01-1"), ("09", "eq-09-1"), ("10", "eq-01-1")):
        found = references.equation_targets("eq. 8", "CycleVAR", chapter, places)
        assert found == {"8": anchor}


def test_every_displayed_equation_of_the_book_gets_its_number(staged):
    book, folder = staged
    for number, chapter in book.chapters.items():
        page = (folder / "notebooks" / chapters.CHAPTERS[number].file_name).read_text("utf-8")
        tags = re.findall(r"\\\\tag\{(\d+[a-f]?\.\d+)\}", page)
        assert tags == [one.tag for one in chapter.equations]
    assert len(book.equations) > 30


def test_a_formula_and_its_number_are_told_apart(book):
    every = [*book.chapters.values(), *book.solutions.values()]
    for chapter in every:
        equations = chapter.equations
        for text in chapter.texts:
            plain = [match["tex"].strip() for match in DISPLAYED.finditer(text)]
            here, equations = equations[: len(plain)], equations[len(plain) :]
            made = DISPLAYED.finditer(numbered(text, list(here)))
            told = [without_number(match["tex"]) for match in made]
            assert told == [(tex, one.tag) for tex, one in zip(plain, here, strict=True)]
        assert not equations
    assert without_number(r"a \tag{9.1}" "\n") == ("a", "9.1")
    assert without_number(r"\text{(eq. 8)}") == (r"\text{(eq. 8)}", None)


# --- references

ISSUES = "https://github.com/FoundationVision/VAR/issues"
PLACES = {("09", "4"), ("09", "5"), ("00", "3.1"), ("01b", "2")}


@pytest.mark.parametrize(
    ("text", "linked"),
    [
        ("see section 4", "see [section 4](#ch-09-4)"),
        ("sections 4 and 5", "sections [4](#ch-09-4) and [5](#ch-09-5)"),
        ("Section 4 shows", "[Section 4](#ch-09-4) shows"),
        ("chapter 09, section 4", "[chapter 09](#ch-09), [section 4](#ch-09-4)"),
        ("section 3.1 of chapter 00", "[section 3.1](#ch-00-3-1) of [chapter 00](#ch-00)"),
        ("chapters 02, 03 and 09", "chapters [02](#ch-02), [03](#ch-03) and [09](#ch-09)"),
        ("chapters 01b and 02", "chapters [01b](#ch-01b) and [02](#ch-02)"),
        ("chapter 01b, section 2", "[chapter 01b](#ch-01b), [section 2](#ch-01b-2)"),
        ("section 2 of chapter 01b", "[section 2](#ch-01b-2) of [chapter 01b](#ch-01b)"),
        ("eq. 8", "[eq. 8](#eq-09-1)"),
        ("CycleVAR's eq. 8", "CycleVAR's [eq. 8](#eq-09-1)"),
        ("eqs. 8 to 11 of chapter 08", "eqs. [8](#eq-09-1) to 11 of [chapter 08](#ch-08)"),
        (
            "FlexVAR figures 3 and 14",
            "FlexVAR figures [3](#flexvar-fig-3) and [14](#flexvar-fig-14)",
        ),
        ("CycleVAR's table 1", "CycleVAR's [table 1](#cyclevar-table-1)"),
        ("(VAR#14, #76)", f"(VAR[#14]({ISSUES}/14), [#76]({ISSUES}/76))"),
        ("*VAR issue 97*", f"*VAR issue [97]({ISSUES}/97)*"),
    ],
)
def test_what_the_text_names_becomes_a_link(text, linked):
    places = references.Places(PLACES, first_places(equations_of("09", FORMULA)))
    assert references.Linker("09", places)(text) == linked
    assert not places.missing


@pytest.mark.parametrize(
    "text",
    ["CycleVAR section 3.2", "FlexVAR's section 3.3", "the paper's section 4", "FlexVAR eq. 8"],
)
def test_what_only_the_paper_has_is_no_link(text):
    places = references.Places(PLACES, first_places(equations_of("09", FORMULA)))
    assert references.Linker("09", places)(text) == text
    assert not places.missing


@pytest.mark.parametrize("text", ["section 12", "chapter 77", "sections 4 and 6", "FlexVAR fig 99"])
def test_a_reference_that_leads_nowhere_is_told(text):
    places = references.Places(PLACES, {})
    references.Linker("09", places)(text)
    assert len(places.missing) == 1


def test_every_reference_of_the_book_leads_somewhere(staged):
    book, _ = staged  # `stage` refuses the first that does not
    assert not book.places.missing


def test_comments_and_docstrings_lead_to_equations():
    places = first_places(equations_of("09", FORMULA))
    code = '<span class="n">eq. 8</span> <span class="c1"># eqs. 8, 10</span>'
    linked = references.link_comments(code, "09", places, {"eq-09-1": "x.html#eq-09-1"})
    link = '<a class="eq-link" href="x.html#eq-09-1">8</a>'
    assert linked == code.replace("eqs. 8", f"eqs. {link}")


# --- pictures, widgets, tables


def test_every_picture_of_the_book_has_a_text(book):
    every = [*book.chapters.values(), *book.solutions.values()]
    texts = [text for chapter in every for text in notebooks.alternative_texts(chapter).values()]
    assert len(texts) > 100
    assert not [text for text in texts if len(text.split()) < 2]


def test_a_picture_without_a_text_is_refused():
    output = {"data": {"image/png": "AAAA", "text/plain": "<Figure size 100x100>"}}
    cell = {"cell_type": "code", "outputs": [output]}
    with pytest.raises(VarbookError, match="no text for those who cannot see it"):
        notebooks.alternative_texts(notebooks.Chapter("09", [cell]))


def test_no_kept_output_shows_a_widget_as_text(book):
    outputs = json.dumps([chapter.cells for chapter in book.chapters.values()])
    assert not re.search(r"\b[HV]Box\(|Slider\(|application/vnd.jupyter.widget-view", outputs)


# --- glossary and notation


def test_words_of_the_glossary_are_linked_once_where_they_stand_first():
    entry = glossary.Entry(("dead code",), "", "a code without features", "-")
    used: set[str] = set()
    text = glossary.linked_words("A dead code, then two Dead codes. `dead code`", [entry], used)
    assert text == "A {term}`dead code <dead code>`, then two Dead codes. `dead code`"
    assert glossary.linked_words("dead code", [entry], used) == "dead code"


def test_the_page_of_the_glossary_has_every_row():
    text = (repository() / "docs" / "glossary.md").read_text("utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| **")]
    made = glossary.entries(text)
    assert len(made) == len(rows) > 50
    page = glossary.glossary_page(text)
    assert all(f"\n{word}\n" in page for one in made for word in one.words)
    assert "| same |" not in page and "(same)" not in page


_GREEK = (
    r"\\(?:alpha|beta|gamma|tau|sigma|theta|varphi|phi|varepsilon|omega|mu|rho|Sigma|Delta"
    r"|mathcal [A-Z])$"
)


def letters(tex: str) -> set[str]:
    """The letters of a formula: Latin, Greek, script; no words, no signs."""
    tex = re.sub(r"\\(?:text|mathrm|operatorname\*?)\s*\{[^}]*\}", " ", tex)
    tex = re.sub(r"_\{(?:rec|cycle|gan|idt|dis|keep|hard|soft|entropy)\}", " ", tex)
    tex = re.sub(r"\\(mathcal|mathbb)\s*\{?\s*([A-Z])\}?", r"\\\1 \2", tex)
    found = set(re.findall(r"\\(?:mathcal|mathbb) [A-Z]|\\[a-zA-Z]+|[A-Za-z]", tex))
    return {one for one in found if len(one) == 1 or re.match(_GREEK, one)}


def notation(chapter: str) -> set[str]:
    """The letters that docs/notation.md explains for a chapter."""
    page = (repository() / "docs" / "notation.md").read_text("utf-8")
    table, borrowed = page.split("## Letters that a chapter borrows")
    rows = re.findall(r"^\| (\$.*?) \|", table, re.M)
    rows += [row for row, where in re.findall(r"^\| (\$.*?) \| ([\da-f, ]+) \|", borrowed, re.M)
             if chapter in where.split(", ")]  # fmt: skip
    return set().union(*(letters(row) for row in rows), {"h", "w", "i", "j", "k", "x", "y", "e"})


def test_the_notation_explains_every_letter_of_the_displayed_equations(book):
    for number, chapter in book.chapters.items():
        displayed = re.findall(r"\$\$(.+?)\$\$", "\n\n".join(chapter.texts), re.S)
        used = set().union(*map(letters, displayed))
        assert not used - notation(number), f"chapter {number}"


# --- results


def test_the_page_of_results_has_every_figure_and_table_of_both_papers(monkeypatch, tmp_path):
    monkeypatch.setenv("VARBOOK_FIGURES", str(tmp_path))  # a reader's results are not looked at
    page, pictures = results.results_page()
    for row in REGISTRY.values():
        assert f"\n({row.id})=\n### {row.label}: " in f"\n{page}"
        assert row.id not in PUBLISHED or f"<caption>{row.label} as printed</caption>" in page
    assert all(picture.is_file() for picture in pictures)
    assert page.count("![") == len(pictures) > 15


# --- the repository's address, and Colab


def test_the_address_is_taken_from_the_environment(monkeypatch):
    for told in ("owner/book", "https://github.com/owner/book", "git@github.com:owner/book.git"):
        monkeypatch.setenv("VARBOOK_REPOSITORY", told)
        assert address.repository_name() == "owner/book"
    monkeypatch.setenv("VARBOOK_REPOSITORY", "no address")
    with pytest.raises(VarbookError, match="owner/name"):
        address.repository_name()


def test_links_to_files_lead_to_pages_else_to_the_repository():
    text = "[a](../docs/glossary.md#x) [b](../varbook/errors.py) `[c](d)` ![e](f.png)"
    pages = {"docs/glossary.md": "docs/glossary.md"}
    page, web = "[a](/docs/glossary.md#x)", "https://github.com/o/n/blob/HEAD/varbook/errors.py"
    known = address.resolved(text, "notebooks/09.ipynb", pages, "o/n")
    assert known == f"{page} [b]({web}) `[c](d)` ![e](f.png)"
    assert address.resolved(text, "notebooks/09.ipynb", pages, None).startswith(f"{page} b ")


@pytest.mark.parametrize("installed", [True, False])
def test_the_cell_for_colab_installs_the_book_only_where_it_is_missing(installed, monkeypatch):
    calls = []
    monkeypatch.setattr("importlib.util.find_spec", lambda name: installed or None)
    monkeypatch.setattr("subprocess.run", lambda call, check: calls.append(call))
    monkeypatch.setattr("os.chdir", calls.append)
    monkeypatch.setattr(sys, "path", list(sys.path))
    exec(address.install_cell("owner/book"), {})  # noqa: S102
    if installed:
        assert not calls
    else:
        assert calls[0][:2] == ["git", "clone"] and "https://github.com/owner/book" in calls[0]
        assert calls[1][-2:] == ["-e", "book"] and calls[2] == "book/notebooks"


def test_the_site_is_made_without_torch():
    code = "import sys, varbook.book.site.stage; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- in the browser

READ = "JSON.parse(require('fs').readFileSync(0))"


@needs_node
def test_every_formula_of_the_book_can_be_drawn(staged):
    _, folder = staged
    formulas = []
    for path in folder.rglob("*.ipynb"):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        told = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
        formulas += [one for text in told for one in re.findall(r"\$\$(.+?)\$\$", text, re.S)]
        inline = r"(?<![\\$`\w])\$([^$`\n]+)\$(?!\d)"
        formulas += [one for text in told for one in re.findall(inline, text)]
    assert len(formulas) > 300
    script = f"""const katex = require({json.dumps(str(STATIC / "katex/katex.min.js"))});
    const faults = {READ}.flatMap((one) => {{
      try {{ katex.renderToString(one, {{ displayMode: true }}); return []; }}
      catch (error) {{ return [one + ": " + error.message]; }}
    }});
    console.log(JSON.stringify(faults));"""
    assert node(script, formulas) == []


@needs_node
@pytest.mark.parametrize(("temperature", "alpha"), [(0.05, 1), (0.7, 0.5), (2, 0.8), (50, 0)])
def test_the_relaxations_in_the_browser_are_those_of_torch(temperature, alpha):
    dice = torch.Generator().manual_seed(5)
    codes, (goal, source) = (
        torch.randn(rows, 2, generator=dice, dtype=torch.float64) for rows in (4, 2)
    )
    logits = (2 * torch.randn(4, generator=dice, dtype=torch.float64)).requires_grad_(True)
    noise = gumbel_noise(logits.detach(), torch.Generator().manual_seed(7))
    plain = [one.tolist() for one in (logits.detach(), codes, noise, goal, source)]
    script = f"""const {{ METHODS, relax }} = require({json.dumps(str(STATIC / "relaxations.js"))});
    const [logits, codes, noise, goal, source, temperature, alpha] = {READ};
    const told = (name) => relax(name, logits, codes, temperature, noise, goal, source, alpha);
    const all = METHODS.map((name) => [name, told(name)]);
    console.log(JSON.stringify(Object.fromEntries(all)));"""
    theirs = node(script, [*plain, temperature, alpha])
    assert set(theirs) == set(RELAXATIONS)
    for method in RELAXATIONS:
        again = torch.Generator().manual_seed(7)
        out = relax(logits, codes, method, temperature=temperature, generator=again)
        sent = alpha * out + (1 - alpha) * source  # eq. 9
        loss = (sent - goal).square().sum()
        arrives = method != "argmax"
        gradient = torch.autograd.grad(loss, logits)[0] if arrives else torch.zeros(4)
        for name, ours in {"out": out, "sent": sent, "gradient": gradient, "loss": loss}.items():
            told = torch.tensor(theirs[method][name], dtype=torch.float64)
            torch.testing.assert_close(told, ours.detach().double(), atol=1e-6, rtol=1e-6)


@needs_node
def test_the_browser_draws_the_same_gumbel_noise_from_the_same_number():
    uniform = torch.tensor([0.0, 1e-6, 0.3, 0.9, 1.0], dtype=torch.float64)
    script = f"""const {{ gumbel }} = require({json.dumps(str(STATIC / "relaxations.js"))});
    console.log(JSON.stringify({READ}.map(gumbel)));"""
    ours = -torch.log(-torch.log(uniform.clamp(1e-9, 1 - 1e-7)))
    told = torch.tensor(node(script, uniform.tolist()), dtype=torch.float64)
    torch.testing.assert_close(told, ours, atol=1e-6, rtol=1e-6)
