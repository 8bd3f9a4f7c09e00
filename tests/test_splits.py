"""What is held out is never trained on: scenes of the toy world, photographs, one's own pictures."""

import numpy as np
import pytest
from PIL import Image

from varbook.book.models.profiles import profile
from varbook.book.models.sources import Folders, World
from varbook.book.models.tasks import TASKS
from varbook.data.folders import UNPAIRED

WORLDS = {name: task for name, task in TASKS.items() if isinstance(task.pictures, World)}
SIZE = 16


def scenes_of(made) -> set:
    return set(map(repr, made.scenes))


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize("name", sorted(WORLDS))
def test_no_scene_is_both_trained_on_and_held_out(name):
    task, smoke = WORLDS[name], profile("smoke")
    world = task.pictures
    seeds = {scenes.seed for scenes in (*world.training, *world.domains.values())}
    assert world.held_out_seed not in seeds
    trained = [scenes_of(part) for part in world.training_sets(smoke, SIZE)]
    for domain in task.domains:
        trained.append(scenes_of(world.domain(task.domains, domain, smoke, SIZE, held_out=False)))
        held_out = scenes_of(world.domain(task.domains, domain, smoke, SIZE, held_out=True))
        assert len(held_out) > 1 and all(held_out.isdisjoint(some) for some in trained)


@pytest.mark.parametrize("name", sorted(WORLDS))
def test_the_two_domains_of_the_training_share_no_scene(name):
    task = WORLDS[name]
    # Pose and land of a scene follow from its set's seed and its number alone.
    seeds = [task.pictures.domains[domain].seed for domain in task.domains]
    assert len(set(seeds)) == len(seeds)


@pytest.fixture
def photographs(tmp_path):
    """Six pictures of noise in each part, one of each test part a training picture as well."""
    random = np.random.default_rng(0)
    files = {}
    for part in UNPAIRED:
        (tmp_path / part).mkdir()
        for number in range(6):
            pixels = random.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / part / f"{number}.png")
    for letter in "AB":
        seen = Image.open(tmp_path / f"train{letter}" / "0.png").copy()
        seen.save(tmp_path / f"test{letter}" / "0.png", compress_level=1)
    for part in UNPAIRED:
        files[part] = sorted((tmp_path / part).iterdir())
    return Folders("pair", files=files, margin=1)


@pytest.mark.parametrize("name", ["a", "b"])
def test_no_photograph_is_both_trained_on_and_held_out(photographs, name):
    domains, smoke = {"a": 0, "b": 1}, profile("smoke")
    sets = [
        photographs.domain(domains, name, smoke, SIZE, held_out=held_out).images
        for held_out in (False, True)
    ]
    pixels = [{image.numpy().tobytes() for image in images} for images in sets]
    assert len(sets[0]) == 6 and len(sets[1]) == 5 and pixels[0].isdisjoint(pixels[1])
