"""Distances between sets: none to itself, growing with damage, symmetric, and never called FID
without Inception.
"""

import json
import types

import pytest
import torch

from varbook import paths
from varbook.errors import VarbookError
from varbook.evaluate import fidelity as module
from varbook.evaluate.fidelity import METRICS, fidelity, frechet, kernel
from varbook.features.judge import Judge, JudgeConfig


@pytest.fixture(scope="module")
def judge():
    torch.manual_seed(0)
    return Judge(JudgeConfig(("horse", "zebra")))


@pytest.fixture(scope="module")
def images():
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(48, 3, 4, 4, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, size=32, mode="bicubic", align_corners=False)
    return (smooth.clamp(0, 1) * 255).round().to(torch.uint8)


def noisy(images, strength):
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(1))
    return (images + strength * noise).clamp(0, 255).to(torch.uint8)


def test_a_set_is_at_no_distance_from_itself(images, judge):
    scale = frechet(noisy(images, 60), images, judge).value
    assert abs(frechet(images, images, judge).value) < 1e-3 * scale
    assert abs(kernel(images, images, judge).value) < 0.05 * abs(
        kernel(noisy(images, 60), images, judge).value
    )


def test_distances_grow_with_damage_and_are_symmetric(images, judge):
    for measure in (frechet, kernel):
        small, large = (
            measure(noisy(images, 15), images, judge),
            measure(noisy(images, 60), images, judge),
        )
        assert small.value < large.value
        assert measure(images, noisy(images, 60), judge).value == pytest.approx(
            large.value, rel=0.02
        )


def test_frechet_distance_of_shifted_features_is_known(images):
    class Mean(Judge):
        def features(self, x):
            return x.mean(dim=(2, 3)) * 127.5

    grey = Mean(JudgeConfig(("horse", "zebra")))
    darker = (images.clamp(20, 235).int() - 20).to(torch.uint8)
    # Equal covariances: what is left is the squared distance of the means, 20 grey steps in each of
    # three colours.
    assert frechet(darker, images.clamp(20, 235), grey).value == pytest.approx(3 * 20**2, rel=1e-3)


def test_every_metric_has_its_own_name_and_a_card(images, judge):
    found = fidelity(
        noisy(images, 5), images[:40], judge, metrics=METRICS, describe="smooth images", seed=3
    )
    assert [found[metric].name for metric in METRICS] == [
        "FD-toy",
        "KD-toy",
        "IS-toy",
        "precision-toy",
        "recall-toy",
    ]
    card = found["kernel"].card
    assert card.evaluator.startswith("torch-fidelity 0.4") and "judge" in card.features
    assert (card.samples, card.reference_samples, card.reference, card.seed) == (
        48,
        40,
        "smooth images",
        3,
    )
    assert (
        "40" in card.protocol
        and json.dumps(found["frechet"].as_dict())
        and "FD-toy" in str(found["frechet"])
    )
    assert 0 <= found["precision"].value <= 1 and found["inception"].value >= 1


def test_two_judges_are_not_taken_for_each_other(images, judge):
    torch.manual_seed(1)
    other = Judge(JudgeConfig(("horse", "zebra")))
    values = [frechet(noisy(images, 60), images, one).value for one in (judge, other, judge)]
    assert values[0] == values[2] != values[1]


def test_floats_and_bytes_measure_the_same(images, judge):
    assert frechet(noisy(images, 30).float() / 127.5 - 1, images, judge).value == pytest.approx(
        frechet(noisy(images, 30), images, judge).value
    )


def test_mobilenet_is_called_by_its_name(images, pretrained, monkeypatch):
    monkeypatch.setattr(module, "inception_cached", lambda: False)
    # Kernel distance alone: the Frechet one takes eigenvalues of a 1280 x 1280 matrix, seconds of a
    # slow core.
    far = kernel(noisy(images[:10], 90), images[:10])
    # The estimate is unbiased: two sets of one kind would give a value about zero.
    assert far.name == "KD-mobilenet" and far.value > 0.1


def test_missing_weights_few_images_and_unknown_names_are_told(
    images, judge, monkeypatch, tmp_path
):
    with pytest.raises(VarbookError, match="10 images"):
        frechet(images[:3], images, judge)
    with pytest.raises(VarbookError, match="fid"):
        fidelity(images, images, judge, metrics=("fid",))
    with pytest.raises(VarbookError, match="vgg"):
        frechet(images, images, "vgg")
    monkeypatch.setattr(paths, "weights_file", lambda name: None)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    for features in ("auto", "inception"):
        with pytest.raises(VarbookError, match="torch.hub"):
            frechet(images, images, features)


class Colours(Judge):
    """Takes the mean colour for features, and how red and blue an image is for class scores."""

    def features(self, x):
        return x.mean(dim=(2, 3)) * 100

    def forward(self, x):
        red, _, blue = x.mean(dim=(2, 3)).unbind(1)
        return types.SimpleNamespace(species=20 * torch.stack((red, blue), 1))


def of_one_colour(levels):
    return torch.tensor(levels, dtype=torch.uint8)[:, :, None, None].expand(-1, -1, 8, 8)


@pytest.fixture
def few_and_many():
    """Images of two reds alone, and of these two and many blues: a model that has collapsed, and
    what it should have learnt.
    """
    reds = [(200 + n % 2, 0, 0) for n in range(20)]
    blues = [(0, 0, 60 + 9 * n) for n in range(20)]
    return of_one_colour(reds), of_one_colour(reds + blues)


def test_a_collapsed_model_is_precise_and_recalls_little(few_and_many):
    colours = Colours(JudgeConfig(("horse", "zebra")))
    few, many = few_and_many
    found = fidelity(few, many, colours, metrics=("precision", "recall"))
    assert found["precision"].value == 1 and found["recall"].value < 0.6
    turned = fidelity(many, few, colours, metrics=("precision", "recall"))
    assert turned["precision"].value < 0.6 and turned["recall"].value == 1


def test_the_inception_score_is_that_of_the_judged_images(few_and_many):
    colours = Colours(JudgeConfig(("horse", "zebra")))
    few, many = few_and_many
    alone = fidelity(few, many, colours, metrics=("inception",))["inception"].value
    both = fidelity(many, few, colours, metrics=("inception",))["inception"].value
    assert alone == pytest.approx(1, abs=0.05) and both > 1.5  # one class, two classes


def test_sets_of_two_sizes_are_refused(images, judge):
    larger = images.repeat_interleave(2, -1).repeat_interleave(2, -2)
    for one, other in ((images, larger), (larger, images)):
        with pytest.raises(VarbookError, match="needs pictures of one size, not .* and .*: their"):
            fidelity(one, other, judge)
