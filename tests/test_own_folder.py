"""Two folders as people have them: nested, of all formats, with broken files among them; what is
found is said, and each mistake is answered in one sentence.
"""

import json

import numpy as np
import pytest
from PIL import Image

from varbook.data import picture_files
from varbook.errors import VarbookError
from varbook.own import folder as own_folder
from varbook.own.folder import held_out_count, look

SIZE = {"size": 16, "load_size": 18}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path / "home"))


def picture(seed: int, width: int = 40, height: int = 30) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def fill(folder, count: int, seed: int = 0, suffix: str = ".png"):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        picture(seed + number).save(folder / f"{number:03}{suffix}")
    return folder


@pytest.fixture
def pair(tmp_path):
    fill(tmp_path / "pair" / "winter", 6, seed=0)
    fill(tmp_path / "pair" / "summer", 20, seed=100)
    return tmp_path / "pair"


def counts(survey) -> dict:
    return {d.name: (len(d.train), len(d.held_out)) for d in survey.domains}


def test_two_subfolders_are_two_domains_and_a_share_is_held_out(pair):
    survey = look(pair, **SIZE)
    assert counts(survey) == {"summer": (15, 5), "winter": (6, 0)}
    said = survey.say()
    assert (
        "40x30" in said and "wide (1.33:1)" in said and "winter: no pictures are held out" in said
    )


def test_the_held_out_pictures_depend_on_their_content_alone(pair, tmp_path):
    before = {f.read_bytes() for f in look(pair, **SIZE).domains[0].held_out}
    for number, file in enumerate(sorted((pair / "summer").iterdir(), reverse=True)):
        file.rename(pair / "summer" / f"renamed{number:03}.png")
    assert {f.read_bytes() for f in look(pair, **SIZE).domains[0].held_out} == before


def test_the_four_folders_of_cyclegan_keep_their_test_pictures_and_may_be_named(tmp_path):
    for side, seed in (("A", 0), ("B", 50)):
        fill(tmp_path / "d" / f"train{side}", 5, seed)
        fill(tmp_path / "d" / f"test{side}", 3, seed + 20)
    assert counts(look(tmp_path / "d", **SIZE)) == {"A": (5, 3), "B": (5, 3)}
    named = look(tmp_path / "d", names=("day", "night"), **SIZE)
    assert counts(named) == {"day": (5, 3), "night": (5, 3)}


def test_train_and_val_folders_are_no_domains_but_hold_them(tmp_path):
    for part, count in (("train", 5), ("val", 2)):
        for seed, name in enumerate(("sea", "street")):
            fill(tmp_path / "d" / part / name, count, 100 * seed + (50 if part == "val" else 0))
    assert counts(look(tmp_path / "d", **SIZE)) == {"sea": (5, 2), "street": (5, 2)}


def test_two_named_folders_may_be_nested_and_of_one_name(tmp_path):
    fill(tmp_path / "x" / "photos" / "2019" / "may", 5, 0)
    fill(tmp_path / "y" / "photos", 5, 50)
    survey = look(source=tmp_path / "x" / "photos", target=tmp_path / "y" / "photos", **SIZE)
    assert survey.names == ("x-photos", "y-photos")


def test_every_format_is_read_and_what_is_not_is_named(pair):
    winter = pair / "winter"
    for number, suffix in enumerate((".jfif", ".gif", ".webp", ".tiff", ".bmp", ".JPG")):
        picture(30 + number).save(winter / f"f{suffix}", "JPEG" if "j" in suffix.lower() else None)
    picture(40).convert("L").save(winter / "grey.png")
    picture(41).convert("CMYK").save(winter / "cmyk.jpg")
    picture(42).convert("P").save(winter / "palette.png")
    picture(43).convert("RGBA").save(winter / "alpha.png")
    picture(44).save(winter / "png called.jpg", "PNG")
    picture(45, 6, 50).save(winter / "thin.png")
    (winter / "text.jpg").write_text("hello")
    (winter / "empty.png").touch()
    cut = (winter / "000.png").read_bytes()[:-200]
    (winter / "cut.png").write_bytes(cut)
    (winter / "notes.txt").write_text("hello")
    (winter / "phone.heic").write_bytes(b"....ftypheic")
    (winter / ".hidden.png").touch()
    (winter / "again.png").write_bytes((winter / "001.png").read_bytes())
    picture(46).save(winter / "film.gif", save_all=True, append_images=[picture(47)])
    survey = look(pair, **SIZE)
    domain = survey.domains[1]
    assert len(domain.train) + len(domain.held_out) == 6 + 11 + 1 and domain.animated == 1
    assert {reason: sorted(names) for reason, names in domain.left_out.items()} == {
        "smaller than 8 pixels": ["thin.png"],
        "something else than a picture": ["text.jpg"],
        "empty": ["empty.png"],
        "broken": ["cut.png"],
        "no picture (.txt)": ["notes.txt"],
        "HEIC (pip install pillow-heif reads it)": ["phone.heic"],
        "hidden": [""],
        "there twice": ["again.png"],
    }
    assert "left out 1, broken: cut.png" in survey.say()
    json.dumps(survey.numbers())


def test_a_turned_photograph_is_measured_upright(pair):
    exif = Image.Exif()
    exif[274] = 6
    for file in (pair / "winter").iterdir():
        picture(int(file.stem), 40, 30).save(file.with_suffix(".jpg"), exif=exif)
        file.unlink()
    assert look(pair, **SIZE).domains[1].median_size == (30, 40)


def test_no_more_are_decoded_than_the_time_can_use(pair):
    domain = look(pair, most=8, **SIZE).domains[0]
    assert len(domain.train) + len(domain.held_out) == 8 and domain.unused == 12
    again = look(pair, most=8, **SIZE).domains[0]
    assert again.train == domain.train


def test_pictures_of_both_domains_or_of_training_and_test_are_left_out(pair):
    (pair / "winter" / "shared.png").write_bytes((pair / "summer" / "000.png").read_bytes())
    summer, winter = look(pair, **SIZE).domains
    assert summer.left_out["in both domains"] == ("000.png",)
    assert winter.left_out["in both domains"] == ("shared.png",)


@pytest.mark.parametrize(
    "make, match",
    [
        (lambda root: None, "There is no folder"),
        (lambda root: root.touch(), "is a file"),
        (lambda root: root.mkdir(), "holds no subfolders with pictures"),
        (lambda root: fill(root, 5), "holds no subfolders with pictures"),
        (lambda root: fill(root / "a", 5), "holds one subfolder with pictures, a"),
        (lambda root: [fill(root / n, 5) for n in "abc"], r"3 subfolders .*\(a, b, c\).*--source"),
        (lambda root: [fill(root / "a", 5), fill(root / "b", 1, 9)], "b has 1 pictures to train"),
        (lambda root: [fill(root / n, 5) for n in "ab"], "hold the same pictures"),
        (
            lambda root: [
                fill(root / "a", 5),
                (root / "b").mkdir(),
                (root / "b" / "x.jpg").write_text("no"),
            ],
            "b has no pictures to train on .1 something else than a picture",
        ),
    ],
)
def test_every_mistake_has_its_sentence(tmp_path, make, match):
    make(tmp_path / "root")
    with pytest.raises(VarbookError, match=match):
        look(tmp_path / "root", **SIZE)


def test_named_folders_that_make_no_sense_are_refused(pair):
    for source, target, match in (
        (pair / "summer", pair / "summer", "are both"),
        (pair, pair / "summer", "lies within"),
        (pair / "summer", pair / "nowhere", "There is no folder"),
        (pair / "summer", None, "Name one folder"),
    ):
        with pytest.raises(VarbookError, match=match):
            look(source=source, target=target, **SIZE)
    with pytest.raises(VarbookError, match="Both domains are named"):
        look(pair, names=("a", "a"), **SIZE)


def test_a_folder_without_the_right_to_read_is_refused(pair, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(own_folder.two_places.__globals__["os"], "scandir", refuse)
    with pytest.raises(VarbookError, match="cannot be read .Permission denied."):
        look(pair, **SIZE)


def test_pictures_are_decoded_once(pair, monkeypatch):
    first = look(pair, **SIZE)
    monkeypatch.setattr(picture_files, "open_rgb", None)
    assert look(pair, **SIZE) == first


def test_held_out_counts_leave_enough_to_train_on():
    assert [held_out_count(n) for n in (4, 11, 12, 40, 200, 50_000)] == [0, 0, 3, 10, 20, 200]
