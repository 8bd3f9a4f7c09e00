"""Editing: what is known keeps its codes, what is masked has no influence, and bad input is told
what would work.
"""

import pytest
import torch
from tiny import MODEL, SCHEDULE, SIDE, pictures, tiny_model, tiny_tokenizer

from varbook.errors import VarbookError
from varbook.generate.editing import (
    extend,
    hide,
    inpaint,
    keep_masks,
    known_codes,
    on_canvas,
    outpaint,
    refine,
)
from varbook.generate.loop import generate
from varbook.generate.sampling import Drawing
from varbook.tokenizer.schedule import make_schedule, schedule_for, square

KINDS = ("residual", "ground_truth")
LABELS = torch.tensor([0, 2])


def dice(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def hole(height: int = SIDE, width: int = SIDE) -> torch.Tensor:
    """A mask over the lower right quarter and a bit more: its edge cuts through cells of every
    scale.
    """
    mask = torch.zeros(height, width, dtype=torch.bool)
    mask[height // 2 - 1 :, width // 2 - 3 :] = True
    return mask


def outside(mask: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Say cell by cell, slowly, where more than half of the pixels are not masked."""
    (h, w), (H, W) = size, mask.shape
    known = torch.zeros(size, dtype=torch.bool)
    for i in range(h):
        for j in range(w):
            rows, columns = (
                slice(i * H // h, -(-(i + 1) * H // h)),
                slice(j * W // w, -(-(j + 1) * W // w)),
            )
            known[i, j] = (~mask[rows, columns]).float().mean() > 0.5
    return known


@pytest.mark.parametrize("kind", KINDS)
def test_codes_outside_the_mask_are_unchanged_and_those_inside_are_drawn(kind):
    model, tokenizer, image, mask = tiny_model(kind), tiny_tokenizer(kind), pictures(2), hole()
    known = known_codes(tokenizer, image, ~mask.expand(2, SIDE, SIDE), SCHEDULE)
    out = inpaint(model, tokenizer, image, mask, LABELS, generator=dice())
    for k, size in enumerate(SCHEDULE):
        keep = outside(mask, size) | (size == (1, 1))
        assert keep.any() and torch.equal(out.tokens[k][:, keep], known.tokens[k][:, keep])
    assert (out.tokens[-1] != known.tokens[-1]).any()
    other = inpaint(model, tokenizer, image, mask, LABELS, generator=dice(1))
    assert (out.tokens[-1] != other.tokens[-1]).any()
    assert out.images.shape == image.shape


@torch.no_grad()
def test_far_from_the_mask_the_known_codes_are_those_of_the_whole_image():
    tokenizer, image = tiny_tokenizer("ground_truth"), pictures(2, 48, 48)
    mask = torch.zeros(48, 48, dtype=torch.bool)
    mask[40:, 40:] = True
    schedule = square(1, 2, 4, 12)
    known, whole = (
        known_codes(tokenizer, image, ~mask.expand(2, 48, 48), schedule),
        tokenizer.tokens(image, schedule),
    )
    same = (known.tokens[-1] == whole[-1])[
        :, :4, :4
    ]  # beyond the reach of the encoder's convolutions and norms' means
    assert same.float().mean() > 0.8


@pytest.mark.parametrize("kind", KINDS)
def test_what_lies_under_the_mask_has_no_influence(kind):
    model, tokenizer, image, mask = tiny_model(kind), tiny_tokenizer(kind), pictures(2), hole()
    changed = torch.where(mask, pictures(2, seed=9), image)
    assert not torch.equal(changed, image)
    first, second = (
        inpaint(model, tokenizer, one, mask, LABELS, generator=dice()) for one in (image, changed)
    )
    assert all(torch.equal(a, b) for a, b in zip(first.tokens, second.tokens))


def test_without_a_mask_the_image_comes_back_as_the_tokenizer_knows_it():
    model, tokenizer, image = (
        tiny_model("ground_truth"),
        tiny_tokenizer("ground_truth"),
        pictures(2),
    )
    out = inpaint(model, tokenizer, image, torch.zeros(SIDE, SIDE), LABELS)
    assert all(torch.equal(a, b) for a, b in zip(out.tokens, tokenizer.tokens(image)))
    assert torch.allclose(out.images, tokenizer.reconstruct(image)[-1], atol=1e-5)


def test_nothing_shows_through_what_is_hidden():
    x, keep = pictures(2, 8, 8), torch.ones(2, 1, 8, 8, dtype=torch.bool)
    keep[0, :, :4] = False
    hidden = hide(x, keep)
    assert torch.equal(hidden[1], x[1]) and torch.equal(hidden[0, :, 4:], x[0, :, 4:])
    assert torch.allclose(hidden[0, :, 0, 0], x[0, :, 4:].mean((1, 2)), atol=1e-6)


def test_masks_are_resized_to_every_scale_and_tiny_scales_are_forced():
    schedule = ((1, 1), (1, 2), (2, 4), (3, 5), (4, 8))
    mask = hole(16, 32)
    masks = keep_masks(~mask[None], schedule)
    assert all(m.shape == (1, *size) for m, size in zip(masks, schedule))
    assert masks[0].all() and masks[1].all()
    for one, size in zip(masks[2:], schedule[2:]):
        assert torch.equal(one[0], outside(mask, size)) and one.any() and not one.all()


def test_painting_out_is_painting_in_with_the_mask_outside():
    model, tokenizer, image = (
        tiny_model("ground_truth"),
        tiny_tokenizer("ground_truth"),
        pictures(2),
    )
    keep = ~hole()
    a = outpaint(model, tokenizer, image, keep, LABELS, generator=dice())
    b = inpaint(model, tokenizer, image, ~keep, LABELS, generator=dice())
    assert all(torch.equal(x, y) for x, y in zip(a.tokens, b.tokens))


@pytest.mark.parametrize(
    "size, columns", [((16, 32), slice(2, 6)), ((16, 48), slice(4, 8)), ((24, 16), slice(0, 4))]
)
def test_an_extension_keeps_the_image_in_the_centre(size, columns):
    model, tokenizer, image = (
        tiny_model("ground_truth"),
        tiny_tokenizer("ground_truth"),
        pictures(2),
    )
    out = extend(model, tokenizer, image, size, LABELS, generator=dice())
    assert out.images.shape[-2:] == size and tuple(out.tokens[-1].shape[1:]) == (
        size[0] // 4,
        size[1] // 4,
    )
    canvas, mask = on_canvas(image, size, 4)
    known = known_codes(
        tokenizer,
        canvas,
        ~mask.expand(2, *size),
        schedule_for(SCHEDULE, (size[0] // 4, size[1] // 4)),
    )
    top = (size[0] - 16) // 2 // 4
    rows = slice(top, top + 4)
    assert torch.equal(out.tokens[-1][:, rows, columns], known.tokens[-1][:, rows, columns])
    assert (
        not mask[4 * top : 4 * top + 16, 4 * columns.start : 4 * columns.stop].any()
        and int((~mask).sum()) == 256
    )


def test_refining_keeps_the_codes_of_the_small_image_and_draws_the_larger_scales():
    model, tokenizer, image = (
        tiny_model("ground_truth"),
        tiny_tokenizer("ground_truth"),
        pictures(2, 12, 12),
    )
    out = refine(model, tokenizer, image, (24, 24), LABELS, generator=dice())
    enlarged = torch.nn.functional.interpolate(image, size=(24, 24), mode="bicubic").clamp(-1, 1)
    low = tokenizer.tokens(enlarged, square(1, 2, 3, 6))[:3]
    assert [tokens.shape[-1] for tokens in out.tokens] == [1, 2, 3, 4, 6] and out.images.shape == (
        2,
        3,
        24,
        24,
    )
    assert all(torch.equal(a, b) for a, b in zip(out.tokens, low))
    other = refine(model, tokenizer, image, (24, 24), LABELS, generator=dice(1))
    assert torch.equal(other.tokens[2], low[2]) and (other.tokens[-1] != out.tokens[-1]).any()


def test_rectangles_are_refined_too():
    model, tokenizer = tiny_model("ground_truth"), tiny_tokenizer("ground_truth")
    out = refine(model, tokenizer, pictures(1, 8, 16), (24, 48), LABELS[:1], generator=dice())
    assert out.images.shape[-2:] == (24, 48) and (2, 4) in [
        tuple(tokens.shape[1:]) for tokens in out.tokens
    ]


def test_the_drawing_is_passed_on():
    model, tokenizer, image, mask = (
        tiny_model("ground_truth"),
        tiny_tokenizer("ground_truth"),
        pictures(2),
        hole(),
    )
    greedy = Drawing(guidance=3.0, top_k=1)
    out = inpaint(model, tokenizer, image, mask, LABELS, drawing=greedy)
    known = known_codes(tokenizer, image, ~mask.expand(2, SIDE, SIDE), SCHEDULE)
    same = generate(model, tokenizer, LABELS, drawing=Drawing(guidance=3.0, top_k=1), forced=known)
    assert all(torch.equal(a, b) for a, b in zip(out.tokens, same.tokens))


@pytest.mark.parametrize(
    "change, says",
    [
        (
            {"mask": torch.zeros(8, 8)},
            r"does not fit these images; make it \(2, 16, 16\) or \(16, 16\)",
        ),
        ({"mask": torch.zeros(3, SIDE, SIDE)}, "does not fit these images"),
        ({"mask": torch.ones(SIDE, SIDE)}, "covers a whole image"),
        ({"labels": torch.tensor([0, 7])}, r"run from 0 to 2 .* the nearest are \[2\]"),
        ({"image": pictures(2, 18, 16)}, "does not fit the stride of 4; use 16 x 16"),
        ({"schedule": square(1, 3, 2, 4)}, "must grow"),
        (
            {"schedule": square(1, 2, 5)},
            r"must be the size of the latent \(4, 4\); try \(\(1, 1\), \(2, 2\), \(4, 4\)\)",
        ),
    ],
)
def test_bad_input_is_told_what_would_work(change, says):
    given = {"image": pictures(2), "mask": hole(), "labels": LABELS, "schedule": None} | change
    with pytest.raises(VarbookError, match=says) as error:
        inpaint(tiny_model("ground_truth"), tiny_tokenizer("ground_truth"), *given.values())
    assert "\n" not in str(error.value)


def test_bad_sizes_are_told_what_would_work():
    model, tokenizer, image = (
        tiny_model("ground_truth"),
        tiny_tokenizer("ground_truth"),
        pictures(2),
    )
    with pytest.raises(VarbookError, match="stride of 4; use 16 x 32"):
        extend(model, tokenizer, image, (16, 31), LABELS)
    with pytest.raises(VarbookError, match=r"cannot be extended to 8 x 32; use \(16, 32\)"):
        extend(model, tokenizer, image, (8, 32), LABELS)
    for size, near in (((16, 32), "32 x 32"), ((16, 16), "32 x 32"), ((64, 32), "64 x 64")):
        with pytest.raises(VarbookError, match=f"use {near}"):
            refine(model, tokenizer, image, size, LABELS)
    with pytest.raises(VarbookError, match="stride of 4; use 24 x 24"):
        refine(model, tokenizer, image, (26, 26), LABELS)
    with pytest.raises(VarbookError, match="allows 1 to 4 steps, not 5"):
        inpaint(
            model, tokenizer, image, hole(), LABELS, make_schedule(tokenizer.latent_size(16, 16), 5)
        )
    with pytest.raises(VarbookError, match="only the schedule of their training"):
        extend(tiny_model("residual"), tiny_tokenizer("residual"), image, (16, 32), LABELS)
    assert MODEL.classes == 3
