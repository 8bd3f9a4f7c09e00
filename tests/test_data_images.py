"""Pictures as tensors and files: exact round trips, every common kind of file, and clear refusals."""

import numpy as np
import pytest
import torch
from colour_profiles import in_wide_space, wide_profile
from PIL import Image, ImageCms

from varbook.data.images import (
    evenly_spaced,
    load_image,
    open_rgb,
    open_with_alpha,
    save_image,
    to_float,
    to_uint8,
)
from varbook.errors import VarbookError


def test_every_level_survives_the_round_trip():
    levels = torch.arange(256, dtype=torch.uint8)
    floats = to_float(levels)
    assert floats.min() == -1 and floats.max() == 1
    assert torch.equal(to_uint8(floats), levels)


def test_out_of_range_is_clipped():
    assert to_uint8(torch.tensor([-3.0, 0.0, 3.0], requires_grad=True)).tolist() == [0, 128, 255]


@pytest.mark.parametrize(
    "call", [lambda: to_float(torch.zeros(2)), lambda: to_uint8(torch.zeros(2, dtype=torch.uint8))]
)
def test_the_wrong_kind_is_refused(call):
    with pytest.raises(VarbookError, match="already"):
        call()


def test_png_keeps_every_pixel(tmp_path):
    image = torch.randint(
        256, (3, 9, 13), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    path = save_image(image, tmp_path / "new" / "a.png")
    assert torch.equal(load_image(path), image)
    assert torch.equal(load_image(save_image(to_float(image)[None], tmp_path / "b.png")), image)
    assert load_image(path, 8).shape == (3, 8, 8) and load_image(path, (5, 7)).shape == (3, 5, 7)


def test_greyscale_alpha_palette_and_sixteen_bits(tmp_path):
    Image.new("L", (4, 4), 100).save(tmp_path / "grey.png")
    Image.new("RGBA", (4, 4), (10, 20, 30, 0)).save(tmp_path / "clear.png")
    Image.new("RGB", (4, 4), (10, 200, 30)).convert("P").save(tmp_path / "palette.png")
    Image.fromarray(np.full((4, 4), 65535, dtype=np.uint16)).save(tmp_path / "deep.png")
    assert load_image(tmp_path / "grey.png").unique().tolist() == [100]
    assert load_image(tmp_path / "clear.png").unique().tolist() == [255]
    assert (load_image(tmp_path / "palette.png")[1] > 150).all()
    assert load_image(tmp_path / "deep.png").unique().tolist() == [255]


def test_a_camera_on_its_side_is_set_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (8, 4)).save(tmp_path / "side.jpg", exif=exif)
    assert load_image(tmp_path / "side.jpg").shape == (3, 8, 4)


def test_missing_and_broken_files_are_named(tmp_path):
    with pytest.raises(VarbookError, match="no picture at .*gone.png"):
        load_image(tmp_path / "gone.png")
    (tmp_path / "text.jpg").write_text("not a picture")
    with pytest.raises(VarbookError, match="text.jpg cannot be decoded"):
        load_image(tmp_path / "text.jpg")
    whole = save_image(
        torch.randint(256, (3, 64, 64), dtype=torch.uint8), tmp_path / "whole.png"
    ).read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(VarbookError, match="cut.png cannot be decoded"):
        load_image(tmp_path / "cut.png")


def test_what_is_no_picture_is_not_saved(tmp_path):
    with pytest.raises(VarbookError, match=r"shape \(3, H, W\)"):
        save_image(torch.zeros(2, 3, 4, 4), tmp_path / "two.png")
    with pytest.raises(VarbookError, match="cannot write a.txt"):
        save_image(torch.zeros(3, 4, 4), tmp_path / "a.txt")
    with pytest.raises(VarbookError, match="positive whole number"):
        load_image(save_image(torch.zeros(3, 4, 4), tmp_path / "a.png"), 0)


def test_pictures_are_spread_evenly_over_a_set():
    images = torch.arange(11)[:, None, None, None].expand(-1, 3, 2, 2)
    assert evenly_spaced(images, 3)[:, 0, 0, 0].tolist() == [0, 5, 10]
    assert evenly_spaced(images[:2], 4)[:, 0, 0, 0].tolist() == [0, 0, 1, 1]
    with pytest.raises(VarbookError, match="no pictures to choose from"):
        evenly_spaced(images[:0], 3)


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 255, 0), (40, 90, 200), (128, 128, 128)])
@pytest.mark.parametrize("kind", ["a.png", "a.webp", "a.tif"])
def test_a_telephone_s_colours_are_read_as_they_are_seen(tmp_path, colour, kind):
    stored = in_wide_space(colour)
    Image.new("RGB", (8, 8), stored).save(
        tmp_path / kind, icc_profile=wide_profile(), lossless=True
    )
    seen = load_image(tmp_path / kind)[:, 4, 4].tolist()
    assert np.abs(np.subtract(seen, colour)).max() <= 2
    assert open_rgb(tmp_path / kind, profiles=False).getpixel((4, 4)) == stored
    if colour == (255, 0, 0):
        assert max(np.abs(np.subtract(stored, colour))) > 20  # the two spaces do differ


def test_srgb_itself_changes_no_number(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(pixels).save(tmp_path / "a.png", icc_profile=profile)
    assert np.array_equal(load_image(tmp_path / "a.png").permute(1, 2, 0).numpy(), pixels)


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "I;16"])
@pytest.mark.parametrize("profile", [b"", b"garbage", None])
def test_a_profile_that_is_damaged_or_of_another_kind_changes_nothing(tmp_path, mode, profile):
    deep = Image.fromarray(np.full((8, 8), 30000, dtype=np.uint16))
    picture = deep if mode == "I;16" else Image.new("RGB", (8, 8), (200, 90, 40)).convert(mode)
    picture.save(tmp_path / "plain.tif")
    other = wide_profile() if profile is None else profile
    picture.save(tmp_path / "odd.tif", icc_profile=other)
    plain, odd = load_image(tmp_path / "plain.tif"), load_image(tmp_path / "odd.tif")
    if profile is not None or mode in ("L", "CMYK", "I;16"):
        assert torch.equal(plain, odd)
    else:
        assert not torch.equal(plain, odd)  # a palette and a transparent picture are RGB, too


@pytest.mark.parametrize(
    ("values", "level"),
    [
        (np.full((4, 4), 0.5, np.float32), 128),
        (np.full((4, 4), 1.0, np.float32), 255),
        (np.full((4, 4), 200.0, np.float32), 200),
        (np.full((4, 4), 65535, np.int32), 255),
        (np.full((4, 4), 77, np.int32), 77),
    ],
)
def test_floats_and_whole_numbers_get_the_brightness_that_they_mean(tmp_path, values, level):
    Image.fromarray(values).save(tmp_path / "a.tif")
    assert load_image(tmp_path / "a.tif").unique().tolist() == [level]


@pytest.mark.parametrize("value", [3.2, -0.5, float("nan"), float("inf"), 70000.0])
def test_numbers_that_are_no_picture_are_refused_and_named(tmp_path, value):
    values = np.full((4, 4), 0.5, np.float32)
    values[0, 0] = value
    Image.fromarray(values).save(tmp_path / "a.tif")
    with pytest.raises(VarbookError, match="a.tif holds numbers from"):
        load_image(tmp_path / "a.tif")


@pytest.mark.parametrize("kind", ["a.gif", "a.avif", "a.jfif"])
def test_every_kind_of_picture_that_pillow_opens_is_read(tmp_path, kind):
    file = tmp_path / kind
    Image.new("RGB", (16, 16), (200, 90, 40)).save(file, "JPEG" if kind == "a.jfif" else None)
    assert np.abs(load_image(file)[:, 8, 8].numpy().astype(int) - (200, 90, 40)).max() <= 8


def test_what_is_transparent_is_known_and_shown_on_white(tmp_path):
    picture = Image.new("RGBA", (2, 1), (200, 90, 40, 255))
    picture.putpixel((1, 0), (200, 90, 40, 51))
    picture.save(tmp_path / "a.png")
    colours, alpha = open_with_alpha(tmp_path / "a.png")
    assert [alpha.getpixel((x, 0)) for x in (0, 1)] == [255, 51]
    assert [colours.getpixel((x, 0)) for x in (0, 1)] == [(200, 90, 40)] * 2
    assert open_rgb(tmp_path / "a.png").getpixel((1, 0)) == (244, 222, 212)
    Image.new("RGBA", (2, 1), (1, 2, 3, 255)).save(tmp_path / "b.png")
    assert open_with_alpha(tmp_path / "b.png")[1] is None


def test_a_picture_of_too_many_pixels_is_told_as_that(tmp_path, monkeypatch):
    Image.new("L", (300, 300)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(VarbookError, match="a.png has more pixels"):
        load_image(tmp_path / "a.png")
