"""Measures of generated images, against pictures whose answer is known."""

import math

import pytest
import torch
from tiny import pictures, uint8_pictures

from varbook.evaluate.generation import detail, judge_samples, recognised, resized, spectrum
from varbook.features.judge import Judge, JudgeConfig


@pytest.fixture(scope="module")
def judge() -> Judge:
    torch.manual_seed(0)
    return Judge(JudgeConfig(("horse", "zebra", "cow"))).eval()


def waves(side: int, number: int) -> torch.Tensor:
    """Images with `number` waves from left to right."""
    x = torch.arange(side) / side * 2 * math.pi * number
    return (0.5 * x.cos()).expand(4, 3, side, side)


def test_one_wave_shows_at_its_own_place_in_the_spectrum():
    for number in (1, 5, 16):
        power = spectrum(waves(32, number))
        assert (
            power.shape == (17,)
            and int(power.argmax()) == number
            and power[number] > 100 * power.sum() / 101 * 0.99
        )
    assert spectrum(torch.zeros(2, 3, 16, 16)).abs().max() < 1e-9


def test_more_and_stronger_waves_are_more_detail():
    assert detail(waves(32, 2))[0] < detail(waves(32, 4))[0]
    assert torch.allclose(detail(waves(32, 4) / 2), detail(waves(32, 4)) / 2, rtol=1e-4)
    step = torch.tensor([0, 10], dtype=torch.uint8).repeat(4).expand(1, 3, 8, 8)
    assert detail(step)[0].item() == pytest.approx(
        5.0
    )  # 10 grey levels from column to column, none from row to row


def test_resizing_keeps_equal_sizes_and_averages_when_it_shrinks():
    x = pictures(2, 16, 16)
    assert torch.allclose(resized(x, 16), x, atol=1e-6)
    assert resized(uint8_pictures(2), (8, 12)).shape == (2, 3, 8, 12)
    assert torch.allclose(resized(x, 8).mean(), x.mean(), atol=0.02)
    assert resized(x, 64).abs().max() <= 1


def test_recognition_is_the_judges_first_choice(judge):
    x = pictures(12, 32, 32)
    with torch.no_grad():
        best = judge(x).species.argmax(-1)
    assert recognised(judge, x, best).all() and not recognised(judge, x, (best + 1) % 3).any()


def test_judged_samples_carry_every_number_and_their_card(judge):
    real = torch.cat([pictures(12, 32, 32, seed=s) for s in (0, 1)])
    same = judge_samples(
        judge, real, torch.zeros(24, dtype=torch.long), real, describe="the same pictures"
    )
    other = judge_samples(
        judge, -real, torch.zeros(24, dtype=torch.long), real, describe="the same pictures"
    )
    assert other["FD-toy"] > 1e-4 and abs(same["FD-toy"]) < 0.1 * other["FD-toy"]
    assert same["precision"] == same["recall"] == 1.0 and same["IS-toy"] >= 1
    assert same["card"]["samples"] == 24 and same["card"]["reference"] == "the same pictures"
