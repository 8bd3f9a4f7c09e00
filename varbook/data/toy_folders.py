"""The toy world as a folder of picture files, as untidy as a person's own: summer and winter."""

import os
import random
import shutil
from pathlib import Path

from PIL import Image

from varbook.world.draw import render
from varbook.world.scene import Scene, in_snow, sample_scene

SEASONS = ("summer", "winter")
ANIMALS = ("horse", "cow", "deer")
SHAPES = ((3, 2), (4, 3), (1, 1), (3, 4))  # width to height, as cameras have them
TURNED = 6  # the EXIF orientation of a camera that was held upright


def write_seasons(folder: str | Path, count: int, *, side: int = 96, seed: int = 0) -> Path:
    """Write `count` pictures of summer and `count` of winter into two subfolders of `folder`, and
    return `folder`; where it is there already, nothing is written.

    No scene is in both seasons. Shapes and sizes differ (the shorter side is `side` to twice that),
    a fifth lies in a subfolder, half are JPEG (some turned by their EXIF tag), half PNG. Each
    season also has what a folder of photographs collects: a file that broke off, a text named .jpg
    and a copy of a picture.
    """
    folder = Path(folder)
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Written beside it and renamed: half a folder is never taken for a whole one.
    scratch = folder.with_name(f"{folder.name}-{os.getpid()}.part")
    for season in SEASONS:
        place = scratch / season
        for number in range(count):
            _write_picture(place, season, number, season_scene(season, number, count, seed), side)
        _write_clutter(place)
    try:
        scratch.rename(folder)
    except OSError:  # another process was first
        shutil.rmtree(scratch, ignore_errors=True)
    return folder


def season_scene(season: str, number: int, count: int, seed: int = 0) -> Scene:
    """Return the scene of picture `number` of a season, as `write_seasons` draws it."""
    scene_seed = (seed * count + number) * len(SEASONS) + SEASONS.index(season)
    scene = sample_scene(scene_seed, species=ANIMALS[number % len(ANIMALS)])
    return in_snow(scene) if season == "winter" else scene


def _write_picture(place: Path, season: str, number: int, scene: Scene, side: int) -> None:
    wide, high = SHAPES[number // len(ANIMALS) % len(SHAPES)]
    unit = side * (1 + random.Random(scene.seed).random()) / min(wide, high)
    picture = Image.fromarray(render(scene, round(high * unit), round(wide * unit)))  # H W 3
    album = place / "album" if number % 5 == 4 else place
    album.mkdir(parents=True, exist_ok=True)
    if number // 2 % 2:
        picture.save(album / f"{season}_{number:03}.png")
        return
    exif = Image.Exif()
    if number % 7 < 3:
        exif[0x0112] = TURNED
        picture = picture.transpose(Image.Transpose.ROTATE_90)
    picture.save(album / f"{season}_{number:03}.jpg", quality=95, exif=exif)


def _write_clutter(place: Path) -> None:
    whole = sorted(place.glob("*.jpg"))[0]
    (place / "broken.jpg").write_bytes(whole.read_bytes()[:1200])
    (place / "notes.jpg").write_text("This is no picture.\n", encoding="utf-8")
    shutil.copyfile(whole, place / f"{whole.stem}_copy.jpg")
