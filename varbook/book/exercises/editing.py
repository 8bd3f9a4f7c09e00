"""The exercises of chapter 06."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from varbook.book.exercises.checking import Case, Mistake, faults_of_tensor, try_out
from varbook.data.images import to_float
from varbook.data.toy import toy_images
from varbook.evaluate.generation import detail, resized
from varbook.generate.loop import Forced
from varbook.tokenizer.schedule import square

CLOSE = 1 / 255  # half a grey level, in [-1, 1]


def whole_cells(function: Callable) -> None:
    """Try `function(mask, stride)` -> the pixels (H, W) that are painted anew for a mask (H, W): whole
    cells, those of which at most half is known.
    """
    cases = []
    for seed, (height, width, stride) in enumerate(((32, 32, 8), (24, 48, 8), (16, 32, 4))):
        coarse = torch.rand(1, 1, 4, 4, generator=torch.Generator().manual_seed(seed))
        smooth = F.interpolate(coarse, size=(height, width), mode="bilinear")[0, 0]
        mask = smooth > smooth.median()
        told = f"{height} x {width} pixels, cells of {stride}"
        cases.append(Case((mask, stride), _painted(mask, stride), told))
    mistakes = (
        Mistake(lambda m, s: ~_painted(m, s), "these are the pixels that are kept: turn it round"),
        Mistake(
            lambda m, s: _share(m, s) > 0,
            "a cell with a few masked pixels is kept: its code is forced if more than half is known",
        ),
        Mistake(lambda m, s: m, "a code stands for a whole cell, so that all its pixels change"),
        Mistake(
            lambda m, s: F.avg_pool2d(m[None].float(), s)[0] >= 0.5,
            "this is one value for each cell: give every pixel the value of its cell",
        ),
    )
    try_out("exercise 1", function, cases, mistakes)


def _share(mask: Tensor, stride: int) -> Tensor:
    """Return for each pixel the masked share of its cell."""
    share = F.avg_pool2d(mask[None].float(), stride)[0]
    return share.repeat_interleave(stride, 0).repeat_interleave(stride, 1)


def _painted(mask: Tensor, stride: int) -> Tensor:
    return _share(mask, stride) >= 0.5


def forced_at(function: Callable) -> None:
    """Try `function(forced, scales)` -> a `Forced` that gives the codes at these scales alone."""
    generator, schedule = torch.Generator().manual_seed(0), square(1, 2, 3, 4)
    tokens = [torch.randint(9, (2, h, w), generator=generator) for h, w in schedule]
    masks = [torch.rand(2, h, w, generator=generator) > 0.4 for h, w in schedule]
    cases = []
    for scales, told in (((3,), "the last of four scales"), ((0, 1), "the first two of four")):
        cases.append(Case((Forced(tokens, masks), scales), _only(tokens, masks, scales), told))
    mistakes = (
        Mistake(
            lambda f, s: Forced([f.tokens[k] for k in s], [f.masks[k] for k in s]),
            "entries count from the coarsest scale: keep one for each scale, and empty its mask",
        ),
        Mistake(
            lambda f, s: Forced(
                f.tokens, [m if k not in s else m & False for k, m in enumerate(f.masks)]
            ),
            "these are forced at all the other scales",
        ),
        Mistake(
            lambda f, s: Forced(
                f.tokens, [m if k in s else m | True for k, m in enumerate(f.masks)]
            ),
            "a mask is True where a code is given: elsewhere it must be False",
        ),
    )
    try_out("exercise 2", function, cases, mistakes)


def _only(tokens: list[Tensor], masks: list[Tensor], scales: tuple[int, ...]) -> Callable:
    def fault(answer: object) -> str:
        if not isinstance(answer, tuple) or len(answer) != 2:
            return "return a Forced: tokens and masks"
        own_tokens, own_masks = answer
        for name, entries in (("tokens", own_tokens), ("masks", own_masks)):
            if not isinstance(entries, (tuple, list)) or len(entries) != len(tokens):
                return f"wanted {len(tokens)} {name}, one for each scale"
        for k, (given, mask) in enumerate(zip(own_tokens, own_masks, strict=True)):
            wrong = faults_of_tensor(mask, tuple(masks[k].shape))
            if wrong:
                return f"the mask of scale {k}: {wrong}"
            wanted = int(masks[k].sum()) if k in scales else 0
            if int(mask.sum()) != wanted:
                return f"scale {k} has {int(mask.sum())} codes forced, wanted {wanted}"
            if not torch.equal(mask.bool(), masks[k] & (k in scales)):
                return f"the mask of scale {k} is True at other places"
            if k in scales and not torch.equal(torch.as_tensor(given), tokens[k]):
                return f"the codes of scale {k} have changed"
        return ""

    return fault


def feathered(function: Callable) -> None:
    """Try `function(image, painted, mask, radius)` -> the two blended: the weight of `painted` at a
    pixel is the masked share of the square of side 2 radius + 1 around it.
    """
    generator = torch.Generator().manual_seed(3)
    image, painted = torch.rand(2, 3, 12, 16, generator=generator) * 2 - 1
    mask = torch.zeros(12, 16, dtype=torch.bool)
    mask[3:9, :7] = True  # touches the border
    cases = [
        Case((image, painted, mask, r), _blend(image, painted, mask, r), f"radius {r}")
        for r in (2, 0)
    ]
    mistakes = (
        Mistake(
            lambda x, y, m, r: torch.where(m, y, x),
            "the edge is as sharp as before: average the mask over the neighbourhood",
        ),
        Mistake(lambda x, y, m, r: _blend(y, x, m, r), "that is the other way round"),
        Mistake(
            lambda x, y, m, r: _blend(x, y, m, r, border=True),
            "at the border average only over pixels that exist (count_include_pad)",
        ),
        Mistake(
            lambda x, y, m, r: _blend(x, y, m, 0) if r == 0 else _narrow(x, y, m, r),
            "the square reaches `radius` pixels to each side: its side is 2 radius + 1",
        ),
    )
    try_out("exercise 3", function, cases, mistakes)


def _blend(
    image: Tensor, painted: Tensor, mask: Tensor, radius: int, border: bool = False
) -> Tensor:
    soft = F.avg_pool2d(
        mask[None].float(), 2 * radius + 1, stride=1, padding=radius, count_include_pad=border
    )
    return soft * painted + (1 - soft) * image


def _narrow(image: Tensor, painted: Tensor, mask: Tensor, radius: int) -> Tensor:
    soft = F.avg_pool2d(mask[None].float(), radius + 1, 1, radius // 2, count_include_pad=False)
    return soft * painted + (1 - soft) * image


def faithful(function: Callable) -> None:
    """Try `function(small, large)` -> large pictures (N, 3, H, W) that are `small` when downsampled, to
    half a grey level, and have the detail of `large`.
    """
    true = to_float(toy_images(4, 32, seed=9).images)
    small = resized(true, 16)
    noise = torch.randn(true.shape, generator=torch.Generator().manual_seed(1))
    large = (0.8 * true + 0.1 + 0.05 * noise).clamp(-1, 1)  # other colours, other detail
    case = Case((small, large), lambda answer: _unfaithful(answer, small, large), "four pictures")
    mistakes = (
        Mistake(lambda s, x: x, "this is `large` as it was"),
        Mistake(_once, "once is not enough: repeat the correction"),
        Mistake(_turned, "mind the sign: the small picture minus the downsampled one"),
        Mistake(
            lambda s, x: resized(s, x.shape[-1]),
            "this is the small picture, enlarged: the detail that was drawn is lost",
        ),
    )
    try_out("exercise 4", function, [case], mistakes)


def _correction(small: Tensor, large: Tensor) -> Tensor:
    reduced = F.interpolate(large, size=small.shape[-2:], mode="bicubic", antialias=True)
    size = large.shape[-2:]
    return F.interpolate(small - reduced, size=size, mode="bicubic", antialias=True)


def _once(small: Tensor, large: Tensor) -> Tensor:
    return (large + _correction(small, large)).clamp(-1, 1)


def _turned(small: Tensor, large: Tensor) -> Tensor:
    return (large - _correction(small, large)).clamp(-1, 1)


def _unfaithful(answer: object, small: Tensor, large: Tensor) -> str:
    wrong = faults_of_tensor(answer, tuple(large.shape))
    if wrong:
        return wrong
    assert isinstance(answer, Tensor)
    answer = answer.float()
    reduced = F.interpolate(answer, size=small.shape[-2:], mode="bicubic", antialias=True)
    off = (reduced - small).abs().mean().item()
    if off > CLOSE:
        return f"downsampled it differs from the small pictures by {off * 127.5:.1f} grey levels"
    kept = (detail(answer).mean() / detail(large).mean()).item()
    if not 0.8 < kept < 1.4:
        return f"its detail is {kept:.2f} times that of `large`"
    if float(answer.abs().max()) > 1.0001:
        return "some pixels are outside of [-1, 1]"
    return ""
