"""Folders of photographs: order, sizes, classes, held-out sets free of training pictures, one
sentence per mistake.
"""

import os

import numpy as np
import pytest
import torch
from colour_profiles import in_wide_space, wide_profile
from PIL import Image

from varbook.data import folders
from varbook.data.folders import load_classes, load_folder, load_parts, unpaired
from varbook.data.picture_files import decode_files
from varbook.errors import VarbookError
from varbook.paths import data_folder


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path / "home"))


def picture(path, seed, size=(20, 12)):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return pixels


@pytest.fixture
def pair(tmp_path):
    for index, name in enumerate(folders.UNPAIRED):
        for number in range(3):
            picture(tmp_path / "pair" / name / f"{number}.png", 10 * index + number)
    return tmp_path / "pair"


def test_pictures_come_in_the_order_of_their_names(tmp_path):
    first = picture(tmp_path / "p" / "a.png", 1, (8, 8))
    picture(tmp_path / "p" / "b.png", 2, (8, 8))
    (tmp_path / "p" / "notes.txt").write_text("not a picture")
    (tmp_path / "p" / ".hidden.png").write_text("not a picture")
    images = load_folder(tmp_path / "p", 8)
    assert images.shape == (2, 3, 8, 8) and images.dtype == torch.uint8
    assert np.array_equal(images[0].permute(1, 2, 0).numpy(), first)
    assert load_folder(tmp_path / "p", 8, limit=1).shape[0] == 1


def test_the_order_is_that_of_the_names_whatever_the_disk_says(tmp_path, monkeypatch):
    for name in "dbac":
        picture(tmp_path / "p" / f"{name}.png", ord(name))
    entries = [tmp_path / "p" / f"{name}.png" for name in "cadb"]
    monkeypatch.setattr(type(tmp_path), "iterdir", lambda self: iter(entries))
    assert [file.stem for file in folders.pictures_in(tmp_path / "p")] == list("abcd")


def test_resize_keeps_all_and_centre_keeps_the_middle(tmp_path):
    canvas = Image.new("RGB", (40, 20), (255, 0, 0))
    canvas.paste((0, 0, 255), (10, 0, 30, 20))
    (tmp_path / "p").mkdir()
    canvas.save(tmp_path / "p" / "a.png")
    assert (load_folder(tmp_path / "p", 10, crop="centre")[0, 2] == 255).all()
    assert (load_folder(tmp_path / "p", 10)[0, 0, :, 0] > 200).all()


def test_greyscale_becomes_colour(tmp_path):
    (tmp_path / "p").mkdir()
    Image.new("L", (8, 8), 77).save(tmp_path / "p" / "grey.jpg")
    assert load_folder(tmp_path / "p", 8).unique().tolist() == [77]


def test_pictures_are_decoded_once_and_again_when_they_change(tmp_path, monkeypatch):
    picture(tmp_path / "p" / "a.png", 1)
    first, calls, real = load_folder(tmp_path / "p", 8), [], folders.open_rgb
    monkeypatch.setattr(
        folders, "open_rgb", lambda path, **how: calls.append(path) or real(path, **how)
    )
    assert torch.equal(load_folder(tmp_path / "p", 8), first) and calls == []
    picture(tmp_path / "p" / "a.png", 2, (21, 13))
    second = load_folder(tmp_path / "p", 8)
    assert not torch.equal(second, first) and len(calls) == 1


@pytest.mark.parametrize("load", [load_folder, "files"])
def test_a_picture_of_the_same_length_and_time_is_another_one(tmp_path, load):
    def images():
        if load == "files":
            return torch.from_numpy(decode_files([file], 8).images)
        return load(tmp_path / "p", 8)

    file = tmp_path / "p" / "a.bmp"  # not compressed: of one length
    picture(file, 1)
    first, state = images(), file.stat()
    picture(file, 2)
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (state.st_size, state.st_mtime_ns)
    assert not torch.equal(images(), first)


def test_a_training_picture_is_never_held_out(pair):
    copied = Image.open(pair / "trainA" / "0.png").convert("RGB")
    copied.save(pair / "testA" / "same pixels, other name.png", compress_level=1)
    Image.open(pair / "trainA" / "1.png").save(pair / "testB" / "9.png")
    sets = unpaired(pair, 16)
    assert {name: len(images) for name, images in sets.items()} == {
        "trainA": 3,
        "trainB": 3,
        "testA": 3,
        "testB": 3,
    }
    # Also where the training picture itself is beyond the limit.
    assert torch.equal(unpaired(pair, 16, limit=1)["testA"], sets["testA"][:1])


def test_a_set_whose_test_pictures_are_all_trained_on_is_told(pair):
    for picture in (pair / "testB").iterdir():
        picture.unlink()
    (pair / "testB" / "a.png").write_bytes((pair / "trainB" / "0.png").read_bytes())
    with pytest.raises(VarbookError, match="Every picture of testB is in a training folder, too"):
        unpaired(pair, 16)


def test_classes_are_folders(pair):
    images, labels, names = load_classes(pair, 8, limit=2)
    assert names == tuple(sorted(folders.UNPAIRED)) and images.shape == (8, 3, 8, 8)
    assert labels.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_mistakes_get_one_sentence(tmp_path, pair):
    (tmp_path / "empty").mkdir()
    with pytest.raises(VarbookError, match="no folder .*gone.*VARBOOK_DATA"):
        load_folder(tmp_path / "gone", 8)
    with pytest.raises(VarbookError, match="no folder"):
        unpaired(tmp_path / "gone", 8)
    with pytest.raises(VarbookError, match="holds no pictures"):
        load_folder(tmp_path / "empty", 8)
    with pytest.raises(VarbookError, match="no class folders"):
        load_classes(tmp_path / "empty", 8)
    with pytest.raises(VarbookError, match="lacks trainA, trainB, testA, testB"):
        unpaired(tmp_path / "empty", 8)
    with pytest.raises(VarbookError, match="no crop 'round'"):
        load_folder(pair / "trainA", 8, crop="round")
    with pytest.raises(VarbookError, match="positive number of pixels"):
        load_folder(pair / "trainA", 0)
    with pytest.raises(VarbookError, match="limit of 0"):
        load_folder(pair / "trainA", 8, limit=0)


def test_a_broken_picture_is_named_and_the_others_are_not_lost(pair):
    (pair / "testA" / "bad.jpg").write_bytes(b"\xff\xd8\xff broken")
    with pytest.raises(VarbookError, match="bad.jpg cannot be decoded"):
        unpaired(pair, 8)
    (pair / "testA" / "bad.jpg").unlink()
    assert len(unpaired(pair, 8)["testA"]) == 3


def test_all_bad_files_of_all_parts_are_named_at_once(pair):
    for name, part in (("a.jpg", "trainA"), ("b.jpg", "trainA"), ("c.png", "testB")):
        (pair / part / name).write_bytes(b"?")
    (pair / "trainB" / "dangling.jpg").symlink_to(pair / "nowhere")
    (pair / "trainB" / "loop.jpg").symlink_to(pair / "trainB" / "loop.jpg")
    (pair / "trainB" / "folder.png").mkdir()
    with pytest.raises(VarbookError) as told:
        unpaired(pair, 8)
    for name in ("a.jpg", "b.jpg", "c.png", "dangling.jpg", "loop.jpg", "folder.png"):
        assert name in str(told.value)


def test_a_training_folder_takes_every_kind_of_picture_as_it_is_seen(tmp_path):
    (tmp_path / "p").mkdir()
    Image.new("RGB", (8, 8), (200, 90, 40)).save(tmp_path / "p" / "a.gif")
    stored = in_wide_space((255, 0, 0))
    Image.new("RGB", (8, 8), stored).save(tmp_path / "p" / "b.png", icc_profile=wide_profile())
    images = load_folder(tmp_path / "p", 8)
    assert len(images) == 2 and np.abs(images[1, :, 4, 4].numpy() - (255, 0, 0)).max() <= 2
    raw = load_parts({"trainA": [tmp_path / "p" / "b.png"]}, 8, profiles=False)["trainA"]
    assert tuple(raw[0, :, 4, 4].tolist()) == stored


@pytest.mark.photographs
def test_horse2zebra_has_one_picture_in_both_sets(tmp_path):
    root = data_folder("horse2zebra")
    if root is None:
        pytest.skip("horse2zebra is in none of the folders for data (VARBOOK_DATA)")
    assert [len(list((root / name).iterdir())) for name in folders.UNPAIRED] == [
        1067,
        1334,
        120,
        140,
    ]
    # A few pictures of each folder are enough, the one that is in two of them among them.
    wanted = {"trainA": "n02381460_3811.jpg", "testA": "n02381460_1160.jpg"}
    for name in folders.UNPAIRED:
        (tmp_path / "few" / name).mkdir(parents=True)
        files = {
            *sorted((root / name).iterdir())[:12],
            *((root / name / wanted[name],) if name in wanted else ()),
        }
        for file in files:
            (tmp_path / "few" / name / file.name).symlink_to(file)
    few = {name: len(list((tmp_path / "few" / name).iterdir())) for name in folders.UNPAIRED}
    found = {name: len(images) for name, images in unpaired(tmp_path / "few", 32).items()}
    assert found == few | {"testA": few["testA"] - 1}
