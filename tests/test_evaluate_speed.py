"""Times are the middle of several calls, and the shortest of several rounds."""

import time

import torch

from varbook.evaluate.speed import middle_seconds, shortest_seconds

CPU = torch.device("cpu")


def clock_of(monkeypatch, name: str, seconds: list[float]):
    """A clock under which the calls that are measured take `seconds`, one after the other."""
    ticks = iter([tick for duration in seconds for tick in (0.0, duration)])
    monkeypatch.setattr(time, name, lambda: next(ticks))


def test_the_middle_of_the_calls_counts_and_the_first_call_does_not(monkeypatch):
    calls = []
    clock_of(monkeypatch, "process_time", [3.0, 1.0, 9.0])
    assert middle_seconds(lambda: calls.append(1), 3, CPU) == 3.0
    assert len(calls) == 4


def test_a_card_is_timed_by_the_clock_on_the_wall(monkeypatch):
    clock_of(monkeypatch, "perf_counter", [2.0])
    assert middle_seconds(lambda: None, 1, torch.device("cuda")) == 2.0


def test_all_functions_have_a_turn_in_each_round_and_the_shortest_counts(monkeypatch):
    clock_of(monkeypatch, "process_time", [5.0, 4.0, 2.0, 6.0])
    order = []
    functions = {name: lambda name=name: order.append(name) for name in ("a", "b")}
    assert shortest_seconds(functions, 2, CPU) == {"a": 2.0, "b": 4.0}
    assert order == ["a", "a", "b", "b"] * 2
