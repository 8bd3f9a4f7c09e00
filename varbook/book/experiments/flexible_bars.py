"""The bars of chapter 05's verdicts, as docs/bars.md has them, and what the checks say of each.

A bar is fixed before its number is seen, and changes in the stricter direction alone.
"""

from collections.abc import Mapping, Sequence

from varbook.book.experiments.flexible import OVERLAP, SPANNED, octave
from varbook.book.experiments.flexible_texts import TAKEN

RECOGNISED = 0.9  # of all samples at the training size
WORST = 0.7  # of the samples of any species
ELSEWHERE = 0.75  # of all samples at other sizes and shapes, or with other numbers of steps
TIMES = 1.3  # of a real picture's: width and height of the animal, and detail
SAME = 0.6  # IoU of one sample drawn in two ways
OF_DECODED = 0.9  # precision and recall over those of decoded real pictures

MOST = f"recognised in at least {100 * ELSEWHERE:g} %"
KEPT = f"at least {100 * ELSEWHERE:g} % keep their class"
STAYS = f"the animal stays in its place (IoU at least {SAME:g})"
FINER = f"finer than the same samples enlarged, and within {TIMES:g} times real pictures' detail"
SPANS = f"width and height of the animal within {TIMES:g} times a real one's"


def within(ratio: float) -> bool:
    """Say whether a ratio lies between 1 / TIMES and TIMES."""
    return 1 / TIMES <= ratio <= TIMES


def finer(values: Mapping) -> bool:
    """Say of what `measure_size` returned whether samples have the detail of real pictures, and more
    power in the finest octave than samples that were enlarged to this size.
    """
    return within(values["drawn"]["detail"]) and octave(values, "drawn") > octave(
        values, "enlarged"
    )


def stays(drawn: Mapping) -> bool:
    """Say whether the animal of a sample lies where it lies in the sample of the training's way."""
    return drawn[OVERLAP] >= SAME


def as_large_as_real(shape: Mapping[str, Mapping]) -> bool:
    """Say of what `measure_shape` returned whether the animals are as wide and as high as real ones."""
    drawn, real = shape["drawn"], shape["real"]
    return all(within(drawn[name] / max(real[name], 1e-6)) for name in SPANNED)


def surely_less(a: tuple[float, int], b: tuple[float, int]) -> bool:
    """Say whether a share is below another by more than two standard errors of their difference; each
    is (share, number of pictures).
    """
    return b[0] - a[0] > 2 * standard_error([(1, a), (1, b)])


def standard_error(shares: Sequence[tuple[float, tuple[float, int]]]) -> float:
    """Return the standard error of a sum of independent shares, each (factor, (share, number)).

    Of a share of 0 or 1 too: the variance is that with one hit and one miss more.
    """
    total = 0.0
    for factor, (share, number) in shares:
        sure = (share * number + 1) / (number + 2)
        total += factor**2 * sure * (1 - sure) / number
    return total**0.5


def recognised_elsewhere(rates: Mapping[str, float], home: str) -> dict[str, bool]:
    """Return the check MOST of each size or shape but that of the training."""
    return {f"{x}: {MOST}": rate >= ELSEWHERE for x, rate in rates.items() if x != home}


def taken(runs: Mapping) -> dict:
    """Return size or shape -> the share of samples that is recognised."""
    return {place: run.result["drawn"][TAKEN] for place, run in runs.items()}
