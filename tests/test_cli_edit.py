"""The four edits on files: what is kept keeps its own pixels, sizes are as asked for, and nonsense is
refused in a sentence.
"""

import json

import pytest
import torch
from tiny import pictures, tiny_generators

from varbook import paths
from varbook.cli import main
from varbook.data.images import load_image, save_image


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch) -> None:
    """A home with a FlexVAR model, and a folder with pictures and masks."""
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VARBOOK_DEVICE", "cpu")
    monkeypatch.setenv("VARBOOK_PROFILE", "smoke")
    monkeypatch.setattr(paths, "shipped", lambda: tmp_path / "shipped")
    monkeypatch.chdir(tmp_path)
    tiny_generators()
    save_image(pictures(1, 40, 30)[0], "a.png")
    mask = torch.full((3, 40, 30), -1.0)
    mask[:, 10:30] = 1
    save_image(mask, "mask.png")
    save_image(torch.ones(3, 40, 30), "white.png")
    save_image(torch.ones(3, 40, 31), "other.png")


def edit(*arguments: str) -> int:
    return main.main(["edit", *arguments])


def test_refining_multiplies_the_pixels(capsys):
    save_image(pictures(1, 8, 9)[0], "small.png")
    assert edit("refine", "small.png", "--class", "horse", "--factor", "3") == 0
    assert "small-refine.png written, 24 x 24 pixels" in capsys.readouterr().out  # whole cells
    assert load_image("small-refine.png").shape == (3, 24, 24)


@pytest.mark.parametrize("marked", [["--mask", "mask.png"], ["--box", "10,30,0,30"]])
def test_painting_in_changes_the_marked_pixels_alone(marked):
    assert edit("inpaint", "a.png", "--class", "zebra", *marked, "--out", "in.png") == 0
    before, after = load_image("a.png"), load_image("in.png")
    assert torch.equal(before[:, :10], after[:, :10]) and torch.equal(before[:, 30:], after[:, 30:])
    assert not torch.equal(before[:, 10:30], after[:, 10:30])


def test_painting_out_keeps_the_marked_pixels_alone():
    assert edit("outpaint", "a.png", "--mask", "mask.png", "--out", "out.png") == 0
    before, after = load_image("a.png"), load_image("out.png")
    assert torch.equal(before[:, 10:30], after[:, 10:30])
    assert not torch.equal(before[:, :10], after[:, :10])


@pytest.mark.parametrize(
    "asked, size", [(["--aspect", "2:1"], (40, 80)), (["--size", "80x30"], (80, 30))]
)
def test_extending_keeps_the_picture_in_the_middle(asked, size, capsys):
    assert edit("extend", "a.png", "--class", "1", *asked, "--out", "wide.png", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    before, after = load_image("a.png"), load_image("wide.png")
    assert told["size"] == list(after.shape[-2:])
    assert all(abs(a - b) <= 12 for a, b in zip(after.shape[-2:], size))  # whole cells
    views = after.unfold(1, 40, 1).unfold(2, 30, 1)  # 3 h w 40 30
    assert (views == before[:, None, None]).all(0).all(-1).all(-1).sum() == 1


def test_the_same_seed_gives_the_same_picture_another_one_another():
    asked = ["inpaint", "a.png", "--class", "horse", "--box", "0,30,0,30"]
    for out, seed in (("1.png", "0"), ("2.png", "0"), ("3.png", "1")):
        assert edit(*asked, "--seed", seed, "--out", out) == 0
    first, second, third = (load_image(f"{n}.png") for n in (1, 2, 3))
    assert torch.equal(first, second) and not torch.equal(first, third)


@pytest.mark.parametrize(
    "asked, match",
    [
        (["refine", "nowhere.png"], "There is no picture at nowhere.png"),
        (["refine", "text.jpg"], "text.jpg cannot be decoded"),
        (["refine", "a.png", "--factor", "1"], "not a whole number from 2 on"),
        (["refine", "a.png"], "80 x 64 pixels are too many"),
        (["refine", "a.png", "--class", "cow"], "No model knows the class 'cow'"),
        (["refine", "a.png", "--run", "nothing"], "no run of that name"),
        (["refine", "a.png", "--top-p", "2"], "top_p is a probability"),
        (["refine", "a.png", "--out", "a.txt"], "a.txt is not a picture file"),
        (["refine", "a.png", "--out", "a.png", "--force"], "no original is lost"),
        (["refine", "a.png", "--out", "mask.png"], "mask.png would be overwritten"),
        (["refine", "a.png", "--out", "text.jpg/b.png"], "a file stands where a folder"),
        (["inpaint", "a.png"], "--mask --box is required"),
        (["inpaint", "a.png", "--mask", "other.png"], "40 x 31 pixels and the picture 40 x 30"),
        (["inpaint", "a.png", "--mask", "white.png"], "marks all of the picture"),
        (["inpaint", "a.png", "--box", "0,50,0,9"], "reaches to row 50"),
        (["inpaint", "a.png", "--box", "9,9,0,9"], "is an empty box"),
        (["inpaint", "a.png", "--box", "9,9"], "is not a box"),
        (["extend", "a.png", "--aspect", "3:4"], "Extending makes a picture larger"),
        (["extend", "a.png", "--size", "20x90"], "for less on none"),
        (["extend", "a.png", "--aspect", "20:1"], "pixels are too many"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_in_one_sentence(asked, match, tmp_path, capsys):
    (tmp_path / "text.jpg").write_text("hello")
    before = set(tmp_path.iterdir())
    assert edit(*asked) == 2
    told = capsys.readouterr().err
    assert match in told and len(told.splitlines()) == 1
    assert set(tmp_path.iterdir()) == before
