"""One step of an optimiser."""

import pytest
import torch
from torch import nn

from varbook.train.stepping import take_step


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
