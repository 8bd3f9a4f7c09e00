"""Seeds, devices, precision, and who is watching."""

import random
import sys

import numpy as np
import pytest
import torch

from varbook.device import (
    autocast,
    has_bfloat16,
    is_batch,
    pick_device,
    precision,
    setup,
    step_generator,
)
from varbook.errors import VarbookError


def test_setup_seeds_everything_and_returns_the_device(monkeypatch):
    monkeypatch.setenv("VARBOOK_DEVICE", "cpu")

    def draw(seed):
        assert setup(seed) == torch.device("cpu")
        return random.random(), np.random.rand(), torch.rand(1).item()

    first, again, other = draw(1), draw(1), draw(2)
    assert first == again and all(a != b for a, b in zip(first, other))


def test_setup_sets_the_threads_only_when_asked():
    before = torch.get_num_threads()
    try:
        setup(0, threads=1)
        assert torch.get_num_threads() == 1
        torch.set_num_threads(2)
        setup(0)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_the_environment_may_choose_the_device(monkeypatch):
    monkeypatch.setenv("VARBOOK_DEVICE", "meta")
    assert pick_device() == torch.device("meta")
    monkeypatch.delenv("VARBOOK_DEVICE")
    for cuda, mps, wanted in ((True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda cuda=cuda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda mps=mps: mps)
        assert pick_device().type == wanted


def test_a_step_s_randomness_depends_on_seed_step_and_purpose_alone():
    def first(*arguments):
        return torch.rand(1, generator=step_generator(*arguments), dtype=torch.float64).item()

    torch.manual_seed(5)
    before = first(1, 2, 3)
    torch.manual_seed(6)
    assert first(1, 2, 3) == before
    drawn = {
        first(seed, step, purpose)
        for seed in range(4)
        for step in range(60)
        for purpose in range(3)
    }
    assert len(drawn) == 4 * 60 * 3
    step_generator(10**9, 10**9, 10)  # large numbers are no problem


def test_autocast_computes_in_bfloat16_exactly_where_the_hardware_has_it(monkeypatch):
    monkeypatch.delenv("VARBOOK_PRECISION", raising=False)
    cpu, x = torch.device("cpu"), torch.ones(2, 2)
    for capable, wanted in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(
            torch.cpu,
            "get_capabilities",
            lambda capable=capable: {"avx512_bf16": capable},
            raising=False,
        )
        assert has_bfloat16(cpu) is capable
        with autocast(cpu):
            assert (x @ x).dtype == wanted
    assert not has_bfloat16(torch.device("mps"))


@pytest.mark.parametrize("capable", [True, False])
@pytest.mark.parametrize("wanted", ["float32", "bfloat16"])
def test_the_environment_may_choose_the_precision(wanted, capable, monkeypatch):
    monkeypatch.setattr(
        torch.cpu, "get_capabilities", lambda: {"avx512_bf16": capable}, raising=False
    )
    monkeypatch.setenv("VARBOOK_PRECISION", wanted)
    assert precision(torch.device("cpu")) == getattr(torch, wanted)
    with autocast(torch.device("cpu")):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == getattr(torch, wanted)


def test_an_unknown_precision_is_refused(monkeypatch):
    monkeypatch.setenv("VARBOOK_PRECISION", "half")
    with pytest.raises(VarbookError, match="use float32 or bfloat16"):
        precision(torch.device("cpu"))


@pytest.mark.parametrize(
    "environment, terminal, notebook, wanted",
    [
        ({}, True, False, False),  # a person at a terminal
        ({}, False, True, False),  # a person in a notebook
        ({}, False, False, True),  # a script in the background
        ({"VARBOOK_BATCH": "1"}, True, True, True),
        ({"CI": "true"}, True, True, True),
        ({"VARBOOK_BATCH": "0"}, True, False, False),
    ],
)
def test_who_is_watching(monkeypatch, environment, terminal, notebook, wanted):
    for name in ("VARBOOK_BATCH", "CI"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    if notebook:
        monkeypatch.setitem(sys.modules, "ipykernel", object())
    assert is_batch() is wanted


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "", "cpu:x", "xpu"])
def test_a_device_that_is_not_here_is_one_sentence(monkeypatch, name):
    monkeypatch.setenv("VARBOOK_DEVICE", name)
    if not name:  # unset
        assert pick_device().type in ("cpu", "cuda", "mps")
        return
    with pytest.raises(VarbookError, match="which this machine does not have"):
        pick_device()


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "1", None, True])
def test_a_seed_out_of_range_is_one_sentence(seed):
    with pytest.raises(VarbookError, match="A seed is a whole number"):
        setup(seed)
