"""Structure distance: nothing for equal images, little for a change of brightness, much for
shuffled pieces.
"""

import pytest
import torch

from varbook import paths
from varbook.errors import VarbookError
from varbook.evaluate import structure
from varbook.evaluate.structure import self_similarity, structure_distance, structure_distances
from varbook.features import dino
from varbook.features.judge import Judge, JudgeConfig


@pytest.fixture(scope="module")
def images():
    grid = torch.linspace(-1, 1, 64)
    far = grid[:, None].square() + grid[None].square()
    disc = torch.where(far < 0.3, 0.7, -0.4)
    return torch.stack(
        [
            torch.stack([disc, disc * grid, disc * grid[:, None]]),
            torch.stack([-disc, disc, disc.roll(20, 1)]),
        ]
    )


@pytest.fixture(scope="module", params=["mobilenet", "judge"])
def features(request, pretrained):
    if request.param == "judge":
        torch.manual_seed(0)
        return Judge(JudgeConfig(("horse", "zebra")))
    return "mobilenet"


def shuffled(images):
    rows = torch.cat([part.roll(32, 3) for part in images.chunk(4, dim=2)][::-1], dim=2)
    return rows


def test_equal_images_have_none_and_shuffled_ones_more_than_brighter_ones(images, features):
    same = structure_distance(images, images, features)
    brighter = structure_distance((images * 0.9 + 0.05), images, features)
    moved = structure_distance(shuffled(images), images, features)
    assert same.value < 1e-6 and moved.value > 0.05
    assert brighter.value < 0.25 * moved.value
    assert same.name == ("structure-toy" if isinstance(features, Judge) else "structure-mobilenet")
    assert same.card.samples == 2 and "100" in same.card.protocol


def test_the_order_does_not_matter_and_batches_change_nothing(images, features):
    spatial = structure.spatial_features(features)
    one = structure_distances(images, shuffled(images), spatial, batch=1)
    assert torch.allclose(
        one, structure_distances(shuffled(images), images, spatial, batch=2), rtol=1e-4
    )


def test_self_similarity_ignores_the_length_of_descriptors():
    x = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(self_similarity(x), self_similarity(x * 7), atol=1e-6)
    assert torch.allclose(self_similarity(x).diagonal(dim1=1, dim2=2), torch.ones(2, 5))


def test_missing_weights_and_unknown_features_are_named(images, monkeypatch):
    with pytest.raises(VarbookError, match="clip"):
        structure_distance(images, images, "clip")
    with pytest.raises(VarbookError, match="do not go together"):
        structure_distance(images, images[:1], Judge(JudgeConfig(("horse", "zebra"))))
    monkeypatch.setattr(paths, "weights_file", lambda name: None)
    monkeypatch.setattr(dino, "checkpoint", lambda: None)
    for name in ("auto", "dino", "mobilenet"):
        with pytest.raises(VarbookError):
            structure_distance(images, images, name)
