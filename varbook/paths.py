"""Where things are kept: named by environment variables, else in default places."""

import os
from pathlib import Path


def repository() -> Path:
    """Return the folder that holds the `varbook` package (the checkout, in an editable install)."""
    return Path(__file__).resolve().parents[1]


def home() -> Path:
    """Return the folder for caches and trained models: VARBOOK_HOME, or ~/.cache/varbook."""
    return Path(os.environ.get("VARBOOK_HOME") or "~/.cache/varbook").expanduser()


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


def weights_file(name: str) -> Path | None:
    """Return the first existing file `name` of pretrained features, or None; VARBOOK_WEIGHTS first."""
    places = _places("VARBOOK_WEIGHTS", "weights")
    return next((place / name for place in places if (place / name).is_file()), None)
