"""Kept notebooks are small, and their pictures stay as wide as they were."""

import base64
import io

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

from varbook.runner import fit

SIZE = (900, 520)


def picture(spread: int, kind: str = "PNG") -> str:
    data = io.BytesIO()
    rough = Image.effect_noise((300, 173), spread).convert("RGB").resize(SIZE)
    rough.save(data, kind, **({"quality": 90} if kind == "JPEG" else {}))
    return base64.b64encode(data.getvalue()).decode("ascii")


@pytest.fixture
def notebook():
    shown = {"image/png": picture(3)}, {"image/jpeg": picture(40, "JPEG")}, {"text/plain": "1"}
    outputs = [new_output("display_data", data) for data in shown]
    return new_notebook(cells=[new_code_cell("draw()", outputs=outputs)])


def size(notebook) -> int:
    return len(nbformat.writes(notebook).encode())


def pictures(notebook) -> list[dict]:
    return [output.data for output in notebook.cells[0].outputs[:2]]


def test_what_is_small_enough_stays_as_it_is(notebook):
    before = nbformat.writes(notebook)
    fit.fit_pictures(notebook, size(notebook))
    assert nbformat.writes(notebook) == before


def test_photographs_are_compressed_before_charts(notebook):
    chart, photograph = [dict(data) for data in pictures(notebook)]
    wanted = size(notebook) - len(photograph["image/jpeg"]) // 3
    fit.fit_pictures(notebook, wanted)
    assert size(notebook) <= wanted
    now = pictures(notebook)
    assert now[0] == chart and len(now[1]["image/jpeg"]) < len(photograph["image/jpeg"])


def test_all_lose_quality_and_none_its_pixels_where_there_is_too_much(notebook):
    before = size(notebook)
    fit.fit_pictures(notebook, 1)
    assert size(notebook) < before / 2
    for data in pictures(notebook):
        (kind,) = data
        shown = Image.open(io.BytesIO(base64.b64decode(data[kind])))
        assert kind == "image/jpeg" and shown.size == SIZE
