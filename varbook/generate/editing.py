"""Editing without training (FlexVAR section 4.4): an
edit is a generation in which some codes are given.

Painting in, painting out, extending and refining differ in which codes those are, and in nothing
else. None of them is in the released code; the recipe for masks is that of VAR's example: a mask is
resized to every scale, and where more than half of a cell is known, its code is forced.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from varbook.data.images import check_size
from varbook.errors import VarbookError
from varbook.generate.loop import Forced, Generated, generate
from varbook.generate.sampling import PLAIN, Drawing
from varbook.tokenizer.pyramid import down
from varbook.tokenizer.schedule import Scale, Schedule, check_schedule, schedule_for, size_of
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.transformer.model import NextScaleModel

WHOLE = 3  # scales of so few cells are forced entirely: no mask can be told from the rest there


def hide(x: Tensor, keep: Tensor) -> Tensor:
    """Return `x` (B, C, h, w) with the mean of what is kept wherever `keep` (B, 1, h, w) is False:
    nothing shows through.
    """
    count = keep.sum((2, 3), keepdim=True).clamp_min(1)
    mean = (x * keep).sum((2, 3), keepdim=True) / count  # B C 1 1
    return torch.where(keep, x, mean)


def keep_masks(keep: Tensor, schedule: Schedule) -> list[Tensor]:
    """Return, per scale, which codes are forced (B, h, w),
    for `keep` (B, H, W), True where the pixels are known.
    """
    shares = [
        down(keep[:, None].float(), size)[:, 0] for size in schedule
    ]  # B h w, how much of each cell is known
    return [(share > 0.5) | (share[0].numel() <= WHOLE) for share in shares]


@torch.no_grad()
def known_codes(tokenizer: Tokenizer, image: Tensor, keep: Tensor, schedule: Schedule) -> Forced:
    """Return the codes of images (B, 3, H, W) where `keep` (B, H, W)
    is True; the other pixels have no influence on them.
    """
    f = tokenizer.encode(hide(image, keep[:, None]))  # B C h w
    inside = down(keep[:, None].float(), size_of(f)) > 0.5  # B 1 h w
    return Forced(tokenizer.quantise(hide(f, inside), schedule).tokens, keep_masks(keep, schedule))


def check_image(image: Tensor) -> Tensor:
    """Return images (B, 3, H, W) in [-1, 1] that can be edited; VarbookError for anything else."""
    if not isinstance(image, Tensor) or image.ndim != 4 or image.shape[1] != 3 or not image.numel():
        told = tuple(image.shape) if isinstance(image, Tensor) else type(image).__name__
        raise VarbookError(f"Images are one tensor (B, 3, H, W) of one or more, not {told}.")
    # Half a range of slack, as measures allow: images in [0, 255] must not pass.
    if not image.is_floating_point() or not bool((image.abs() <= 1.5).all()):
        raise VarbookError(
            "Images to edit are floats in [-1, 1]: varbook.data.images.to_float makes them of uint8."
        )
    return image


def check_mask(mask: Tensor, image: Tensor) -> Tensor:
    """Return a mask (H, W) or (B, H, W) as booleans (B, H, W); VarbookError where it does not fit
    the images (B, 3, H, W).
    """
    if not isinstance(mask, Tensor):
        raise VarbookError(f"A mask is a tensor (H, W) or (B, H, W), not {type(mask).__name__}.")
    shape = (len(image), *image.shape[-2:])
    mask = mask[None] if mask.ndim == 2 else mask
    if tuple(mask.shape[-2:]) != shape[1:] or mask.ndim != 3 or len(mask) not in (1, shape[0]):
        raise VarbookError(
            f"A mask of the shape {tuple(mask.shape)} does not fit these images; make it {shape} or {shape[1:]}."
        )
    mask = mask.bool().expand(shape).to(image.device)
    if mask.flatten(1).all(1).any():
        raise VarbookError(
            "The mask covers a whole image, so that nothing is left to go by; leave a part, or use generate."
        )
    return mask


def inpaint(
    model: NextScaleModel,
    tokenizer: Tokenizer,
    image: Tensor,
    mask: Tensor,
    labels: Tensor,
    schedule: Schedule | None = None,
    *,
    drawing: Drawing = PLAIN,
    generator: torch.Generator | None = None,
) -> Generated:
    """Paint images (B, 3, H, W) in [-1, 1] anew where `mask` (H, W) or (B, H, W) is True, as
    classes `labels` (B,).

    At every scale the codes outside the mask are those of the image; its
    pixels come back as the tokenizer decodes them. Raises VarbookError
    for an image, a mask, labels or a schedule that do not go together.
    """
    size = tokenizer.latent_size(*check_image(image).shape[-2:])
    schedule = check_schedule(schedule or schedule_for(model.config.schedule, size), size)
    forced = known_codes(tokenizer, image, ~check_mask(mask, image), schedule)
    return generate(model, tokenizer, labels, schedule, drawing, forced=forced, generator=generator)


def outpaint(
    model: NextScaleModel,
    tokenizer: Tokenizer,
    image: Tensor,
    keep: Tensor,
    labels: Tensor,
    schedule: Schedule | None = None,
    *,
    drawing: Drawing = PLAIN,
    generator: torch.Generator | None = None,
) -> Generated:
    """Paint everything anew but what `keep` (H, W) or
    (B, H, W) marks: `inpaint` with the mask outside.
    """
    return inpaint(
        model,
        tokenizer,
        image,
        ~keep.bool() if isinstance(keep, Tensor) else keep,
        labels,
        schedule,
        drawing=drawing,
        generator=generator,
    )


def on_canvas(image: Tensor, size: Scale, stride: int) -> tuple[Tensor, Tensor]:
    """Return a black canvas (B, 3, H', W') of `size` with the images (B, 3, H, W) in its centre,
    and the mask (H', W') around them.

    The place is rounded to whole cells of `stride` pixels. Raises VarbookError for a canvas that is
    smaller than the images.
    """
    height, width = image.shape[-2:]
    if size[0] < height or size[1] < width:
        near = (max(size[0], height), max(size[1], width))
        raise VarbookError(
            f"An image of {height} x {width} pixels cannot be extended to {size[0]} x {size[1]}; use {near}."
        )
    top, left = (
        (a - b) // 2 // stride * stride for a, b in zip(size, (height, width), strict=True)
    )
    canvas, mask = (
        image.new_zeros(*image.shape[:2], *size),
        torch.ones(size, dtype=torch.bool, device=image.device),
    )
    canvas[..., top : top + height, left : left + width] = image
    mask[top : top + height, left : left + width] = False
    return canvas, mask


def extend(
    model: NextScaleModel,
    tokenizer: Tokenizer,
    image: Tensor,
    size: Scale,
    labels: Tensor,
    schedule: Schedule | None = None,
    *,
    drawing: Drawing = PLAIN,
    generator: torch.Generator | None = None,
) -> Generated:
    """Continue images (B, 3, H, W) on all sides to `size` = (height, width) pixels, with their own
    codes forced in the centre.
    """
    size = check_size(size)
    tokenizer.latent_size(*size)
    canvas, mask = on_canvas(check_image(image), size, tokenizer.stride)
    return inpaint(
        model, tokenizer, canvas, mask, labels, schedule, drawing=drawing, generator=generator
    )


def refine(
    model: NextScaleModel,
    tokenizer: Tokenizer,
    image: Tensor,
    size: Scale,
    labels: Tensor,
    *,
    drawing: Drawing = PLAIN,
    generator: torch.Generator | None = None,
) -> Generated:
    """Draw low-resolution images (B, 3, H, W) anew at `size` = (height, width) pixels, with the
    detail that classes `labels` have.

    The images are enlarged before they are encoded, as in FlexVAR section 4.4:
    at their own size the encoder would see an animal that is too small. The
    codes up to their own latent size are forced, the larger scales drawn.
    Raises VarbookError where `size` is not larger, or has another aspect ratio.
    """
    (height, width), trained, size = (
        check_image(image).shape[-2:],
        model.config.schedule,
        check_size(size),
    )
    if size[0] * width != size[1] * height or size[0] <= height:
        near = max(2, round(size[0] / height))
        raise VarbookError(
            f"Refining enlarges an image without stretching it, so {height} x {width} pixels cannot become "
            f"{size[0]} x {size[1]}; use {near * height} x {near * width}."
        )
    low = schedule_for(trained, tokenizer.latent_size(height, width))
    schedule = schedule_for(low, tokenizer.latent_size(*size))
    enlarged = F.interpolate(image, size=size, mode="bicubic").clamp(-1, 1)  # B 3 H' W'
    tokens = tokenizer.tokens(enlarged, schedule)[: len(low)]
    forced = Forced(tokens, [torch.ones_like(codes, dtype=torch.bool) for codes in tokens])
    return generate(model, tokenizer, labels, schedule, drawing, forced=forced, generator=generator)
