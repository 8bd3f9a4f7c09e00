"""A notebook in JupyterLab, as a reader runs it: a slider is moved, and the picture changes."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest
from browsing import Watched, at_most, browser, needs_browser

from varbook.book import chapters
from varbook.paths import repository

pytestmark = [needs_browser, pytest.mark.browser]
SECONDS = 420
SLIDER = re.compile(r"^(?:interact_or_strip|interact_or_rows|two_sliders_or_grid)\(", re.M)
NEVER = "jupyterlab.NeverCheckForUpdate"


def with_slider() -> tuple[chapters.Chapter, int]:
    """The chapter to open, 09 where it has a slider, and the number of cells up to the first."""
    for number in ("09", "08", "10"):
        entry = chapters.CHAPTERS[number]
        cells = nbformat.read(entry.path, 4).cells
        for count, cell in enumerate(cells, 1):
            if cell.cell_type == "code" and SLIDER.search(cell.source):
                return entry, count
    raise AssertionError("no chapter has a slider")


@pytest.fixture
def lab(tmp_path):
    """JupyterLab over a folder with the chapter up to its first slider; gives its address.

    The kernel is somebody's who is there: no batch, no CI.
    """
    entry, count = with_slider()
    folder = tmp_path / "notebooks"
    folder.mkdir()
    notebook = nbformat.read(entry.path, 4)
    notebook.cells = notebook.cells[:count]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(notebook, folder / entry.file_name)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {name: value for name, value in os.environ.items() if name not in ("CI", "VARBOOK_BATCH")}
    env |= {"VARBOOK_PROFILE": "smoke", "VARBOOK_HOME": str(tmp_path / "home")}
    env |= {"PYTHONPATH": str(repository()), "VARBOOK_FIGURES": str(tmp_path / "figures")}
    env |= {f"JUPYTER_{kind}_DIR": str(tmp_path / kind.lower()) for kind in ("CONFIG", "RUNTIME")}
    call = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
    call += ["--ServerApp.ip=127.0.0.1", "--ServerApp.port_retries=0", "--IdentityProvider.token="]
    call += [f"--LabApp.check_for_updates_class={NEVER}", "--LabApp.extension_manager=readonly"]
    log = tmp_path / "lab.log"
    with log.open("w") as out:
        server = subprocess.Popen(
            [*call, f"--ServerApp.root_dir={folder}"], env=env, stdout=out, stderr=out
        )
        try:
            yield f"http://127.0.0.1:{port}", entry, log
        finally:
            server.terminate()
            server.wait(30)


def wait_for(address: str, log: Path) -> None:
    """Wait until the server answers."""
    for _ in range(120):
        try:
            with urllib.request.urlopen(f"{address}/api/status", timeout=5) as told:  # noqa: S310
                json.load(told)
                return
        except OSError:
            time.sleep(0.5)
    raise AssertionError(f"JupyterLab did not start: {log.read_text()[-2000:]}")


def test_a_slider_moves_and_the_picture_changes(lab, tmp_path):
    address, entry, log = lab
    with at_most(SECONDS), browser() as chromium:
        wait_for(address, log)
        watched = Watched(chromium)
        page = watched.page
        page.goto(f"{address}/lab/tree/{entry.file_name}?reset")
        page.locator(".jp-Notebook .jp-MarkdownOutput h1").first.wait_for(timeout=90_000)
        page.locator(".jp-Notebook").first.click()
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        handle = page.locator(".jp-Notebook .widget-slider .noUi-handle").last
        handle.wait_for(timeout=(SECONDS - 60) * 1000)
        picture = page.locator(".widget-output img").last
        picture.wait_for()
        before = picture.get_attribute("src")
        handle.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_function(
            "(before) => [...document.querySelectorAll('.widget-output img')].at(-1)?.src"
            " && [...document.querySelectorAll('.widget-output img')].at(-1).src !== before",
            arg=before,
            timeout=60_000,
        )
        page.screenshot(path=tmp_path / "lab.png")
        assert not page.locator(".jp-Notebook [data-mime-type*=error]").count()
        assert not watched.foreign
        watched.close()
