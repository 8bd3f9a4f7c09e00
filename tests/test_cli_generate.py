"""Pictures of a class and from words: as many, as large and as varied as asked for, the same for the
same seed, and nonsense refused in a sentence.
"""

import errno
import json

import pytest
import torch
from tiny import tiny_generators, tiny_runs

from varbook import paths
from varbook.cli import image_files, main
from varbook.cli.drawing import asked_size, snapped
from varbook.data.images import load_image
from varbook.errors import VarbookError


@pytest.fixture(autouse=True)
def runs(tmp_path, monkeypatch) -> tuple[str, str]:
    """A home with a FlexVAR model of three classes and one that reads; their names."""
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VARBOOK_DEVICE", "cpu")
    monkeypatch.setenv("VARBOOK_PROFILE", "smoke")
    monkeypatch.setattr(paths, "shipped", lambda: tmp_path / "shipped")
    monkeypatch.chdir(tmp_path)
    return tiny_generators()


def generate(*arguments: str) -> int:
    return main.main(["generate", *arguments])


def test_each_picture_has_a_file_and_all_have_a_sheet(runs, tmp_path, capsys):
    assert generate("--class", "zebra", "--count", "3", "--seed", "5") == 0
    said = capsys.readouterr().out
    assert f"{runs[0]}: 3 x zebra, 16 x 16 pixels, 4 steps" in said and "4 files" in said
    names = {file.name for file in (tmp_path / "generated").iterdir()}
    assert names == {"zebra-5.png", "zebra-6.png", "zebra-7.png", "zebra-sheet.png"}


def test_a_seed_is_a_picture_whatever_is_drawn_beside_it(tmp_path):
    generate("--class", "horse", "--count", "4", "--out", "all")
    generate("--class", "horse", "--count", "1", "--seed", "2", "--out", "third.png")
    third = load_image(tmp_path / "third.png")
    assert (load_image("all/horse-2.png").int() - third.int()).abs().max() <= 1
    assert not torch.equal(load_image("all/horse-0.png"), third)


def test_words_are_drawn_by_the_model_that_reads(runs, capsys):
    assert generate("--words", "a zebra", "--count", "2", "--out", "out", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["run"] == runs[1] and told["seeds"] == [0, 1] and len(told["files"]) == 3
    assert generate("--words", "a unicorn") == 2
    assert "never read the word 'unicorn'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "asked, size, says",
    [
        (["--size", "24"], (24, 24), "24 x 24 pixels,"),
        (["--size", "16", "--aspect", "2:1"], (16, 32), "16 x 32 pixels,"),
        (["--aspect", "3:4"], (20, 16), "20 x 16 pixels (nearest to 21 x 16)"),
        (["--size", "19x30"], (20, 32), "20 x 32 pixels (nearest to 19 x 30)"),
    ],
)
def test_sizes_snap_to_the_model_s_cells_and_say_so(asked, size, says, capsys):
    assert generate("--class", "0", "--count", "1", "--out", "one.png", *asked) == 0
    assert says in capsys.readouterr().out
    assert load_image("one.png").shape == (3, *size)


def test_steps_are_as_many_as_asked_for(capsys):
    assert generate("--class", "horse", "--count", "1", "--out", "a.png", "--steps", "2") == 0
    assert "2 steps" in capsys.readouterr().out
    assert generate("--class", "horse", "--count", "1", "--out", "b.png", "--steps", "9") == 2
    assert "allows 1 to 4 steps, not 9" in capsys.readouterr().err


@pytest.mark.parametrize(
    "asked, match",
    [
        ([], "Say what to draw"),
        (["--class", "unicorn"], "No model knows the class 'unicorn'"),
        (["--class", "17"], "knows no class '17'; it knows horse, zebra, donkey"),
        (["--class", "horse", "--run", "nothing"], "no run of that name"),
        (["--class", "horse", "--size", "400"], "400 x 400 pixels are too many"),
        (["--class", "horse", "--size", "big"], "'big' is not a size"),
        (["--class", "horse", "--size", "0"], "'0' is not a size"),
        (["--class", "horse", "--aspect", "2"], "'2' is not an aspect ratio"),
        (["--class", "horse", "--size", "16x16", "--aspect", "2:1"], "leave out --aspect"),
        (["--class", "horse", "--temperature", "0"], "temperature is a number above 0"),
        (["--class", "horse", "--temperature", "nan"], "temperature is a number above 0"),
        (["--class", "horse", "--top-k", "-1"], "top_k is a whole number"),
        (["--class", "horse", "--top-p", "90"], "top_p is a probability"),
        (["--class", "horse", "--guidance", "inf"], "Guidance is a finite number"),
        (["--class", "horse", "--count", "0"], "not a whole number from 1 on"),
        (["--class", "horse", "--words", "a horse"], "not allowed with"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_in_one_sentence(asked, match, tmp_path, capsys):
    assert generate(*asked) == 2
    told = capsys.readouterr().err
    assert match in told and len(told.splitlines()) == 1
    assert not (tmp_path / "generated").exists()


def test_a_model_that_knows_one_size_says_which_and_who_knows_others(capsys):
    model = tiny_runs().replace("cyclevar", "var")
    assert generate("--class", "horse", "--run", "photo-var", "--size", "24") == 2
    told = capsys.readouterr().err
    assert "draws 16 x 16 pixels in 4 steps only; a FlexVAR model" in told
    assert model.startswith("photo-var")
    assert generate("--class", "horse", "--run", "photo-var", "--count", "1") == 0
    assert generate("--words", "a horse", "--run", "photo-var") == 2
    assert "is not asked for words: use --class" in capsys.readouterr().err


def test_nothing_is_overwritten_without_force(tmp_path, capsys):
    (tmp_path / "one.png").write_text("mine")
    asked = ["--class", "horse", "--count", "1", "--out", "one.png"]
    assert generate(*asked) == 2
    assert "one.png would be overwritten" in capsys.readouterr().err
    assert (tmp_path / "one.png").read_text() == "mine"
    assert generate(*asked, "--force") == 0


def test_places_that_cannot_be_written_are_told(tmp_path, capsys, monkeypatch):
    (tmp_path / "file").touch()
    assert generate("--class", "horse", "--out", "file/out") == 2
    assert "a file stands where a folder is needed" in capsys.readouterr().err

    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(image_files, "write_atomically", full)
    assert generate("--class", "horse", "--count", "1", "--out", "one.png") == 2
    told = capsys.readouterr().err
    assert "no space is left there" in told and len(told.splitlines()) == 1


def test_the_list_says_what_each_model_knows(runs, capsys):
    assert generate("--list") == 0
    said = capsys.readouterr().out
    assert f"{runs[0]}: horse, zebra, donkey" in said and f"{runs[1]}: words, trained 20" in said
    assert all("(smoke) on the toy world; /" in line for line in said.splitlines()[:2])


def test_what_is_not_asked_for_is_as_trained():
    assert asked_size(None, None, (64, 48)) == (64, 48)
    assert asked_size((32, None), None, (64, 64)) == (32, 32)
    assert asked_size(None, (3, 2), (64, 64)) == (64, 96)
    assert asked_size((32, None), (1, 2), (64, 64)) == (64, 32)
    assert snapped((1, 13), 8) == (8, 16)
    with pytest.raises(VarbookError, match="aspect ratio already"):
        asked_size((32, 32), (1, 2), (64, 64))
