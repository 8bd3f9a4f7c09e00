"""What one call costs: the middle of several times on the clock, and the images that went through."""

import torch
from torch import nn

from varbook.evaluate import cost


def test_the_first_call_warms_up_and_one_slow_call_does_not_count(monkeypatch):
    ticks, calls = iter((0, 100, 200, 202, 300, 303, 400, 490)), []
    monkeypatch.setattr(cost.time, "perf_counter", lambda: next(ticks))
    assert cost.seconds(lambda: calls.append(1), repeats=3) == 3
    assert len(calls) == 4


def test_images_are_counted_for_each_module_and_only_while_the_call_runs():
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)

    def call():
        first(torch.zeros(3, 2))
        second(first(torch.zeros(4, 2)))

    assert cost.images_through({"a": first, "b": second}, call) == {"a": 7, "b": 4}
    assert not first._forward_hooks and not second._forward_hooks
