"""The judge of captions: its words, its labels, and a short training that has to teach it
something.
"""

import pytest
import torch
from tiny import CPU

from varbook.errors import VarbookError
from varbook.features.attributes import ATTRIBUTES, AttributeConfig, AttributeJudge, attributes
from varbook.train.fit_judge import fit_attributes
from varbook.transformer.words import split_words
from varbook.world.draw import render
from varbook.world.scene import caption, sample_scene

CONFIG = AttributeConfig(
    ("horse", "zebra", "sheep"), ("bay", "black", "chestnut", "grey", "striped", "white")
)


def scenes(count: int) -> list:
    species = ("horse", "zebra", "sheep")
    return [
        sample_scene(k, species=species[k % 3], night=k % 2 == 1, flat=k % 4 > 1)
        for k in range(count)
    ]


def test_the_words_are_those_of_the_caption():
    for scene in scenes(12):
        said = attributes(scene)
        words = split_words(caption(scene))
        assert said["animal"] in words and said["coat"] in words and said["time"] in words
        assert (said["style"] == "flat") == ("anime" in words)


def test_labels_and_unknown_words():
    judge = AttributeJudge(AttributeConfig(("horse", "zebra", "sheep"), ("striped",)))
    labels = judge.labels([sample_scene(3, species="zebra", night=True)])
    assert {name: one.tolist() for name, one in labels.items()} == {
        "animal": [1],
        "coat": [0],
        "time": [1],
        "style": [0],
    }
    with pytest.raises(VarbookError, match="no word for cow"):
        AttributeJudge(AttributeConfig(("horse",), ("brown", "cream"))).labels(
            [sample_scene(0, species="cow")]
        )
    with pytest.raises(VarbookError, match="no attribute 'mood'"):
        CONFIG.words("mood")


def test_a_short_training_learns_day_from_night():
    torch.manual_seed(0)
    drawn = scenes(48)
    coats = tuple(sorted({attributes(scene)["coat"] for scene in drawn}))
    judge = AttributeJudge(AttributeConfig(("horse", "zebra", "sheep"), coats, widths=(8, 16, 16)))
    images = (
        torch.stack([torch.from_numpy(render(scene, 32, 32)) for scene in drawn])
        .permute(0, 3, 1, 2)
        .contiguous()
    )
    labels = judge.labels(drawn)
    curve = fit_attributes(judge, images, labels, steps=25, batch=16, seed=0, device=CPU)
    assert set(curve[-1]) == {"step", *ATTRIBUTES} and curve[-1]["time"] < 0.5 < curve[0]["time"]
    with torch.no_grad():
        right = judge(images.float() / 127.5 - 1)["time"].argmax(1) == labels["time"]
    assert right.float().mean() > 0.9 and not judge.training
