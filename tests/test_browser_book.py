"""The book's web page in a browser, as a reader uses it."""

import json

import pytest
import torch
from browsing import Watched, at_most, browser, needs_browser, served

from varbook.book import chapters
from varbook.book.models.load_run import load_cyclevar
from varbook.book.site.notebooks import read_chapter

pytestmark = [needs_browser, pytest.mark.browser]
CHAPTER = "notebooks/09_cyclevar.html"
TRANSLATOR = "try/translator.html"
# One page of each kind.
KINDS = (
    "index.html",
    CHAPTER,
    TRANSLATOR,
    "try/relaxations.html",
    "results.html",
    "docs/glossary.html",
    "genindex.html",
    "search.html",
)
WIDTHS = (390, 1280)  # a phone, a laptop
SECONDS = 240


@pytest.fixture(scope="module")
def chromium():
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def address(site):
    with served(site) as started:
        yield started


@pytest.fixture(params=["light"])
def watched(chromium, request):
    """A page; at the test's end nothing has gone wrong in it, and nothing was asked elsewhere."""
    opened = Watched(chromium, color_scheme=request.param)
    with at_most(SECONDS):
        yield opened
    opened.close()
    assert not opened.errors and not opened.foreign


@pytest.fixture
def page(watched):
    return watched.page


def in_view(page, selector: str) -> bool:
    """Is the place that a link led to on the screen?"""
    page.wait_for_timeout(700)  # the page may glide there
    box = page.locator(selector).first.bounding_box()
    return box is not None and -5 <= box["y"] < page.viewport_size["height"]


def test_a_word_can_be_searched_and_is_found_in_chapters_and_glossary(page, address):
    page.goto(f"{address}/index.html")
    page.locator(".search-button__button:visible, .search-button-field:visible").first.click()
    page.locator("input[type=search]:visible").first.fill("steganography")
    page.keyboard.press("Enter")
    page.locator("#search-results li a").first.wait_for()
    found = [link.get_attribute("href") for link in page.locator("#search-results li a").all()]
    assert any("docs/glossary.html" in link for link in found)
    assert any("notebooks/" in link for link in found)
    page.locator("#search-results li a").first.click()
    page.wait_for_load_state()
    assert "search.html" not in page.url
    assert "steganograph" in page.locator("article").inner_text().lower()


def test_a_cross_reference_leads_to_its_section(page, address):
    page.goto(f"{address}/{CHAPTER}")
    page.locator('article p a[href="#ch-09-9"]').first.click()
    assert page.url.endswith("#ch-09-9") and in_view(page, "#ch-09-9")


def test_a_reference_to_another_chapter_leads_there(page, address):
    page.goto(f"{address}/{CHAPTER}")
    page.locator('article p a[href*="03_next_scale_prediction.html"]').first.click()
    page.wait_for_load_state()
    assert "/notebooks/03_next_scale_prediction.html" in page.url
    assert page.locator("h1").first.inner_text().startswith("03")


def test_a_comment_in_the_code_leads_to_its_equation(page, address):
    page.goto(f"{address}/{CHAPTER}")
    link = page.locator("a.eq-link:visible").first
    if not link.count():  # in code that is folded
        page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
        link = page.locator("a.eq-link:visible").first
    target = link.get_attribute("href")
    link.click()
    anchor = target.partition("#")[2]
    page.locator(f".equation:has(#{anchor}) .katex").first.wait_for()
    assert page.url.endswith(f"#{anchor}") and in_view(page, f".equation:has(#{anchor})")


def test_light_and_dark_can_be_chosen_and_are_kept(page, address):
    page.goto(f"{address}/index.html")

    def choose(mode: str) -> tuple[str, str]:
        page.locator(".theme-switch-button:visible").first.click()
        page.locator(f".theme-change-button[data-mode={mode}]:visible").first.click()
        shown = page.evaluate("document.documentElement.dataset.theme")
        return shown, page.evaluate("getComputedStyle(document.body).backgroundColor")

    light, dark = choose("light"), choose("dark")
    assert (light[0], dark[0]) == ("light", "dark") and light[1] != dark[1]
    page.goto(f"{address}/{CHAPTER}")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def translated(page) -> dict:
    """What the page shows now: picture in, what was set, picture out; waits until it is done."""
    page.wait_for_function("translator.state.last && !translator.state.busy", timeout=60_000)
    keys = "tensor", "picture"
    told = page.evaluate(
        f"""Object.fromEntries(Object.entries(translator.state.last).map(([key, value]) =>
          [key, {json.dumps(keys)}.includes(key) ? Array.from(value) : value]))"""
    )
    side = page.evaluate("translator.parts.about.side")
    return told | {key: torch.tensor(told[key]).view(1, 3, side, side) for key in keys}


def set_slider(page, label: str, value: float) -> None:
    page.get_by_label(label, exact=False).fill(str(value))


@pytest.fixture(scope="module")
def cyclevar(site):
    about = (site / "try" / "translator" / "about.js").read_text("utf-8")
    run = json.loads(about[about.index("{") : about.rindex(")")])["run"]
    return load_cyclevar(run)[0].cpu()


@torch.no_grad()
def torch_s(cyclevar, told: dict) -> torch.Tensor:
    """The translation of what the page was given, by torch."""
    from dataclasses import replace

    own = cyclevar.config
    cyclevar.config = replace(own, temperature=told["temperature"], alpha=told["alpha"])
    out = cyclevar(told["tensor"], torch.tensor([told["target"]])).clamp(-1, 1)
    cyclevar.config = own
    return out


def test_the_translations_of_all_scenes_are_those_of_torch(page, address, cyclevar):
    page.goto(f"{address}/{TRANSLATOR}")
    apart = []
    for number in range(6):
        page.locator(".scenes button").nth(number).click()
        told = translated(page)
        apart.append((torch_s(cyclevar, told) - told["picture"]).abs().max().item())
        assert (told["picture"] - told["tensor"]).abs().max() > 0.2  # it does something
    print(f"largest difference of a browser's translation from torch's: {max(apart):.1e}")
    assert max(apart) < 1e-3
    assert " ms" in page.locator(".status").inner_text()


def test_temperature_and_alpha_do_what_they_do_in_torch(page, address, cyclevar):
    page.goto(f"{address}/{TRANSLATOR}")
    page.locator(".scenes button").first.click()
    before = translated(page)
    seen = []
    for label, value in (("temperature", -0.5), ("alpha", 0.9), ("temperature", 1.3)):
        set_slider(page, label, value)
        told = translated(page)
        assert (torch_s(cyclevar, told) - told["picture"]).abs().max() < 1e-3
        seen.append((told["temperature"], told["alpha"]))
        assert (told["picture"] - before["picture"]).abs().max() > 0.01
        before = told
    assert len(set(seen)) == 3
    set_slider(page, "alpha", 0)
    here = translated(page)["picture"]
    page.get_by_label("horse", exact=True).check()
    assert torch.equal(translated(page)["picture"], here)  # nothing generated is in the sum


def test_a_drawing_and_a_picture_of_the_reader_s_are_translated(page, address, tmp_path):
    from PIL import Image

    page.goto(f"{address}/{TRANSLATOR}")
    page.locator(".scenes button").first.click()
    before = translated(page)
    box = page.locator("#translator .source canvas").bounding_box()
    page.mouse.move(box["x"] + 30, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 90, steps=5)
    page.mouse.up()
    drawn = translated(page)
    assert (drawn["tensor"] - before["tensor"]).abs().max() > 0.2
    assert (drawn["picture"] - before["picture"]).abs().max() > 0.05
    assert page.locator("#translator figure.twin").is_hidden()
    Image.new("RGB", (90, 60), (200, 30, 30)).save(tmp_path / "red.png")
    page.locator("#translator input[type=file]").set_input_files(tmp_path / "red.png")
    page.wait_for_function("translator.state.last.tensor[0] > 0.5")
    red = translated(page)["tensor"].mean((0, 2, 3))
    torch.testing.assert_close(red, torch.tensor([200, 30, 30]) / 127.5 - 1, atol=0.02, rtol=0)
    (tmp_path / "none.png").write_bytes(b"no picture")
    page.locator("#translator input[type=file]").set_input_files(tmp_path / "none.png")
    page.get_by_text("none.png is not a picture").wait_for()


def test_the_translator_works_from_the_disk_as_well(page, site):
    page.goto((site / TRANSLATOR).as_uri())
    page.locator(".scenes button").nth(1).click()
    assert translated(page)["picture"].isfinite().all()


def test_the_relaxations_can_be_dragged(page, address):
    page.goto(f"{address}/try/relaxations.html")
    table = page.locator("#relaxations tbody")
    seen = [table.inner_text()]
    handle = page.locator("#relaxations .handle.goal")
    box = handle.locator(".touch").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 80, box["y"] + 60, steps=4)
    page.mouse.up()
    seen.append(table.inner_text())
    handle.press("ArrowLeft")
    seen.append(table.inner_text())
    for label in ("logit of code 2", "temperature"):
        page.get_by_label(label).press("ArrowRight")
        seen.append(table.inner_text())
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize("watched", ["light", "dark"], indirect=True)
@pytest.mark.parametrize("name", KINDS)
def test_a_page_has_no_serious_fault_of_accessibility(page, address, name):
    from axe_playwright_python.sync_playwright import Axe

    page.goto(f"{address}/{name}")
    page.wait_for_load_state("networkidle")
    if name == TRANSLATOR:
        page.locator(".scenes button").first.click()
        translated(page)
    # It would fetch the style sheets again, some from where they are not.
    found = Axe().run(page, options={"preload": False}).response
    assert len(found["passes"]) > 20  # rules that had something to look at
    serious = [
        f"{one['id']}: {one['help']}: {[node['target'] for node in one['nodes'][:4]]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert not serious


def chapter_pages() -> list:
    """The page of each chapter, then that of its solutions, with the numbers of its equations."""
    found = []
    for one in chapters.written():
        for path in filter(lambda path: path.is_file(), (one.path, one.solutions)):
            read = read_chapter(path, one.number, solutions=path == one.solutions)
            place = path.relative_to(one.path.parent).with_suffix(".html").as_posix()
            numbers = [f"({equation.tag})" for equation in read.equations]
            found.append(pytest.param(f"notebooks/{place}", numbers, id=path.stem))
    return found


OTHER_PAGES = [pytest.param(name, [], id=name) for name in KINDS if name != CHAPTER]

# What does not fit the window, with everything unfolded. A picture of vectors clips itself; what is
# kept for those who hear the page has no size; the list of sections is a drawer beside a phone.
FIT = """() => {
  for (const one of document.querySelectorAll("details")) one.open = true;
  // The theme's sidebars glide to their places where the window has become wider.
  for (const one of document.getAnimations()) if (one instanceof CSSTransition) one.finish();
  const width = document.documentElement.clientWidth;
  const told = (one) => `${one.tagName} ${one.textContent.trim().slice(0, 60)}`;
  const fits = ({ left, right }) => left >= -0.5 && right <= width + 0.5;
  const scrolled = (one) => {
    for (let up = one.parentElement; up !== document.body; up = up.parentElement) {
      if (["auto", "scroll"].includes(getComputedStyle(up).overflowX)) return true;
    }
    return false;
  };
  const wide = [...document.querySelectorAll(".bd-main *:not(svg *)")].filter((one) => {
    const place = one.getBoundingClientRect();
    if (!place.width || fits(place) || one.closest(".katex-mathml")) return false;
    if (one.closest(".bd-sidebar-secondary")) return false;
    return !scrolled(one);
  });
  const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  const numbers = [], faults = [];
  for (const equation of document.querySelectorAll(".equation")) {
    const drawn = [...equation.querySelectorAll(".katex-html > .katex-base")];
    const number = equation.querySelector(".number, .katex-tag");
    if (!drawn.length || !number) {
      faults.push(`no formula or no number: ${told(equation)}`);
      continue;
    }
    numbers.push(number.textContent);
    const place = number.getBoundingClientRect();
    if (!fits(place)) faults.push(`${number.textContent} is out of sight`);
    if (drawn.some((one) => meet(place, one.getBoundingClientRect()))) {
      faults.push(`${number.textContent} lies on its formula`);
    }
  }
  const page = document.documentElement.scrollWidth;
  return { wide: wide.map(told), page: page - width, numbers, faults };
}"""


@pytest.mark.parametrize(("name", "numbers"), [*chapter_pages(), *OTHER_PAGES])
def test_a_page_fits_a_phone_and_a_laptop(page, address, name, numbers):
    page.goto(f"{address}/{name}")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        told = page.evaluate(FIT)
        at = f"at {width} pixels"
        assert told["numbers"] == numbers, at
        assert not told["faults"] and not told["wide"], at
        assert told["page"] == 0, f"the page itself is scrolled sideways {at}"


def test_a_formula_wider_than_a_phone_is_scrolled_to_its_end_without_its_number(page, address):
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto(f"{address}/{CHAPTER}")
    equation = page.locator('.equation:has(> [id="eq-09-9"])')
    number, formula = equation.locator(".number"), equation.locator(".formula")
    last = formula.locator(".katex-html > .katex-base").last
    before = number.bounding_box(), last.bounding_box()
    assert before[1]["x"] + before[1]["width"] > 390
    formula.focus()
    formula.evaluate("(one) => one.scrollTo({ left: one.scrollWidth, behavior: 'instant' })")
    box = last.bounding_box()
    assert box["x"] + box["width"] <= 390
    # The focus may move the page up or down, which takes the number along.
    assert number.bounding_box()["x"] == before[0]["x"]
