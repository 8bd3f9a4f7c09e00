"""Sets of the toy world: the same for the same arguments, kept on disk, rebuilt when damaged."""

from collections import Counter

import numpy as np
import pytest
import torch

from varbook.data import render_parallel, toy
from varbook.data.toy import SPECIES, toy_images
from varbook.errors import VarbookError
from varbook.world.draw import render, silhouette
from varbook.world.scene import caption


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path))
    return tmp_path


def test_what_a_set_holds():
    data = toy_images(20, (24, 40), seed=3, night=True)
    assert data.images.shape == (20, 3, 24, 40) and data.images.dtype == torch.uint8
    assert data.silhouettes.shape == (20, 24, 40) and data.silhouettes.dtype == torch.bool
    assert data.labels.dtype == torch.long and len(data) == 20
    for index, scene in enumerate(data.scenes):
        assert scene.night and data.labels[index] == SPECIES.index(scene.species)
        assert np.array_equal(data.images[index].permute(1, 2, 0).numpy(), render(scene, 24, 40))
        assert np.array_equal(data.silhouettes[index].numpy(), silhouette(scene, 24, 40))
        assert data.captions[index] == caption(scene)


def test_a_kept_set_of_another_order_of_classes_is_another_one(monkeypatch):
    before = toy_images(3, 8, seed=1, species="zebra").labels
    turned = tuple(reversed(SPECIES))
    for module in (toy, render_parallel):
        monkeypatch.setattr(module, "SPECIES", turned)
    after = toy_images(3, 8, seed=1, species="zebra").labels
    assert before.tolist() == [SPECIES.index("zebra")] * 3 != after.tolist()
    assert after.tolist() == [turned.index("zebra")] * 3


def test_a_shorter_set_is_the_beginning_of_a_longer_one():
    short, long = toy_images(5, 16, seed=1), toy_images(9, 16, seed=1)
    assert torch.equal(short.images, long.images[:5])


def test_two_seeds_share_no_scene():
    orders = (toy_images(1, 8, seed=seed).order for seed in (1, 2))
    assert (
        len(
            {
                render_parallel.scene_at(order, index).seed
                for order in orders
                for index in range(500)
            }
        )
        == 1000
    )


def test_one_seed_pairs_horses_with_zebras():
    horses, zebras = (toy_images(6, 32, seed=4, species=name) for name in ("horse", "zebra"))
    assert torch.equal(horses.silhouettes, zebras.silhouettes) and not torch.equal(
        horses.images, zebras.images
    )


def test_all_classes_appear_and_weights_shift_them():
    def counts(**settings) -> Counter:
        order = toy_images(1, 8, seed=5, **settings).order
        return Counter(render_parallel.scene_at(order, index).species for index in range(700))

    even = counts()
    assert set(even) == set(SPECIES) and min(even.values()) > 20 and max(even.values()) < 90
    shifted = counts(weights={"horse": 10.0, "cat": 0.0})
    assert shifted["cat"] == 0 and shifted["horse"] > 200
    assert set(counts(species=("zebra", "horse"))) == {"horse", "zebra"}


def test_children_render_what_this_process_would(home, monkeypatch):
    monkeypatch.setattr(render_parallel, "PER_PROCESS", 20)
    alone = toy_images(40, 32, seed=6)
    order, ran = alone.order, []
    folder = home / "by-children"
    folder.mkdir()
    real = render_parallel._in_children
    monkeypatch.setattr(render_parallel, "_in_children", lambda *a: ran.append(real(*a)) or ran[-1])
    render_parallel.render_files(order, 40, folder, processes=2)
    assert ran == [True]
    assert np.array_equal(np.load(folder / "images.npy"), alone.images.numpy())


def test_without_children_it_renders_here(home, monkeypatch):
    monkeypatch.setattr(render_parallel.sys, "executable", str(home / "no-such-python"))
    order, folder = toy_images(4, 16, seed=7).order, home / "alone"
    folder.mkdir()
    monkeypatch.setattr(render_parallel, "PER_PROCESS", 2)
    render_parallel.render_files(order, 4, folder, processes=2)
    assert np.array_equal(np.load(folder / "images.npy"), toy_images(4, 16, seed=7).images.numpy())


def test_the_second_time_comes_from_disk(monkeypatch):
    first = toy_images(4, 16, seed=8)
    monkeypatch.setattr(toy, "render_files", lambda *a: pytest.fail("rendered again"))
    assert torch.equal(toy_images(4, 16, seed=8).images, first.images)


def test_a_new_world_version_is_a_new_set(monkeypatch):
    first = toy._folder(toy_images(2, 16, seed=9).order, 2)
    monkeypatch.setattr(toy, "WORLD_VERSION", toy.WORLD_VERSION + 1)
    assert toy._folder(toy_images(2, 16, seed=9).order, 2) != first


def test_a_damaged_set_is_rendered_again(home):
    first = toy_images(4, 16, seed=10)
    (file,) = home.glob("cache/toy/*/images.npy")
    content = bytearray(file.read_bytes())
    content[-5] ^= 255
    file.write_bytes(content)
    assert torch.equal(toy_images(4, 16, seed=10).images, first.images)
    assert file.read_bytes() != bytes(content), "the damaged file is still there"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"count": 0}, "count of at least 1"),
        ({"size": 0}, "positive whole number"),
        ({"size": (3, 4, 5)}, "positive whole number"),
        ({"seed": "a"}, "whole number as its seed"),
        ({"species": "unicorn"}, "no species 'unicorn'"),
        ({"weights": {"unicorn": 1.0}}, "no species 'unicorn'"),
        ({"weights": {"horse": -1.0}}, "must not be negative"),
        ({"species": "horse", "weights": {"horse": 0.0}}, "at least one"),
    ],
)
def test_bad_arguments_are_refused(settings, message):
    with pytest.raises(VarbookError, match=message):
        toy_images(**({"count": 2, "size": 16, "seed": 1} | settings))
