"""The exercises of chapter 00."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from varbook.book.exercises.checking import Case, Mistake, try_out
from varbook.book.show.pipeline_map import PLACES, Place
from varbook.data.toy import caption, flip, sample_scene, silhouette
from varbook.evaluate.reconstruction import psnr
from varbook.world.scene import Scene


def night_zebra(function: Callable) -> None:
    """Try `function(scene)` -> the same animal as a zebra by night in anime style, whatever it is."""
    horse = sample_scene(20, species="horse")
    horse = replace(horse, night=False, flat=False)
    scenes = {
        "a horse by day": horse,
        "a zebra by day": flip(horse, "coat"),
        "a horse by night": flip(horse, "time"),
        "a flat zebra by night": flip(flip(flip(horse, "coat"), "time"), "style"),
    }
    wanted = scenes["a flat zebra by night"]
    cases = [Case((scene,), _like(wanted), told) for told, scene in scenes.items()]
    try_out("exercise 1", function, cases)


def _like(wanted: Scene) -> Callable[[object], str]:
    """Return what says in which attribute a scene differs from the wanted one."""

    def fault(answer: object) -> str:
        if not isinstance(answer, Scene):
            return f"got a {type(answer).__name__}, wanted a scene"
        names = ("pose", "land", "coat", "seed")
        if any(getattr(answer, name) != getattr(wanted, name) for name in names):
            return "another animal, pose or land: only coat pattern, time and style may change"
        if answer != wanted:
            return (
                f'it introduces itself as "{caption(answer)}"; a flip undoes itself, '
                "so flip only what is not yet as it should be"
            )
        return ""

    return fault


def overlap(function: Callable) -> None:
    """Try `function(first, second)`, boolean masks (N, H, W) -> intersection over union (N,)."""
    herd = [sample_scene(number, species="horse") for number in (24, 12, 26)]
    masks = torch.stack([torch.from_numpy(silhouette(scene, 48, 48)) for scene in herd])  # N H W
    pairs = {
        "a mask and itself": masks,
        "a mask and its mirror image": masks.flip(2),
        "a mask and all of the picture": torch.ones_like(masks),
    }
    cases = [Case((masks, other), _iou(masks, other), told) for told, other in pairs.items()]
    mistakes = (
        Mistake(
            lambda a, b: 2 * _both(a, b) / (a.sum((1, 2)) + b.sum((1, 2))),
            "that is the F1 score of the pixels: divide by the union, `first | second`",
        ),
        Mistake(
            lambda a, b: _both(a, b) / (a.sum((1, 2)) + b.sum((1, 2))),
            "what both masks have is counted twice below: use `first | second`",
        ),
        Mistake(
            lambda a, b: _both(a, b) / a.sum((1, 2)),
            "divide by the union, not by the first mask: a picture of nothing but animal wins else",
        ),
        Mistake(
            lambda a, b: (a & b).sum() / (a | b).sum(),
            "one number per pair: sum over height and width, dimensions 1 and 2",
        ),
    )
    try_out("exercise 2", function, cases, mistakes)


def _both(a: Tensor, b: Tensor) -> Tensor:
    return (a & b).sum((1, 2))


def _iou(a: Tensor, b: Tensor) -> Tensor:
    return _both(a, b) / (a | b).sum((1, 2))


def background(function: Callable) -> None:
    """Try `function(translated, source, inside)`, images (N, 3, H, W) in [-1, 1] and masks (N, H, W)
    -> the PSNR (N,) in dB outside of the masks.
    """
    generator = torch.Generator().manual_seed(6)
    source = torch.rand(3, 3, 16, 16, generator=generator) * 2 - 1
    noise = torch.randn(3, 3, 16, 16, generator=generator)
    translated = (source + 0.1 * noise).clamp(-1, 1)
    inside = torch.zeros(3, 16, 16, dtype=torch.bool)
    for number in range(3):
        inside[number, 3 : 8 + 2 * number, 2:12] = True
    translated = torch.where(inside[:, None], -source, translated)
    cases = [Case((translated, source, inside), psnr(translated, source, ~inside), "three pairs")]

    def decibels(error: Tensor, peak: float) -> Tensor:
        return 10 * (peak**2 / error).log10()

    def share(where: Tensor, a: Tensor, b: Tensor) -> Tensor:
        kept = where[:, None].expand_as(a)
        return ((a - b).square() * kept).sum((1, 2, 3)) / kept.sum((1, 2, 3))

    mistakes = (
        Mistake(
            lambda a, b, m: decibels((a - b).square().mean((1, 2, 3)), 2),
            "the animal may change: leave the pixels inside the mask out",
        ),
        Mistake(
            lambda a, b, m: decibels(share(m, a, b), 2),
            "that is the animal: the background is where the mask is False",
        ),
        Mistake(
            lambda a, b, m: decibels(share(~m, a, b), 1),
            "from -1 to 1 the largest difference is 2, not 1",
        ),
        Mistake(
            lambda a, b, m: decibels(((a - b).square() * ~m[:, None]).mean((1, 2, 3)), 2),
            "divide by the number of background pixels, not by all",
        ),
    )
    try_out("exercise 3", function, cases, mistakes)


def changed_places(function: Callable) -> None:
    """Try `function(places, first, second)` -> the names of the places at which two papers use
    different parts, in their order.
    """
    pairs = (("VAR", "FlexVAR"), ("VAR", "CycleVAR"))
    cases = [Case((PLACES, *pair), _differs(*pair), f"{pair[0]} and {pair[1]}") for pair in pairs]
    try_out("exercise 4", function, cases)


def _differs(first: str, second: str) -> Callable[[object], str]:
    def parts(place: Place, paper: str) -> set[str]:
        return {part.name for part in place.alternatives if part.used_by == paper}

    wanted = [p.name for p in PLACES if parts(p, first) and parts(p, second)]

    def fault(answer: object) -> str:
        if not isinstance(answer, (list, tuple, set)):
            return f"got a {type(answer).__name__}, wanted a list of names"
        names = [name for name in answer if isinstance(name, str)]
        if len(names) != len(answer):
            return "the list should hold names, the `name` of each place"
        more = sorted(set(names) - {p.name for p in PLACES})
        if more:
            return f"{more} are not places; a place has a `name`, its parts have others"
        extra = [name for name in names if name not in wanted]
        if extra:
            return f"at {extra} one of the two brings no part of its own: both must have one"
        missing = [name for name in wanted if name not in names]
        if missing:
            return f"{len(missing)} more: a place may have several parts of one paper"
        return ""

    return fault
