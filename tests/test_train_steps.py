"""What the loops share: steps that resume, the learning rate, batches, one step of an optimiser."""

import math

import pytest
import torch
from tiny import uint8_pictures
from torch import nn

from varbook.device import step_generator
from varbook.errors import VarbookError
from varbook.train.keeper import Keeper
from varbook.train.steps import Rate, Steps, draw_batch, frozen, learning_rate, take_step


def line() -> nn.Linear:
    layer = nn.Linear(2, 1, bias=False)
    nn.init.constant_(layer.weight, 1.0)
    return layer


@pytest.mark.parametrize("clip, moved", [(None, 0.5), (1.0, 0.1)])
def test_a_step_goes_down_the_gradient_which_clip_bounds(clip, moved):
    layer = line()
    optimiser = torch.optim.SGD(layer.parameters(), 0.1)
    layer.weight.grad = torch.full((1, 2), 99.0)  # of an earlier step: forgotten
    take_step(
        layer(torch.tensor([3.0, 4.0])).sum(), layer, optimiser, clip
    )  # the gradient is (3, 4), its norm 5
    assert (1 - layer.weight.detach()).norm().item() == pytest.approx(moved, rel=1e-5)
    assert torch.allclose((1 - layer.weight.detach())[0, 0] / moved, torch.tensor(0.6), rtol=1e-5)


def make_steps(layer: nn.Linear, keeper: Keeper | None = None) -> Steps:
    optimiser = torch.optim.SGD(layer.parameters(), 0.1)
    state = {"layer": layer, "optimiser": optimiser}
    return Steps("line", 45, state, [optimiser], Rate(0.1, 45, warmup=9), 3, keeper)


def test_each_step_has_its_own_generator_and_its_own_rate():
    steps, rates = make_steps(line()), []
    for step, generator in steps:
        assert generator.initial_seed() == step_generator(3, step).initial_seed()
        rates.append(steps.optimisers[0].param_groups[0]["lr"])
    assert rates == [0.1 * learning_rate(step, 45, 9) for step in range(45)]


def test_numbers_are_logged_every_twenty_steps_and_at_the_last():
    steps = make_steps(line())
    for step, _ in steps:
        steps.log({"loss": torch.tensor(step / 2), "scales": 4})
    assert [(row["step"], row["loss"], row["scales"]) for row in steps.curve] == [
        (0, 0.0, 4),
        (20, 10.0, 4),
        (40, 20.0, 4),
        (44, 22.0, 4),
    ]


def test_they_go_on_where_the_last_save_was_with_its_weights_and_curve(tmp_path):
    first = make_steps(line(), Keeper(tmp_path))
    for step, _ in first:
        first.state["layer"].weight.data.fill_(step)
        first.log({"loss": 1.0})
        if step == 25:
            first.keeper.save(26, first.state)
            break
    steps = make_steps(line(), Keeper(tmp_path))
    assert next(iter(steps))[0] == 26 and steps.state["layer"].weight[0, 0] == 25
    assert [row["step"] for row in steps.curve] == [0, 20]


def test_a_frozen_module_passes_gradients_on_and_keeps_none():
    layer, x = line(), torch.ones(2, requires_grad=True)
    with frozen(layer):
        loss = layer(x).sum()
    loss.backward()
    assert layer.weight.grad is None and x.grad.tolist() == [1.0, 1.0]
    assert layer.weight.requires_grad


def test_the_learning_rate_rises_holds_and_falls():
    factors = [learning_rate(step, 1000, warmup=50) for step in range(1000)]
    assert factors[0] == pytest.approx(1 / 50) and factors[49:600] == [1.0] * 551
    assert all(a < b for a, b in zip(factors[:49], factors[1:50])) and all(
        a > b for a, b in zip(factors[600:], factors[601:])
    )
    assert factors[-1] == pytest.approx(0.05, abs=0.003)


def test_batches_are_images_of_the_set_half_of_them_mirrored():
    images = uint8_pictures(5)
    batch = draw_batch(images, 200, torch.Generator().manual_seed(0))
    as_floats = images.float() / 127.5 - 1
    straight = (batch[:, None] - as_floats).flatten(2).abs().amax(2) < 1e-6  # 200 5
    mirrored = (batch[:, None] - as_floats.flip(-1)).flatten(2).abs().amax(2) < 1e-6
    assert (straight.sum(1) + mirrored.sum(1) == 1).all()
    assert 70 < int(mirrored.sum()) < 130 and (straight | mirrored).any(0).all()
    assert torch.equal(batch, draw_batch(images, 200, torch.Generator().manual_seed(0)))


def test_the_first_odd_number_is_told_also_of_a_step_that_is_not_logged():
    steps = make_steps(line())
    with pytest.raises(
        VarbookError, match="line, after step 9 of 45, went wrong: its 'part' is inf"
    ):
        for step, _ in steps:
            part = torch.tensor(float("inf") if step == 8 else 1.0)
            steps.log({"loss": part + 1, "part": part, "later": math.nan if step > 8 else 0.0})
    assert steps.step == 20 and [row["step"] for row in steps.curve] == [0]


def test_what_is_only_watched_is_no_part_of_the_curve_and_must_be_finite():
    steps = make_steps(line())
    with pytest.raises(VarbookError, match="after step 31 of 45, went wrong: its 'critic' is nan"):
        for step, _ in steps:
            steps.watch({"critic": math.nan if step == 30 else 1.0})
            steps.log({"loss": 1.0})
    assert steps.curve == [{"step": 0, "loss": 1.0}, {"step": 20, "loss": 1.0}]
