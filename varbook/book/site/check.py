"""What every page of a built site must fulfil: links lead somewhere, nothing comes from elsewhere,
every picture has a text, no formula, link or widget was left as source.
"""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# (tag, attribute) of what a browser loads by itself, without a click.
_LOADED = {
    ("script", "src"),
    ("img", "src"),
    ("img", "srcset"),
    ("source", "src"),
    ("source", "srcset"),
    ("iframe", "src"),
    ("audio", "src"),
    ("video", "src"),
    ("video", "poster"),
    ("embed", "src"),
    ("object", "data"),
}
_LOADING_LINKS = {"stylesheet", "icon", "preload", "modulepreload", "prefetch", "manifest"}
_ELSEWHERE = re.compile(r"(?:https?:)?//", re.I)
_IN_CSS = re.compile(r"(?:url\(\s*['\"]?|@import\s+['\"])((?:https?:)?//[^'\")\s]+)", re.I)
_SOURCE = re.compile(r"\]\(#|\{term\}`|\\tag\{|\b[HV]Box\(|IntSlider\(|FloatSlider\(")


@dataclass
class _Page(HTMLParser):
    """What one page holds: its anchors, links, what it loads, its pictures, its text."""

    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    pictures: list[dict] = field(default_factory=list)
    prose: list[str] = field(default_factory=list)
    inside: list[str] = field(default_factory=list)  # open elements whose text is not prose

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list) -> None:
        """Note what a tag names, links to or loads."""
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag in ("a", "link") and "href" in given:
            loading = tag == "link" and set(given.get("rel", "").split()) & _LOADING_LINKS
            (self.loaded if loading else self.links).append(given["href"])
        self.loaded += [given[name] for name in given if (tag, name) in _LOADED]
        if tag == "img":
            self.pictures.append(given)
        is_formula = "formula" in given.get("class", "").split()
        if tag in ("script", "style", "pre", "code") or is_formula:
            self.inside.append(tag)
        elif self.inside and tag == self.inside[-1]:
            self.inside.append(tag)  # the same element again within it: closed first

    def handle_endtag(self, tag: str) -> None:
        """Leave what is not prose."""
        if self.inside and tag == self.inside[-1]:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        """Keep the text that a reader reads as prose."""
        if not self.inside:
            self.prose.append(data)


def read_page(path: Path) -> _Page:
    """Return what a page of the site holds."""
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def _real(text: str) -> bool:
    return len(text) > 2 and not re.fullmatch(r"\S+\.(png|jpe?g|svg|gif)|[0-9a-f]{16,}", text)


def _link_fault(link: str, here: Path, site: Path, pages: dict[Path, _Page]) -> str | None:
    address = urlsplit(link)
    if address.scheme or address.netloc:
        return None  # elsewhere on the web: a reader's click
    target = (here.parent / unquote(address.path)).resolve() if address.path else here
    if target.is_dir():
        target = target / "index.html"
    if not target.is_relative_to(site) or not target.is_file():
        return f"links to {link}, which is not there"
    anchors = pages[target].anchors if target in pages else None
    if address.fragment and anchors is not None and unquote(address.fragment) not in anchors:
        return f"links to {link}, a place that the page does not have"
    return None


def _faults_of(page: _Page, here: Path, site: Path, pages: dict[Path, _Page]) -> list[str]:
    faults = [_link_fault(link, here, site, pages) for link in page.links]
    for address in page.loaded:
        if _ELSEWHERE.match(address):
            faults.append(f"loads {address} from elsewhere")
        elif not address.startswith("data:"):
            faults.append(_link_fault(address, here, site, pages))
    for picture in page.pictures:
        if not _real(picture.get("alt", "")):
            faults.append(f"has no text for the picture {picture.get('src')}")
    faults += [f"shows the source {found!r}" for found in _SOURCE.findall(" ".join(page.prose))]
    return [fault for fault in faults if fault]


def faults(site: Path) -> list[str]:
    """Return what is wrong with a built site, one sentence each; empty where all is well."""
    site = site.resolve()
    static = site / "_static"  # the theme's own files, templates among them
    paths = [path for path in sorted(site.rglob("*.html")) if static not in path.parents]
    pages = {path: read_page(path) for path in paths}
    found = [
        f"{here.relative_to(site)} {fault}"
        for here, page in pages.items()
        for fault in _faults_of(page, here, site, pages)
    ]
    for style in sorted(site.rglob("*.css")):
        for address in _IN_CSS.findall(style.read_text(encoding="utf-8")):
            found.append(f"{style.relative_to(site)} loads {address} from elsewhere")
    return list(dict.fromkeys(found))
