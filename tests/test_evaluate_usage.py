"""Code usage and perplexity on histograms that are known."""

import math

import pytest
import torch

from varbook.errors import VarbookError
from varbook.evaluate.usage import frequency_loss, histogram, perplexity, usage, usage_per_scale


def test_perplexity_of_known_histograms():
    assert perplexity(torch.tensor([5, 5, 5, 5])) == pytest.approx(4)
    assert perplexity(torch.tensor([0, 7, 0])) == pytest.approx(1)
    # Entropy of (1/2, 1/4, 1/4) is 1.5 bits.
    assert perplexity(torch.tensor([2, 1, 1, 0])) == pytest.approx(2**1.5)


def test_usage_counts_each_scale_and_all():
    maps = [torch.tensor([[[0]], [[0]]]), torch.tensor([[[0, 1], [2, 3]], [[0, 1], [2, 3]]])]
    coarse, fine, everything = usage_per_scale(maps, 8)
    assert (coarse.scale, coarse.tokens, coarse.used, coarse.share) == ("1x1", 2, 1, 0.125)
    assert (fine.scale, fine.tokens, fine.used) == (
        "2x2",
        8,
        4,
    ) and fine.perplexity == pytest.approx(4)
    assert (everything.scale, everything.tokens, everything.used) == ("all", 10, 4)
    assert coarse.perplexity == pytest.approx(1) and 1 < everything.perplexity < 4


def test_histogram_counts_and_refuses_what_does_not_fit():
    assert histogram(torch.tensor([1, 1, 3]), 4).tolist() == [0, 2, 0, 1]
    for bad in (torch.tensor([4]), torch.tensor([-1]), torch.tensor([], dtype=torch.long)):
        with pytest.raises(VarbookError):
            histogram(bad, 4)
    with pytest.raises(VarbookError):
        usage_per_scale([], 4)
    assert usage(torch.zeros(3, dtype=torch.long), 4).scale == "all"


def test_the_loss_of_knowing_frequencies_alone():
    even = torch.arange(64).repeat(40).view(-1, 8, 8)
    assert frequency_loss([even], [even], 64) == [pytest.approx(math.log(64))]
    # Half a count for what was never seen, so the shares are 3.5 and 1.5 of 5.
    known, asked = torch.tensor([[[0, 0], [0, 1]]]), torch.tensor([[[0]], [[1]]])
    assert frequency_loss([known], [asked], 2) == [
        pytest.approx(-(math.log(3.5 / 5) + math.log(1.5 / 5)) / 2)
    ]
    assert len(frequency_loss([even, even], [even, even * 0], 64)) == 2
    with pytest.raises(ValueError):
        frequency_loss([even], [even, even], 64)
