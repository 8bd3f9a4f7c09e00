"""Scenes by number, and the child process that renders a span of them."""

import errno
import json
import os
import subprocess
import sys
from dataclasses import asdict

import numpy as np
import pytest

from varbook.data import render_parallel as module
from varbook.data.render_parallel import Order, main, render_files, render_range, scene_at
from varbook.data.toy import toy_images
from varbook.errors import VarbookError
from varbook.paths import repository
from varbook.world.species import SPECIES

ORDER = Order(1, 16, 20, SPECIES, (1.0,) * len(SPECIES), False, False)


def test_a_scene_depends_on_seed_and_index():
    seeds = {
        scene_at(Order(seed, 8, 8, SPECIES, ORDER.weights, False, False), i).seed
        for seed in (1, 2)
        for i in range(50)
    }
    assert len(seeds) == 100
    # A seed and an index that read alike when written one after the other are still different
    # scenes.
    first, second = (Order(seed, 8, 8, SPECIES, ORDER.weights, False, False) for seed in (1, 11))
    assert scene_at(first, 11).seed != scene_at(second, 1).seed


def test_a_span_is_filled_and_the_rest_left_alone(tmp_path):
    render_files(ORDER, 6, tmp_path)
    whole = [np.load(tmp_path / f"{name}.npy") for name in ("images", "masks", "labels")]
    arrays = [np.zeros_like(array) for array in whole]
    render_range(ORDER, 2, 5, *arrays)
    for array, full in zip(arrays, whole, strict=True):
        assert np.array_equal(array[2:5], full[2:5]) and not array[:2].any() and not array[5:].any()


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="no such call on this system")
def test_room_is_taken_before_anything_is_drawn_and_a_full_disk_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path))
    taken = []

    def full(file, start, size):
        taken.append(size)
        if len(taken) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    monkeypatch.setattr(module, "render_range", lambda *arguments: pytest.fail("drawn"))
    with pytest.raises(VarbookError, match="no space is left there"):
        toy_images(2, 16, seed=91)
    assert taken[0] > 2 * 3 * 16 * 16 and not list((tmp_path / "cache" / "toy").iterdir())


def test_a_child_fills_its_span(tmp_path):
    render_files(ORDER, 4, tmp_path)
    expected = np.load(tmp_path / "images.npy").copy()
    np.save(tmp_path / "images.npy", np.zeros_like(expected))
    main(json.dumps({"order": asdict(ORDER), "start": 1, "stop": 3, "folder": str(tmp_path)}))
    found = np.load(tmp_path / "images.npy")
    assert np.array_equal(found[1:3], expected[1:3]) and not found[0].any() and not found[3].any()


def test_a_child_does_not_load_torch():
    code = "import sys, varbook.data.render_parallel; sys.exit('torch' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], cwd=repository(), check=False).returncode == 0
    )
