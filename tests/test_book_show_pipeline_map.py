import numpy as np
import pytest
import torch

from varbook.book.chapters import CHAPTERS, written
from varbook.book.show.pipeline_map import (
    PLACES,
    alternatives_table,
    pipeline_figure,
    principal_colours,
)
from varbook.paths import repository

PARTS = [one for place in PLACES for one in place.alternatives]


def test_the_table_names_every_part_with_its_chapter():
    rows = alternatives_table()
    assert [row["alternative"] for row in rows] == [one.name for one in PARTS]
    assert [row["place"] for row in rows if row["place"]] == [place.name for place in PLACES]
    assert all(
        CHAPTERS[one.chapter].title in row["chapter"] for one, row in zip(PARTS, rows, strict=True)
    )


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_the_module_of_a_written_chapter_exists(part):
    if part.chapter not in {one.number for one in written()}:
        pytest.skip("its chapter is not written yet")
    assert (repository() / "varbook" / part.module).is_file()


def test_equal_vectors_get_equal_colours():
    maps = [torch.randn(8, 4, 4, generator=torch.Generator().manual_seed(0)) for _ in range(2)]
    maps.append(maps[0][:, :1, :2])
    colours = principal_colours(maps)
    assert [one.shape for one in colours] == [(4, 4, 3), (4, 4, 3), (1, 2, 3)]
    assert np.allclose(colours[2], colours[0][:1, :2], atol=1e-5)
    assert min(one.min() for one in colours) >= 0 and max(one.max() for one in colours) <= 1


def test_the_map_shows_every_part_and_picture():
    import matplotlib.pyplot as plt

    square = np.zeros((4, 4, 3))
    pictures = {name: square for name in ("image", "features", "logits", "map", "translation")}
    figure = pipeline_figure(pictures | {"codes": [square, square]})
    texts = [text.get_text() for text in figure.axes[0].texts]
    plt.close(figure)
    assert {one.name for one in PARTS} <= set(texts)
    assert len(figure.axes) == 1 + 5 + 2
