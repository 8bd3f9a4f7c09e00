"""Archives from outside: read to their end, never larger than pictures can be, never outside.

A gzip stream states its checksum at its end, and a tar has none at all: so an archive is read once
to its end before anything is taken from it. Needs nothing but Python.
"""

import gzip
import io
import lzma
import shutil
import stat
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from varbook.errors import VarbookError

# Pictures are compressed already: an archive of them unpacks to about its own size.
GROWTH = 3
ROOM = 1 << 30  # bytes that any archive may unpack to, however small it is
LARGEST = 1 << 30  # bytes of one member
CHUNK = 1 << 20
GZIP = b"\x1f\x8b"  # the first two bytes of a gzip stream
DAMAGE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    RuntimeError,
    ValueError,
    OverflowError,
)


def plain_name(name: str, source: object) -> str:
    """Return `name`, which `source` states, where it is fit to be the name of one file or folder.

    Raises VarbookError where a path made of it could lead elsewhere.
    """
    odd = set(name) & set("/\\:") or any(unicodedata.category(sign) == "Cc" for sign in name)
    if odd or name.strip() in ("", ".", ".."):
        raise VarbookError(f"{source} names {name!r}, which is not a file's name: do not use it.")
    return name


def one_file(name: str) -> str:
    """Return a key that is equal for two names that some file systems treat as one file: those
    that differ only in capitals or in how an accent is encoded.
    """
    return unicodedata.normalize("NFC", name).casefold()


def first_double(names: Iterable[str]) -> str | None:
    """Return the first of `names` that would be one file with an earlier one, or None."""
    seen: set[str] = set()
    for name in names:
        if one_file(name) in seen:
            return name
        seen.add(one_file(name))
    return None


@contextmanager
def whole(archive: object) -> Iterator[None]:
    """Turn whatever a decoder says about a damaged archive into one VarbookError."""
    try:
        yield
    except VarbookError:
        raise
    except DAMAGE as error:
        raise VarbookError(f"{archive} is damaged ({error}): get it again.") from error
    except OSError as error:
        if error.errno is not None and not isinstance(error, gzip.BadGzipFile):
            raise  # the disk's fault
        raise VarbookError(f"{archive} is damaged ({error}): get it again.") from error


class _Bounded:
    """A file to read from, up to `most` bytes in all and LARGEST at a time."""

    def __init__(self, file: BinaryIO, most: int):
        self.file, self.most = file, most

    def _check(self, position: int) -> None:
        if position > self.most:
            raise tarfile.ReadError(f"it unpacks to more than {self.most / 1e9:.1f} GB")

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= LARGEST:
            raise tarfile.ReadError(f"one part of it unpacks to more than {LARGEST / 1e9:.1f} GB")
        self._check(self.file.tell())
        return self.file.read(size)

    def seek(self, position: int) -> int:
        self._check(position)
        return self.file.seek(position)

    def tell(self) -> int:
        return self.file.tell()


class _Strict(tarfile.TarInfo):
    """A tar's header. A broken one is an error here; Python takes it for the end of the archive."""

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> "_Strict":
        try:
            return super().fromtarfile(tarfile_)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error) or "it is cut off") from error


def _walk(file: BinaryIO, most: int) -> Iterator[tuple[str, bytes]]:
    bounded = _Bounded(file, most)
    with tarfile.open(fileobj=bounded, mode="r:", tarinfo=_Strict) as content:  # type: ignore[call-overload]
        for member in content:
            if member.isdir():
                continue
            if not member.isreg():
                raise VarbookError(
                    f"The archive holds {member.name!r}, a link or a device: do not use it."
                )
            if not 0 <= member.size <= LARGEST:  # of a sparse member little may be stored
                raise tarfile.ReadError(f"{member.name!r} has {member.size:,} bytes")
            yield member.name, content.extractfile(member).read()
    while rest := bounded.read(CHUNK):  # to the end, where a gzip stream has its checksum
        if rest.strip(b"\0"):
            raise tarfile.ReadError("something follows after its end")


@contextmanager
def _opened(archive: Path) -> Iterator[BinaryIO]:
    with archive.open("rb") as file:
        zipped = file.read(2) == GZIP
        file.seek(0)
        with gzip.GzipFile(fileobj=file) if zipped else file as content:
            yield content  # type: ignore[misc]


def tar_files(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of every file in a tar, plain or gzipped, in its own order.

    Nothing is unpacked onto the disk. Raises VarbookError before the first file where the archive is
    damaged anywhere, holds a link or a device, or unpacks to more than pictures do.
    """
    most = GROWTH * archive.stat().st_size + ROOM
    with whole(archive):
        with _opened(archive) as file:
            for _ in _walk(file, most):
                pass
        with _opened(archive) as file:
            yield from _walk(file, most)


def inner_files(content: bytes, archive: object) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a tar that lies within another one; VarbookError as in `tar_files`."""
    with whole(archive):
        yield from list(_walk(io.BytesIO(content), len(content)))


def unpack(
    archive: Path | io.BytesIO,
    scratch: Path,
    most: int | None = None,
    remedy: str = "do not use this zip",
) -> None:
    """Unpack a zip into the folder `scratch`; the checksum of every member is verified.

    Raises VarbookError for a zip that is damaged, reaches outside of the folder, holds a link,
    holds two members that would be one file, or unpacks to more than `most` bytes (by default what
    pictures do), then with a `remedy`, or than the disk has room for.
    """
    title = archive if isinstance(archive, Path) else "The archive"
    packed = archive.stat().st_size if isinstance(archive, Path) else archive.getbuffer().nbytes
    most = GROWTH * packed + ROOM if most is None else most
    with whole(title), zipfile.ZipFile(archive) as content:
        members = content.infolist()
        for member in members:
            _refuse_outside(member, title)
        double = first_double(member.filename.rstrip("/") for member in members)
        if double:
            raise VarbookError(f"{title} holds {double!r} twice: do not use this zip.")
        size = sum(member.file_size for member in members)
        if size > most:
            raise VarbookError(
                f"{title} unpacks to {size / 1e9:.1f} GB, more than {most / 1e9:.1f}: {remedy}."
            )
        scratch.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(scratch).free
        if size > free:
            raise VarbookError(
                f"{scratch.parent} has room for {free / 1e9:.1f} GB, and {title} unpacks to {size / 1e9:.1f}: make room."
            )
        content.extractall(scratch)  # noqa: S202 (every member was looked at)


def _refuse_outside(member: zipfile.ZipInfo, title: object) -> None:
    path = PurePosixPath(member.filename.replace("\\", "/"))
    outside = path.is_absolute() or ".." in path.parts or ":" in member.filename
    if outside or stat.S_ISLNK(member.external_attr >> 16):
        raise VarbookError(
            f"{title} holds {member.filename!r}, which leads outside of its folder: do not use this zip."
        )
