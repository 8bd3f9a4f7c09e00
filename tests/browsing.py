"""A headless browser that reaches this machine alone, and notes what a reader should not get."""

import contextlib
import functools
import http.server
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from varbook.paths import repository

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
_NEEDED = ("playwright", "axe_playwright_python")
_PRESENT = CHROMIUM is not None and all(map(importlib.util.find_spec, _NEEDED))
HOW = "THE BOOK WAS NOT TRIED IN A BROWSER: `.ci/browser` installs Chromium and what the tests need"
needs_browser = pytest.mark.skipif(not _PRESENT, reason=HOW)
HERE = ("http://127.0.0.1:", "file:", "data:", "blob:", "ws://127.0.0.1:")


def python_with_sphinx() -> str | None:
    """The Python of `make book`, or this one where it has Sphinx; None where neither has."""
    places = [Path(os.environ.get("BOOK_VENV", repository() / ".venv-book")) / "bin" / "python"]
    for python in (*map(str, places), sys.executable):
        if shutil.which(python):
            asked = [python, "-c", "import sphinx, myst_nb, sphinx_book_theme"]
            if subprocess.run(asked, capture_output=True, check=False).returncode == 0:
                return python
    return None


def build_site(folder: Path) -> Path:
    """Make the whole site below `folder` as `make book` does, and return where it is."""
    python = python_with_sphinx()
    if python is None:
        pytest.skip(
            "Sphinx is not installed: `make book` installs it, then this test builds the site"
        )
    code = (
        "import sys; from pathlib import Path; from varbook.book.site.__main__ import build; "
        "print(build(Path(sys.argv[1]), Path(sys.argv[2])))"
    )
    call = [python, "-c", code, str(folder / "work"), str(folder / "site")]
    paths = {"PYTHONPATH": str(repository()), "VARBOOK_REPOSITORY": "owner/book"}
    paths["HERE_VENV"] = sys.prefix
    done = subprocess.run(call, env=os.environ | paths, capture_output=True, text=True, check=False)
    # No warning of Sphinx, no dead link, nothing from elsewhere, a text for each picture.
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "site"


@contextlib.contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """Fail what takes longer: a browser that waits for what never comes would hold up the rest."""

    def late(*_) -> None:
        raise TimeoutError(f"not done within {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on this machine; gives its address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def browser() -> Iterator:
    """Start Chromium without a window; names of other machines are not resolved."""
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND"]
    arguments[-1] += ", EXCLUDE 127.0.0.1"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            yield started
        finally:
            started.close()


class Watched:
    """A page whose errors and requests are noted."""

    def __init__(self, browser, **settings):
        context = browser.new_context(viewport={"width": 1300, "height": 900}, **settings)
        context.set_default_timeout(30_000)
        self.errors: list[str] = []
        self.foreign: list[str] = []
        self.page = context.new_page()
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("response", self._answered)
        self.page.on("request", self._asked)
        self.page.on("websocket", self._asked)

    def _said(self, message) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")

    def _answered(self, response) -> None:
        if response.status >= 400:
            self.errors.append(f"{response.status} {response.url}")

    def _asked(self, request) -> None:
        if not request.url.startswith(HERE):
            self.foreign.append(request.url)

    def close(self) -> None:
        """Close the page and everything that it opened."""
        self.page.context.close()
