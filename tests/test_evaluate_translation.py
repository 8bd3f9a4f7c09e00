"""The toy world's measures: each on cases whose answer is known, then the whole report."""

from types import SimpleNamespace

import pytest
import torch

from varbook.errors import VarbookError
from varbook.evaluate.translation import (
    background_psnr,
    judge_translation,
    nearest_coat_psnr,
    silhouette_iou,
    stripe_contrast,
)
from varbook.features.judge import Judge, JudgeConfig, Verdict
from varbook.world.draw import render, silhouette
from varbook.world.scene import COATS, flip, sample_scene, with_coat

SIDE = 48


def drawn(scenes) -> torch.Tensor:
    return (
        torch.stack([torch.from_numpy(render(scene, SIDE, SIDE)) for scene in scenes])
        .permute(0, 3, 1, 2)
        .contiguous()
    )


def toy_set(species: str, count: int = 6) -> SimpleNamespace:
    """Return what the measures use of a ToySet."""
    scenes = [sample_scene(seed, species=species) for seed in range(count)]
    masks = torch.stack([torch.from_numpy(silhouette(scene, SIDE, SIDE)) for scene in scenes])
    return SimpleNamespace(images=drawn(scenes), silhouettes=masks, scenes=scenes)


class Oracle(Judge):
    """Finds the domain by contrast and the silhouette by heart: the report can be checked without a
    training.
    """

    def __init__(self, masks):
        super().__init__(JudgeConfig(("horse", "zebra")))
        self.masks = masks

    def forward(self, images):
        striped = (stripe_contrast(images, self.masks) > 0.1).float()
        logits = torch.stack([1 - striped, striped], dim=1)
        return Verdict(logits, logits, self.masks.float() - 0.5)


def test_iou_of_known_masks():
    a = torch.zeros(4, 4, 4, dtype=torch.bool)
    b = a.clone()
    a[0, :2], b[0, :2] = True, True  # equal
    a[1, :2], b[1, 1:3] = True, True  # one row of three shared
    a[2, 0], b[2, 3] = True, True  # none shared
    assert torch.allclose(silhouette_iou(a, b), torch.tensor([1, 1 / 3, 0, 1]))


def test_background_psnr_ignores_the_animal():
    source = toy_set("horse", 3)
    painted = torch.where(source.silhouettes[:, None], 255 - source.images, source.images)
    assert (background_psnr(painted, source.images, source.silhouettes) == 100).all()
    painted[:, :, 0, 0] ^= 64
    assert (background_psnr(painted, source.images, source.silhouettes) < 60).all()


def test_nearest_coat_is_found_whatever_it_is():
    source = toy_set("zebra", 2)
    untouched = nearest_coat_psnr(source.images, source.silhouettes, source.scenes)
    for coat in COATS:
        horses = drawn([with_coat(flip(scene, "coat"), coat) for scene in source.scenes])
        assert (nearest_coat_psnr(horses, source.silhouettes, source.scenes) == 100).all()
    assert (untouched < 20).all()


def test_nearest_coat_looks_inside_the_silhouette_alone():
    source = toy_set("zebra", 2)
    horses = drawn([flip(scene, "coat") for scene in source.scenes])
    ruined = torch.where(source.silhouettes[:, None], horses, 255 - horses)
    assert (nearest_coat_psnr(ruined, source.silhouettes, source.scenes) == 100).all()


def test_stripes_have_contrast_and_plain_coats_have_little():
    source = toy_set("zebra")
    zebras = stripe_contrast(source.images, source.silhouettes)
    horses = stripe_contrast(
        drawn([flip(scene, "coat") for scene in source.scenes]), source.silhouettes
    )
    assert (zebras > 2 * horses).all()
    flat = torch.zeros(1, 3, SIDE, SIDE)
    everywhere = torch.ones(1, SIDE, SIDE, dtype=torch.bool)
    assert stripe_contrast(flat, everywhere) < 1e-3
    # Black and white columns side by side: half of the range away from their mean, almost
    # everywhere.
    flat[..., ::2] = 1.0
    flat[..., 1::2] = -1.0
    assert stripe_contrast(flat, everywhere).item() == pytest.approx(0.5, abs=0.01)


def test_stripe_contrast_does_not_see_the_background():
    source = toy_set("zebra", 2)
    inverted = torch.where(source.silhouettes[:, None], source.images, 255 - source.images)
    assert torch.allclose(
        stripe_contrast(inverted, source.silhouettes),
        stripe_contrast(source.images, source.silhouettes),
    )


def test_report_of_the_true_counterparts_is_perfect_and_of_nothing_is_not():
    for kind, to in (("horse", "zebra"), ("zebra", "horse")):
        source = toy_set(kind)
        judge = Oracle(source.silhouettes)
        truth = drawn([flip(scene, "coat") for scene in source.scenes])
        perfect = judge_translation(judge, source, truth, to, truth if to == "zebra" else None)
        assert (
            perfect["domain_accuracy"] == perfect["species_accuracy"] == 1
            and perfect["images"] == 6
        )
        assert perfect["silhouette_iou"] == 1 and perfect["background_psnr"] > 30
        idle = judge_translation(
            judge, source, source.images.float() / 127.5 - 1, to, truth if to == "zebra" else None
        )
        assert idle["domain_accuracy"] == 0 and idle["background_psnr"] == 100
        if to == "zebra":
            assert perfect["stripe_ratio"] == pytest.approx(1) and idle["stripe_ratio"] < 0.5
            assert perfect["stripe_contrast"] == pytest.approx(
                perfect["stripe_contrast_reconstructed"]
            )
        else:
            assert perfect["nearest_coat_psnr"] == 100 and idle["nearest_coat_psnr"] < 20
    assert "stripe_ratio" not in judge_translation(judge, source, source.images, "horse")


def test_what_does_not_fit_is_refused():
    source = toy_set("horse", 2)
    judge = Oracle(source.silhouettes)
    with pytest.raises(VarbookError, match="do not go together"):
        judge_translation(judge, source, source.images[:1], "zebra")
    with pytest.raises(VarbookError, match="cow"):
        judge_translation(judge, source, source.images, "cow")
    source.silhouettes = torch.zeros_like(source.silhouettes)
    with pytest.raises(VarbookError, match="empty"):
        judge_translation(judge, source, source.images, "zebra")
