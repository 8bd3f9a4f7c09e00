"""CycleGAN's and CUT's parts: shapes, the contrastive loss by its formula, the pool, and the call
they share with CycleVAR.
"""

import math

import pytest
import torch
from tiny import noise, pictures, same_state

from varbook.errors import VarbookError
from varbook.translate.rival_translators import (
    METHODS,
    ImagePool,
    PatchHeads,
    PixelGenerator,
    PixelTranslator,
    least_squares_discriminator,
    least_squares_generator,
    patch_nce,
)


def small(method: str = "cut") -> PixelTranslator:
    torch.manual_seed(0)
    return PixelTranslator((3, 7), method, channels=8, blocks=2)


@pytest.mark.parametrize("height, width", [(16, 16), (32, 16), (24, 40)])
def test_a_picture_comes_out_at_its_own_size_within_its_range(height, width):
    torch.manual_seed(0)
    network, image = PixelGenerator(8, 3), pictures(2, height, width)
    out = network(image)
    assert out.shape == image.shape and out.abs().max() <= 1
    shapes = [tuple(one.shape[1:]) for one in network.maps(image)]
    half, quarter = (height // 2, width // 2), (height // 4, width // 4)
    assert shapes == [
        (3, height, width),
        (16, *half),
        (32, *quarter),
        (32, *quarter),
        (32, *quarter),
    ]
    assert network.dims == tuple(shape[0] for shape in shapes)


@torch.no_grad()
def test_each_image_goes_through_the_generator_of_its_target():
    rival, image = small().eval(), pictures(3)
    out = rival(image, torch.tensor([7, 3, 7]))
    assert torch.allclose(out[[0, 2]], rival.model[1](image[[0, 2]]), atol=1e-5)
    assert torch.allclose(out[1:2], rival.model[0](image[1:2]), atol=1e-5)
    assert not torch.allclose(
        rival(image, torch.tensor([3, 3, 3])), rival(image, torch.tensor([7, 7, 7])), atol=1e-3
    )


def test_only_cut_has_heads_and_other_methods_are_refused():
    assert len(small("cut").heads) == 2 and not len(small("cyclegan").heads)
    with pytest.raises(VarbookError, match=", ".join(METHODS)):
        PixelTranslator((0, 1), "pix2pix")


def test_heads_give_vectors_of_length_one_at_the_places_asked_for():
    maps = [noise(2, 3, 4, 6), noise(2, 5, 2, 3, seed=1)]
    places = [torch.tensor([0, 7, 23]), torch.tensor([5, 2])]
    heads = PatchHeads((3, 5), width=8)
    out = heads(maps, places)
    assert [tuple(one.shape) for one in out] == [(2, 3, 8), (2, 2, 8)]
    assert all(
        torch.allclose(one.norm(dim=-1), torch.ones(one.shape[:2]), atol=1e-5) for one in out
    )
    slow = heads.heads[0](maps[0][1, :, 1, 1])  # place 7 of a map six wide is row 1, column 1
    assert torch.allclose(out[0][1, 1], slow / slow.norm(), atol=1e-5)


def test_the_contrastive_loss_by_its_formula():
    """-log exp(q_i k_i / tau) / sum_j exp(q_i k_j / tau), keys of the same image alone."""
    query, key, slow = noise(2, 3, 4), noise(2, 3, 4, seed=1), []
    for b in range(2):
        for i in range(3):
            scores = [math.exp(float(query[b, i] @ key[b, j]) / 0.5) for j in range(3)]
            slow.append(-math.log(scores[i] / sum(scores)))
    assert patch_nce(query, key, 0.5).item() == pytest.approx(sum(slow) / 6, rel=1e-4)
    assert patch_nce(
        query[:1].repeat(5, 1, 1), key[:1].repeat(5, 1, 1), 0.5
    ).item() == pytest.approx(patch_nce(query[:1], key[:1], 0.5).item(), rel=1e-5)


def test_the_contrastive_loss_is_small_where_each_patch_is_its_own_and_moves_the_query_alone():
    own = torch.eye(6)[None]
    assert patch_nce(own, own) < 1e-4 < patch_nce(own, own.roll(1, 1))
    query, key = noise(1, 4, 5).requires_grad_(), noise(1, 4, 5, seed=1).requires_grad_()
    patch_nce(query, key).backward()
    assert query.grad.abs().max() > 0 and key.grad is None


def test_least_squares_by_its_formula():
    real, fake = noise(3, 1, 2, 2), noise(3, 1, 2, 2, seed=1)
    wanted = (
        sum(
            0.5 * ((r - 1) ** 2 + f**2)
            for r, f in zip(real.flatten().tolist(), fake.flatten().tolist())
        )
        / 12
    )
    assert least_squares_discriminator(real, fake).item() == pytest.approx(wanted, rel=1e-5)
    assert least_squares_generator(fake).item() == pytest.approx(
        sum((f - 1) ** 2 for f in fake.flatten().tolist()) / 12, rel=1e-5
    )


def test_the_pool_fills_first_and_then_shows_old_images_half_of_the_time():
    pool, draws = ImagePool(4, (3, 2, 2)), torch.Generator().manual_seed(0)
    numbered = torch.arange(204.0).view(-1, 1, 1, 1).expand(-1, 3, 2, 2)
    assert torch.equal(pool.exchange(numbered[:4], draws), numbered[:4])
    out = pool.exchange(numbered[4:], draws)[:, 0, 0, 0]
    old = out != numbered[4:, 0, 0, 0]
    assert 70 <= old.sum() <= 130 and (out[old] < numbered[4:, 0, 0, 0][old]).all()
    everything = torch.cat((out, pool.images[:, 0, 0, 0]))
    assert len(everything.unique()) == len(everything)  # no image is shown twice or lost


def test_a_pool_is_part_of_the_state_and_one_of_size_nought_passes_everything():
    pool, other = ImagePool(4, (3, 2, 2)), ImagePool(4, (3, 2, 2))
    pool.exchange(noise(3, 3, 2, 2))
    other.load_state_dict(pool.state_dict())
    assert same_state(pool, other) and other.filled == 3
    fakes = noise(5, 3, 2, 2).requires_grad_()
    shown = ImagePool(0, (3, 2, 2)).exchange(fakes)
    assert torch.equal(shown, fakes) and not shown.requires_grad
