"""Make the book's web page: `python -m varbook.book.site` (what `make book` calls)."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

from varbook.book.site.check import faults
from varbook.book.site.in_browser import cache, usual_python, write_translator
from varbook.book.site.stage import stage
from varbook.errors import VarbookError, ended
from varbook.paths import repository


def build(work: Path, site: Path) -> str:
    """Write the sources into `work`, have Sphinx make `site`, check it, and say what came out.

    VarbookError where Sphinx is missing or warns, or a page has a fault.
    """
    parts = work / "translator"
    shutil.rmtree(parts, ignore_errors=True)
    missing = write_translator(parts, usual_python(), cache())
    book = stage(work / "source", missing)
    shutil.rmtree(site, ignore_errors=True)
    call = [sys.executable, "-m", "sphinx", "-b", "html", "-q", "-W", "--keep-going"]
    call += ["-d", str(work / "doctrees"), "-c", str(repository() / "docs" / "book")]
    done = subprocess.run([*call, str(work / "source"), str(site)], check=False)
    if done.returncode:
        raise VarbookError(
            "Sphinx could not make the book, or warned: see above. Where Sphinx is missing, "
            "`make book` installs what docs/book/requirements.txt names."
        )
    shutil.copytree(work / "source" / "extra", site, dirs_exist_ok=True)
    if not missing:
        shutil.copytree(parts, site / "try" / "translator")
    found = faults(site)
    if found:
        raise VarbookError(
            f"The site has {len(found)} faults: {'; '.join(found[:10])}. Fix what they name."
        )
    size = sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) / 1e6
    colab = "" if book.name else "; no Colab buttons: VARBOOK_REPOSITORY=owner/name adds them"
    lacking = f"; no translation in the browser: {'; '.join(missing)}" if missing else ""
    return f"{len(list(site.rglob('*.html')))} pages, {size:.0f} MB{colab}{lacking}"


def main() -> int:
    """Make build/site and say where it is."""
    start = time.monotonic()
    site = repository() / "build" / "site"
    told = build(repository() / "build" / "book", site)
    print(f"{site / 'index.html'}: {told}; {time.monotonic() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(ended(main))
