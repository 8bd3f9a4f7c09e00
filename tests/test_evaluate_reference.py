"""Scores against a reference batch: statistics that it brings where the features are Inception's,
its images elsewhere.
"""

import numpy as np
import pytest
import torch
from tiny import noise, tiny_judge

from varbook.errors import VarbookError
from varbook.evaluate import reference as module
from varbook.evaluate.fidelity import ImageSet, fidelity
from varbook.evaluate.reference import features_of, read_reference, score


@pytest.fixture(scope="module")
def judge():
    return tiny_judge()


@pytest.fixture(scope="module")
def images():
    smooth = torch.nn.functional.interpolate(noise(40, 3, 4, 4), size=32, mode="bicubic")
    return ((smooth.tanh() + 1) * 127.5).round().to(torch.uint8)


def batch_file(tmp_path, images, **statistics):
    path = tmp_path / "reference.npz"
    np.savez(path, arr_0=images.permute(0, 2, 3, 1).numpy(), **statistics)
    return path


def test_without_inception_the_images_of_the_batch_are_compared(images, judge, tmp_path):
    statistics = {"mu": np.zeros(3), "sigma": np.eye(3)}  # of other features: not used
    reference = read_reference(batch_file(tmp_path, images[20:], **statistics))
    found = score(ImageSet(images[:20]), reference, judge, describe="some schedule")
    wanted = fidelity(images[:20], images[20:], judge, metrics=("frechet", "inception"))
    assert {name: one.name for name, one in found.items()} == {
        "frechet": "FD-toy",
        "inception": "IS-toy",
    }
    for name in found:
        assert found[name].value == pytest.approx(wanted[name].value, rel=1e-6)
    card = found["frechet"].card
    assert card.reference == "reference.npz, its images" and card.protocol == "some schedule"
    assert (card.samples, card.reference_samples) == (20, 20)


def test_with_inception_the_stored_statistics_count(images, judge, tmp_path, monkeypatch):
    extractor = module.extractor_for(judge)[0]
    monkeypatch.setattr(
        module, "extractor_for", lambda features: (extractor, "Inception", None)
    )  # in Inception's stead
    pooled, _ = features_of(ImageSet(images[20:]), extractor, 64)
    statistics = {
        "mu": pooled.double().numpy().mean(0),
        "sigma": np.cov(pooled.double().numpy(), rowvar=False),
    }
    other = read_reference(
        batch_file(tmp_path, images[:20].flip(3), **statistics)
    )  # the images are not what is compared
    found = score(ImageSet(images[:20]), other)
    wanted = fidelity(images[:20], images[20:], judge)["frechet"].value
    assert found["frechet"].name == "FID" and found["inception"].name == "IS"
    assert found["frechet"].value == pytest.approx(wanted, rel=1e-4) and wanted > 0
    assert "stored statistics of the whole data set" in found["frechet"].card.reference


def test_other_files_are_refused(images, judge, tmp_path):
    with pytest.raises(
        VarbookError, match="There is no reference batch at .*nowhere.npz; the papers. is https"
    ):
        read_reference(tmp_path / "nowhere.npz")
    (tmp_path / "bad.npz").write_bytes(b"PK nonsense")
    with pytest.raises(VarbookError, match="is not a reference batch, or damaged"):
        read_reference(tmp_path / "bad.npz")
    np.savez(tmp_path / "floats.npz", arr_0=np.zeros((20, 8, 8, 3)))
    with pytest.raises(VarbookError, match="must be uint8"):
        read_reference(tmp_path / "floats.npz")
    np.savez(tmp_path / "code.npz", arr_0=np.array([{}], dtype=object))
    with pytest.raises(VarbookError, match="is not a reference batch"):
        read_reference(tmp_path / "code.npz")
    with pytest.raises(VarbookError, match="10 images or more"):
        score(ImageSet(images[:9]), read_reference(batch_file(tmp_path, images)), judge)
