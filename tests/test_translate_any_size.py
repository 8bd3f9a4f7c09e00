"""Images of any sizes through a model of one: each comes back at its own size, in order, and no more
is held than is in work.
"""

import pytest
import torch
from tiny import pictures

from varbook.data.images import to_float, to_uint8
from varbook.errors import VarbookError
from varbook.translate.any_size import count_squares, translate_sizes, working_size

SIDE = 16


def images(*sizes):
    return [to_uint8(pictures(1, *size, seed=k))[0] for k, size in enumerate(sizes)]


@pytest.mark.parametrize("batch", [1, 3, 50])
def test_untouched_tiles_give_every_image_back_in_order(batch):
    asked = images((40, 24), (16, 16), (17, 61))
    back = list(translate_sizes(to_float, asked, SIDE, large="tiles", batch=batch))
    assert len(back) == 3
    for image, new in zip(asked, back):
        assert new.shape == image.shape and (new.int() - image.int()).abs().max() <= 1


def test_every_square_goes_through_the_model_once_and_no_batch_is_too_large():
    sizes, seen = ((40, 24), (16, 16), (17, 61)), []
    inverted = translate_sizes(
        lambda squares: seen.append(len(squares)) or -to_float(squares),
        images(*sizes),
        SIDE,
        large="tiles",
        batch=4,
    )
    last = list(inverted)[-1]
    assert (255 - last.int() - images(*sizes)[-1].int()).abs().max() <= 1
    assert sum(seen) == sum(count_squares(size, SIDE, "tiles") for size in sizes) and max(seen) == 4


def test_an_image_is_given_back_before_the_next_but_one_is_asked_for():
    asked = []

    def coming():
        for image in images(*[(64, 64)] * 4):
            asked.append(image)
            yield image

    new = translate_sizes(to_float, coming(), SIDE, large="tiles", batch=4)
    for count in range(1, 5):
        next(new)
        assert len(asked) <= count + 1


@pytest.mark.parametrize(
    "size, short_side, wanted",
    [
        ((40, 24), None, (40, 24)),
        ((40, 24), 48, (80, 48)),
        ((8, 4), None, (32, 16)),
        ((64, 32), 5, (32, 16)),
    ],
)
def test_the_size_of_the_work_is_never_below_the_model_s(size, short_side, wanted):
    assert working_size(size, SIDE, "tiles", short_side) == wanted
    assert working_size(size, SIDE, "resize", short_side) == (SIDE, SIDE)


def test_what_cannot_be_cut_is_refused():
    with pytest.raises(VarbookError, match='1 x 3000 pixels is too narrow.*"resize"'):
        working_size((1, 3000), SIDE, "tiles")
    assert working_size((1, 3000), SIDE, "resize") == (SIDE, SIDE)
    with pytest.raises(VarbookError, match="resize"):
        list(translate_sizes(to_float, [torch.zeros(3, 16, 16, dtype=torch.uint8)], 16, large="x"))
