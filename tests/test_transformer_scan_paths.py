"""Scan paths: every token once, each beside the one before, eight different ones, scale after
scale.
"""

import pytest
import torch

from varbook.tokenizer.schedule import scale_slices, square, token_count
from varbook.transformer.scan_paths import CORNERS, PATHS, scan_order, undo, zigzag

SIZES = [(1, 1), (1, 5), (4, 1), (2, 2), (3, 4), (5, 3), (8, 8)]


@pytest.mark.parametrize("path", range(PATHS))
@pytest.mark.parametrize("size", SIZES)
def test_a_path_visits_every_token_once_and_each_beside_the_one_before(size, path):
    places = zigzag(size, path).tolist()
    assert sorted(places) == list(range(size[0] * size[1]))
    points = [divmod(place, size[1]) for place in places]
    assert all(abs(a[0] - b[0]) + abs(a[1] - b[1]) == 1 for a, b in zip(points, points[1:]))


def test_paths_start_in_their_corner_and_walk_along_rows_or_columns():
    height, width = 3, 4
    starts = {
        "top left": (0, 0),
        "bottom left": (2, 0),
        "bottom right": (2, 3),
        "top right": (0, 3),
    }
    for path in range(PATHS):
        first, second = (divmod(int(place), width) for place in zigzag((height, width), path)[:2])
        assert first == starts[CORNERS[path // 2]]
        assert (first[0] == second[0]) == (path % 2 == 0)
    assert zigzag((2, 3), 0).tolist() == [0, 1, 2, 5, 4, 3]
    assert zigzag((2, 3), 1).tolist() == [0, 3, 4, 1, 2, 5]


def test_the_eight_paths_differ():
    assert len({tuple(zigzag((3, 4), path).tolist()) for path in range(PATHS)}) == PATHS == 8


@pytest.mark.parametrize("path", [0, 5])
def test_the_order_of_a_sequence_keeps_the_scales_apart_and_can_be_undone(path):
    schedule = (*square(1, 2), (3, 5), (4, 6))
    order = scan_order(schedule, path)
    for piece, size in zip(scale_slices(schedule), schedule):
        assert torch.equal(order[piece] - piece.start, zigzag(size, path))
    x = torch.randn(2, token_count(schedule), 3)
    assert torch.equal(x[:, order][:, undo(order)], x)
