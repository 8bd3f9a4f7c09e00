"""Folders of pictures in, folders of pictures out: names, sizes, orientation, and everything that
may go wrong.
"""

import errno
import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from tiny import SIDE, pictures, tiny_cyclevar, tiny_runs

from varbook import paths
from varbook.cli import image_files, translate, translate_files
from varbook.data.images import load_image, readable_suffixes, save_image, to_uint8
from varbook.errors import VarbookError
from varbook.translate.apply import translate_all

SIZES = {"a.png": (16, 16), "b.jpg": (30, 22), "c.JPG": (12, 40), "d.webp": (50, 50)}


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder with four pictures, one broken one and a text."""
    for seed, (name, size) in enumerate(SIZES.items()):
        save_image(pictures(1, *size, seed=seed), tmp_path / "in" / name)
    (tmp_path / "in" / "broken.png").write_bytes(b"no picture")
    (tmp_path / "in" / "notes.txt").write_text("hello")
    return tmp_path / "in"


@pytest.fixture
def home(tmp_path, monkeypatch) -> str:
    """A home with one trained run; its name."""
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VARBOOK_DEVICE", "cpu")
    monkeypatch.setenv("VARBOOK_PROFILE", "smoke")
    monkeypatch.setattr(paths, "shipped", lambda: tmp_path / "shipped")
    return tiny_runs()


def names(folder: Path) -> set[str]:
    return {one.name for one in folder.iterdir()} if folder.is_dir() else set()


def test_every_picture_keeps_its_name_and_size_and_the_broken_one_is_reported(folder, tmp_path):
    out = tmp_path / "new" / "out"
    outcome = translate_files.translate_pictures(tiny_cyclevar(), folder, out, 2, batch=2)
    assert names(out) == set(SIZES) == set(outcome.written)
    for name, size in SIZES.items():
        assert load_image(out / name).shape == (3, *size)
    assert (
        len(outcome.failed) == 1
        and "broken.png cannot be decoded" in outcome.failed[0]
        and not outcome.existing
    )


def test_a_picture_of_the_model_s_size_is_translated_as_the_book_does(folder, tmp_path):
    cyclevar = tiny_cyclevar()
    translate_files.translate_pictures(cyclevar, folder / "a.png", tmp_path / "out", 2)
    wanted = to_uint8(translate_all(cyclevar, load_image(folder / "a.png")[None], 2))[0]
    assert (load_image(tmp_path / "out" / "a.png").int() - wanted.int()).abs().max() <= 1
    other = to_uint8(translate_all(cyclevar, load_image(folder / "a.png")[None], 0))[0]
    assert not torch.equal(wanted, other)


def test_tiles_translate_each_place_at_full_size():
    cyclevar, image = tiny_cyclevar(), to_uint8(pictures(1, 40, 24))[0]
    (whole,) = translate_files.translate_images(cyclevar, [image], 2, large="tiles", batch=3)
    corner = to_uint8(translate_all(cyclevar, image[None, :, :SIDE, :SIDE], 2))[0]
    assert whole.shape == image.shape
    alone = slice(0, SIDE // 2)  # only one tile reaches the corner
    assert (whole[:, alone, alone].int() - corner[:, alone, alone].int()).abs().max() <= 1


def test_the_batch_changes_nothing():
    images = [to_uint8(pictures(1, 20 + 8 * k, 24, seed=k))[0] for k in range(3)]
    once, more = (
        translate_files.translate_images(tiny_cyclevar(), images, 2, large="tiles", batch=n)
        for n in (1, 50)
    )
    assert all((a.int() - b.int()).abs().max() <= 1 for a, b in zip(once, more, strict=True))


def test_a_turned_photograph_comes_out_upright(tmp_path):
    picture = Image.new("RGB", (30, 20), "red")
    exif = Image.Exif()
    exif[274] = 6  # turn by a quarter to see it upright
    (tmp_path / "in").mkdir()
    picture.save(tmp_path / "in" / "turned.jpg", exif=exif)
    translate_files.translate_pictures(tiny_cyclevar(), tmp_path / "in", tmp_path / "out", 2)
    with Image.open(tmp_path / "out" / "turned.jpg") as out:
        assert out.size == (20, 30) and out.getexif().get(274, 1) == 1


def test_what_is_transparent_stays_so_where_the_format_can_hold_it(tmp_path):
    (tmp_path / "in").mkdir()
    picture = Image.new("RGBA", (20, 12), (200, 90, 40, 255))
    picture.paste((0, 0, 0, 0), (0, 0, 10, 12))
    for name in ("a.png", "b.webp", "c.tif"):
        picture.save(tmp_path / "in" / name, lossless=True)
    picture.convert("RGB").save(tmp_path / "in" / "d.png")
    translate_files.translate_pictures(tiny_cyclevar(), tmp_path / "in", tmp_path / "out", 2)
    for name in ("a.png", "b.webp", "c.tif"):
        with Image.open(tmp_path / "out" / name) as out:
            alpha = out.convert("RGBA").getchannel("A")
            assert alpha.getpixel((2, 5)) == 0 and alpha.getpixel((15, 5)) == 255
    with Image.open(tmp_path / "out" / "d.png") as out:
        assert out.mode == "RGB"


def test_what_is_read_and_not_written_becomes_a_png_and_animations_are_told(
    folder, home, tmp_path, capsys
):
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    frames[0].save(folder / "film.gif", save_all=True, append_images=frames[1:])
    frames[0].save(folder / "still.avif")
    (folder / "telephone.heic").write_bytes(b"?")
    (folder / "more").mkdir()
    assert translate.main([str(folder), str(tmp_path / "out"), "--run", home]) == 1
    out = capsys.readouterr().out
    assert names(tmp_path / "out") == {*SIZES, "film.png", "still.png"}
    assert "of 1 animations the first frame" in out and "1 subfolder" in out
    if ".heic" not in readable_suffixes():
        assert "1 .heic (pip install pillow-heif reads them)" in out


def test_two_pictures_that_would_become_one_file_are_told_before_anything_is_done(folder, tmp_path):
    Image.new("RGB", (16, 16)).save(folder / "a.gif")  # a.png is there
    with pytest.raises(VarbookError, match="would become a.png"):
        translate_files.translate_pictures(tiny_cyclevar(), folder, tmp_path / "out", 2)
    assert names(tmp_path / "out") == set()


def test_what_is_there_stays_without_force_and_is_replaced_whole_with_it(folder, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.png").write_text("mine")
    outcome = translate_files.translate_pictures(tiny_cyclevar(), folder, out, 2)
    assert (out / "a.png").read_text() == "mine" and outcome.existing == ["a.png"]
    assert set(outcome.written) == set(SIZES) - {"a.png"}
    assert (
        "a.png"
        in translate_files.translate_pictures(tiny_cyclevar(), folder, out, 2, force=True).written
    )
    assert load_image(out / "a.png").shape == (3, 16, 16) and names(out) == set(
        SIZES
    )  # no temporary file is left


def test_a_write_that_fails_is_reported_and_the_rest_is_done(folder, tmp_path):
    (tmp_path / "out" / "a.png").mkdir(parents=True)
    outcome = translate_files.translate_pictures(
        tiny_cyclevar(), folder, tmp_path / "out", 2, force=True
    )
    assert (
        any("a.png cannot be written" in one for one in outcome.failed)
        and len(outcome.written) == 3
    )


def test_requests_that_make_no_sense_are_refused(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    for source, out, match in (
        (tmp_path / "nowhere", "out", "no file or folder"),
        (tmp_path / "empty", "out", "holds no pictures"),
        (folder / "notes.txt", "out", "is not a picture"),
        (folder, "in", "no original is lost"),
        (folder, "in/a.png", "is a file"),
    ):
        with pytest.raises(VarbookError, match=match):
            translate_files.translate_pictures(tiny_cyclevar(), source, tmp_path / out, 2)
    with pytest.raises(VarbookError, match="resize"):
        translate_files.translate_images(
            tiny_cyclevar(), [torch.zeros(3, 16, 16, dtype=torch.uint8)], 2, large="crop"
        )


def test_the_target_is_a_domain_a_number_or_the_second_domain():
    known = {"horse": 3, "zebra": 7}
    assert translate.target_of("horse", known, 8) == ("horse", 3)
    assert translate.target_of(None, known, 8) == ("zebra", 7)
    assert translate.target_of("5", {}, 8) == ("class 5", 5)
    for name, domains, told in (("cow", known, "horse, zebra"), (None, {}, "0 to 7")):
        with pytest.raises(VarbookError, match=f"--to.*{told}"):
            translate.target_of(name, domains, 8)


def test_the_command_translates_and_says_so(home, folder, tmp_path, capsys):
    out = tmp_path / "out"
    assert translate.main([str(folder), str(out), "--to", "horse"]) == 1  # the broken picture
    said = capsys.readouterr()
    assert f"{home}: 5 of 5 pictures to horse, 16 pixels a side" in said.out
    assert "4 written" in said.out and "left out: 1 .txt" in said.out
    assert "broken.png" in said.err and names(out) == set(SIZES)
    (folder / "broken.png").unlink()
    assert translate.main([str(folder), str(out), "--run", home]) == 0
    assert "4 left as they were" in capsys.readouterr().out


def test_with_json_a_script_reads_what_became_of_each_picture(home, folder, tmp_path, capsys):
    (folder / "more").mkdir()
    assert translate.main([str(folder), str(tmp_path / "out"), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert set(told["written"]) == set(SIZES) and told["run"] == home and told["to"] == "zebra"
    assert told["others"] == {".txt": 1, "subfolder": 1} and len(told["failed"]) == 1


def test_a_dry_run_writes_nothing_and_a_list_loads_nothing(home, folder, tmp_path, capsys):
    assert translate.main([str(folder), str(tmp_path / "out"), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "a.png -> " in said and not (tmp_path / "out").exists()
    assert translate.main(["--list"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{home}: horse <-> zebra, trained 20") and "on horse2zebra" in line
    assert translate.main(["--list", "--json"]) == 0
    assert [run["name"] for run in json.loads(capsys.readouterr().out)] == [home]


@pytest.mark.parametrize(
    "extra, match",
    [
        (["--to", "cow"], "horse, zebra"),
        (["--to", "9"], "no class 9"),
        (["--batch", "0"], "not a whole number from 1 on"),
        (["--run", "nothing"], "no run of that name"),
        (["--large", "crop"], "invalid choice"),
    ],
)
def test_a_request_that_makes_no_sense_ends_with_2(home, folder, tmp_path, capsys, extra, match):
    assert translate.main([str(folder), str(tmp_path / "out"), *extra]) == 2
    told = capsys.readouterr().err
    assert match in told and len(told.splitlines()) == 1 and not names(tmp_path / "out")


def test_a_source_that_holds_no_picture_is_told_with_what_it_holds(home, tmp_path, capsys):
    for name, holds, match in (
        ("empty", [], "it is empty"),
        ("heic", ["a.heic", "b.HEIC"], "it holds 2 .heic"),
        ("deep", ["b/"], "1 subfolder; subfolders are not searched"),
        ("nowhere", None, "no file or folder"),
    ):
        if holds is not None:
            (tmp_path / name).mkdir()
        for entry in holds or []:
            (tmp_path / name / entry).mkdir() if entry[-1] == "/" else (
                tmp_path / name / entry
            ).touch()
        assert translate.main([str(tmp_path / name), str(tmp_path / "out")]) == 2
        assert match in capsys.readouterr().err


def test_one_picture_is_enough_and_a_text_named_jpg_is_told(home, folder, tmp_path, capsys):
    assert translate.main([str(folder / "a.png"), str(tmp_path / "one")]) == 0
    (tmp_path / "text.jpg").write_text("hello")
    assert translate.main([str(tmp_path / "text.jpg"), str(tmp_path / "two")]) == 1
    assert "text.jpg cannot be decoded" in capsys.readouterr().err


def test_no_original_is_lost_behind_a_link(home, folder, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.png").write_bytes((folder / "a.png").read_bytes())
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "a.png").symlink_to(out / "a.png")
    assert translate.main([str(tmp_path / "links"), str(out), "--force"]) == 2
    assert "no original is lost" in capsys.readouterr().err
    assert (out / "a.png").read_bytes() == (folder / "a.png").read_bytes()


def test_a_full_disk_ends_the_command_and_what_is_done_stays(
    home, folder, tmp_path, capsys, monkeypatch
):
    written = image_files.write_atomically

    def full(path, content):
        if path.name != "a.png":
            raise OSError(errno.ENOSPC, "No space left on device")
        written(path, content)

    monkeypatch.setattr(image_files, "write_atomically", full)
    assert translate.main([str(folder), str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert "No space is left" in told and "1 pictures are written and stay" in told
    assert names(tmp_path / "out") == {"a.png"}


def test_a_place_that_cannot_be_written_is_refused_before_the_work(home, folder, tmp_path, capsys):
    (tmp_path / "file").touch()
    assert translate.main([str(folder), str(tmp_path / "file" / "out")]) == 2
    assert "a file stands where a folder is needed" in capsys.readouterr().err


def test_a_strip_is_too_narrow_for_tiles_and_the_others_are_done(home, folder, tmp_path, capsys):
    Image.new("RGB", (900, 1)).save(folder / "strip.png")
    assert translate.main([str(folder), str(tmp_path / "out"), "--large", "tiles"]) == 1
    assert "strip.png: An image of 1 x 900 pixels is too narrow" in capsys.readouterr().err
    assert names(tmp_path / "out") == set(SIZES)


def test_nothing_named_ends_with_2(capsys):
    assert translate.main([]) == 2
    assert "Name a picture or a folder" in capsys.readouterr().err
