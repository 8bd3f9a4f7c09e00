"""Chapter 05's model before and after a training at several sizes (`models.other_sizes`): at its
first size, at 1 : 2 and 2 : 1, at twice the size, and at shapes of neither training.

The measures are chapter 05's own (`flexible`); the bars are those of docs/bars.md.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from varbook.book.experiments.flexible import (
    SPANNED,
    Flexible,
    measured_shape,
    measured_size,
    shapes_of,
)
from varbook.book.experiments.flexible_texts import TAKEN
from varbook.book.models import build
from varbook.errors import VarbookError
from varbook.tokenizer.schedule import Scale
from varbook.train.store import Run

# docs/bars.md: shares that are recognised, and how far a width or height may be from a real one's.
RECOGNISED_AT_HOME = 0.90
RECOGNISED = 0.75
SPAN = 1.3
OVER_REAL = tuple(f"{name.removesuffix(' of the animal')}, over a real one's" for name in SPANNED)


def after(flex: Flexible) -> Flexible:
    """Return the same experiments on the model that was trained further at several sizes.

    It draws random codes at every size up to its largest; beyond that, as `flex` does beyond its
    own, the likeliest. VarbookError where the profile trains no such model.
    """
    made = build.next_scale_at_sizes(flex.task, flex.profile)
    largest = max(max(latent) for latent in trained_latents(flex))
    drawing = {**flex.drawing, "greedy_above": largest}
    return replace(flex, model=made.model, runs=(made.run, *flex.runs[1:]), drawing=drawing)


def trained_latents(flex: Flexible) -> tuple[Scale, ...]:
    """Return the sizes of the last map in the further training, the model's own first."""
    sizes = flex.task.chain_of(flex.profile).other_sizes
    if sizes is None:
        raise VarbookError(f"The profile {flex.profile.name} trains no model at several sizes.")
    return (flex.trained[-1], *sizes.training.latents)


def measured_latents(flex: Flexible) -> list[Scale]:
    """Return the sizes of the last map at which both models are measured: the bars', then two odd
    shapes that neither was trained at.
    """
    side = flex.side
    bars = [(side, side), (side, 2 * side), (2 * side, side), (2 * side, 2 * side)]
    return [*bars, *(latent for latent in shapes_of(flex)[-2:] if latent not in bars)]


def measured(flex: Flexible) -> dict[Scale, Run]:
    """Return size of the last map -> the record of what is measured there, made now or earlier; for
    squares and other shapes those that chapter 05 has.
    """
    return {
        (h, w): measured_size(flex, h) if h == w else measured_shape(flex, (h, w))
        for h, w in measured_latents(flex)
    }


def numbers(flex: Flexible, values: Mapping[str, Mapping]) -> dict[str, float]:
    """Return what docs/bars.md names of one size: the shares recognised, distances, and width and
    height of the animal over a real one's; `values` is kind of pictures -> measures.
    """
    drawn, real, name = values["drawn"], values["real"], flex.judge.distance
    row = {"recognised": drawn[TAKEN], "recognised, real": real[TAKEN], name: drawn[name]}
    if "enlarged" in values:
        row[f"{name}, enlarged"] = values["enlarged"][name]
    for ours, spanned in zip(OVER_REAL, SPANNED, strict=True):
        if spanned in drawn:
            row[ours] = drawn[spanned] / max(real[spanned], 1.0)
    return row


def rows(
    flex: Flexible, before: Mapping[Scale, Run], then: Mapping[Scale, Run]
) -> list[dict[str, Any]]:
    """Return a row for each size, of the model before and after the training at several sizes;
    "trained at" says whether the second one has seen pictures of that size.
    """
    known, stride = trained_latents(flex), flex.tokenizer.stride
    return [
        {"pixels": f"{stride * h} x {stride * w}", "model": model, "trained at": (h, w) in known}
        | numbers(flex, runs[h, w].result)
        for h, w in before
        for model, runs in (("before", before), ("after", then))
    ]


def bars(flex: Flexible, runs: Mapping[Scale, Run]) -> dict[str, bool]:
    """Return the checks of docs/bars.md on what was measured of one model, by their words."""
    checks, stride, side = {}, flex.tokenizer.stride, flex.side
    for (h, w), run in runs.items():
        found, pixels = numbers(flex, run.result), f"{stride * h} x {stride * w}"
        least = RECOGNISED_AT_HOME if (h, w) == (side, side) else RECOGNISED
        checks[f"{pixels}: at least {least:.0%} recognised"] = found["recognised"] >= least
        for name in OVER_REAL:
            if name in found:
                told = f"{pixels}: {name} between 1 / {SPAN} and {SPAN}"
                checks[told] = 1 / SPAN <= found[name] <= SPAN
        if h == w == 2 * side:
            name = flex.judge.distance
            told = f"{pixels}: {name} at most that of enlarged samples"
            checks[told] = found[name] <= found[f"{name}, enlarged"]
    return checks
