"""Choose a folder of two domains in a notebook: a path, an archive, or pictures that are uploaded."""

import hashlib
import io
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from varbook.archives import first_double, plain_name, unpack
from varbook.book.show.display import in_notebook
from varbook.device import is_batch
from varbook.errors import VarbookError, refusal
from varbook.own.layout import existing, two_places
from varbook.paths import home

MOST_BYTES = 4_000_000_000  # of an archive once unpacked: beyond it somebody names a folder instead

DEFAULT = "The small folder that this chapter wrote is used."


class Chooser:
    """The folder that a reader chose, or `default` as long as nobody has; `said` is one sentence
    about it.

    A choice that does not hold two domains changes nothing: `said` tells why.
    """

    def __init__(self, default: Path, given: str = ""):
        """`given` is a path that was typed before (a parameter); VarbookError where it is wrong."""
        self.default = default
        self.folder, self.said = default, DEFAULT
        if given.strip():
            self._take(Path(given.strip()).expanduser())

    def _take(self, folder: Path) -> None:
        first, second = two_places(existing(folder))
        self.folder, self.said = folder, f"{folder.name}: {first.name} and {second.name}."

    def type(self, path: str) -> str:
        """Take the folder at `path` ("" the default) and return what is said about it."""
        try:
            if path.strip():
                self._take(Path(path.strip()).expanduser())
            else:
                self.folder, self.said = self.default, DEFAULT
        except VarbookError as error:
            self.said = str(error)
        return self.said

    def upload(self, files: Iterable[Mapping], side: str = "") -> str:
        """Take uploaded files, each with `name` and `content` (bytes): one archive, or pictures of
        the domain `side` ("A" or "B"); return what is said about them.

        They are kept below VARBOOK_HOME. Pictures of one side are kept until the other's come.
        """
        try:
            named = [(str(file["name"]), bytes(file["content"])) for file in files]
            archives = [content for name, content in named if name.lower().endswith(".zip")]
            if archives:
                self._take(unpack_archive(archives[0]))
            elif named:
                self._take(keep_pictures(named, side or "A"))
        except VarbookError as error:
            self.said = str(error)
        except OSError as error:  # a full disk, no right to write there
            self.said = refusal(error, verb="written")
        return self.said


def _uploads() -> Path:
    return home() / "uploads"


def unpack_archive(content: bytes) -> Path:
    """Unpack a zip archive below VARBOOK_HOME, once, and return its folder.

    VarbookError where `varbook.archives.unpack` refuses it.
    """
    folder = _uploads() / hashlib.sha256(content).hexdigest()[:12]
    if folder.is_dir():
        return folder
    scratch = folder.with_suffix(".part")
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        unpack(
            io.BytesIO(content), scratch, MOST_BYTES, "unpack it and type the path of its folder"
        )
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    scratch.rename(folder)
    return folder


def keep_pictures(files: Iterable[tuple[str, bytes]], side: str) -> Path:
    """Keep uploaded pictures, (name, content) each, as those of one `side`; earlier ones of this
    side are replaced. Return the folder of both sides.

    VarbookError where a name is not valid, or two are the same.
    """
    pictures = [
        (plain_name(PurePosixPath(name.replace("\\", "/")).name, "The upload"), pixels)
        for name, pixels in files
    ]
    double = first_double(name for name, _ in pictures)
    if double:
        raise VarbookError(f"Two of these pictures are named {double}: rename one of them.")
    folder = _uploads() / "pictures"
    place = folder / side
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for name, pixels in pictures:
        (place / name).write_bytes(pixels)
    return folder


def choose_folder(default: Path, given: str = "") -> Chooser:
    """Show a box for a path and buttons for uploads in a live notebook, and return the choice;
    in batch nothing is shown and `given`, or else `default`, is taken.
    """
    chooser = Chooser(default, given)
    if is_batch() or not in_notebook():
        return chooser
    import ipywidgets
    from IPython.display import display

    said = ipywidgets.HTML()

    def say(sentence: str) -> None:
        said.value = f"<b>{sentence}</b>"

    path = ipywidgets.Text(
        value=given, description="folder", placeholder="a path", continuous_update=False
    )
    path.observe(lambda change: say(chooser.type(change["new"])), "value")
    buttons = []
    for label, kinds, side in (
        ("archive (.zip)", ".zip", ""),
        ("pictures of A", "image/*", "A"),
        ("pictures of B", "image/*", "B"),
    ):
        button = ipywidgets.FileUpload(description=label, accept=kinds, multiple=bool(side))
        button.observe(lambda change, side=side: say(chooser.upload(change["new"], side)), "value")
        buttons.append(button)
    say(chooser.said)
    display(ipywidgets.VBox([path, ipywidgets.HBox(buttons), said]))
    return chooser
