"""Chapter 06's edits, measured on held-out pictures: painting in and out, extending, refining (FlexVAR
figures 8 to 10).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from varbook.book.experiments.flexible import AT_ONCE, Flexible
from varbook.book.models.tasks import HELD_OUT_SEED
from varbook.book.show.sliders import box_mask
from varbook.data.images import to_float
from varbook.device import pick_device
from varbook.evaluate.fidelity import frechet
from varbook.evaluate.generation import detail, recognised, resized
from varbook.evaluate.reconstruction import perceptual, psnr
from varbook.evaluate.seams import cell_borders, seam
from varbook.features.perceptual import perceptual_distance
from varbook.generate.editing import extend, hide, inpaint, keep_masks, on_canvas, refine
from varbook.generate.loop import Forced, generate
from varbook.generate.sampling import Drawing
from varbook.tokenizer.schedule import square
from varbook.train.store import Run

TAKEN = "taken for its class"
# An edit of images (B, 3, H, W) of classes (B,) with a generator -> images.
Edit = Callable[[Tensor, Tensor, torch.Generator], Tensor]


def seeded(number: int) -> torch.Generator:
    """Return a generator with this seed."""
    return torch.Generator().manual_seed(number)


def in_parts(edit: Edit, images: Tensor, labels: Tensor) -> Tensor:
    """Return the edited images, a few at a time, each part with a seed of its own."""
    parts = zip(images.split(AT_ONCE), labels.split(AT_ONCE), strict=True)
    return torch.cat([edit(*rows, seeded(1000 + i)).cpu() for i, rows in enumerate(parts)])


def paste(image: Tensor, painted: Tensor, mask: Tensor) -> Tensor:
    """Return `painted` where `mask` (H, W) is True, and the pixels of `image` elsewhere."""
    return torch.where(mask, painted, image)


@dataclass(frozen=True)
class Editing:
    """A model that paints, held-out pictures with their classes, and what is masked in them."""

    flex: Flexible

    @property
    def home(self) -> int:
        """The pixels of a side in the training."""
        return self.flex.task.side(self.flex.profile)

    @property
    def drawing(self) -> Drawing:
        """How codes are drawn."""
        return Drawing(**self.flex.drawing)

    @cached_property
    def held(self):
        """The held-out pictures of `images`, as uint8 with their scenes."""
        return self.flex.task.sample(self.flex.profile, self.flex.count)

    @cached_property
    def images(self) -> Tensor:
        """Held-out pictures (N, 3, H, W) in [-1, 1]."""
        return to_float(self.held.images).to(pick_device())

    @cached_property
    def labels(self) -> Tensor:
        """Their classes (N,)."""
        return self.held.labels.to(pick_device())

    def mask(self, top: int, bottom: int, left: int, right: int) -> Tensor:
        """Return a mask (H, W) that is True in a box, in eighths of the side."""
        box = [self.home * edge // 8 for edge in (top, bottom, left, right)]
        return box_mask(self.home, self.home, (box[0], box[1], box[2], box[3])).to(pick_device())

    @cached_property
    def hole(self) -> Tensor:
        """A hole (H, W) that hides the front half of an animal."""
        home = self.home
        box = (home // 4, home - home // 8, home // 5, home // 2)
        return box_mask(home, home, box).to(pick_device())

    @property
    def outside(self) -> Tensor:
        """All but a window (H, W) on the animal's middle."""
        return ~self.mask(2, 7, 2, 6)

    @property
    def animal(self) -> Tensor:
        """Everything but a strip of sky (H, W)."""
        return self.mask(1, 8, 0, 8)

    @property
    def behind(self) -> dict[str, Any]:
        """What shapes every measurement, for the keys of their records."""
        model, _, judge = self.flex.runs
        own = {"model": model.key, "judge": judge.key, "drawing": self.drawing}
        return own | {"images": len(self.images), "seed": self.flex.seed, "version": 1}

    def rendered(self, size: int | tuple[int, int]) -> Tensor:
        """Return the scenes of `images` at another size, floats in [-1, 1]."""
        pictures = self.flex.task.sample(self.flex.profile, len(self.images), size).images
        return to_float(pictures).to(pick_device())

    def inpainted(self, image: Tensor, mask: Tensor, label: Tensor, pick) -> Tensor:
        """Return images (B, 3, H, W) painted anew where `mask` (H, W) is True."""
        flex, drawing = self.flex, self.drawing
        model, codec = flex.model, flex.tokenizer
        return inpaint(model, codec, image, mask, label, drawing=drawing, generator=pick).images

    def leaking(self, image: Tensor, mask: Tensor, label: Tensor, pick) -> Tensor:
        """Return the same in VAR's way, which encodes the whole picture, hole and all, before it forces
        the codes outside.
        """
        model, codec = self.flex.model, self.flex.tokenizer
        masks = keep_masks(~mask.expand(len(image), *mask.shape), self.flex.trained)
        forced = Forced(codec.tokens(image), masks)
        drawing = self.drawing
        return generate(model, codec, label, drawing=drawing, forced=forced, generator=pick).images

    def widened(self, image: Tensor, label: Tensor, pick, size=None) -> Tensor:
        """Return images (B, 3, H, W) in the middle of a canvas of `size` pixels, by default twice as
        wide.
        """
        flex, drawing = self.flex, self.drawing
        model, codec, size = flex.model, flex.tokenizer, size or (self.home, 2 * self.home)
        return extend(model, codec, image, size, label, drawing=drawing, generator=pick).images

    def refined(self, image: Tensor, label: Tensor, pick, size: int, drawing=None) -> Tensor:
        """Return images (B, 3, h, w) drawn anew at `size` pixels a side."""
        model, codec, how = self.flex.model, self.flex.tokenizer, drawing or self.drawing
        sides = (size, size)
        return refine(model, codec, image, sides, label, drawing=how, generator=pick).images

    def accuracy(self, pictures: Tensor, classes: Tensor) -> dict[str, float]:
        """Return the share of pictures in which the judge sees their class."""
        return {TAKEN: recognised(self.flex.judge, pictures, classes).float().mean().item()}

    def rebuilt(self, image: Tensor, scales=None) -> Tensor:
        """Return images as the tokenizer encodes and decodes them."""
        codec = self.flex.tokenizer
        return in_parts(lambda x, *_: codec.image(codec.tokens(x, scales)), image, image)


# --- painting in and out


def measure_painting(editing: Editing) -> dict:
    """Return edit -> accuracy and PSNR in dB of the known and of the masked pixels, honestly and with
    the whole picture encoded; "real", and "<edit>: masked" before anything is painted.
    """
    images, labels = editing.images, editing.labels
    again, true = editing.rebuilt(images), images.cpu()
    elephant = torch.full_like(labels, editing.flex.task.label("elephant"))
    edits = {
        "in": (editing.hole, labels),
        "out": (editing.outside, labels),
        "elephant": (editing.animal, elephant),
    }
    values: dict = {"real": editing.accuracy(images, labels)}
    for name, (mask, classes) in edits.items():
        masked = hide(images, ~mask[None, None])
        values[f"{name}: masked"] = editing.accuracy(masked, classes)
        ways = {"": editing.inpainted, ", whole picture encoded": editing.leaking}
        for kind, way in ways.items():
            edit = partial(_masked, way, mask)
            painted = in_parts(edit, images, classes)
            values[name + kind] = _painting_measures(
                editing, painted, true, again, mask.cpu(), classes
            )
    return values


def _masked(way: Callable, mask: Tensor, image: Tensor, label: Tensor, pick) -> Tensor:
    return way(image, mask, label, pick)


def _painting_measures(
    editing: Editing, painted: Tensor, true: Tensor, again: Tensor, mask: Tensor, classes: Tensor
) -> dict:
    pasted, known = paste(true, painted, mask), (~mask).expand(len(true), -1, -1)
    exact = torch.equal(pasted[:, :, ~mask], true[:, :, ~mask])
    return editing.accuracy(pasted, classes) | {
        "known pixels, dB": psnr(painted, true, known).mean().item(),
        "known pixels, tokenizer alone, dB": psnr(again, true, known).mean().item(),
        "known pixels pasted, kept exactly": exact,
        "masked pixels, dB": psnr(painted, true, ~known).mean().item(),
    }


def painting(editing: Editing) -> Run:
    """Return the record of `measure_painting`."""
    measure = partial(measure_painting, editing)
    return editing.flex.measured("editing-painting", editing.behind, measure)


# --- extending


def in_the_middle(editing: Editing) -> tuple[Tensor, Tensor]:
    """Return what is extended, (N, 3, H, W), and the true wide pictures (N, 3, H, 2W).

    The toy world renders a wide scene of each picture; of photographs the middle of a wide strip is
    extended, as nobody knows what lies beside a photograph.
    """
    start, home = editing.home // 2, editing.home
    wide = editing.rendered((home, 2 * home)).cpu()
    rendered = editing.flex.task.pictures.rendered
    centre = wide[..., start : start + home]
    return editing.images if rendered else centre.to(pick_device()), wide


def measure_extension(editing: Editing) -> dict:
    """Return the step across the seam over steps elsewhere, the judge's distance and accuracy of
    extended pictures, beside decoded and real wide ones, and ones with grey sides.
    """
    flex, home = editing.flex, editing.home
    given, wide = in_the_middle(editing)
    labels, stride, judge = editing.labels, flex.tokenizer.stride, flex.judge
    extended = in_parts(editing.widened, given, labels)
    seed = HELD_OUT_SEED + 300
    truth = flex.task.sample(flex.profile, len(given), (home, 2 * home), seed=seed).images
    canvas, around = on_canvas(given, (home, 2 * home), stride)
    latent, start = (home // stride, 2 * home // stride), home // 2
    again = editing.rebuilt(given, square(home // stride))
    sets = {
        "extended": extended,
        "decoded": editing.rebuilt(wide.to(pick_device()), (latent,)),
        "real": wide,
        "grey sides": hide(canvas, ~around[None, None]).cpu(),
    }
    borders = (start, start + home)
    told = f"wide {flex.task.noun}"
    centre = extended[..., start : start + home]
    return editing.accuracy(extended, labels) | {
        "seam": {name: seam(pictures, borders) for name, pictures in sets.items()},
        "borders of cells": cell_borders(extended, stride, without=borders),
        judge.distance: {n: frechet(x, truth, judge, describe=told).value for n, x in sets.items()},
        "centre, dB": psnr(centre, given.cpu()).mean().item(),
        "centre, tokenizer alone, dB": psnr(again, given.cpu()).mean().item(),
        f"{TAKEN}, real": editing.accuracy(wide, labels)[TAKEN],
    }


def extension(editing: Editing) -> Run:
    """Return the record of `measure_extension`."""
    measure = partial(measure_extension, editing)
    return editing.flex.measured("editing-extension", editing.behind, measure)


# --- refining


def factors(editing: Editing) -> tuple[tuple[int, int], ...]:
    """Return (factor, pixels a side of the result): twice, four times, and beyond the training."""
    return ((2, editing.home), (4, editing.home), (2, 2 * editing.home))


@torch.no_grad()
def agreement(editing: Editing, factor: int = 2) -> dict[str, float]:
    """Return the share of codes at a small picture's size that are those of the large picture: the
    small one encoded as it is, and enlarged first.
    """
    codec, home = editing.flex.tokenizer, editing.home
    small, large = editing.rendered(home // factor), editing.images
    coarse, fine = square(home // factor // codec.stride, home // codec.stride)
    true = codec.tokens(large, (coarse, fine))[0]
    enlarged = F.interpolate(small, size=(home, home), mode="bicubic").clamp(-1, 1)
    ways = {
        "as it is": codec.tokens(small, (coarse,))[0],
        "enlarged first": codec.tokens(enlarged, (coarse, fine))[0],
    }
    return {name: (tokens == true).float().mean().item() for name, tokens in ways.items()}


def measure_refining(editing: Editing, factor: int, size: int, distance) -> dict:
    """Return kind of picture -> PSNR in dB, the perceptual `distance`, detail, the judge's distance and
    accuracy against true renders of `size` pixels: of small pictures enlarged and refined, and of
    the true ones decoded, which bounds any refinement.
    """
    flex, home = editing.flex, editing.home
    truth, small = editing.rendered(size).cpu(), editing.rendered(size // factor)
    seed = HELD_OUT_SEED + 300
    reference = flex.task.sample(flex.profile, len(small), size, seed=seed).images
    likeliest = Drawing(guidance=flex.drawing["guidance"], top_k=1)

    def drawn(drawing=None) -> Tensor:
        edit = partial(editing.refined, size=size, drawing=drawing)
        return in_parts(edit, small, editing.labels)

    scales = square(size // flex.tokenizer.stride)
    ways = {
        "bicubic": resized(small.cpu(), size),
        "refined": drawn(),
        "refined, most likely codes": drawn(likeliest),
        "ceiling: decoded truth": editing.rebuilt(truth.to(pick_device()), scales),
    }
    told = f"{flex.task.noun} of that size"
    values = {}
    for name, pictures in ways.items():
        judged = frechet(pictures, reference, flex.judge, describe=told)
        values[name] = {
            "PSNR, dB": psnr(pictures, truth).mean().item(),
            distance.name: perceptual(pictures, truth, distance).mean().item(),
            "detail": (detail(pictures).mean() / detail(truth).mean()).item(),
            flex.judge.distance: judged.value,
        } | editing.accuracy(resized(pictures, home), editing.labels)
    return values


def refining(editing: Editing) -> tuple[dict[tuple[int, int], Run], str]:
    """Return (factor, size) -> the record of `measure_refining`, for each of `factors`, and the name of
    the perceptual distance.
    """
    distance, runs = perceptual_distance().to(pick_device()), {}
    for factor, size in factors(editing):
        settings = editing.behind | {"factor": factor, "size": size, "distance": distance.name}
        measure = partial(measure_refining, editing, factor, size, distance)
        runs[factor, size] = editing.flex.measured("editing-refining", settings, measure)
    return runs, distance.name
