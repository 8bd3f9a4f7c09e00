"""Positions: VAR's table knows one schedule, FlexVAR's is resized to any."""

import math

import pytest
import torch
import torch.nn.functional as F
from tiny import noise

from varbook.errors import VarbookError
from varbook.tokenizer.schedule import VAR_256, square
from varbook.transformer.positions import (
    FixedPositions,
    ScalablePositions,
    released_table,
    sincos_table,
)


def test_the_sine_cosine_table_by_its_formula():
    table = sincos_table(12, 3, 5)[0]
    for y in range(3):
        for x in range(5):
            for i in range(3):
                frequency = 10_000 ** (-i / 3)
                wanted = [
                    math.sin(y * frequency),
                    math.cos(y * frequency),
                    math.sin(x * frequency),
                    math.cos(x * frequency),
                ]
                assert [table[part * 3 + i, y, x].item() for part in range(4)] == pytest.approx(
                    wanted, abs=1e-5
                )


def test_channels_that_four_does_not_divide_are_padded():
    table = sincos_table(10, 2, 3)
    assert table.shape == (1, 10, 2, 3) and torch.equal(table[:, 8:], torch.zeros(1, 2, 2, 3))


def test_the_released_table_by_its_formula():
    table = released_table(8, 4, 6)[0]
    for y in range(4):
        for x in range(6):
            for i in range(4):
                frequency = 10_000 ** (-2 * i / 8)
                assert table[2 * i, y, x].item() == pytest.approx(math.sin(y * frequency), abs=1e-5)
                assert table[2 * i + 1, y, x].item() == pytest.approx(
                    math.cos(x * frequency), abs=1e-5
                )


def test_fixed_positions_are_one_vector_a_token_for_the_trained_schedule_and_its_beginnings():
    positions = FixedPositions(8, square(1, 2, 4))
    full = positions(square(1, 2, 4))
    assert [tuple(p.shape) for p in full] == [(1, 1, 8), (1, 4, 8), (1, 16, 8)]
    assert torch.equal(torch.cat(full, 1), positions.table)
    assert all(torch.equal(a, b) for a, b in zip(positions(square(1, 2)), full))


@pytest.mark.parametrize(
    "schedule", [square(1, 3, 4), square(1, 2, 4, 8), ((1, 1), (2, 2), (4, 2))]
)
def test_fixed_positions_refuse_another_schedule(schedule):
    with pytest.raises(VarbookError, match='positions="scalable"'):
        FixedPositions(8, square(1, 2, 4))(schedule)


@pytest.mark.parametrize("form", ["paper", "released"])
def test_scalable_positions_serve_any_schedule(form):
    positions = ScalablePositions(8, (4, 6), form=form)
    assert positions.table.shape == (1, 8, 8, 12)  # twice the latent (FlexVAR section 3.4)
    schedule = ((1, 1), (3, 2), (4, 6), (8, 12), (9, 20))
    assert [tuple(p.shape) for p in positions(schedule)] == [(1, h * w, 8) for h, w in schedule]


@pytest.mark.parametrize("form", ["paper", "released"])
def test_at_its_own_size_the_table_is_as_it_is_row_after_row(form):
    positions = ScalablePositions(8, (2, 3), form=form)
    (own,) = positions(((4, 6),))
    for y in range(4):
        for x in range(6):
            assert torch.allclose(own[0, y * 6 + x], positions.table[0, :, y, x], atol=1e-6)


def test_the_released_form_averages_areas_and_the_paper_s_is_linear():
    released, paper = (
        ScalablePositions(8, (4, 4), form="released"),
        ScalablePositions(8, (4, 4), form="paper"),
    )
    released.table.data = paper.table.data = noise(1, 8, 8, 8)
    assert torch.allclose(
        released.resize((3, 3)), F.adaptive_avg_pool2d(released.table, 3), atol=1e-6
    )
    x = torch.linspace(0, 1, 8).expand(1, 8, 8, 8)
    paper.table.data = x.clone()
    wide = paper.resize((8, 16))[
        0, 0, 0
    ]  # a linear table stays linear when it is enlarged, but for the borders
    steps = wide.diff()[1:-1]
    assert torch.allclose(steps, torch.full_like(steps, 1 / 14), atol=1e-5)


def test_a_smaller_size_averages_instead_of_skipping():
    paper = ScalablePositions(8, (8, 8))
    paper.table.data = torch.zeros(1, 8, 16, 16)
    paper.table.data[..., 7] = 1.0  # one bright column
    assert (paper.resize((2, 2))[..., 0] > 0).all()


def test_positions_can_be_frozen():
    assert ScalablePositions(8, (4, 4)).table.requires_grad
    assert not ScalablePositions(8, (4, 4), learnable=False).table.requires_grad


def test_the_table_is_the_size_of_the_published_one():
    assert ScalablePositions(1024, VAR_256[-1]).table.shape == (1, 1024, 32, 32)
    assert FixedPositions(64, VAR_256).table.shape == (1, 680, 64)
