"""Where the repository is on the web: the one place that knows its address."""

import os
import posixpath
import re
import subprocess
from collections.abc import Mapping

from varbook.book.markdown import in_prose
from varbook.errors import VarbookError
from varbook.paths import repository

# Colab opens notebooks from a branch. The workflow keeps there the notebooks with the cell that
# installs the book.
COLAB_BRANCH = "colab"
_GITHUB = re.compile(
    r"(?:https://github\.com/|git@github\.com:)?(\w[\w.-]*/\w[\w.-]*?)(?:\.git)?/?"
)
_FILE_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?!#|https?:|/)([^)#\s]+)(#[^)\s]*)?\)")


def repository_name() -> str | None:
    """Return "owner/name" of the repository on GitHub: VARBOOK_REPOSITORY, else that from which
    this checkout was cloned; None where it was cloned from elsewhere.

    VarbookError where VARBOOK_REPOSITORY does not name one.
    """
    named = os.environ.get("VARBOOK_REPOSITORY", "").strip()
    if named:
        match = _GITHUB.fullmatch(named)
        if not match:
            raise VarbookError(
                f'VARBOOK_REPOSITORY is "{named}": name it owner/name, as GitHub does.'
            )
        return match[1]
    asked = ["git", "-C", str(repository()), "config", "--get", "remote.origin.url"]
    try:
        origin = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return None
    match = _GITHUB.fullmatch(origin) if "github.com" in origin else None
    return match[1] if match else None


def source_address(name: str | None, path: str) -> str | None:
    """Return where a file of the repository can be read on the web, or None."""
    return f"https://github.com/{name}/blob/HEAD/{path}" if name else None


def colab_address(name: str | None, path: str) -> str | None:
    """Return the address that opens a notebook of the repository in Colab, or None."""
    if not name:
        return None
    return f"https://colab.research.google.com/github/{name}/blob/{COLAB_BRANCH}/{path}"


def install_cell(name: str) -> str:
    """Return the code that fetches and installs the book where it is not installed, as on Colab,
    and does nothing where it is.
    """
    folder = name.rsplit("/", 1)[1]
    return f'''# Where the book is missing, as on Colab: fetches and installs it, which takes some minutes.
import importlib.util
import os
import subprocess
import sys

if importlib.util.find_spec("varbook") is None:
    address = "https://github.com/{name}"
    if not os.path.isdir("{folder}"):
        subprocess.run(["git", "clone", "--depth", "1", address, "{folder}"], check=True)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "-e", "{folder}"]
    subprocess.run(install, check=True)
    os.chdir("{folder}/notebooks")
    sys.path.insert(0, os.path.abspath(".."))
'''


def resolved(text: str, here: str, pages: Mapping[str, str], name: str | None) -> str:
    """Return Markdown whose links to files lead to the site's pages, else to the repository, and
    are plain words where its address is not known.

    `here` is the file in the repository that holds the text; `pages` maps a file to its page.
    """

    def link(match: re.Match) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(here), match[2]))
        if target in pages:
            return f"[{match[1]}](/{pages[target]}{match[3] or ''})"
        address = source_address(name, target)
        return f"[{match[1]}]({address})" if address else match[1]

    return in_prose(text, lambda piece: _FILE_LINK.sub(link, piece), links=True)
