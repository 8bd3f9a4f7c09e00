"""Where things are kept: named by environment variables, else in default places."""

import os
import tempfile
from pathlib import Path

from varbook.errors import VarbookError, refusal


def repository() -> Path:
    """Return the folder that holds the `varbook` package (the checkout, in an editable install)."""
    return Path(__file__).resolve().parents[1]


def check_checkout() -> Path:
    """Return the checkout; VarbookError where the package was installed without it."""
    here = repository()
    if not (here / "notebooks").is_dir() or not (here / "Snakefile").is_file():
        raise VarbookError(
            f"The book's notebooks do not lie beside the package in {here}: clone the repository, and "
            "install it there with `pip install -e .`."
        )
    return here


def home() -> Path:
    """Return the folder for caches and trained models: VARBOOK_HOME, or ~/.cache/varbook.

    VarbookError where there is neither: a user without a home folder.
    """
    try:
        return Path(os.environ.get("VARBOOK_HOME") or "~/.cache/varbook").expanduser()
    except RuntimeError:
        raise VarbookError(
            "This user has no home folder: set VARBOOK_HOME to a folder that can be written."
        ) from None


def check_writable(folder: Path, remedy: str = "") -> Path:
    """Return `folder`, made where it is missing, once a file could be written there.

    VarbookError where not, with `remedy` (a sentence's end) as what to do: ask before long work,
    so that nothing is lost at its end.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0" * 4096)
    except OSError as error:
        sentence = refusal(error, folder, "written").rstrip(".")
        raise VarbookError(f"{sentence}{remedy and '; ' + remedy}.") from None
    return folder


def shipped() -> Path:
    """Return the folder of checkpoints and run records that come with the repository."""
    return Path(__file__).resolve().parent / "shipped"


def figures() -> Path:
    """Return the folder for figures and tables: VARBOOK_FIGURES, or figures/ in the checkout."""
    return Path(os.environ.get("VARBOOK_FIGURES") or repository() / "figures").expanduser()


def _places(variable: str, name: str) -> list[Path]:
    # The named place wins; the others are looked through in the order in which a reader would
    # expect them.
    named = [Path(os.environ[variable]).expanduser()] if os.environ.get(variable) else []
    return [*named, repository() / name, home() / name, repository().parent / "shared" / name]


def data_places() -> list[Path]:
    """Return every folder in which photographs are looked for, first VARBOOK_DATA where it is set."""
    return _places("VARBOOK_DATA", "data")


def data_folder(name: str) -> Path | None:
    """Return the first existing folder `name`, such as "horse2zebra", in `data_places()`, or None."""
    return next((place / name for place in data_places() if (place / name).is_dir()), None)


def weights_places() -> list[Path]:
    """Return every folder in which pretrained weights are looked for, VARBOOK_WEIGHTS first."""
    return _places("VARBOOK_WEIGHTS", "weights")


def weights_file(name: str) -> Path | None:
    """Return the first existing file `name` of pretrained features, or None; VARBOOK_WEIGHTS first."""
    return next((place / name for place in weights_places() if (place / name).is_file()), None)
