"""A number and its metric card: how, on what and against what it was measured.

Two numbers may be compared only where their cards agree.
"""

from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version


@dataclass(frozen=True)
class MetricCard:
    """What has to be known to compare a number with another, or to measure it again."""

    evaluator: str  # package and version that did the arithmetic
    features: str  # network whose features were compared, "pixels" where none was
    samples: int  # images judged
    reference_samples: int  # images they were compared with, 0 where there are none
    reference: str  # in words, which images those are
    protocol: str  # in words, how it was measured, with units
    seed: int | None = None  # of the evaluator's own randomness, None where it has none


@dataclass(frozen=True)
class Measured:
    """A value with its metric card; `name` says which features it rests on.

    It is "FID" only with Inception's features, and "FD-mobilenet" or "FD-toy" with others.
    """

    name: str
    value: float
    card: MetricCard

    def as_dict(self) -> dict:
        """Return name, value and card as plain values, ready for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.name} {self.value:.4g} ({self.card.samples} images, {self.card.features})"


def evaluator(package: str) -> str:
    """Return "package version" for a metric card, or "package (not installed)"."""
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"{package} (not installed)"
