"""Differentiable augmentation: random per image, drawn from the generator, with gradients to what
is still seen.
"""

import pytest
import torch
from tiny import noise, pictures

from varbook.errors import VarbookError
from varbook.translate.augment import KINDS, augment, colour, cutout, translation


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def everything(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    return augment(images, generator=generator)


@pytest.mark.parametrize("change", [colour, translation, cutout, everything])
def test_each_image_is_changed_in_its_own_way_and_the_generator_decides(change):
    images = pictures(1, 24, 16).repeat(6, 1, 1, 1)
    out = change(images, seeded())
    assert out.shape == images.shape and torch.equal(out, change(images, seeded()))
    assert not torch.equal(out, change(images, seeded(1)))
    assert sum(not torch.equal(out[0], one) for one in out[1:]) >= 4
    assert torch.equal(images, pictures(1, 24, 16).repeat(6, 1, 1, 1))  # and the originals stay


def test_real_and_fake_images_are_changed_alike_from_equal_generators():
    """The change is linear in the image but for one shift of brightness: equal draws move two
    images by equal rules.
    """
    a, b = pictures(3), pictures(3, seed=1)
    changed = [everything(x, seeded()) for x in (a, b, (a + b) / 2)]
    assert torch.allclose(changed[2], (changed[0] + changed[1]) / 2, atol=1e-5)


def test_colour_does_by_image_what_its_formulas_say():
    images, draws = pictures(2), torch.rand(3, 2, generator=seeded())
    for image, brightness, saturation, contrast, out in zip(
        images, *draws, colour(images, seeded())
    ):
        slow = image + brightness - 0.5
        slow = slow.mean(0) + (slow - slow.mean(0)) * 2 * saturation
        slow = slow.mean() + (slow - slow.mean()) * (0.5 + contrast)
        assert torch.allclose(out, slow, atol=1e-5)


def test_translation_moves_by_at_most_an_eighth_and_fills_with_grey():
    images, seen = 1 + noise(64, 3, 16, 24).abs(), set()
    for image, out in zip(images, translation(images, seeded())):
        kept = (out[0] != 0).nonzero()
        (top, left), (bottom, right) = kept.amin(0).tolist(), (kept.amax(0) + 1).tolist()
        down, right_by = top - (16 - bottom), left - (24 - right)
        assert abs(down) <= 2 and abs(right_by) <= 3
        assert torch.equal(
            out[:, top:bottom, left:right],
            image[:, max(-down, 0) :, max(-right_by, 0) :][:, : bottom - top, : right - left],
        )
        seen.add((down, right_by))
    assert len(seen) > 10


def test_cutout_blanks_one_rectangle_of_at_most_half_the_sides():
    images = 1 + noise(32, 3, 16, 24).abs()
    for image, out in zip(images, cutout(images, seeded())):
        gone = out[0] == 0
        where = gone.nonzero()
        height, width = (where.amax(0) - where.amin(0) + 1).tolist()
        assert 4 <= height <= 8 and 6 <= width <= 12 and gone.sum() == height * width
        assert torch.equal(out[:, ~gone], image[:, ~gone])


def test_the_gradient_reaches_exactly_what_is_still_seen():
    images = pictures(4, 32, 32).requires_grad_()
    cutout(translation(images, seeded()), seeded(1)).sum().backward()
    share = (images.grad != 0).float().mean()
    assert 0.5 < share < 0.97 and set(images.grad.unique().tolist()) == {0.0, 1.0}
    images = pictures(4, 32, 32).requires_grad_()
    (everything(images, seeded()) * noise(4, 3, 32, 32)).sum().backward()
    assert (
        images.grad.isfinite().all() and (images.grad != 0).float().mean() > 0.9
    )  # contrast looks at all pixels


def test_kinds_are_applied_in_their_own_order_and_none_changes_nothing():
    images = pictures(3)
    draws, slow = seeded(), images
    for kind in ("colour", "translation", "cutout"):
        slow = KINDS[kind](slow, draws)
    assert torch.equal(everything(images, seeded()), slow)
    assert torch.equal(
        augment(images, ("cutout", "colour"), seeded()),
        augment(images, ("colour", "cutout"), seeded()),
    )
    assert augment(images, (), seeded()) is images
    with pytest.raises(VarbookError, match="no augmentation 'blur'.*cutout"):
        augment(images, ("cutout", "blur"))
