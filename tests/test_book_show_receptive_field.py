"""What a token looks at, drawn."""

import pytest
import torch

from varbook.book.show.receptive_field import SIDE, looked_at, receptive_field_chart
from varbook.tokenizer.schedule import square

SCHEDULE = square(1, 2)


def test_a_token_s_maps_leave_itself_out_and_compare_scales_by_their_means():
    felt = torch.zeros(5, 5)
    felt[2] = torch.tensor([3.0, 1.0, 99.0, 0.5, 0.5])  # token 2, the second of scale 2
    maps, means = looked_at(felt, SCHEDULE, place=2)
    assert [tuple(one.shape) for one in maps] == [(3, SIDE, SIDE)] * 2
    # Yellow: the strongest of each scale; blue: the token itself, the second of its four.
    yellow, corner, itself = maps[0][:, 0, 0], maps[1][:, 0, 0], maps[1][:, 0, -1]
    assert yellow[0] > 0.9 > yellow[2] and torch.equal(corner, yellow)
    assert itself[2] > itself[0]
    assert means == pytest.approx([3.0, 0.5])
    assert float(felt[2, 2]) == 99.0


def test_the_chart_is_empty_where_a_token_may_not_look():
    felt = torch.ones(5, 5)
    may = torch.ones(5, 5).tril().bool()
    picture = receptive_field_chart(felt, may, SCHEDULE).axes[0].images[0].get_array()
    assert picture[4, 0] == 0.0 and picture.mask[0, 4]
