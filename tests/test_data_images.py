"""Pictures as tensors and files: exact round trips, every common kind of file, and clear refusals."""

import numpy as np
import pytest
import torch
from PIL import Image

from varbook.data.images import evenly_spaced, load_image, save_image, to_float, to_uint8
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
