"""The codebook: nearest codes by brute force, what counts as dead, and the cure."""

import pytest
import torch
import torch.nn.functional as F
from tiny import noise

from varbook.tokenizer.codebook import Codebook, places_of_largest


def book(codes: int, dim: int, normalise: bool = False) -> Codebook:
    made = Codebook(codes, dim, normalise=normalise)
    made.embedding.weight.data = noise(codes, dim, seed=5)
    return made


@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("shape", [(700, 8), (3, 5, 4, 8), (8,)])
def test_the_nearest_code_is_that_of_a_brute_force_search(normalise, shape):
    codebook, x = book(50, 8, normalise), noise(*shape)
    vectors, rows = codebook.embedding.weight.detach().double(), x.double().reshape(-1, 8)
    if normalise:
        vectors, rows = (
            vectors / vectors.norm(dim=1, keepdim=True),
            rows / rows.norm(dim=1, keepdim=True),
        )
    brute = (
        torch.cdist(rows, vectors, compute_mode="donot_use_mm_for_euclid_dist")
        .argmin(1)
        .view(shape[:-1])
    )
    assert torch.equal(codebook.nearest(x), brute)


def test_the_two_distances_differ_when_codes_differ_in_length():
    codebook, sphere = book(50, 8), book(50, 8, normalise=True)
    assert not torch.equal(codebook.nearest(noise(200, 8)), sphere.nearest(noise(200, 8)))


def test_a_code_is_its_own_nearest_and_lookup_gives_it_back():
    for normalise in (False, True):
        codebook = book(40, 6, normalise)
        indices = torch.arange(40).view(5, 8)
        found = codebook.lookup(indices)
        assert found.shape == (5, 8, 6)
        assert torch.equal(codebook.nearest(found), indices)
    assert torch.allclose(found.norm(dim=-1), torch.ones(5, 8))


def test_half_precision_around_it_does_not_change_the_choice():
    codebook, x = book(200, 8), noise(500, 8)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(codebook.nearest(x), book(200, 8).nearest(x))


def test_lookup_passes_the_gradient_to_the_chosen_codes_alone():
    codebook = book(6, 4)
    codebook.lookup(torch.tensor([1, 4, 4])).sum().backward()
    assert codebook.embedding.weight.grad[:, 0].tolist() == [0, 1, 0, 0, 2, 0]


def test_counting_is_a_moving_average_of_shares():
    codebook = book(4, 2)
    codebook.count(torch.tensor([[0, 0], [0, 3]]), decay=0.5)
    assert codebook.hits.tolist() == [0.375, 0, 0, 0.125]
    codebook.count(torch.tensor([1, 1]), decay=0.5)
    assert codebook.hits.tolist() == [0.1875, 0.5, 0, 0.0625]


def test_filling_puts_every_code_onto_a_feature():
    codebook, features = book(16, 3), noise(40, 3, seed=9)
    codebook.fill(features, torch.Generator().manual_seed(0))
    assert torch.cdist(codebook.embedding.weight, features).amin(1).max() < 1e-6
    assert codebook.hits.tolist() == pytest.approx([1 / 16] * 16)


def test_dead_codes_are_revived_onto_features_and_living_ones_stay():
    codebook, features = book(8, 3), noise(64, 3, seed=9)
    before = codebook.embedding.weight.detach().clone()
    codebook.hits[:] = torch.tensor([0.5, 0.0, 0.5, 0.0, 0.001, 0.01, 0.0, 0.01])
    assert (
        codebook.revive(features, torch.Generator().manual_seed(0)) == 4
    )  # fair share 1/8, dead below a fiftieth of it
    after, dead = codebook.embedding.weight.detach(), torch.tensor([1, 3, 4, 6])
    alive = torch.tensor([0, 2, 5, 7])
    assert torch.equal(after[alive], before[alive])
    assert torch.cdist(after[dead], features).amin(1).max() < 1e-6
    assert (
        codebook.revive(features, torch.Generator().manual_seed(0)) == 0
    )  # the revived start with a fair share


def test_reviving_raises_the_use_of_a_collapsed_codebook():
    codebook = Codebook(
        32, 4
    )  # the customary small start: next to real features almost all codes are one point
    features = noise(2000, 4) + 10
    used = [len(codebook.nearest(features).unique())]
    for step in range(3):
        codebook.count(codebook.nearest(features), decay=0.1)
        codebook.revive(features, torch.Generator().manual_seed(step))
        used.append(len(codebook.nearest(features).unique()))
    assert used[0] <= 8 and used[-1] >= 28


def test_the_generator_decides_what_is_drawn():
    results = []
    for seed in (0, 0, 1):
        codebook = book(8, 3)
        codebook.fill(noise(64, 3), torch.Generator().manual_seed(seed))
        results.append(codebook.embedding.weight.detach())
    assert torch.equal(results[0], results[1]) and not torch.equal(results[0], results[2])


def test_normalised_vectors_are_what_the_search_uses():
    codebook = book(9, 5, normalise=True)
    assert torch.allclose(codebook.vectors(), F.normalize(codebook.embedding.weight, dim=1))
    assert torch.equal(codebook.nearest(noise(20, 5)), codebook.nearest(7.5 * noise(20, 5)))


@pytest.mark.parametrize("choices", [7, 128, 384, 4096])
def test_the_place_of_the_largest_is_the_first_among_equals(choices):
    scores = torch.randint(0, 40, (50, choices), generator=torch.Generator().manual_seed(0)).float()
    assert scores.max(1).values.sub(scores.topk(2).values[:, 1]).eq(0).any()  # there are ties
    # numpy's argmax promises the first place, torch's promises none
    assert places_of_largest(scores).tolist() == scores.numpy().argmax(1).tolist()
