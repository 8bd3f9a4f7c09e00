"""How sure distances are: halves say what torch-fidelity says, their spread is the standard error, and a
distance is below another only where both kinds say so by more than the margin.
"""

import statistics

import pytest
import torch
from tiny import pictures, tiny_judge

from varbook.errors import VarbookError
from varbook.evaluate import resampling
from varbook.evaluate.fidelity import feature_rows, fidelity, kernel_name
from varbook.evaluate.resampling import (
    SURE,
    below,
    frechet_of_features,
    halves_of_features,
    kernel_of_features,
    margin,
    nearer,
    standard_error,
    sure_fidelity,
)


def features(count: int, shift: float = 0.0, seed: int = 0) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(count, 12, generator=draw, dtype=torch.float64) + shift


def test_distances_of_features_are_those_of_torch_fidelity():
    judge = tiny_judge()
    images, reference = pictures(24), pictures(24, seed=1)
    known = fidelity(images, reference, judge)
    rows = [feature_rows(x, judge) for x in (images, reference)]
    assert frechet_of_features(*rows) == pytest.approx(known["frechet"].value, rel=1e-3)
    # Its mean is over subsets of all 24 images, which are all the same.
    assert kernel_of_features(*rows) == pytest.approx(known["kernel"].value, rel=1e-3, abs=1e-6)


def test_a_frechet_distance_needs_no_more_images_than_features():
    a, b = features(8), features(8, 1.0, seed=1)
    centred = [(x - x.mean(0)) / 7**0.5 for x in (a, b)]
    covariances = [x.T @ x for x in centred]
    root = torch.linalg.eigvals(covariances[0] @ covariances[1]).real.clamp(min=0).sqrt().sum()
    trace = sum(one.trace() for one in covariances)
    expected = (a.mean(0) - b.mean(0)).square().sum() + trace - 2 * root
    assert frechet_of_features(a, b) == pytest.approx(expected.item(), rel=1e-6)


def test_the_spread_of_halves_is_the_standard_error_of_the_whole():
    reference = features(400, seed=999)
    wholes = [
        kernel_of_features(features(60, 0.4, seed), reference) for seed in range(40)
    ]  # other sets of the same kind: how far the distance of one set may be off
    guessed = [
        standard_error(halves_of_features(features(60, 0.4, seed), reference)["kernel"])
        for seed in range(8)
    ]
    assert statistics.fmean(guessed) == pytest.approx(statistics.stdev(wholes), rel=0.35)


def test_sets_of_one_length_are_halved_alike():
    a, b, reference = features(20), features(20, 0.5, seed=1), features(30, seed=2)
    rows = torch.arange(20.0)[:, None]
    taken = []
    for x in (a, b):
        x = torch.cat([x, rows], 1)
        ref = torch.cat([reference, torch.zeros(30, 1)], 1)
        original = resampling.frechet_of_features
        resampling.frechet_of_features = lambda p, q: taken.append(p[:, -1].tolist()) or 0.0
        try:
            halves_of_features(x, ref, rounds=3)
        finally:
            resampling.frechet_of_features = original
    assert taken[:3] == taken[3:] and all(len(set(one)) == 10 for one in taken)
    with pytest.raises(VarbookError, match="four"):
        halves_of_features(a[:3], reference)


def test_distances_come_with_halves_and_other_metrics_without():
    judge, images = tiny_judge(), pictures(16)
    found = sure_fidelity(
        images, pictures(16, seed=1), judge, metrics=("frechet", "kernel", "recall")
    )
    assert len(found["frechet"].halves) == len(found["kernel"].halves) == resampling.ROUNDS
    assert "halves" not in found["recall"].as_dict() and "halves" in found["kernel"].as_dict()


def measured(value: float, *halves: float) -> dict:
    return {"value": value, "halves": list(halves)} if halves else {"value": value}


def test_a_difference_counts_beyond_two_standard_errors_of_itself():
    # Both halves move together: the difference is sure, each distance alone is not.
    a, b = measured(1.0, 1.0, 5.0, 9.0), measured(2.0, 2.0, 6.1, 10.0)
    assert margin(a["halves"], b["halves"]) == pytest.approx(SURE * statistics.stdev([1, 1.1, 1]))
    assert below(a, b) and not below(b, a)
    assert not below(a, measured(1.05, 1.0, 5.1, 9.0))
    # Of one alone: both are taken to be as unsure.
    assert not below(a, measured(2.0)) and below(measured(1.0), measured(99.0, 1.0, 2.0, 3.0))
    assert margin((), ()) is None and not below(measured(1.0), measured(9.0))


def test_nearer_takes_both_distances():
    near, far = measured(1.0, 1.0, 1.1, 0.9), measured(3.0, 3.0, 3.1, 2.9)
    both = {"frechet": near, "kernel": near}
    assert nearer(both, {"frechet": far, "kernel": far})
    assert not nearer(both, {"frechet": far, "kernel": near})
    assert not nearer({"frechet": near, "kernel": far}, {"frechet": far, "kernel": near})


def test_the_kernel_distance_has_the_name_of_the_same_features():
    assert [kernel_name(one) for one in ("FD-toy", "FID")] == ["KD-toy", "KID"]
