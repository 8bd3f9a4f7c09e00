"""What a token looks at, drawn."""

import matplotlib.pyplot as plt
import pytest
import torch

from varbook.book.show.receptive_field import looked_at, looked_at_chart, receptive_field_chart
from varbook.tokenizer.schedule import VAR_256, square

SCHEDULE = square(1, 2)


def test_a_token_s_maps_leave_itself_out_and_are_relative_to_all_tokens():
    felt = torch.zeros(5, 5)
    felt[2] = torch.tensor([3.0, 1.0, 99.0, 0.5, 0.5])  # token 2, the second of scale 2
    maps, means = looked_at(felt, SCHEDULE, place=2)
    assert [one.tolist() for one in maps] == [[[3.0]], [[1.0, 0.0], [0.5, 0.5]]]
    assert means == pytest.approx([3.0, 0.5])
    assert float(felt[2, 2]) == 99.0


@pytest.mark.parametrize("schedule", [SCHEDULE, VAR_256])
def test_all_maps_are_equally_large_and_share_the_bar_of_colours(schedule):
    maps = [torch.full(size, 1.0 + k) for k, size in enumerate(schedule)]
    figure = looked_at_chart(maps, schedule)
    figure.draw_without_rendering()
    drawn = [axis for axis in figure.axes if axis.images]
    assert [axis.get_title() for axis in drawn] == [f"{h} x {w}" for h, w in schedule]
    sides = [side for axis in drawn for side in axis.get_window_extent().bounds[2:]]
    assert sides == pytest.approx(sides[:1] * len(sides), rel=0.02)
    assert len({axis.images[0].get_clim() for axis in drawn}) == 1
    assert len(figure.axes) > len(drawn)  # the bar
    plt.close(figure)


def test_scales_are_named_where_there_is_room():
    length = sum(h * w for h, w in VAR_256)
    chart = receptive_field_chart(
        torch.ones(length, length), torch.ones(2, 2).bool().all(), VAR_256
    )
    names = [label.get_text() for label in chart.axes[0].get_xticklabels()]
    assert names[-1] == "16 x 16" and 3 <= len(names) < 10
    plt.close(chart)


def test_the_chart_is_empty_where_a_token_may_not_look():
    felt = torch.ones(5, 5)
    may = torch.ones(5, 5).tril().bool()
    picture = receptive_field_chart(felt, may, SCHEDULE).axes[0].images[0].get_array()
    assert picture[4, 0] == 0.0 and picture.mask[0, 4]
