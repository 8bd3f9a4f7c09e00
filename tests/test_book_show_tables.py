"""Tables as text."""

import pytest

from varbook.book.show import tables


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (True, "yes"),
        (0.123456, "0.1235"),
        (47.82, "47.82"),
        (12345.6, "12,346"),
        ((1, 2, 3), "1 2 3"),
        (7, "7"),
        ("taken for its class", "accuracy"),
    ],
)
def test_cells_are_short_and_readable(value, text):
    assert tables.cell_text(value) == text


def test_columns_have_the_fields_terms():
    assert tables.markdown_table([{"taken for its class": 1.0}]).startswith("| accuracy |")


def test_markdown_tables_align_numbers_and_escape_bars():
    lines = tables.markdown_table([{"a": "x|y", "b": 1}]).splitlines()
    assert lines == ["| a | b |", "| --- | ---: |", "| x\\|y | 1 |"]
