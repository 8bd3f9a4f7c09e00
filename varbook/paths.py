"""Where things are kept: named by environment variables, else in default places."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
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
            f"The book's notebooks are not beside the package in {here}: clone the repository, and "
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

    VarbookError where not, with `remedy` (by default another place) as what to do elsewhere: ask
    before long work, so that nothing is lost at its end.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0" * 4096)
    except OSError as error:
        raise VarbookError(refusal(error, folder, "written", remedy)) from None
    return folder


def shipped() -> Path:
    """Return the folder of checkpoints and run records that come with the repository."""
    return Path(__file__).resolve().parent / "shipped"


def published() -> Path:
    """Return the folder of the figures, tables and results that come with the book; a reader's run
    leaves it alone.
    """
    return repository() / "figures"


def figures() -> Path:
    """Return the folder into which figures, tables and results are written: VARBOOK_FIGURES, or
    figures/mine/ in the checkout.
    """
    return Path(os.environ.get("VARBOOK_FIGURES") or published() / "mine").expanduser()


def figure_places() -> list[Path]:
    """Return every folder in which results are looked for, best first: `figures()`, then what comes
    with the book; where VARBOOK_FIGURES is set, that folder alone.
    """
    return [figures()] if os.environ.get("VARBOOK_FIGURES") else [figures(), published()]


@contextlib.contextmanager
def only_in(folder: Path) -> Iterator[None]:
    """Let this process read and write figures and results in `folder` alone, as if VARBOOK_FIGURES
    named it: a page about some results must not mix them with others.
    """
    before = os.environ.get("VARBOOK_FIGURES")
    os.environ["VARBOOK_FIGURES"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["VARBOOK_FIGURES"]
        else:
            os.environ["VARBOOK_FIGURES"] = before


# Endings of files with pretrained weights: our own, and those of published checkpoints.
WEIGHTS = (".npz", ".pt", ".pth", ".safetensors")


def _named(variable: str) -> Path | None:
    """Return the folder that an environment variable names, or None where it is not set;
    VarbookError where no folder is there.
    """
    value = os.environ.get(variable)
    if not value:
        return None
    folder = Path(os.path.expanduser(value))
    if not folder.is_dir():
        found = "a file" if folder.exists() else "not there"
        raise VarbookError(
            f"{variable} names {folder}, which is {found}: name a folder, or unset it."
        )
    return folder


def _usual(name: str) -> list[Path]:
    # In the order in which a reader would expect them.
    return [repository() / name, home() / name, repository().parent / "shared" / name]


def data_places() -> list[Path]:
    """Return every folder in which photographs are looked for: VARBOOK_DATA alone where it is set.

    Whoever names a place means the pictures there, and no others of the same name. VarbookError
    where VARBOOK_DATA names no folder.
    """
    named = _named("VARBOOK_DATA")
    return [named] if named else _usual("data")


def data_folder(name: str) -> Path | None:
    """Return the first existing folder `name`, such as "horse2zebra", in `data_places()`, or None.

    VarbookError where VARBOOK_DATA names no folder, or a data set itself.
    """
    found = next((place / name for place in data_places() if (place / name).is_dir()), None)
    named = _named("VARBOOK_DATA")
    if named and not found and (named.name == name or (named / "trainA").is_dir()):
        raise _names_a_set(named)
    return found


def _names_a_set(named: Path) -> VarbookError:
    return VarbookError(
        f"VARBOOK_DATA names a data set itself, {named}: name the folder that holds it, "
        f"VARBOOK_DATA={named.absolute().parent}."
    )


def check_data_place() -> None:
    """Raise VarbookError where VARBOOK_DATA names no folder, a data set itself, or a folder that
    holds none: ask where pictures that are missing would be passed over.
    """
    named = _named("VARBOOK_DATA")
    if named is None:
        return
    if (named / "trainA").is_dir():
        raise _names_a_set(named)
    parts = ("trainA", "train")
    if not any((entry / part).is_dir() for entry in named.iterdir() for part in parts):
        raise VarbookError(
            f"VARBOOK_DATA names {named}, which holds no data set (a folder such as horse2zebra, "
            "with trainA, trainB, testA and testB): put one into it, or unset it; "
            "`varbook train FOLDER` takes any other pictures."
        )


def not_there(pictures: str, advice: str) -> str:
    """Return the sentence about missing `pictures`, with what helps, and with the place that
    VARBOOK_DATA names, if it names one.
    """
    named = _named("VARBOOK_DATA")
    looked = f" (it names {named}, which does not hold them)" if named else ""
    return f"The {pictures} are not there: {advice}{looked}."


def weights_places() -> list[Path]:
    """Return every folder in which pretrained weights are looked for, VARBOOK_WEIGHTS first: it may
    hold some of them.

    VarbookError where VARBOOK_WEIGHTS names no folder, or one without any file of weights.
    """
    named = _named("VARBOOK_WEIGHTS")
    if named and not any(file.suffix in WEIGHTS for file in named.iterdir()):
        raise VarbookError(
            f"VARBOOK_WEIGHTS names {named}, which holds no weights ({', '.join(WEIGHTS)}): name the "
            "folder that holds them, or unset it."
        )
    return [*([named] if named else []), *_usual("weights")]


def weights_file(name: str) -> Path | None:
    """Return the first existing file `name` of pretrained features, or None; VARBOOK_WEIGHTS first."""
    return next((place / name for place in weights_places() if (place / name).is_file()), None)
