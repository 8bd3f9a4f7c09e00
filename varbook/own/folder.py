"""Look at two folders of pictures before anything is trained: what is there, what cannot be used
and why, what is held out, and whether it is enough.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from statistics import median

from varbook.data.picture_files import Header, decode_files, read_headers
from varbook.errors import VarbookError
from varbook.own.layout import Place, files_below, named_places, two_places

# Fewest training pictures of a domain. A tokenizer and a translator do train on one, but a
# discriminator that has seen three pictures knows nothing but these three.
FEWEST = 4
SHARE = 10  # one picture in so many is held out where the user holds none out
MOST_HELD_OUT = 200  # of a domain: more cost time at the end and say little
SHOWN = 6  # names of files that are left out, for each reason


@dataclass(frozen=True)
class Domain:
    """The pictures of one domain: files to train on and files held out; sizes (width, height) as
    seen upright; and what was left out, reason -> names.
    """

    name: str
    folder: Path
    train: tuple[Path, ...]
    held_out: tuple[Path, ...]
    sizes: tuple[tuple[int, int], ...]
    left_out: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unused: int = 0  # good pictures beyond those that the time given can use
    animated: int = 0  # files of which the first frame alone is used

    @property
    def median_size(self) -> tuple[int, int]:
        """Median width and height in pixels."""
        return int(median(w for w, _ in self.sizes)), int(median(h for _, h in self.sizes))

    @property
    def smallest(self) -> tuple[int, int]:
        """Size of the picture with the shortest side."""
        return min(self.sizes, key=min)

    @property
    def aspect(self) -> float:
        """Median of width over height."""
        return median(w / h for w, h in self.sizes)


@dataclass(frozen=True)
class Survey:
    """What two folders hold; `say` prints it, `numbers` is the same for a script."""

    domains: tuple[Domain, Domain]
    size: int

    @property
    def names(self) -> tuple[str, str]:
        """The names of both domains, source first."""
        return self.domains[0].name, self.domains[1].name

    def say(self) -> str:
        """Return a short table, then what was left out and what is few, a line each."""
        width = max(8, *(len(name) for name in self.names)) + 2
        lines = [
            f"{'domain':<{width}}{'train':>7}{'held out':>10}   median size   smallest   shape"
        ]
        for domain in self.domains:
            middle, smallest = (f"{w}x{h}" for w, h in (domain.median_size, domain.smallest))
            lines.append(
                f"{domain.name:<{width}}{len(domain.train):>7}{len(domain.held_out):>10}   "
                f"{middle:<14}{smallest:<11}{_shape(domain.aspect)}"
            )
        return "\n".join([*lines, *self.remarks()])

    def remarks(self) -> list[str]:
        """Return a sentence for everything that was left out, and for what is few."""
        lines = []
        for domain in self.domains:
            for reason, names in domain.left_out.items():
                more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
                listed = f": {', '.join(names[:SHOWN])}{more}" if not _obvious(reason) else ""
                lines.append(f"{domain.name}: left out {len(names)} that {reason}{listed}")
            if domain.animated:
                lines.append(
                    f"{domain.name}: of {domain.animated} animations the first frame alone is used"
                )
            if domain.unused:
                lines.append(
                    f"{domain.name}: {domain.unused} further pictures are not used: the time does "
                    "not reach for more (--minutes)"
                )
            if len(domain.held_out) < 10:
                lines.append(
                    f"{domain.name}: {len(domain.held_out) or 'no'} pictures are held out, too few "
                    "for a distance to real ones (10 or more)"
                )
        small, large = sorted(self.domains, key=lambda domain: len(domain.train))
        if len(small.train) < 50:
            lines.append(
                f"{small.name}: {len(small.train)} training pictures are few: its light and colours "
                "can be learnt, its shapes hardly"
            )
        if len(large.train) > 10 * len(small.train):
            lines.append(
                f"{large.name} has {len(large.train) // len(small.train)} times the pictures of "
                f"{small.name}; both are drawn equally often"
            )
        if any(min(domain.median_size) < self.size for domain in self.domains):
            lines.append(f"many pictures are smaller than {self.size} pixels and are enlarged")
        return lines

    def numbers(self) -> dict:
        """Return the same as plain data, with every name that was left out."""
        return {
            domain.name: {
                "folder": str(domain.folder),
                "train": len(domain.train),
                "held_out": len(domain.held_out),
                "median_size": domain.median_size,
                "smallest": domain.smallest,
                "aspect": round(domain.aspect, 3),
                "left_out": domain.left_out,
                "unused": domain.unused,
                "animated": domain.animated,
            }
            for domain in self.domains
        }


def _obvious(reason: str) -> bool:
    return reason.startswith(("are no pictures", "are hidden"))


def _shape(aspect: float) -> str:
    kind = "wide" if aspect > 1.1 else "tall" if aspect < 0.9 else "square"
    return kind if kind == "square" else f"{kind} ({aspect:.2f}:1)"


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
    """Return what is in a folder of two domains, or in two folders `source` and `target`.

    `size` is the side in pixels of the model's images: what is below half of it is left out.
    Pictures are decoded once, as squares of `load_size`, into the cache below VARBOOK_HOME; `most`
    bounds how many of each domain. VarbookError, in one sentence, where there are not two domains
    with FEWEST pictures or more.
    """
    if folder is not None and source is None and target is None:
        places = two_places(Path(folder), names)
    elif folder is None and source is not None and target is not None:
        places = named_places(Path(source), Path(target), names)
    else:
        raise VarbookError("Name one folder with two subfolders, or both --source and --target.")
    gathered = [_gather(place, size, most) for place in places]
    _decode(gathered, load_size, shown)
    _drop_doubles(gathered)
    domains = _domain(gathered[0]), _domain(gathered[1])
    short = [domain for domain in domains if len(domain.train) < FEWEST]
    if short:
        raise VarbookError(_too_few(short))
    return Survey(domains, size)


def _too_few(domains: Sequence[Domain]) -> str:
    parts = []
    for domain in domains:
        reasons = "; ".join(f"{len(names)} {why}" for why, names in domain.left_out.items())
        parts.append(
            f"{domain.folder} has {len(domain.train) or 'no'} pictures to train on"
            + (f" ({reasons})" if reasons else "")
        )
    return f"{' and '.join(parts)}: each domain needs {FEWEST} or more, better 100."


class _Part:
    """A domain while it is looked at: what is still good, and what has been left out."""

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


def _gather(place: Place, size: int, most: int) -> _Part:
    """List a domain's files and read their headers; keep what can be used, at most `most`."""
    part = _Part(place)
    for folder, good in ((place.train, part.train), (place.test, part.test)):
        if folder is None:
            continue
        files, hidden, closed = files_below(folder)
        for name in closed:
            part.left_out.setdefault("are folders that may not be read", []).append(name)
        if hidden:
            part.left_out.setdefault("are hidden", []).extend([""] * hidden)
        for header in read_headers(files):
            if header.fault:
                part.leave_out(header.file, header.fault)
            elif min(header.width, header.height) < size / 2:
                part.leave_out(header.file, f"are smaller than {-(-size // 2)} pixels")
            else:
                good.append(header)
    part.unused = max(0, len(part.train) - most)
    part.train = _some(part.train, most)
    part.test = _some(part.test, MOST_HELD_OUT)
    return part


def _some(headers: list[Header], most: int) -> list[Header]:
    # By a hash of their names: the choice hardly changes where pictures are added.
    if len(headers) <= most:
        return headers
    ranked = sorted(
        headers,
        key=lambda header: blake2b(header.file.name.encode()).digest(),
    )
    return sorted(ranked[:most], key=lambda h: h.file)


def _decode(parts: Sequence[_Part], load_size: int, shown) -> None:
    """Decode everything once; what is broken after all is left out, and each picture's fingerprint
    is kept.
    """
    headers = [header for part in parts for header in (*part.train, *part.test)]
    if not headers:
        return
    decoded = decode_files([header.file for header in headers], load_size, shown=shown)
    start = 0
    for part in parts:
        for good in (part.train, part.test):
            rows = slice(start, start + len(good))
            start += len(good)
            kept = []
            for header, code, broken in zip(
                good, decoded.prints[rows], decoded.broken[rows], strict=True
            ):
                if broken:
                    part.leave_out(header.file, "are broken")
                else:
                    part.prints[header.file] = int(code)
                    kept.append(header)
            good[:] = kept


def _drop_doubles(parts: Sequence[_Part]) -> None:
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
            (part.train, "are there twice"),
            (part.test, "are training pictures too"),
        ):
            kept = []
            for header in good:
                code = part.prints[header.file]
                if code in both:
                    part.leave_out(header.file, "are in both domains")
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


def _domain(part: _Part) -> Domain:
    train, test = part.train, part.test
    if not test:
        # By their content: the same pictures are held out wherever they lie and whatever they are
        # called.
        ranked = sorted(train, key=lambda header: part.prints[header.file])
        chosen = {header.file for header in ranked[: held_out_count(len(train))]}
        test = [header for header in train if header.file in chosen]
        train = [header for header in train if header.file not in chosen]
    every = [*train, *test]
    return Domain(
        part.place.name,
        part.place.train,
        tuple(header.file for header in train),
        tuple(header.file for header in test),
        tuple((header.width, header.height) for header in every),
        {reason: tuple(names) for reason, names in part.left_out.items()},
        part.unused,
        sum(header.frames for header in every),
    )
