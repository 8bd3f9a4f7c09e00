"""What chapter 02 decodes and measures of tokenizers, scale by scale, and the sentences of its
verdicts.

Pictures are uint8 scenes (B, 3, H, W), or [-1, 1] where they come out of a decoder; a measurement
returns label -> (scales, images), and `over_all` the mean of each scale over many scenes.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from varbook.book.show.colours import painted
from varbook.book.show.sheets import amplified, pixels, times
from varbook.data.images import to_float
from varbook.evaluate.reconstruction import perceptual, psnr
from varbook.evaluate.usage import usage_per_scale
from varbook.tokenizer.codebook import Codebook
from varbook.tokenizer.pyramid import GroundTruthPyramid, down
from varbook.tokenizer.schedule import Scale, Schedule
from varbook.tokenizer.tokenizer import Tokenizer

BATCH = 32  # scenes at a time
STEP_ALONE, SUM, TRUTH = "VAR: this step alone", "VAR: sum so far", "FlexVAR: this step alone"
AMPLIFIED = 3  # times that a change is drawn larger
CHANGE = f"VAR: what this step changes, x {AMPLIFIED} (grey: nothing)"
# The rows of figures 3 and 14.
TOKENIZERS = {
    "VAR": "VAR's tokenizer (residual)",
    "single": "single-scale tokenizer",
    "multi": "multi-scale tokenizer (FlexVAR)",
}


def device_of(tokenizer: Tokenizer) -> torch.device:
    """Return where the weights of a tokenizer lie."""
    return next(tokenizer.parameters()).device


def shrunk(images: Tensor, size: Scale) -> Tensor:
    """Downsample images (B, 3, H, W), uint8 or in [-1, 1], to `size` by averaging areas -> [-1, 1]."""
    return down(to_float(images) if images.dtype == torch.uint8 else images, size)


def enlarged(images: Tensor, side: int, mode: str = "bilinear") -> Tensor:
    """Enlarge images (B, 3, h, w) to squares of `side` pixels, as the paper does for its figures."""
    return F.interpolate(images, size=(side, side), mode=mode)


@torch.no_grad()
def decoded(tokenizer: Tokenizer, maps: Sequence[Tensor]) -> list[Tensor]:
    """Decode feature maps (B, C, h, w), of any sizes, to pictures in [-1, 1] on the CPU."""
    return [tokenizer.decode(features).clamp(-1, 1).cpu() for features in maps]


@torch.no_grad()
def both_pyramids(residual: Tokenizer, truth: Tokenizer, images: Tensor) -> dict[str, list[Tensor]]:
    """Return FlexVAR figure 2's rows, one picture (B, 3, h, w) per scale in each: the codes of both
    pyramids in colours, what VAR's steps are alone and summed, and what FlexVAR's are.
    """
    x = to_float(images).to(device_of(residual))
    a, b = residual.quantise(residual.encode(x)), truth.quantise(truth.encode(x))
    zero = torch.zeros_like(a.latents[0])
    codes = [residual.codebook.lookup(t).permute(0, 3, 1, 2) for t in a.tokens]
    steps = [residual.pyramid.add(zero, code, k, len(codes)) for k, code in enumerate(codes)]
    return {
        "VAR: codes": [painted(t, residual.codebook.vectors()) for t in a.tokens],
        STEP_ALONE: decoded(residual, steps),
        SUM: decoded(residual, a.latents),
        "FlexVAR: codes": [painted(t, truth.codebook.vectors()) for t in b.tokens],
        TRUTH: decoded(truth, b.latents),
    }


def scale_titles(schedule: Schedule, stride: int | None = None) -> list[str]:
    """Return what stands above the column of each scale: "8 x 8 tokens", and with a `stride` the size
    of the picture that they decode to, "64 x 64 px".
    """
    titles = []
    for height, width in schedule:
        tokens = "token" if height * width == 1 else "tokens"
        size = f", {pixels(height * stride, width * stride)}" if stride else ""
        titles.append(f"{times(height, width)} {tokens}{size}")
    return titles


def figure_2_sheet(
    rows: Mapping[str, Sequence[Tensor]], scene: Tensor
) -> dict[str, list[Tensor | None]]:
    """Return the rows of `both_pyramids` for a sheet, below the `scene` (1, 3, H, W) at each size.

    Codes stay as small as they are, pictures are smoothly enlarged to H x W. One row is added, CHANGE:
    what each step of VAR changes in the decoded sum, amplified; before the first there is no sum.
    """
    side, sums = scene.shape[-1], rows[SUM]
    sizes = [(x.shape[-2], x.shape[-1]) for x in rows[TRUTH]]
    shown: dict[str, list[Tensor | None]] = {
        "scene, downsampled": [enlarged(shrunk(scene, size), side) for size in sizes]
    }
    changes = [amplified(before, after, AMPLIFIED) for before, after in pairwise(sums)]
    for name, row in rows.items():
        if name == SUM:
            shown[CHANGE] = [None, *changes]
        shown[name] = [x if "codes" in name else enlarged(x, side) for x in row]
    return shown


def figure_2_numbers(
    residual: Tokenizer, truth: Tokenizer, average: Tensor, images: Tensor
) -> dict[str, Tensor]:
    """Return PSNR (scales, images) of VAR's steps alone and summed, of FlexVAR's alone, each against
    the scene at its own size, and of the `average` scene (1, 3, H, W).
    """
    rows, whole = both_pyramids(residual, truth, images), to_float(images)
    small = [shrunk(images, (x.shape[-2], x.shape[-1])) for x in rows[TRUTH]]
    means = [shrunk(average, (x.shape[-2], x.shape[-1])).expand_as(x) for x in small]
    return {
        "VAR, step alone": torch.stack([psnr(whole, x) for x in rows[STEP_ALONE]]),
        "VAR, sum so far": torch.stack([psnr(whole, x) for x in rows[SUM]]),
        "FlexVAR, step alone": torch.stack(
            [psnr(a, b) for a, b in zip(small, rows[TRUTH], strict=True)]
        ),
        "the average scene": torch.stack([psnr(a, b) for a, b in zip(small, means, strict=True)]),
    }


@torch.no_grad()
def decode_every_scale(
    tokenizer: Tokenizer, images: Tensor, schedule: Schedule, quantised: bool = True
) -> list[Tensor]:
    """Return, per scale, what a tokenizer decodes from its downsampled feature map, (B, 3, stride
    h_k, stride w_k): FlexVAR figures 3 and 14. Without `quantised` the codebook is left out.
    """
    f = tokenizer.encode(to_float(images).to(device_of(tokenizer)))
    if quantised:
        return decoded(tokenizer, GroundTruthPyramid(tokenizer.codebook)(f, schedule).latents)
    f = F.normalize(f, dim=1) if tokenizer.config.normalise else f
    return decoded(tokenizer, [down(f, size) for size in schedule])


def figure_3_numbers(
    kinds: Mapping[str, Tokenizer], schedule: Schedule, distance: nn.Module, images: Tensor
) -> dict[str, Tensor]:
    """Return (scales, images): PSNR, perceptual distance and PSNR without codebook of each of
    `kinds`, and where "multi" beats "single" in PSNR.
    """
    stride, side, values = kinds["multi"].stride, images.shape[-1], {}
    small = [shrunk(images, (height * stride, width * stride)) for height, width in schedule]
    large = [enlarged(picture, side) for picture in small]
    for name, tokenizer in kinds.items():
        made = decode_every_scale(tokenizer, images, schedule)
        free = decode_every_scale(tokenizer, images, schedule, quantised=False)
        values[f"psnr {name}"] = torch.stack([psnr(a, b) for a, b in zip(small, made, strict=True)])
        values[f"looks {name}"] = torch.stack(
            [perceptual(a, enlarged(b, side), distance) for a, b in zip(large, made, strict=True)]
        )
        values[f"free {name}"] = torch.stack([psnr(a, b) for a, b in zip(small, free, strict=True)])
    return values | {"wins": (values["psnr multi"] > values["psnr single"]).float()}


def over_all(
    numbers_of: Callable[[Tensor], Mapping[str, Tensor]], scenes: Tensor
) -> dict[str, list[float]]:
    """Return label -> the mean of each scale over all scenes, of what `numbers_of` says of a batch."""
    parts = [numbers_of(images) for images in scenes.split(BATCH)]
    return {
        label: torch.cat([part[label] for part in parts], 1).mean(1).tolist() for label in parts[0]
    }


@torch.no_grad()
def own_reading(tokenizer: Tokenizer, scenes: Tensor) -> dict[str, float]:
    """Return the PSNR at full size of a tokenizer that is used the way it was trained."""
    last = []
    for part in scenes.split(BATCH):
        f = tokenizer.encode(to_float(part).to(device_of(tokenizer)))
        last += decoded(tokenizer, tokenizer.quantise(f).latents[-1:])
    return {"psnr": psnr(scenes, torch.cat(last)).mean().item()}


@torch.no_grad()
def codes_in_use(
    tokenizer: Tokenizer, scenes: Tensor, schedule: Schedule
) -> dict[str, list[float]]:
    """Return the number of used codes, and their perplexity, of each scale and of all together."""
    parts = [
        tokenizer.tokens(to_float(part).to(device_of(tokenizer)), schedule)
        for part in scenes.split(BATCH)
    ]
    scales = usage_per_scale(
        [torch.cat(scale) for scale in zip(*parts, strict=True)], tokenizer.codebook.vocab_size
    )
    return {
        "used": [scale.used for scale in scales],
        "perplexity": [round(scale.perplexity, 1) for scale in scales],
    }


def error_per_scale(vectors: Tensor, flat: Sequence[Tensor], size: int, seed: int) -> list[float]:
    """Return the squared error of the nearest code, relative to the features, of each scale's
    features `flat` (N_k, C), for `size` codes drawn from `vectors` (N, C).
    """
    book = Codebook(size, vectors.shape[1]).to(vectors.device)
    book.fill(vectors, torch.Generator().manual_seed(seed))
    errors = [F.mse_loss(book.lookup(book.nearest(x)), x) / x.square().mean() for x in flat]
    return [error.item() for error in errors]


def figure_2_told(numbers: Mapping[str, Sequence[float]], names: Sequence[str]) -> str:
    """Return what figure 2 says of the first and last of the scales `names`, in decibels."""
    truth, lazy = numbers["FlexVAR, step alone"], numbers["the average scene"]
    alone, total = numbers["VAR, step alone"][-1], numbers["VAR, sum so far"][-1]
    return (
        f"ground-truth maps alone: {truth[0]:.1f} dB at {names[0]} to {truth[-1]:.1f} dB at "
        f"{names[-1]} (average scene {lazy[0]:.1f} to {lazy[-1]:.1f}); "
        f"VAR's last map alone {alone:.1f} dB, its sum {total:.1f} dB"
    )


def figure_3_told(gain: Sequence[float], names: Sequence[str]) -> str:
    """Return by how many decibels multi-scale is ahead of single-scale at each of `names`."""
    each = ", ".join(f"{ahead:+.1f} dB at {name}" for ahead, name in zip(gain, names, strict=True))
    return f"multi-scale minus single-scale: {each}"


AHEAD = "multi-scale ahead of both others at every scale below the full one"


def figure_14_report(each: Mapping[str, Mapping[str, Sequence[float]]]) -> dict:
    """Return checks and words on figure 14: is "multi" ahead of all others at every scale but the
    last? `each` is picture -> tokenizer -> PSNR by scale.
    """
    ahead = {
        label: all(
            own > max(others)
            for own, *others in list(
                zip(kinds["multi"], kinds["single"], kinds["VAR"], strict=True)
            )[:-1]
        )
        for label, kinds in each.items()
    }
    held = [label for label, is_ahead in ahead.items() if is_ahead]
    ours = f"{AHEAD} on {len(held)} of {len(ahead)} images: {', '.join(held) or 'none'}"
    return {"checks": {f"{AHEAD}: {label}": ahead[label] for label in ahead}, "ours": ours}
