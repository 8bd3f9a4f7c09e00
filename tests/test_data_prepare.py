"""The scripts that make the papers' data sets small, on small sets of the same shape: layout,
rules, resuming, refusals.
"""

import io
import json
import sys
import tarfile

import numpy as np
import pytest
from PIL import Image

from varbook import archives
from varbook.data.folders import load_classes, unpaired
from varbook.paths import repository

sys.path.insert(0, str(repository() / "data_scripts"))
import downloads  # noqa: E402
import pictures  # noqa: E402
import prepare_anime_scene  # noqa: E402
import prepare_bdd100k  # noqa: E402
import prepare_imagenet  # noqa: E402
import prepare_openimages  # noqa: E402
from common import Problem  # noqa: E402


def picture(path, size=(40, 30), mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.effect_noise(size, 60).convert(mode).save(
        path, "JPEG" if path.suffix.lower() in (".jpg", ".jpeg") else "PNG"
    )
    return path


def tar(path, entries, mode="w"):
    """Write a tar of {name: bytes}."""
    with tarfile.open(path, mode) as archive:
        for name, content in entries.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def size_of(path):
    with Image.open(path) as one:
        return one.size


@pytest.fixture
def run(tmp_path, capsys):
    """Runs a script's main into tmp_path/out; returns (code, stdout, stderr)."""

    def go(script, *arguments):
        code = script.main([*map(str, arguments), "--to", str(tmp_path / "out")])
        return code, *capsys.readouterr()

    return go


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


# --- the rules
# ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "short", "whole", "middle"),
    [
        ((400, 300), (384, 288), (288, 288), (288, 288)),
        ((100, 200), (288, 576), (288, 288), (288, 288)),
        ((288, 288), (288, 288), (288, 288), (288, 288)),
        ((501, 333), (433, 288), (288, 288), (288, 288)),
    ],
)
def test_the_three_rules_give_the_sizes_of_the_papers(size, short, whole, middle):
    one = Image.new("RGB", size)
    assert pictures.short_side(288)(one).size == short
    assert pictures.whole(288)(one).size == whole and pictures.middle(288)(one).size == middle


def test_the_middle_is_the_middle_and_the_whole_is_everything():
    left_red = Image.new("RGB", (30, 10), "black")
    left_red.paste("red", (0, 0, 10, 10))
    assert pictures.middle(10)(left_red).getextrema()[0] == (0, 0)
    assert pictures.whole(30)(left_red).getpixel((3, 15))[0] > 200


def test_what_is_chosen_depends_on_the_names_alone():
    some = [f"{i}.jpg" for i in range(50)]
    assert (
        pictures.chosen(some, 7) == pictures.chosen(reversed(some), 7)
        and len(set(pictures.chosen(some, 7))) == 7
    )
    assert pictures.chosen(some, 7) != sorted(some)[:7]


# --- ImageNet
# -------------------------------------------------------------------------------------------------------


@pytest.fixture
def imagenet(tmp_path):
    root = tmp_path / "ILSVRC"
    for name, mode in (("n01", "RGB"), ("n02", "CMYK"), ("n03", "L")):
        for index in range(2):
            picture(root / "train" / name / f"{name}_{index}.JPEG", mode=mode)
        picture(root / "val" / name / f"val_{name}.JPEG")
    return root


def test_imagenet_keeps_its_classes_and_loads(tmp_path, run, imagenet):
    code, out, _ = run(prepare_imagenet, "--from", imagenet, "--side", 18)
    assert code == 0 and "6 pictures made" in out and "3 pictures made" in out
    assert {size_of(path) for path in (tmp_path / "out" / "train").rglob("*.jpg")} == {(24, 18)}
    images, labels, classes = load_classes(tmp_path / "out" / "train", 16, crop="centre")
    assert (
        classes == ("n01", "n02", "n03")
        and labels.tolist() == [0, 0, 1, 1, 2, 2]
        and images.shape == (6, 3, 16, 16)
    )
    assert (
        json.loads((tmp_path / "out" / "how.json").read_text())["how"] == "short side 18, LANCZOS"
    )


def test_a_heap_of_validation_pictures_needs_kaggles_table(tmp_path, run, imagenet):
    heap = tmp_path / "heap"
    (imagenet / "val").rename(tmp_path / "sorted")
    for path in sorted((tmp_path / "sorted").rglob("*.JPEG")):
        picture(imagenet / "val" / path.name)
    code, _, err = run(prepare_imagenet, "--from", imagenet, "--side", 18)
    assert code == 1 and "LOC_val_solution.csv" in err and not heap.exists()
    table = "ImageId,PredictionString\n" + "".join(
        f"val_{name},{name} 1 2 3 4\n" for name in ("n01", "n02", "n03")
    )
    (imagenet / "LOC_val_solution.csv").write_text(table)
    assert run(prepare_imagenet, "--from", imagenet, "--side", 18)[0] == 0
    assert names(tmp_path / "out" / "val") == [
        f"{name}/val_{name}.jpg" for name in ("n01", "n02", "n03")
    ]


def test_the_archives_do_as_well_and_a_damaged_one_is_refused(tmp_path, run, imagenet, monkeypatch):
    root = tmp_path / "archives"
    root.mkdir()
    inner = {}
    for folder in sorted((imagenet / "train").iterdir()):
        entries = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
        inner[f"{folder.name}.tar"] = tar(root / "one.tar", entries).read_bytes()
    (root / "one.tar").unlink()
    tar(root / "ILSVRC2012_img_train.tar", inner)
    tar(
        root / "ILSVRC2012_img_val.tar",
        {path.name: path.read_bytes() for path in (imagenet / "val").rglob("*.JPEG")},
    )
    table = "ImageId,PredictionString\n" + "".join(
        f"val_{name},{name} 1 2 3 4\n" for name in ("n01", "n02", "n03")
    )
    (root / "LOC_val_solution.csv").write_text(table)
    code, _, err = run(prepare_imagenet, "--from", root, "--side", 18)
    assert code == 1 and "MD5" in err and "damaged" in err
    monkeypatch.setattr(prepare_imagenet, "check_archive", lambda archive: None)
    assert run(prepare_imagenet, "--from", root, "--side", 18)[0] == 0
    made = names(tmp_path / "out")
    assert made == sorted(
        [
            "how.json",
            *(f"train/{n}/{n}_{i}.jpg" for n in ("n01", "n02", "n03") for i in (0, 1)),
            *(f"val/{n}/val_{n}.jpg" for n in ("n01", "n02", "n03")),
        ]
    )


# --- what all have in common
# ----------------------------------------------------------------------------------------


def test_a_second_run_makes_only_what_is_missing(tmp_path, run, imagenet):
    assert run(prepare_imagenet, "--from", imagenet, "--side", 18)[0] == 0
    kept, lost = sorted((tmp_path / "out" / "train").rglob("*.jpg"))[:2]
    kept.write_bytes(b"mine")
    lost.unlink()
    code, out, _ = run(prepare_imagenet, "--from", imagenet, "--side", 18)
    assert (
        code == 0
        and "1 pictures made, 5 were there already" in out
        and lost.is_file()
        and kept.read_bytes() == b"mine"
    )


def test_another_rule_is_not_mixed_in_and_a_strangers_folder_is_left_alone(tmp_path, run, imagenet):
    assert run(prepare_imagenet, "--from", imagenet, "--side", 18)[0] == 0
    code, _, err = run(prepare_imagenet, "--from", imagenet, "--side", 20)
    assert code == 1 and "made otherwise (short side 18, LANCZOS)" in err
    (tmp_path / "out" / "how.json").unlink()
    code, _, err = run(prepare_imagenet, "--from", imagenet, "--side", 18)
    assert code == 1 and "was not made by this script" in err


def test_a_broken_picture_is_named_and_holds_up_no_other(tmp_path, run, imagenet):
    broken = imagenet / "train" / "n02" / "n02_0.JPEG"
    whole = broken.read_bytes()
    broken.write_bytes(b"no picture")
    code, _, err = run(prepare_imagenet, "--from", imagenet, "--side", 18)
    assert (
        code == 1
        and "1 pictures (n02_0.jpg) cannot be decoded" in err
        and len(err.splitlines()) == 1
    )
    assert len(list((tmp_path / "out" / "train").rglob("*.jpg"))) == 5 and not list(
        (tmp_path / "out").rglob(".*")
    )
    broken.write_bytes(whole)
    code, out, _ = run(prepare_imagenet, "--from", imagenet, "--side", 18)
    assert code == 0 and "1 pictures made, 5 were there already" in out


@pytest.mark.parametrize(
    ("script", "arguments", "says"),
    [
        (prepare_imagenet, [], "image-net.org"),
        (prepare_bdd100k, [], "must be asked for"),
        (prepare_anime_scene, [], "universome/alis"),
        (prepare_imagenet, ["--from", "/nowhere"], "no folder /nowhere"),
        (prepare_openimages, ["--parts", "0x"], "The parts are"),
        (prepare_openimages, ["--from", "/nowhere"], "no folder"),
    ],
)
def test_what_is_missing_is_one_sentence(tmp_path, run, script, arguments, says):
    code, _, err = run(script, *arguments)
    assert (
        code == 1
        and says in err
        and len(err.strip().splitlines()) == 1
        and not (tmp_path / "out").exists()
    )


def test_a_folder_that_is_no_copy_is_refused(tmp_path, run):
    (tmp_path / "empty").mkdir()
    for script in (prepare_imagenet, prepare_bdd100k):
        code, _, err = run(script, "--from", tmp_path / "empty")
        assert code == 1 and len(err.strip().splitlines()) == 1 and str(tmp_path / "empty") in err


# --- BDD100K
# --------------------------------------------------------------------------------------------------------


def bdd100k(root, form="labels/det_20/det_{split}.json"):
    times = ["daytime", "night", "dawn/dusk", "undefined"]
    for split, count in (("train", 16), ("val", 12)):
        entries = []
        for index in range(count):
            name = f"{split}{index:02d}.jpg"
            picture(root / "images" / "100k" / split / name, (64, 36))
            about = {
                "timeofday": times[index % 4],
                "weather": "clear" if index < 8 else "rainy",
                "scene": "highway",
            }
            entries.append({"name": name, "attributes": about, "labels": []})
        file = root / form.format(split=split)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(entries))
    return root


@pytest.mark.parametrize("form", prepare_bdd100k.LABELS)
def test_day_and_night_are_told_by_the_labels(tmp_path, run, form):
    root = bdd100k(tmp_path / "bdd", form)
    code, out, _ = run(prepare_bdd100k, "--from", root, "--side", 32, "--held-out", 2)
    assert code == 0 and "4 / 4 / 2 / 2" in out
    out = tmp_path / "out"
    assert names(out / "trainA") == [f"train{i:02d}.jpg" for i in (0, 4, 8, 12)]
    assert names(out / "trainB") == [f"train{i:02d}.jpg" for i in (1, 5, 9, 13)]
    assert set(names(out / "testA")) < {f"val{i:02d}.jpg" for i in (0, 4, 8)}
    assert {size_of(path) for path in out.rglob("*.jpg")} == {(32, 32)}
    assert {name: len(some) for name, some in unpaired(out, 16).items()} == {
        "trainA": 4,
        "trainB": 4,
        "testA": 2,
        "testB": 2,
    }


def test_one_weather_alone(tmp_path, run):
    root = bdd100k(tmp_path / "bdd")
    assert run(prepare_bdd100k, "--from", root, "--side", 32, "--weather", "clear")[0] == 0
    assert names(tmp_path / "out" / "trainA") == ["train00.jpg", "train04.jpg"]
    code, _, err = run(prepare_bdd100k, "--from", root, "--weather", "hail")
    assert code == 1 and "no weather 'hail'" in err


def test_a_picture_that_the_labels_name_must_be_there(tmp_path, run):
    root = bdd100k(tmp_path / "bdd")
    (root / "images" / "100k" / "train" / "train04.jpg").unlink()
    code, _, err = run(prepare_bdd100k, "--from", root, "--side", 32)
    assert code == 1 and "train04.jpg, which is not there" in err
    (root / "labels" / "det_20" / "det_val.json").write_text('[{"name": 1}]')
    code, _, err = run(prepare_bdd100k, "--from", root, "--side", 32)
    assert code == 1 and "not a label file" in err


# --- Anime Scene
# ----------------------------------------------------------------------------------------------------


def test_photographs_and_frames_become_two_domains(tmp_path, run):
    for index in range(6):
        picture(tmp_path / "lhq" / f"{index}.png")
        picture(
            tmp_path / "films" / ("one" if index < 3 else "two") / "0001" / f"{index % 3}.jpg",
            (64, 36),
        )
    given = ["--from", tmp_path / "lhq", "--frames", tmp_path / "films", "--side", 24]
    code, out, _ = run(prepare_anime_scene, *given, "--held-out", 2)
    assert code == 0 and {size_of(path) for path in (tmp_path / "out").rglob("*.jpg")} == {(24, 24)}
    counts = {
        name: len(names(tmp_path / "out" / name)) for name in ("trainA", "trainB", "testA", "testB")
    }
    assert counts == {
        "trainA": 4,
        "trainB": 4,
        "testA": 2,
        "testB": 2,
    }  # equal names in two films are two pictures
    code, _, err = run(prepare_anime_scene, *given, "--held-out", 6)
    assert code == 1 and "no more than the 6 to hold out" in err
    code, _, err = run(prepare_anime_scene, "--from", tmp_path / "lhq")
    assert code == 1 and "Scenimefy" in err


# --- OpenImages
# -----------------------------------------------------------------------------------------------------


def test_openimages_from_archives_from_a_folder_and_from_home(tmp_path, run, monkeypatch):
    entries = {
        f"train_0/{index}.jpg": picture(tmp_path / "loose" / f"{index}.jpg").read_bytes()
        for index in range(3)
    }
    copy = tmp_path / "copy"
    copy.mkdir()
    archive = tar(copy / "train_0.tar.gz", entries | {"train_0/../../escaped.txt": b"?"}, "w:gz")
    wanted = ["how.json", *(f"train/{index}.jpg" for index in range(3))]
    for source in (copy, tmp_path / "loose"):
        assert run(prepare_openimages, "--from", source, "--side", 18)[0] == 0
        assert names(tmp_path / "out") == wanted and size_of(
            tmp_path / "out" / "train" / "0.jpg"
        ) == (24, 18)
        for path in (tmp_path / "out").rglob("*.jpg"):
            path.unlink()
    monkeypatch.setattr(prepare_openimages, "HOME", "http://home/tar")
    asked = []

    def download(url, part, *_):
        asked.append(url)
        part.write_bytes(archive.read_bytes())
        downloads._facts(part).write_text("{}")

    monkeypatch.setattr(prepare_openimages, "download", download)
    for _ in range(2):  # the second time there is nothing to do
        assert run(prepare_openimages, "--parts", "0", "--side", 18)[0] == 0
    assert asked == ["http://home/tar/train_0.tar.gz"] and names(tmp_path / "out") == sorted(
        [*wanted, "train_0.done"]
    )
    assert {path.name for path in tmp_path.iterdir()} == {
        "loose",
        "copy",
        "out",
        "out-train_0.lock.json",
    }


def test_a_damaged_archive_is_one_sentence_and_nothing_is_lost(tmp_path, run):
    entries = {
        f"train_0/{index}.png": picture(tmp_path / f"{index}.png", (300, 200)).read_bytes()
        for index in range(4)
    }
    archive = tar(tmp_path / "train_0.tar.gz", entries, "w:gz")
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    code, _, err = run(prepare_openimages, "--from", tmp_path, "--side", 18)
    assert code == 1 and "train_0.tar.gz is damaged" in err and len(err.strip().splitlines()) == 1


# --- archives and tables from outside
# ---------------------------------------------------------------------------------


def archive_of_noise(path, count=6):
    """A .tar.gz of small pictures of noise, so that nearly every byte belongs to a picture."""
    entries = {
        f"train_0/{index}.jpg": picture(path.parent / f"{index}.jpg", (48, 40)).read_bytes()
        for index in range(count)
    }
    for index in range(count):
        (path.parent / f"{index}.jpg").unlink()
    return tar(path, entries, "w:gz")


def test_no_flipped_bit_of_an_archive_becomes_another_picture(tmp_path, run):
    random = np.random.default_rng(0)
    whole = archive_of_noise(tmp_path / "train_0.tar.gz").read_bytes()
    for place in random.integers(10, len(whole), 25):  # the first ten bytes name time and system
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(random.integers(8))
        (tmp_path / "train_0.tar.gz").write_bytes(damaged)
        code, _, err = run(prepare_openimages, "--from", tmp_path, "--side", 18)
        assert code == 1 and "is damaged" in err and len(err.strip().splitlines()) == 1
        assert names(tmp_path / "out") == ["how.json"]


def test_a_tar_that_is_cut_or_garbled_between_its_members_is_told(tmp_path):
    whole = tar(tmp_path / "whole.tar", {f"{n}.jpg": bytes([n]) * 700 for n in range(1, 4)})
    content, third = whole.read_bytes(), 1536 * 2  # a header and two blocks each
    assert [name for name, _ in archives.tar_files(whole)] == ["1.jpg", "2.jpg", "3.jpg"]
    for damaged in (
        content[:third],
        content[: third + 300],
        content[: third + 600],
        content[:third] + b"?" * 512 + content[third + 512 :],
        content[:third] + bytes(512) + content[third + 512 :],
        content[:-700] + b"?" * 700,
        b"",
    ):
        (tmp_path / "x.tar").write_bytes(damaged)
        with pytest.raises(Problem, match="damaged"):
            next(archives.tar_files(tmp_path / "x.tar"))


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_in_a_tar_are_refused(tmp_path, kind):
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        member = tarfile.TarInfo("a.jpg")
        member.type, member.linkname = kind, "/etc/passwd"
        archive.addfile(member)
    with pytest.raises(Problem, match="link or a device"):
        next(archives.tar_files(tmp_path / "x.tar"))


def test_a_tar_that_swells_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "ROOM", 1 << 20)
    swells = tar(tmp_path / "x.tar.gz", {"a.jpg": bytes(3 << 20), "b.jpg": bytes(3 << 20)}, "w:gz")
    with pytest.raises(Problem, match="unpacks to more"):
        next(archives.tar_files(swells))
    monkeypatch.setattr(archives, "LARGEST", 1 << 20)
    monkeypatch.setattr(archives, "ROOM", 1 << 30)
    with pytest.raises(Problem, match=r"'a\.jpg' has 3,145,728 bytes"):
        next(archives.tar_files(swells))


def heaped(folder):
    """Put the pictures of class folders into one heap, as Kaggle does."""
    for path in sorted(folder.rglob("*.JPEG")):
        path.rename(folder / path.name)
    for entry in [entry for entry in folder.iterdir() if entry.is_dir()]:
        entry.rmdir()


@pytest.mark.parametrize("label", ["../../x", "/tmp/x", "..", "a/b", "C:x", "a\\b", "a\x00b"])
def test_a_class_that_is_no_name_writes_nothing_outside(tmp_path, run, imagenet, label):
    heaped(imagenet / "val")
    table = "ImageId,PredictionString\n" + "".join(
        f"val_{name},{label} 1 2 3 4\n" for name in ("n01", "n02", "n03")
    )
    (imagenet / "LOC_val_solution.csv").write_text(table)
    code, _, err = run(prepare_imagenet, "--from", imagenet, "--side", 18)
    assert code == 1 and "not a file's name" in err
    made = {path.relative_to(tmp_path).parts[:2] for path in tmp_path.rglob("*.jpg")}
    assert made == {("out", "train")}


@pytest.mark.parametrize(
    "table", ["", "ImageId\nval_n01\n", "ImageId,PredictionString\nval_n01,\n", "\xff\xfe"]
)
def test_a_damaged_table_is_one_sentence(tmp_path, run, imagenet, table):
    heaped(imagenet / "val")
    (imagenet / "LOC_val_solution.csv").write_bytes(table.encode("latin-1"))
    code, _, err = run(prepare_imagenet, "--from", imagenet, "--side", 18)
    assert code == 1 and "LOC_val_solution.csv" in err and len(err.strip().splitlines()) == 1


@pytest.mark.parametrize("name", ["../up.jpg", "/tmp/up.jpg", "a/../../up.jpg"])
def test_labels_that_name_a_path_are_refused(tmp_path, run, name):
    root = bdd100k(tmp_path / "bdd")
    file = root / "labels" / "det_20" / "det_val.json"
    entries = json.loads(file.read_text())
    entries[0]["name"] = name
    file.write_text(json.dumps(entries))
    code, _, err = run(prepare_bdd100k, "--from", root, "--side", 32)
    assert code == 1 and "not a file's name" in err and not (tmp_path / "out").exists()


def test_a_path_never_leads_outside_of_the_target(tmp_path):
    for name in ("../x.jpg", "/tmp/x.jpg", "a/../../x.jpg"):
        with pytest.raises(Problem, match="leads outside"):
            pictures.resize_all([(name, bytes)], tmp_path / "out", pictures.whole(8), "any")


def test_two_pictures_of_one_name_are_told_and_the_first_stays(tmp_path, run, imagenet):
    folder = imagenet / "train" / "n01"
    picture(folder / "n01_0.png", (90, 30))
    picture(folder / "N01_1.JPEG", (90, 30))
    code, _, err = run(prepare_imagenet, "--from", imagenet, "--side", 18)
    assert code == 1 and "2 pictures (" in err and "rename these" in err
    made = tmp_path / "out" / "train" / "n01"
    assert len(names(made)) == 2 and size_of(made / "n01_0.jpg") == (24, 18)


def test_names_that_run_into_one_are_told(tmp_path, run):
    for name in ("a-b/c.jpg", "a/b-c.jpg", "d.jpg", "e.jpg"):
        picture(tmp_path / "lhq" / name)
    given = ["--from", tmp_path / "lhq", "--frames", tmp_path / "lhq", "--held-out", 1]
    code, _, err = run(prepare_anime_scene, *given)
    assert code == 1 and "would be named" in err


def test_what_cannot_be_read_is_named_with_what_is_broken(tmp_path, run, imagenet):
    folder = imagenet / "train" / "n01"
    (folder / "dangling.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (folder / "folder.jpg").mkdir()
    (folder / "broken.jpg").write_bytes(b"?")
    code, _, err = run(prepare_imagenet, "--from", imagenet, "--side", 18)
    assert code == 1 and "3 pictures (" in err and "cannot be decoded" in err
    assert len(list((tmp_path / "out" / "train").rglob("*.jpg"))) == 6


@pytest.mark.parametrize("note", ["", "[]", "null", "{", "{}", "[" * 100_000])
def test_a_damaged_note_is_one_sentence(tmp_path, run, imagenet, note):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "how.json").write_text(note)
    code, _, err = run(prepare_imagenet, "--from", imagenet, "--side", 18)
    assert code == 1 and "another place" in err and len(err.strip().splitlines()) == 1


@pytest.mark.parametrize("side", ["0", "-3", "1e3", "100000", "x"])
def test_a_side_out_of_range_is_refused(tmp_path, run, imagenet, side):
    with pytest.raises(SystemExit):
        run(prepare_imagenet, "--from", imagenet, f"--side={side}")
    assert not (tmp_path / "out").exists()


# --- nothing for nothing
# --------------------------------------------------------------------------------------------


def test_a_dry_run_writes_nothing(tmp_path, run, imagenet):
    bdd = bdd100k(tmp_path / "bdd")
    before = names(tmp_path)
    for script, arguments, says in (
        (prepare_imagenet, ["--from", imagenet], "train 1,281,167"),
        (prepare_openimages, ["--parts", "0f"], "train_f.tar.gz"),
        (prepare_bdd100k, ["--from", bdd, "--held-out", 2], "4 / 4 / 2 / 2"),
        (
            prepare_anime_scene,
            ["--from", imagenet, "--frames", bdd, "--held-out", 2],
            "9 photographs and 28 frames",
        ),
    ):
        code, out, _ = run(script, *arguments, "--dry-run")
        assert code == 0 and "would make" in out and says in out
    assert names(tmp_path) == before
