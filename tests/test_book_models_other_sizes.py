"""FlexVAR trained further at several sizes: from the task's own model, on scenes that the world
draws at each size, found again, and able to draw there.
"""

import json
from dataclasses import replace

import pytest
import torch
from tiny import same_state

from varbook.book.models import build, scores, trained
from varbook.book.models.profiles import profile
from varbook.book.models.profiles.fine import with_fine_chain
from varbook.book.models.streamed import TRAIN_SEED
from varbook.book.models.tasks import PHOTOGRAPHS, SMALL, TASKS, TOY
from varbook.cli import train
from varbook.data.toy import toy_images
from varbook.errors import VarbookError
from varbook.generate.loop import generate
from varbook.tokenizer.schedule import schedule_for
from varbook.world.draw import draw


@pytest.mark.parametrize("size", [(32, 64), (64, 32), (48, 48)])
def test_the_pictures_of_a_size_are_what_the_world_draws_of_the_training_scenes(smoke, size):
    images, labels = TOY.labelled(smoke, size, 5)
    own = TOY.pictures.training_sets(smoke, smoke.image_size)[0]
    assert images.shape == (5, 3, *size) and torch.equal(labels, own.labels[:5])
    for image, scene in zip(images, own.scenes):
        assert torch.equal(image.permute(1, 2, 0), torch.from_numpy(draw(scene, *size)[0]))
    held = {scene.seed for scene in TOY.sample(smoke, 50).scenes}
    assert not held & {scene.seed for scene in own.scenes}


@pytest.mark.parametrize("size", [(64, 128), (128, 64), (96, 96), (128, 128)])
def test_an_animal_keeps_its_proportions_at_every_size_and_stays_inside(size):
    """Its outline over the shorter side is that of the square picture of 64 pixels."""
    world = toy_images(12, size, seed=TRAIN_SEED), toy_images(12, 64, seed=TRAIN_SEED)

    def spans(silhouettes, axis):
        return silhouettes.any(axis).sum(1) / min(silhouettes.shape[1:])

    for axis in (1, 2):
        larger, square = (spans(one.silhouettes, axis) for one in world)
        assert (larger - square).abs().max() <= 2.5 / 64
    edges = world[0].silhouettes[:, :, [0, -1]]
    assert not edges.any()


def test_pictures_that_are_not_drawn_have_no_other_sizes(smoke):
    with pytest.raises(VarbookError, match="Only scenes of the toy world"):
        PHOTOGRAPHS.labelled(smoke, (32, 64))
    for task, settings in ((SMALL, smoke), (TOY, profile("laptop"))):
        with pytest.raises(VarbookError, match="at several sizes"):
            build.next_scale_at_sizes(task, settings)


def test_it_begins_with_flexvar_and_is_trained_and_found_again(smoke):
    made, again = (build.next_scale_at_sizes(TOY, smoke) for _ in range(2))
    start = build.next_scale(TOY, smoke, "ground_truth")
    assert made.key == again.key != start.key
    assert (made.run.source, again.run.source) == ("trained", "found")
    assert same_state(made.model, again.model)
    assert made.run.record["settings"]["start"] == start.run.key
    assert [parent.key for parent in made.parents] == [start.parents[0].key, start.key]
    weights = dict(made.model.named_parameters())
    assert weights.pop("size_emb.weight").abs().max() > 0
    first = dict(start.model.named_parameters())
    assert weights.keys() == first.keys()
    moved = [(weights[name] - first[name]).abs().max().item() for name in weights]
    assert 0 < max(moved) < 0.1  # six steps from there, and not from another start
    labels, stride = torch.tensor([0, 1]), made.parents[0].model.stride
    for latent in smoke.chains["toy"].other_sizes.training.latents:
        schedule = schedule_for(made.model.config.schedule, latent)
        drawn = generate(made.model, made.parents[0].model, labels, schedule)
        assert drawn.images.shape == (2, 3, stride * latent[0], stride * latent[1])


def test_what_shapes_it_is_in_its_key_and_nothing_else_is(smoke):
    chain = smoke.chains["toy"]

    def key(**changes) -> str:
        sizes = replace(chain.other_sizes, **changes)
        chains = smoke.chains | {"toy": replace(chain, other_sizes=sizes)}
        return build.next_scale_at_sizes(TOY, replace(smoke, chains=chains)).key

    longer = replace(chain.other_sizes.training, steps=7)
    keys = {key(), key(scenes=17), key(told=False), key(training=longer)}
    assert len(keys) == 4
    without = replace(smoke, chains=smoke.chains | {"toy": replace(chain, other_sizes=None)})
    for make in (build.tokenizer, build.next_scale, build.judge, build.translator):
        assert make(TOY, without).key == make(TOY, smoke).key


def test_the_chain_at_the_papers_geometry_trains_it_at_the_sizes_of_the_bars():
    fine = with_fine_chain(profile("laptop"))
    chain = fine.chains["toy"]
    latents = set(chain.other_sizes.training.latents)
    assert {(16, 32), (32, 16), (32, 32)} < latents and (16, 16) not in latents
    made = build.next_scale_at_sizes(TOY, fine)
    assert made.parents[1].key == build.next_scale(TOY, fine, "ground_truth").key
    assert "toy-flexvar-sizes" in build.models_of(TASKS.values())


def test_the_command_trains_and_scores_it(smoke, capsys, monkeypatch):
    monkeypatch.setattr(scores, "PER_CLASS", 2)
    asked = ["--profile", "smoke", "--model", "toy-flexvar-sizes", "--score", "--json"]
    assert train.main(asked) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["run"].startswith("toy-flexvar-sizes-")
    assert set(told["score"]["recognised by class"]) == set(TOY.shown)


def test_pictures_of_every_size_are_encoded_once_with_their_mirror_images(smoke):
    codec = build.tokenizer(TOY, smoke, "ground_truth").model
    model = build.next_scale(TOY, smoke, "ground_truth").model
    features, labels = trained.features_of(TOY, smoke, codec, model, (32, 64), 5)
    assert features.shape[:1] == labels.shape == (10,)
    assert features.shape[2:] == codec.latent_size(32, 64)
    assert torch.equal(labels[:5], labels[5:])
