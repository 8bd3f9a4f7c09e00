"""Look at two folders of pictures before anything is trained: what is there, what cannot be used
and why, what is held out, and whether it is enough.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from pathlib import Path

import numpy as np

from varbook.data.picture_files import Header, decode_files, read_headers, remember
from varbook.errors import VarbookError
from varbook.own.layout import Place, files_below, named_places, two_places
from varbook.own.survey import Domain, Survey

# Fewest training pictures of a domain. A tokenizer and a translator do train on one, but a
# discriminator that has seen three pictures knows nothing but these three.
FEWEST = 4
SHARE = 10  # one picture in so many is held out where the user holds none out
MOST_HELD_OUT = 200  # of a domain: more cost time at the end and say little


class Part:
    """A domain while it is looked at: headers of what is still good, and what has been left out."""

    def __init__(self, place: Place):
        self.place = place
        self.left_out: dict[str, list[str]] = {}
        self.train: list[Header] = []
        self.test: list[Header] = []
        self.prints: dict[Path, int] = {}
        self.unused = 0

    def leave_out(self, file: Path, reason: str) -> None:
        home = self.place.train if self.place.train in file.parents else file.parent
        self.left_out.setdefault(reason, []).append(file.relative_to(home).as_posix())


def look(
    folder: str | Path | None = None,
    *,
    source: str | Path | None = None,
    target: str | Path | None = None,
    names: tuple[str, str] | None = None,
    size: int = 64,
    load_size: int = 72,
    most: int = 3000,
    shown: Callable[[Iterable], Iterable] = iter,
) -> Survey:
    """Return what is in a folder of two domains, or in two folders `source` and `target`: `listed`
    and `survey` in one.
    """
    parts = listed(folder, source=source, target=target, names=names)
    return survey(parts, size=size, load_size=load_size, most=most, shown=shown)


def listed(
    folder: str | Path | None = None,
    *,
    source: str | Path | None = None,
    target: str | Path | None = None,
    names: tuple[str, str] | None = None,
) -> tuple[Part, Part]:
    """Return the two domains by the headers of their files alone, which is quick.

    VarbookError, in one sentence, where there are not two domains with FEWEST pictures or more.
    """
    if folder is not None and source is None and target is None:
        places = two_places(Path(folder), names)
    elif folder is None and source is not None and target is not None:
        places = named_places(Path(source), Path(target), names)
    else:
        raise VarbookError("Name one folder with two subfolders, or both --source and --target.")
    parts = _gather(places[0]), _gather(places[1])
    _check_enough(parts)
    return parts


def survey(
    parts: tuple[Part, Part],
    *,
    size: int,
    load_size: int,
    most: int,
    most_held_out: int = MOST_HELD_OUT,
    shown: Callable[[Iterable], Iterable] = iter,
) -> Survey:
    """Return what can be used of two listed domains for images of `size` pixels a side: what is
    below half of that is left out, and so is what cannot be decoded or occurs twice.

    Pictures are decoded once, as squares of `load_size`, into the cache below VARBOOK_HOME; `most`
    and `most_held_out` bound how many of each domain, and `shown` may put a progress bar around it.
    VarbookError as in `listed`.
    """
    parts = (
        _usable(parts[0], size, most, most_held_out),
        _usable(parts[1], size, most, most_held_out),
    )
    decoded = _decode(parts, load_size, shown)
    _drop_doubles(parts)
    for part in parts:
        _hold_out(part, most_held_out)
    _check_enough(parts)
    for part in parts:
        files = [header.file for header in part.train]
        pixels, codes = zip(*(decoded[file] for file in files), strict=True)
        remember(files, load_size, np.stack(pixels), np.array(codes, dtype=np.uint64))
    return Survey((_domain(parts[0]), _domain(parts[1])), size)


def _check_enough(parts: Sequence[Part]) -> None:
    short = [part for part in parts if len(part.train) < FEWEST]
    if not short:
        return
    sentences = []
    for part in short:
        reasons = "; ".join(f"{len(names)} {reason}" for reason, names in part.left_out.items())
        sentences.append(
            f"{part.place.train} has {len(part.train) or 'no'} pictures to train on"
            + (f" ({reasons})" if reasons else "")
        )
    raise VarbookError(
        f"{' and '.join(sentences)}: each domain needs {FEWEST} or more, better 100."
    )


def _gather(place: Place) -> Part:
    """List a domain's files and read their headers; leave out what is not a picture."""
    part = Part(place)
    for folder, good in ((place.train, part.train), (place.test, part.test)):
        if folder is None:
            continue
        files, hidden, closed = files_below(folder)
        for name in closed:
            part.left_out.setdefault("folder not to be read", []).append(name)
        if hidden:
            part.left_out.setdefault("hidden", []).extend([""] * hidden)
        for header in read_headers(files):
            if header.fault:
                part.leave_out(header.file, header.fault)
            else:
                good.append(header)
    return part


def _usable(part: Part, size: int, most: int, most_held_out: int) -> Part:
    """Return a copy of a part with the pictures that are large enough, at most `most` of them."""
    usable = Part(part.place)
    usable.left_out = {reason: list(names) for reason, names in part.left_out.items()}
    for listed_headers, good in ((part.train, usable.train), (part.test, usable.test)):
        for header in listed_headers:
            if min(header.width, header.height) < size / 2:
                usable.leave_out(header.file, f"smaller than {-(-size // 2)} pixels")
            else:
                good.append(header)
    usable.unused = max(0, len(usable.train) - most) + max(0, len(usable.test) - most_held_out)
    usable.train = _some(usable.train, most)
    usable.test = _some(usable.test, most_held_out)
    return usable


def _some(headers: list[Header], most: int) -> list[Header]:
    # By a hash of their names: the choice hardly changes where pictures are added.
    if len(headers) <= most:
        return headers
    ranked = sorted(
        headers,
        key=lambda header: blake2b(header.file.name.encode()).digest(),
    )
    return sorted(ranked[:most], key=lambda h: h.file)


def _decode(parts: Sequence[Part], load_size: int, shown) -> dict[Path, tuple]:
    """Decode everything once and return file -> (pixels, fingerprint); what is broken after all is
    left out.
    """
    files = [header.file for part in parts for header in (*part.train, *part.test)]
    if not files:
        return {}
    everything = decode_files(files, load_size, shown=shown)
    rows = zip(everything.images, everything.prints, everything.broken, strict=True)
    decoded = {
        file: (image, code)
        for file, (image, code, broken) in zip(files, rows, strict=True)
        if not broken
    }
    for part in parts:
        for good in (part.train, part.test):
            for header in good:
                if header.file in decoded:
                    part.prints[header.file] = int(decoded[header.file][1])
                else:
                    part.leave_out(header.file, "broken")
            good[:] = [header for header in good if header.file in decoded]
    return decoded


def _drop_doubles(parts: Sequence[Part]) -> None:
    """Leave out pictures whose pixels occur twice: in one domain, among training and test pictures,
    or in both domains (then everywhere). VarbookError where most are in both.
    """
    sets = [set(part.prints.values()) for part in parts]
    both = sets[0] & sets[1]
    if both and 2 * len(both) > min(map(len, sets)):
        raise VarbookError(
            f"{parts[0].place.train} and {parts[1].place.train} hold the same pictures "
            f"({len(both)} of {min(map(len, sets))}): name two different domains."
        )
    for part in parts:
        seen: set[int] = set()
        for good, reason in (
            (part.train, "there twice"),
            (part.test, "a training picture too"),
        ):
            kept = []
            for header in good:
                code = part.prints[header.file]
                if code in both:
                    part.leave_out(header.file, "in both domains")
                elif code in seen:
                    part.leave_out(header.file, reason)
                else:
                    kept.append(header)
                    seen.add(code)
            good[:] = kept


def held_out_count(pictures: int) -> int:
    """Return how many of a domain's pictures are held out where the user holds none out: a tenth,
    at least ten but never more than a quarter, and none of fewer than twelve.
    """
    if pictures < 3 * FEWEST:
        return 0
    return min(MOST_HELD_OUT, max(pictures // SHARE, min(10, pictures // 4)))


def _hold_out(part: Part, most: int) -> None:
    if part.test:
        return
    # By their content: the same pictures are held out wherever they lie and whatever they are
    # called.
    ranked = sorted(part.train, key=lambda header: part.prints[header.file])
    chosen = {header.file for header in ranked[: min(most, held_out_count(len(part.train)))]}
    part.test = [header for header in part.train if header.file in chosen]
    part.train = [header for header in part.train if header.file not in chosen]


def _domain(part: Part) -> Domain:
    every = [*part.train, *part.test]
    return Domain(
        part.place.name,
        part.place.train,
        tuple(header.file for header in part.train),
        tuple(header.file for header in part.test),
        tuple((header.width, header.height) for header in every),
        {reason: tuple(names) for reason, names in part.left_out.items()},
        part.unused,
        sum(header.frames for header in every),
    )
