"""Shards: what the script writes, and that a batch follows from its generator alone."""

import io
import json
import sys
import tarfile

import numpy as np
import pytest
import torch
from PIL import Image

from varbook.data import shards as module
from varbook.data.shards import VIEWS, Crops, open_shards
from varbook.errors import VarbookError
from varbook.paths import repository

sys.path.insert(0, str(repository() / "data_scripts"))
import make_shards  # noqa: E402


@pytest.fixture
def prepared(tmp_path):
    """Two classes of four and three pictures, short side 36, each of a grey of its own."""
    for number in range(7):
        file = tmp_path / "prepared" / ("n01" if number < 4 else "n02") / f"picture.{number}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (48, 36), (30 * number + 20,) * 3).save(file, quality=95)
    return tmp_path / "prepared"


@pytest.fixture
def make(tmp_path, prepared, capsys):
    """Runs the script on the prepared pictures; returns (code, stdout, stderr)."""

    def go(*arguments, source=prepared):
        arguments = ("--from", source, "--to", tmp_path / "out", "--images", 3, *arguments)
        return make_shards.main([*map(str, arguments)]), *capsys.readouterr()

    return go


@pytest.fixture
def shards(tmp_path, make):
    assert make()[0] == 0
    return open_shards(tmp_path / "out")


def test_a_shard_is_a_plain_tar_of_pictures_and_classes(tmp_path, make):
    code, out, _ = make()
    assert code == 0 and "7 pictures in 2 classes, 3 shards" in out
    found = {}
    for file in sorted((tmp_path / "out").glob("*.tar")):
        with tarfile.open(file) as archive:
            names = archive.getnames()
            assert names[::2] == [name.replace(".cls", ".jpg") for name in names[1::2]]
            for name in names[::2]:
                label = int(archive.extractfile(name.replace(".jpg", ".cls")).read())
                content = archive.extractfile(name).read()
                found[name] = label, Image.open(io.BytesIO(content)).size
    assert set(found.values()) == {(0, (48, 36)), (1, (48, 36))} and len(found) == 7
    assert all(name.startswith(("n01/", "n02/")[label]) for name, (label, _) in found.items())


def test_the_manifest_counts_and_the_check_finds_damage(tmp_path, make):
    make()
    told = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert [shard["images"] for shard in told["shards"]] == [3, 3, 1] and told["images"] == 7
    assert make("--check")[0] == 0
    file = tmp_path / "out" / "000001.tar"
    content = bytearray(file.read_bytes())
    content[700] ^= 1
    file.write_bytes(content)
    code, _, problem = make("--check")
    assert code == 1 and "000001.tar is missing or damaged" in problem


def test_an_interrupted_run_goes_on_to_the_same_files(tmp_path, make):
    make()
    before = {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()}
    for name in ("000001.tar", "manifest.json"):
        (tmp_path / "out" / name).unlink()
    make()
    assert {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()} == before


def test_other_pictures_are_not_mixed_in(prepared, make):
    make()
    (prepared / "n02" / "picture.6.jpg").unlink()
    code, _, problem = make()
    assert code == 1 and "shards of other pictures" in problem
    assert "holds no pictures" in make(source=prepared.parent / "out")[2]


def test_every_picture_is_found_with_its_label(shards, prepared):
    assert len(shards) == 7 and shards.classes == ("n01", "n02")
    greys = [np.asarray(shards.picture(row)).mean() for row in range(7)]
    for grey, label in zip(greys, shards.labels.tolist(), strict=True):
        assert label == (0 if grey < 130 else 1)
    assert sorted(round((grey - 20) / 30) for grey in greys) == list(range(7))


def test_a_set_without_classes_has_the_label_zero(tmp_path, make, prepared):
    assert "in no classes" in make(source=prepared / "n01")[1]
    shards = open_shards(tmp_path / "out")
    assert shards.classes == () and shards.labels.tolist() == [0] * 4


def test_a_square_lies_where_it_is_asked_for(tmp_path, make, shards, monkeypatch):
    ramp = np.zeros((36, 48, 3), np.uint8)
    ramp[..., 0], ramp[..., 1] = np.arange(48), np.arange(36)[:, None]
    monkeypatch.setattr(module.Shards, "picture", lambda self, row: Image.fromarray(ramp))
    rows = torch.tensor([0, 0, 0])
    where = torch.tensor([[0.0, 0.0, 0.0], [0.99, 0.99, 0.0], [0.99, 0.0, 0.5]])
    first, last, mirrored = shards.squares(rows, 32, where)
    assert first[0, 0].tolist() == list(range(32)) and first[1, :, 0].tolist() == list(range(32))
    assert last[0, 0].tolist() == list(range(16, 48)) and last[1, 0, 0] == 4
    assert torch.equal(mirrored.flip(-1)[1], last[1]) and mirrored[0, 0, 0] == 31
    assert shards.middle(rows[:1], 32)[0, 0, 0, 0] == 8
    assert shards.squares(rows, 16, where).shape == (3, 3, 16, 16)


def test_crops_answer_like_a_tensor_and_a_row_is_always_the_same_crop(shards, monkeypatch):
    crops = Crops(shards, 32)
    assert len(crops) == len(crops.labels) == 7 * VIEWS
    rows = torch.randint(len(crops), (64,), generator=torch.Generator().manual_seed(0))
    images = crops[rows]
    assert images.shape == (64, 3, 32, 32) and images.dtype == torch.uint8
    assert crops.labels[rows].tolist() == [
        0 if image.float().mean() < 130 else 1 for image in images
    ]
    assert torch.equal(crops[rows[5:7]], images[5:7])  # whatever else is in the batch
    ramp = np.zeros((36, 48, 3), np.uint8)
    ramp[..., 0], ramp[..., 1] = np.arange(48), np.arange(36)[:, None]
    monkeypatch.setattr(module.Shards, "picture", lambda self, row: Image.fromarray(ramp))
    seen = crops[rows]
    assert {int(image[1, 0, 0]) for image in seen} == set(
        range(5)
    )  # every place from top to bottom
    mirrored = [bool(image[0, 0, 0] > image[0, 0, 1]) for image in seen]
    assert 16 < sum(mirrored) < 48
    lefts = {int(image[0].min()) for image in seen}
    assert lefts <= set(range(17)) and len(lefts) > 12


def test_no_picture_is_decoded_that_is_not_asked_for(shards, monkeypatch):
    decoded, picture = [], module.Shards.picture
    monkeypatch.setattr(
        module.Shards, "picture", lambda self, row: decoded.append(row) or picture(self, row)
    )
    crops = Crops(shards, 32)
    assert crops[torch.tensor([3, 3 + 7 * 5])].shape[0] == 2 and decoded == [3, 3]
    assert shards.places.nbytes == 7 * 4 * 8  # what is held in memory: four numbers a picture


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (lambda folder: (folder / "manifest.json").unlink(), "holds no complete shards"),
        (lambda folder: (folder / "000001.npy").unlink(), "holds no complete shards"),
        (lambda folder: (folder / "000002.tar").write_bytes(b"short"), "not as long as"),
    ],
)
def test_incomplete_shards_are_refused_with_a_sentence(tmp_path, make, harm, sentence):
    make()
    harm(tmp_path / "out")
    with pytest.raises(VarbookError, match=sentence):
        open_shards(tmp_path / "out")


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("shards", []),
        ("shards", None),
        ("shards", [{"file": "../000000.tar", "bytes": 1}]),
        ("shards", [{"file": "/tmp/000000.tar", "bytes": 1}]),
        ("classes", 3),
        ("classes", ["n01"]),
    ],
)
def test_a_manifest_that_was_changed_is_refused_with_a_sentence(tmp_path, make, part, value):
    make()
    note = tmp_path / "out" / "manifest.json"
    note.write_text(json.dumps(json.loads(note.read_text()) | {part: value}))
    with pytest.raises(VarbookError, match="holds no"):
        open_shards(tmp_path / "out")


@pytest.mark.parametrize("text", ["", "[]", "null", "[" * 100_000])
def test_a_manifest_that_is_none_is_refused_with_a_sentence(tmp_path, make, text):
    make()
    (tmp_path / "out" / "manifest.json").write_text(text)
    with pytest.raises(VarbookError, match="holds no complete shards"):
        open_shards(tmp_path / "out")
    code, _, err = make("--check")
    assert code == 1 and len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "table",
    [np.zeros((3, 2), int), np.zeros(3, int), np.ones((3, 3)), [[0, 9**9, 0]], [[-1, 4, 0]]],
)
def test_a_table_that_leads_out_of_its_shard_is_refused(tmp_path, make, table):
    make()
    np.save(tmp_path / "out" / "000000.npy", np.array(table))
    with pytest.raises(VarbookError, match="holds no complete shards"):
        open_shards(tmp_path / "out")


def test_a_name_too_long_for_a_tar_is_told_before_anything_is_written(tmp_path, make, prepared):
    (prepared / "n01" / ("x" * 120 + ".jpg")).write_bytes(b"?")
    code, _, err = make()
    assert code == 1 and "too long" in err and not (tmp_path / "out").exists()


def test_a_damaged_picture_is_named(tmp_path, shards):
    file = tmp_path / "out" / "000000.tar"
    content = bytearray(file.read_bytes())
    content[512:540] = bytes(28)
    file.write_bytes(content)
    with pytest.raises(VarbookError, match="Picture 0 of .*000000.tar cannot be read"):
        shards.picture(0)
