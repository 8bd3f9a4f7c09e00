"""Pictures for the judge of bodies: every kind in turn, whole ones as the toy world draws them; and the
judge learns to tell them apart.
"""

import pytest
import torch

from varbook.book.models import build, tasks
from varbook.book.models.profiles import SMOKE
from varbook.data.bodies import KINDS, bodies
from varbook.data.render_parallel import Order, scene_at
from varbook.errors import VarbookError
from varbook.evaluate.translation import look
from varbook.features.judge import Judge, JudgeConfig
from varbook.train.fit_judge import fit_judge
from varbook.world.draw import render, silhouette
from varbook.world.species import SPECIES


def test_every_kind_in_turn_and_other_scenes_for_other_seeds():
    images, labels, masks = bodies(8, 32, seed=1)
    assert images.shape == (8, 3, 32, 32) and images.dtype == torch.uint8
    assert masks.shape == (8, 32, 32) and masks.dtype == torch.bool
    assert [KINDS[label] for label in labels] == [*KINDS, *KINDS]
    again, more = bodies(8, 32, seed=1)[0], bodies(12, 32, seed=1)[0]
    assert torch.equal(images, again) and torch.equal(images, more[:8])
    assert not any(torch.equal(a, b) for a, b in zip(images, bodies(8, 32, seed=2)[0]))


def test_the_whole_ones_are_scenes_of_the_toy_world():
    images, _, masks = bodies(5, 48, seed=3)
    order = Order(3, 48, 48, SPECIES, (1.0,) * len(SPECIES), False, False)
    for index in (0, 4):
        scene = scene_at(order, index)
        assert torch.equal(images[index].permute(1, 2, 0), torch.from_numpy(render(scene, 48, 48)))
        assert torch.equal(masks[index], torch.from_numpy(silhouette(scene, 48, 48)))


def test_a_judge_learns_to_tell_them_apart():
    torch.manual_seed(0)
    judge = Judge(JudgeConfig(KINDS, KINDS[:2]))
    fit_judge(judge, *bodies(1200, 32, seed=4), steps=150, batch=32, seed=0, device="cpu")
    images, labels, _ = bodies(200, 32, seed=5)
    right = look(judge, images).species.argmax(-1) == labels
    assert right.float().mean() > 0.4  # chance is a quarter


def test_the_books_judge_is_found_again_and_other_tasks_have_none(tmp_path, monkeypatch):
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path))
    made, again = (build.judge_of_bodies(tasks.TOY, SMOKE) for _ in range(2))
    assert made.key == again.key != build.judge(tasks.TOY, SMOKE).key
    assert (made.run.source, again.run.source) == ("trained", "found")
    assert made.model.config.species == KINDS
    assert "toy-bodies" in build.models_of([tasks.TOY])
    for task in (tasks.PHOTOGRAPHS, tasks.NIGHT):
        assert not any(name.endswith("bodies") for name in build.models_of([task]))
        with pytest.raises(VarbookError, match="shows no animals whose bodies"):
            build.judge_of_bodies(task, SMOKE)
