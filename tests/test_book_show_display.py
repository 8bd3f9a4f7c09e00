"""What notebooks show: readable, small, and the same on every machine."""

import io
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from PIL import Image

from varbook.book.chapters import CHAPTERS, NUMBER, chapter, neighbours, number_of
from varbook.book.claims import header
from varbook.book.show import display, sheets
from varbook.errors import VarbookError

RED = torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1)


@pytest.fixture
def shown(monkeypatch):
    """A notebook that keeps what is published to it."""
    bundles = []
    monkeypatch.setattr(display, "in_notebook", lambda: True)
    monkeypatch.setattr(display, "_emit", bundles.append)
    return bundles


@pytest.mark.parametrize(
    "images",
    [
        RED.expand(2, 3, 4, 4),
        torch.tensor([255, 0, 0], dtype=torch.uint8).view(1, 3, 1, 1).expand(2, 3, 4, 4),
        [RED[0].expand(3, 4, 4)] * 2,
        [Image.new("RGB", (4, 4), "red")] * 2,
    ],
)
def test_every_kind_of_image_becomes_the_same_pixels(images):
    arrays = sheets.to_arrays(images)
    assert len(arrays) == 2
    assert all(array.shape == (4, 4, 3) and array[0, 0].tolist() == [255, 0, 0] for array in arrays)


def test_maps_become_grey_images():
    arrays = sheets.to_arrays(torch.tensor([[[0.0, 1.0]]]))
    assert arrays[0].tolist() == [[[0] * 3, [255] * 3]]
    assert sheets.to_arrays(torch.ones(2, 4, 4, dtype=torch.bool))[1].min() == 255


def test_values_beyond_the_range_are_clamped():
    assert sheets.to_arrays(torch.full((1, 3, 1, 1), 7.0))[0].max() == 255


def test_images_of_another_shape_are_refused():
    with pytest.raises(VarbookError, match="shape"):
        sheets.to_arrays(torch.zeros(1, 2, 4, 4))
    with pytest.raises(VarbookError, match="empty"):
        sheets.sheet(torch.zeros(0, 3, 4, 4))


def test_enlarging_keeps_every_pixel_square():
    sheet = sheets.sheet(torch.stack([torch.full((3, 2, 2), -1.0)]), scale=5)
    assert sheet.getpixel((0, 0)) == sheet.getpixel((9, 9)) == (0, 0, 0)
    assert sheet.getpixel((10, 0)) == (255, 255, 255)


def test_true_sizes_enlarge_every_pixel_by_the_same_whole_factor():
    red, blue = torch.full((3, 20, 20), -1.0), torch.full((3, 80, 60), -1.0)
    red[0], blue[2] = 1.0, 1.0
    layout = sheets.arranged({"a": [red, blue], "b": [red, blue]}, true_sizes=True)
    sizes = [picture.size for *_, picture in layout.pictures]
    factor = sizes[0][0] // 20
    assert sizes == [(20 * factor, 20 * factor), (60 * factor, 80 * factor)] * 2
    drawn = dict((colour, count) for count, colour in layout.drawn().getcolors(1 << 24))
    assert drawn[255, 0, 0] == 2 * (20 * factor) ** 2


def test_a_small_map_fills_its_cell_beside_a_large_one():
    maps = {"maps": [torch.full((3, 1, 1), -1.0), torch.full((3, 8, 8), -1.0)]}
    for layout in (sheets.arranged(maps), sheets.arranged(maps, inline=True)):
        (first, second) = (picture.size for *_, picture in layout.pictures)
        assert first == second and first[0] >= 64


@pytest.mark.parametrize("columns", [1, 3, 6, 7, 8, 11])
def test_in_a_notebook_a_sheet_is_wide_enough_and_no_wider_than_eight_times_its_pixels(columns):
    one = sheets.sheet({"scene": torch.zeros(columns, 3, 64, 64)}, inline=True)
    assert one.width >= sheets.NARROWEST or columns == 1 and one.width > 8 * 64
    maps = {"a long label of a row of small maps": torch.zeros(columns, 3, 20, 20)}
    assert columns < 6 or sheets.sheet(maps, inline=True).width >= sheets.NARROWEST
    other = sheets.sheet(torch.zeros(columns, 3, 5, 5), inline=True)
    assert other.width <= columns * (8 * 5 + sheets.GAP)


def test_maps_of_any_size_fill_the_same_cell():
    maps = [torch.full((3, side, side), -1.0) for side in (2, 3, 5, 64)]
    row = np.asarray(sheets.sheet(maps, columns=4))[5, :, 0] == 0
    starts = np.flatnonzero(np.diff(row.astype(int), prepend=0) == 1)
    ends = np.flatnonzero(np.diff(row.astype(int), append=0) == -1)
    assert len(starts) == 4 and len(set(ends - starts)) == 1


def test_without_labels_and_titles_a_sheet_is_its_images():
    plain = sheets.sheet(torch.zeros(6, 3, 8, 8), columns=3, scale=1)
    assert plain.size == (3 * (8 + sheets.GAP), 2 * (8 + sheets.GAP))


def test_large_pictures_are_packed_for_the_notebook_and_small_ones_kept():
    torch.manual_seed(0)
    noise = sheets.sheet(torch.rand(8, 3, 256, 256) * 2 - 1, columns=4, scale=1)
    mime, data = sheets.for_notebook(noise)
    assert mime == "image/jpeg" and Image.open(io.BytesIO(data)).width <= sheets.INLINE_WIDTH
    assert len(data) < 250_000
    mime, data = sheets.for_notebook(Image.new("RGB", (10, 10), "red"))
    assert mime == "image/png" and Image.open(io.BytesIO(data)).convert("RGB").getpixel((0, 0)) == (
        255,
        0,
        0,
    )


def test_a_shown_picture_carries_its_alternative_text(shown):
    display.show_images(torch.zeros(2, 3, 8, 8), alt="two black squares")
    assert shown[0]["text/plain"] == "[two black squares]" and "image/png" in shown[0]


def test_a_table_says_the_same_as_html_and_as_text(shown):
    display.show_table(
        [{"name": "a<b", "loss": 1.23456}, {"name": "c", "ok": True}], caption="losses"
    )
    assert "<td>a&lt;b</td><td>1.235</td><td>-</td>" in shown[0]["text/html"]
    assert shown[0]["text/plain"].splitlines()[0] == "losses"
    assert "yes" in shown[0]["text/plain"]


def test_a_long_text_is_kept_once(monkeypatch):
    kept = []
    monkeypatch.setattr(display, "in_notebook", lambda: True)
    monkeypatch.setattr("IPython.display.publish_display_data", kept.append)
    display.show_text("word " * 1000)
    display.show_text("short")
    assert len(kept[0]["text/markdown"]) == 5000 and kept[0]["text/plain"].endswith("...")
    assert len(kept[0]["text/plain"]) == display.PLAIN + 3
    assert kept[1] == {"text/markdown": "short", "text/plain": "short"}


def test_a_wide_table_is_not_filled_with_spaces(shown):
    display.show_table([{"name": "a", "text": "x" * 300}, {"name": "bc", "text": "y"}])
    assert shown[0]["text/plain"].splitlines()[2] == "bc | y"
    display.show_table([{"name": "a", "text": "x" * 30}, {"name": "bc", "text": "y"}])
    assert shown[1]["text/plain"].splitlines()[1] == f"a     {'x' * 30}"


def test_a_folded_table_shows_its_line_and_hides_its_rows(shown):
    display.show_table([{"loss": 1.5}], caption="losses", folded="The numbers <all>")
    page = shown[0]["text/html"]
    assert page.startswith("<details><summary>The numbers &lt;all&gt;</summary>\n<table>")
    assert page.endswith("</table>\n</details>")
    assert shown[0]["text/plain"].splitlines()[:2] == ["The numbers <all>", "losses"]


def test_values_by_column_are_a_table_with_the_labels_first(capsys):
    display.show_values("PSNR", {"VAR": [1, 2], "FlexVAR": [3, 4]}, ["1x1", "8x8"], "two scales")
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["two", "scales"],
        ["PSNR", "1x1", "8x8"],
        ["VAR", "1", "2"],
        ["FlexVAR", "3", "4"],
    ]


def test_source_is_the_packages_own(shown):
    display.show_source(display.check)
    assert shown[0]["text/markdown"].startswith(
        "`varbook/book/show/display.py`\n```python\ndef check("
    )


def test_a_check_prints_what_holds_and_stops_what_does_not(capsys):
    display.check("identity holds", torch.tensor(True))
    assert capsys.readouterr().out == "identity holds: True\n"
    with pytest.raises(AssertionError, match='"loss fell" does not hold'):
        display.check("loss fell", False)


def test_the_header_names_what_the_registry_names():
    text = header.header_text(9)
    assert "CycleVAR fig 3" in text and "CycleVAR table 1" in text and "FlexVAR" not in text
    assert CHAPTERS["09"].purpose in text


def test_the_header_gives_the_time_that_comes_with_the_book_only(tmp_path, monkeypatch):
    monkeypatch.setattr(header, "published", lambda: tmp_path)
    monkeypatch.setenv("VARBOOK_FIGURES", str(tmp_path / "mine"))
    (tmp_path / "mine" / "laptop").mkdir(parents=True)
    (tmp_path / "mine" / "laptop" / "times.json").write_text('{"09": {"minutes": 30}}')
    assert "not measured yet" in header.header_text("09")
    assert re.search(r"about \d+ min to read", header.header_text("09"))
    (tmp_path / "laptop").mkdir()
    (tmp_path / "laptop" / "times.json").write_text('{"09": {"minutes": 3.2}}')
    assert "min to read; 3 min to run in the laptop profile" in header.header_text("09")


@pytest.mark.parametrize("number", [9, "9", "09"])
def test_chapters_are_found_by_number(number):
    assert chapter(number).file_name == "09_cyclevar.ipynb"


def test_an_unknown_chapter_is_refused():
    with pytest.raises(VarbookError, match=r"the book has 00, 01, .*, 14\."):
        chapter("15")


@pytest.mark.parametrize("number", ["01b", "1b", " 1B"])
def test_a_chapter_put_in_later_is_found_between_its_neighbours(number):
    assert number_of(chapter(number).path) == chapter(number).number == "01b"
    before, after = neighbours("01b")
    assert (before.number, after.number) == ("01", "02")
    assert neighbours("00")[0] is None and neighbours("14")[1] is None
    assert list(CHAPTERS) == sorted(CHAPTERS)
    assert all(re.fullmatch(NUMBER, one) for one in CHAPTERS)


def test_chapters_need_and_read_only_chapters_of_the_book_and_no_circle_arises():
    def reach(number, seen=()):
        assert number not in seen, f"a circle of needs: {seen}"
        for other in CHAPTERS[number].needs:
            reach(other, (*seen, number))

    for number, one in CHAPTERS.items():
        reach(number)
        assert all(other < number for other in one.reads)


def test_a_chart_is_kept_in_few_colours_and_a_photograph_in_many():
    steps = Image.linear_gradient("L").resize((800, 600)).point(lambda v: v // 16 * 16)
    noise = Image.effect_noise((800, 600), 80)
    chart = Image.merge(
        "RGB", [Image.composite(steps, noise.point(lambda v: v // 64 * 64), steps)] * 3
    )
    assert len(sheets._few_colours(chart).getcolors()) <= 128
    waves = [noise.rotate(90 * k).resize((800, 600)) for k in range(3)]
    assert len(sheets._few_colours(Image.merge("RGB", waves)).getcolors()) > 128


@pytest.mark.parametrize("limit", [100_000, 30_000, 300])
def test_a_picture_loses_quality_and_no_more_pixels_than_a_screen_shows(limit):
    noise = Image.effect_noise((350, 203), 30).convert("RGB").resize((900, 520))
    mime, data = sheets.for_notebook(noise, limit)
    width = Image.open(io.BytesIO(data)).width
    assert mime == "image/jpeg"
    assert (len(data) <= limit and width == 900) or width == sheets.NARROWEST


@pytest.mark.parametrize("inches", [3, 7, 12])
def test_a_chart_is_at_least_as_wide_as_a_screen_shows(inches):
    figure, axes = plt.subplots(figsize=(inches, 2))
    axes.plot([0, 1], [0, 1])
    assert sheets.NARROWEST <= sheets.to_picture(figure).width <= 1200
    plt.close(figure)


def test_the_contents_have_a_row_for_every_chapter():
    text = header.contents_text()
    assert all(f"[{number} {CHAPTERS[number].title}](" in text for number in ("00", "13"))
    assert text.count("\n| ") == len(CHAPTERS)


def test_a_picture_may_be_shown_in_fewer_bytes(shown):
    noise = torch.randint(0, 256, (700, 800, 3), generator=torch.Generator().manual_seed(0))
    picture = Image.fromarray(noise.byte().numpy())
    display.show_figure(picture, "noise")
    display.show_figure(picture, "noise", limit=1_000_000)
    few, many = shown
    assert few.pop("text/plain") == many.pop("text/plain") == "[noise]"
    assert len(*few.values()) < len(*many.values())
