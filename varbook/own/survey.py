"""What two folders hold, as a table and sentences for a reader, and as data for a script."""

from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

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
                lines.append(f"{domain.name}: left out {len(names)}, {reason}{listed}")
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
            lines.append(f"many pictures are below {self.size} pixels and are enlarged")
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
    return reason.startswith(("no picture", "hidden"))


def _shape(aspect: float) -> str:
    kind = "wide" if aspect > 1.1 else "tall" if aspect < 0.9 else "square"
    return kind if kind == "square" else f"{kind} ({aspect:.2f}:1)"
