"""Summer and winter of the toy world as files: untidy on purpose, and the same every time."""

import numpy as np
from PIL import Image, ImageOps

from varbook.data.toy_folders import SEASONS, write_seasons
from varbook.own.folder import look


def files(folder) -> dict:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_the_folder_is_as_untidy_as_it_says_and_is_looked_through(tmp_path, monkeypatch):
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path / "home"))
    folder = write_seasons(tmp_path / "seasons", 12, side=32)
    assert {file.suffix for file in folder.rglob("*.*")} == {".jpg", ".png"}
    survey = look(folder, size=32, load_size=36)
    assert survey.names == SEASONS
    for domain in survey.domains:
        assert len(domain.train) + len(domain.held_out) == 12
        left_out = {name for names in domain.left_out.values() for name in names}
        assert left_out == {"broken.jpg", "notes.jpg", f"{domain.name}_000_copy.jpg"}
        assert len(set(domain.sizes)) > 6 and domain.smallest >= (32, 32)
        assert any("album" in file.parts for file in domain.train)


def test_the_same_arguments_write_the_same_pictures_and_write_them_once(tmp_path):
    first, second = (write_seasons(tmp_path / name, 4, side=32) for name in ("one", "two"))
    assert files(first) == files(second)
    (first / "winter" / "mine.txt").write_text("kept", encoding="utf-8")
    assert (write_seasons(first, 4, side=32) / "winter" / "mine.txt").is_file()
    other = write_seasons(tmp_path / "other", 4, side=32, seed=1)
    assert not set(files(first).values()) & {
        data for name, data in files(other).items() if "notes" not in name
    }


def test_animals_stand_upright_and_winter_is_brighter(tmp_path):
    folder = write_seasons(tmp_path / "seasons", 8, side=32)
    bright = {}
    for season in SEASONS:
        below = []
        for file in sorted((folder / season).rglob(f"{season}_*")):
            with Image.open(file) as picture:
                pixels = np.asarray(ImageOps.exif_transpose(picture).convert("RGB")).mean(2)
            assert pixels[:2].std() < pixels.std()  # the sky is above
            below.append(pixels[-3:].mean())
        bright[season] = np.mean(below)
    assert bright["winter"] > bright["summer"] + 60
