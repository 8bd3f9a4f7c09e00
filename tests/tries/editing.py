import torch
import torch.nn.functional as F

from varbook.book.exercises import editing
from varbook.generate.loop import Forced


def masked_share(mask, stride):
    share = F.avg_pool2d(mask[None].float(), stride)[0]
    return share.repeat_interleave(stride, 0).repeat_interleave(stride, 1)


def at(forced, scales):
    masks = [m if k in scales else torch.zeros_like(m) for k, m in enumerate(forced.masks)]
    return Forced(forced.tokens, masks)


def blended(image, painted, mask, radius, side=None, border=False):
    side = side or 2 * radius + 1
    soft = F.avg_pool2d(mask[None].float(), side, 1, side // 2, count_include_pad=border)
    return image + soft * (painted - image)


def corrected(small, large, times=4, sign=1):
    for _ in range(times):
        reduced = F.interpolate(large, size=small.shape[-2:], mode="bicubic", antialias=True)
        off = F.interpolate(small - reduced, size=large.shape[-2:], mode="bicubic", antialias=True)
        large = (large + sign * off).clamp(-1, 1)
    return large


TRIES = {
    "whole cells": (
        editing.whole_cells,
        lambda m, s: masked_share(m, s) >= 0.5,
        {
            "the pixels that are kept": lambda m, s: masked_share(m, s) < 0.5,
            "if more than half is known": lambda m, s: masked_share(m, s) > 0,
            "all its pixels change": lambda m, s: m,
            "give every pixel the value of its cell": lambda m, s: (
                F.avg_pool2d(m[None].float(), s)[0] >= 0.5
            ),
        },
    ),
    "forced at": (
        editing.forced_at,
        at,
        {
            "one for each scale": lambda f, s: Forced(
                [f.tokens[k] for k in s], [f.masks[k] for k in s]
            ),
            "at all the other scales": lambda f, s: at(f, [k for k in range(4) if k not in s]),
            "codes forced, wanted 0": lambda f, s: f,
            "return a Forced": lambda f, s: at(f, s).masks[0],
            "is True at other places": lambda f, s: Forced(
                f.tokens, [m.flip(2) for m in at(f, s).masks]
            ),
            "the codes of scale": lambda f, s: Forced([t + 1 for t in f.tokens], at(f, s).masks),
        },
    ),
    "feathered": (
        editing.feathered,
        blended,
        {
            "as sharp as before": lambda x, y, m, r: torch.where(m, y, x),
            "the other way round": lambda x, y, m, r: blended(y, x, m, r),
            "only over pixels that exist": lambda x, y, m, r: blended(x, y, m, r, border=True),
            "its side is 2 radius + 1": lambda x, y, m, r: blended(x, y, m, r, side=r + 1),
        },
    ),
    "faithful": (
        editing.faithful,
        corrected,
        {
            "once is not enough": lambda s, x: corrected(s, x, 1),
            "mind the sign": lambda s, x: corrected(s, x, 1, sign=-1),
            "this is `large` as it was": lambda s, x: x,
            "the detail that was drawn is lost": lambda s, x: F.interpolate(
                s, size=x.shape[-2:], mode="bicubic", antialias=True
            ).clamp(-1, 1),
            "times that of `large`": lambda s, x: corrected(
                s, F.interpolate(s, size=x.shape[-2:], mode="bilinear")
            ),
        },
    ),
}
