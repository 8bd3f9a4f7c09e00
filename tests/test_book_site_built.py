"""The book's web page as a browser gets it: built by Sphinx, checked page by page."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from browsing import CHROMIUM

from varbook.book import chapters
from varbook.book.site.check import faults
from varbook.book.site.notebooks import read_chapter


def page(site: Path, name: str) -> str:
    return (site / name).read_text("utf-8")


def chapter(site: Path, number: str) -> str:
    return page(site, f"notebooks/{Path(chapters.CHAPTERS[number].file_name).stem}.html")


def test_every_chapter_and_its_solutions_are_pages(site):
    pages = {path.stem for path in (site / "notebooks").rglob("*.html")}
    for one in chapters.written():
        assert {one.path.stem, one.solutions.stem} <= pages


def test_the_site_is_small(site):
    assert sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) < 60e6


def test_every_chapter_can_be_downloaded_and_opened_in_colab(site):
    for one in chapters.written():
        place = f"notebooks/{one.file_name}"
        colab = f"https://colab.research.google.com/github/owner/book/blob/colab/{place}"
        shown = chapter(site, one.number)
        assert f'href="{colab}"' in shown and f'href="../download/{place}"' in shown
        cells = json.loads(page(site, f"download/{place}"))["cells"]
        kept = json.loads(one.path.read_text("utf-8"))["cells"]
        assert "git" in cells[1]["source"] and [cells[0], *cells[2:]] == kept


def test_text_and_code_lead_to_equations_sections_words_and_results(site):
    shown = chapter(site, "09")
    assert '<span id="eq-09-3"></span>' in shown
    assert re.search(
        r'class="c1"># <a|class="c1"># eqs?\. <a class="eq-link" href="#eq-09-\d', shown
    )
    assert 'href="#ch-09-9"' in shown and 'href="03_next_scale_prediction.html' in shown
    assert "../docs/glossary.html#term-discriminator" in shown
    assert "../results.html#cyclevar-fig-3" in shown


def test_the_number_of_an_equation_stands_beside_the_formula_that_is_scrolled(site):
    """Inside of it the number would be drawn on top of a formula that is wider than the page."""
    for one in chapters.written():
        shown = chapter(site, one.number)
        formulas = re.findall(
            r'<span class="formula displayed" tabindex="0">(.*?)</span>', shown, re.S
        )
        numbers = re.findall(r'</span><span class="number">\((\w+\.\d+)\)</span></div>', shown)
        read = read_chapter(one.path, one.number)
        assert numbers == [equation.tag for equation in read.equations]
        assert len(formulas) == len(numbers) and not any(r"\tag" in tex for tex in formulas)


def test_words_can_be_looked_up_and_searched(site):
    index = page(site, "genindex.html")
    assert "docs/glossary.html#term-dead-code" in index and ">01 section 5</a>" in index
    assert "straight" in page(site, "searchindex.js")


def test_light_and_dark_can_be_chosen(site):
    assert "theme-switch" in chapter(site, "01")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('<a href="gone.html">x</a>', "gone.html, which is not there"),
        ('<a href="other.html#gone">x</a>', "other.html#gone, a place"),
        ('<a href="../outside.html">x</a>', "../outside.html, which is not there"),
        ('<script src="https://cdn.example/x.js"></script>', "loads https://cdn.example/x.js"),
        ('<script src="//cdn.example/x.js"></script>', "loads //cdn.example/x.js"),
        ('<link rel="stylesheet" href="http://cdn.example/x.css">', "loads http://cdn.example"),
        ('<img src="a.png">', "no text for the picture a.png"),
        ('<img src="a.png" alt="a.png">', "no text for the picture a.png"),
        ("<p>[section 3](#ch-09-3)</p>", "shows the source"),
        ("<p>HBox(children=(IntSlider(),))</p>", "shows the source"),
    ],
)
def test_each_fault_of_a_page_is_told(body, told, tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "other.html").write_text("<p id='here'></p>")
    (tmp_path / "index.html").write_text(body)
    assert any(told in fault for fault in faults(tmp_path))


def test_a_page_without_fault_has_none(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "other.html").write_text("<p id='here'></p><pre>HBox()</pre>")
    links = '<a href="other.html#here">x</a><a href="https://example.org">y</a>'
    (tmp_path / "index.html").write_text(f'{links}<img src="a.png" alt="a horse">')
    assert faults(tmp_path) == []


def test_a_style_that_loads_from_elsewhere_is_told(tmp_path):
    (tmp_path / "a.css").write_text("body { background: url('https://cdn.example/x.woff2') }")
    assert "loads https://cdn.example/x.woff2 from elsewhere" in faults(tmp_path)[0]


def dom(site: Path, name: str, tmp_path: Path, asked: str = "") -> str:
    """A page as it is after its scripts have run, in a browser that can reach nothing else."""
    call = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    call += ["--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={tmp_path / 'profile'}"]
    call += ["--virtual-time-budget=3000", "--dump-dom", (site / name).as_uri() + asked]
    return subprocess.run(call, capture_output=True, text=True, timeout=120, check=True).stdout


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_a_browser_draws_the_formulas(site, tmp_path):
    shown = dom(site, "notebooks/08_softmax_relaxed_quantization.html", tmp_path)
    assert shown.count('class="katex"') > 20 and "katex-error" not in shown


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_a_browser_computes_the_relaxations(site, tmp_path):
    shown = dom(site, "try/relaxations.html", tmp_path)
    assert shown.count('class="handle') == 6 and shown.count('role="slider"') == 4
    row = shown[shown.index("softmax (SRQ)</th>") :]
    assert "(0.238, 0.101)" in row[: row.index("</tr>")]


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_a_browser_finds_words(site, tmp_path):
    shown = dom(site, "search.html", tmp_path, "?q=steganography")
    found = shown[shown.index('id="search-results"') :]
    assert "docs/glossary.html" in found and "notebooks/" in found
