"""The toy world as a folder of picture files, as untidy as a person's own: summer and winter."""

import random
import shutil
import tempfile
from pathlib import Path

from PIL import Image

from varbook.world.draw import render
from varbook.world.scene import in_snow, sample_scene

SEASONS = ("summer", "winter")
ANIMALS = ("horse", "cow", "deer")
SHAPES = ((3, 2), (4, 3), (1, 1), (3, 4))  # width to height, as cameras have them
TURNED = 6  # the EXIF orientation of a camera that was held upright


def write_seasons(folder: str | Path, count: int, *, side: int = 96, seed: int = 0) -> Path:
    """Write `count` pictures of summer and `count` of winter into two subfolders of `folder`, and
    return `folder`; where it is there already, nothing is written.

    No scene is in both seasons. Shapes and sizes differ (the shorter side is `side` to twice that),
    a third lies in a subfolder, half are JPEG (some turned by their EXIF tag), half PNG. Each
    season also has what a folder of photographs collects: a file that broke off, a text named .jpg
    and a copy of a picture.
    """
    folder = Path(folder)
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Written beside it and renamed: half a folder is never taken for a whole one.
    scratch = Path(tempfile.mkdtemp(dir=folder.parent))
    for offset, season in enumerate(SEASONS):
        place = scratch / season
        for number in range(count):
            scene_seed = (seed * count + number) * len(SEASONS) + offset
            _write_picture(place, number, scene_seed, season, side)
        _write_clutter(place)
    try:
        scratch.rename(folder)
    except OSError:  # another process was first
        shutil.rmtree(scratch, ignore_errors=True)
    return folder


def _write_picture(place: Path, number: int, scene_seed: int, season: str, side: int) -> None:
    draw = random.Random(scene_seed)
    scene = sample_scene(scene_seed, species=ANIMALS[number % len(ANIMALS)])
    wide, high = SHAPES[number % len(SHAPES)]
    unit = side * (1 + draw.random()) / min(wide, high)
    pixels = render(in_snow(scene) if season == "winter" else scene, *_size(high, wide, unit))
    picture = Image.fromarray(pixels)  # H W 3
    album = place / "album" if number % 3 == 2 else place
    album.mkdir(parents=True, exist_ok=True)
    if number % 2:
        picture.save(album / f"{season}_{number:03}.png")
        return
    exif = Image.Exif()
    if number % 4 == 0:
        exif[0x0112] = TURNED
        picture = picture.transpose(Image.Transpose.ROTATE_90)
    picture.save(album / f"{season}_{number:03}.jpg", quality=95, exif=exif)


def _size(high: int, wide: int, unit: float) -> tuple[int, int]:
    return round(high * unit), round(wide * unit)


def _write_clutter(place: Path) -> None:
    whole = next(place.glob("*.jpg"))
    (place / "broken.jpg").write_bytes(whole.read_bytes()[:1200])
    (place / "notes.jpg").write_text("This is no picture.\n", encoding="utf-8")
    shutil.copyfile(whole, place / f"copy of {whole.name}")
