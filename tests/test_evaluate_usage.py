"""Code usage and perplexity on histograms that are known."""

import pytest
import torch

from varbook.errors import VarbookError
from varbook.evaluate.usage import histogram, perplexity, usage, usage_per_scale


def test_perplexity_of_known_histograms():
    assert perplexity(torch.tensor([5, 5, 5, 5])) == pytest.approx(4)
    assert perplexity(torch.tensor([0, 7, 0])) == pytest.approx(1)
    # Entropy of (1/2, 1/4, 1/4) is 1.5 bits.
    assert perplexity(torch.tensor([2, 1, 1, 0])) == pytest.approx(2**1.5)


def test_usage_counts_each_scale_and_all():
    maps = [torch.tensor([[[0]], [[0]]]), torch.tensor([[[0, 1], [2, 3]], [[0, 1], [2, 3]]])]
    coarse, fine, everything = usage_per_scale(maps, 8)
    assert (coarse.scale, coarse.tokens, coarse.used, coarse.share) == ("1x1", 2, 1, 0.125)
    assert (fine.scale, fine.tokens, fine.used) == ("2x2", 8, 4) and fine.perplexity == pytest.approx(4)
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
