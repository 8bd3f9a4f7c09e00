"""Sheets that are saved: wide, with readable titles that overlap nothing and labels that are not cut."""

import itertools

import numpy as np
import pytest
import torch

from varbook.book.show import layout, sheets
from varbook.errors import VarbookError

SPECIES = ("horse", "zebra", "cow", "elephant", "lion", "sheep", "giraffe", "camel", "dog", "pig")
LABELS = ("source: horse", "hidden counterpart: zebra", "VAR: what this step changes, x 3")


def black(*shape):
    return torch.full(shape, -1.0)


def arranged(columns, side, count=3):
    rows = {label: black(columns, 3, side, side) for label in LABELS[:count]}
    return sheets.arranged(rows, titles=SPECIES[:columns])


def boxes(drawn):
    pictures = [(x, y, x + one.width, y + one.height) for x, y, one in drawn.pictures]
    return [text.box for text in (*drawn.labels, *drawn.titles)], pictures


def overlap(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


EVERY = list(itertools.product((1, 2, 4, 7, 10), (16, 32, 48, 64, 96, 128, 192)))


@pytest.mark.parametrize("columns, side", EVERY)
def test_a_saved_sheet_is_wide_and_its_letters_are_readable(columns, side):
    drawn = arranged(columns, side)
    assert drawn.size[0] >= sheets.WIDTH == 1200
    sizes = {text.size for text in (*drawn.labels, *drawn.titles)}
    assert len(sizes) == 1 and 21.5 <= sizes.pop() * 1200 / drawn.size[0] <= 26
    widths = {picture.width for *_, picture in drawn.pictures}
    assert len(widths) == 1 and widths.pop() % side == 0  # a whole factor
    if drawn.size[0] > 2 * sheets.WIDTH:
        assert side * columns > sheets.WIDTH  # no larger than it must be


@pytest.mark.parametrize("columns, side", EVERY)
def test_no_title_overlaps_another_and_no_label_is_cut(columns, side):
    drawn = arranged(columns, side)
    texts, pictures = boxes(drawn)
    assert not any(overlap(a, b) for a, b in itertools.combinations(texts + pictures, 2))
    for left, top, right, bottom in texts:
        assert 0 <= left and 0 <= top and right <= drawn.size[0] and bottom <= drawn.size[1]
    for text, name in zip(drawn.titles, SPECIES):
        assert text.words == name
    said = " ".join(text.words for text in drawn.labels)
    assert said == " ".join(LABELS)


def test_a_title_is_centered_above_its_column_and_a_label_beside_its_row():
    drawn = arranged(4, 64)
    for title, (left, top, picture) in zip(drawn.titles, drawn.pictures):
        assert title.at[0] == left + picture.width / 2 and title.box[3] <= top
    (_, top, picture), label = drawn.pictures[0], drawn.labels[0]
    assert label.at[1] == top + picture.height / 2 and label.box[2] < drawn.pictures[0][0]


def test_what_is_drawn_is_what_was_laid_out():
    drawn = arranged(4, 64)
    ink = np.asarray(drawn.drawn())[..., 0] < 128
    for left, top, right, bottom in (part for kind in boxes(drawn) for part in kind):
        inside = ink[round(top) : round(bottom), round(left) : round(right)]
        assert inside.any()
        ink[int(top) : int(bottom) + 1, int(left) : int(right) + 1] = False
    assert not ink.any()


def test_a_long_title_makes_its_columns_wider_and_no_image_smaller():
    rows = {"a": black(10, 3, 64, 64)}
    plain = sheets.arranged(rows)
    titled = sheets.arranged(rows, titles=["hippopotamuses"] * 10)
    texts, _ = boxes(titled)
    assert not any(overlap(a, b) for a, b in itertools.combinations(texts, 2))
    assert titled.size[0] > plain.size[0]
    assert {p.size for *_, p in titled.pictures} == {p.size for *_, p in plain.pictures}


def test_rows_with_titles_of_their_own_follow_each_other_without_columns():
    rows = {"flat": black(2, 3, 64, 128), "upright": black(4, 3, 128, 64)}
    titles = {"flat": ("zebra", "horse"), "upright": ("lion", "cow", "dog", "pig")}
    drawn = sheets.arranged(rows, titles=titles, true_sizes=True)
    assert [text.words for text in drawn.titles] == ["zebra", "horse", "lion", "cow", "dog", "pig"]
    assert len({picture.width * picture.height for *_, picture in drawn.pictures}) == 1
    texts, pictures = boxes(drawn)
    assert not any(overlap(a, b) for a, b in itertools.combinations(texts + pictures, 2))
    assert drawn.size[0] >= sheets.WIDTH


def test_more_columns_go_on_in_a_block_below_under_their_own_titles():
    rows = {"real": black(10, 3, 64, 64), "sample": black(10, 3, 64, 64)}
    drawn = sheets.arranged(rows, titles=SPECIES, columns=5)
    assert [text.words for text in drawn.titles] == list(SPECIES)
    assert [text.words for text in drawn.labels] == ["real", "sample"] * 2
    assert len({left for left, _, _ in drawn.pictures}) == 5
    assert drawn.titles[5].box[1] > drawn.pictures[9][1]


def test_a_place_can_stay_empty():
    drawn = sheets.arranged({"a": [None, black(3, 8, 8)], "b": black(2, 3, 8, 8)})
    lefts = [left for left, _, _ in drawn.pictures]
    assert len(lefts) == 3 and lefts[0] == lefts[2] > lefts[1]


def test_titles_without_a_column_are_refused():
    with pytest.raises(VarbookError, match="3 titles"):
        sheets.sheet({"a": black(2, 3, 8, 8)}, titles=["x", "y", "z"])


def test_titles_of_a_row_that_is_not_there_are_refused():
    with pytest.raises(VarbookError, match="titles for the row 'PSNR in dB', but no such row"):
        sheets.sheet({"scene": black(2, 3, 8, 8)}, titles={"PSNR in dB": "higher"})


def test_a_size_is_never_broken_and_the_font_has_all_that_is_drawn():
    assert layout.wrapped(f"given, {sheets.pixels(64, 128)}", 30, 24) == ["given,", "64 x 128 px"]
    assert sheets.pixels(64).replace("\N{NO-BREAK SPACE}", " ") == "64 x 64 px"


def test_equal_sheets_are_equal_files_and_labels_in_a_notebook_stay_readable():
    first, second = (arranged(7, 64).drawn().tobytes() for _ in range(2))
    assert first == second
    inline = sheets.arranged({"a": black(7, 3, 64, 64)}, titles=SPECIES[:7], inline=True)
    assert inline.titles[0].size >= 13 and inline.size[0] >= sheets.NARROWEST


def test_a_change_is_grey_where_nothing_changes_and_amplified_elsewhere():
    before = torch.zeros(1, 3, 2, 2)
    after = before.clone()
    after[..., 0, 0] = 0.2
    shown = sheets.amplified(before, after, 3)
    assert shown[0, 0].tolist() == [[pytest.approx(0.6), 0], [0, 0]]
    assert sheets.amplified(before, after, 30).max() == 1
