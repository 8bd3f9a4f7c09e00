"""Counterparts: perfect, idle and blurred translations get the marks that they deserve."""

import pytest
import torch
import torch.nn.functional as F

from varbook.data.toy import toy_images
from varbook.evaluate.counterparts import attribute_accuracy, edge_agreement, judge_counterpart
from varbook.features.attributes import AttributeConfig, AttributeJudge


class AllKnowing(AttributeJudge):
    """Knows the time by the brightness, and takes every animal for a cow."""

    def forward(self, images):
        bright = images.mean((1, 2, 3))
        time = torch.stack((bright, -bright - 0.4), 1)
        return {"animal": torch.tensor([[0.0, 1.0]]).expand(len(images), -1), "time": time}


@pytest.fixture(scope="module")
def judge():
    return AllKnowing(
        AttributeConfig(
            ("horse", "cow"), ("striped", "brown", "cream", "chestnut", "black", "white", "grey")
        )
    )


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VARBOOK_HOME", str(tmp_path_factory.mktemp("home")))
        return tuple(
            toy_images(6, 32, seed=5, species="cow", night=night) for night in (False, True)
        )


def test_a_perfect_translation_and_an_idle_one(judge, sets):
    day, night = sets
    perfect = judge_counterpart(judge, day, night, night.images, "time")
    assert (
        perfect["psnr"] == 100.0
        and perfect["target"] == perfect["animal"] == 1.0
        and perfect["images"] == 6
    )
    assert perfect["edges"] == pytest.approx(perfect["edges_hidden"])
    assert (
        perfect["gain"] == pytest.approx(100.0 - perfect["untranslated"]) and perfect["gain"] > 80
    )
    idle = judge_counterpart(judge, day, night, day.images, "time")
    assert idle["gain"] == 0.0 and idle["target"] < 0.5 and idle["edges"] == pytest.approx(1.0)
    assert idle["psnr"] == idle["untranslated"] < 20


def test_edges_do_not_mind_the_light_but_mind_the_place(sets):
    day, _ = sets
    images = day.images.float() / 127.5 - 1
    assert edge_agreement(images, images * 0.5).min() > 0.999
    moved, blurred = images.roll(4, 3), F.avg_pool2d(images, 5, stride=1, padding=2)
    assert (
        edge_agreement(images, moved).mean() < 0.8 and edge_agreement(images, blurred).mean() < 0.9
    )


def test_accuracy_counts_one_attribute_at_a_time(judge, sets):
    labels = {"animal": torch.tensor([1, 1, 0, 1, 1, 1]), "time": torch.ones(6, dtype=torch.long)}
    found = attribute_accuracy(judge, sets[1].images, labels, batch=4)
    assert found == {"animal": pytest.approx(5 / 6), "time": 1.0}
