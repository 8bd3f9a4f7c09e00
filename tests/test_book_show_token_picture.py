"""A token framed in its map, its code as bars, and the maps with another code."""

import pytest
import torch
from tiny import pictures, tiny_tokenizer

from varbook.book.show.token_picture import (
    RED,
    change_with_another_code,
    code_bars,
    framed,
    with_another_code,
)


def test_the_frame_lies_round_its_cell_and_nowhere_else():
    shown = framed(torch.zeros(3, 4, 4), (1, 2, 4, 4), 128)
    red = (shown == torch.tensor(RED, dtype=torch.uint8)[:, None, None]).all(0)
    rows, columns = red.nonzero(as_tuple=True)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (32, 63, 64, 95)
    assert not red[40:56, 72:88].any()  # the cell itself stays to be seen
    assert shown.dtype == torch.uint8 and shown[0, 0, 0] == 128


def test_one_cell_that_is_the_whole_map_is_framed_too():
    shown = framed(torch.ones(3, 1, 1), (0, 0, 1, 1), 64)
    assert tuple(shown[:, 0, 30]) == RED and tuple(shown[:, 32, 32]) == (255, 255, 255)


def test_bars_go_up_and_down_as_far_as_their_entries():
    bars = code_bars(torch.tensor([1.0, -0.5, 0.0, 9.0]), 1.0, 80)
    blue = (bars[0] == 63).sum(0)  # pixels of a bar in each column
    assert blue[10] == 39 and blue[30] == 20 and blue[50] == 1 and blue[70] == 39
    assert bars[0, 10, 10] == 63 and bars[0, 10, 30] == 255 and bars[0, 50, 30] == 63


def test_another_code_changes_one_place_of_one_map_of_a_copy():
    tokens = [torch.zeros(1, 1, 1, dtype=torch.long), torch.zeros(1, 2, 2, dtype=torch.long)]
    changed = with_another_code(tokens, 1, (0, 1), 7)
    assert changed[1].tolist() == [[[0, 7], [0, 0]]] and not changed[0].any()
    assert not any(one.any() for one in tokens)


@pytest.mark.parametrize(("pyramid", "reaches"), [("residual", True), ("ground_truth", False)])
def test_a_coarse_token_reaches_the_picture_of_a_residual_pyramid_alone(pyramid, reaches):
    tokenizer = tiny_tokenizer(pyramid)
    tokens = tokenizer.tokens(pictures(1))
    first = change_with_another_code(tokenizer, tokens, 0, (0, 0))
    last = change_with_another_code(tokenizer, tokens, len(tokens) - 1, (1, 1))
    assert bool(first.any()) == reaches and last.any()
    assert first.shape == (1, 16, 16) and 0 <= float(last.min()) and float(last.max()) <= 1
