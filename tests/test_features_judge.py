"""The judge: its size, its shapes, its losses, and a short training on small scenes that has to
teach it something.
"""

import contextlib

import pytest
import torch

from varbook.errors import VarbookError
from varbook.evaluate.translation import domain_accuracy, look, silhouette_iou
from varbook.features.judge import Judge, JudgeConfig
from varbook.train.fit_judge import dice_loss, disturb, fit_judge, judge_losses
from varbook.train.keeper import Keeper
from varbook.world.draw import render, silhouette
from varbook.world.scene import SPECIES, sample_scene

SIDE = 32


def scenes(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return images, labels and silhouettes of alternating horses and zebras."""
    drawn = [sample_scene(seed + k, species=("horse", "zebra")[k % 2]) for k in range(count)]
    images = torch.stack([torch.from_numpy(render(scene, SIDE, SIDE)) for scene in drawn]).permute(
        0, 3, 1, 2
    )
    masks = torch.stack([torch.from_numpy(silhouette(scene, SIDE, SIDE)) for scene in drawn])
    return (
        images.contiguous(),
        torch.tensor([SPECIES.index(scene.species) for scene in drawn]),
        masks,
    )


@pytest.fixture(scope="module")
def trained():
    """A judge after 60 steps, with its curve."""
    torch.manual_seed(0)
    judge = Judge(JudgeConfig(SPECIES))
    return judge, fit_judge(
        judge, *scenes(120, 0), steps=60, batch=16, lr=3e-3, seed=0, device="cpu"
    )


def test_it_is_small_and_its_shapes_follow_the_image():
    judge = Judge(JudgeConfig(SPECIES)).eval()
    assert sum(weight.numel() for weight in judge.parameters()) < 300_000
    for height, width in ((64, 64), (32, 96), (33, 47)):
        verdict = judge(torch.zeros(2, 3, height, width))
        assert verdict.species.shape == (2, len(SPECIES)) and verdict.domain.shape == (2, 2)
        assert verdict.silhouette.shape == (2, height, width)
    assert judge.features(torch.zeros(2, 3, 64, 64)).shape == (2, 144)


def test_bad_configurations_and_images_are_refused():
    with pytest.raises(VarbookError, match="zebra"):
        Judge(JudgeConfig(("horse", "cow")))
    judge = Judge(JudgeConfig(SPECIES))
    with pytest.raises(VarbookError, match="16 pixels"):
        judge(torch.zeros(1, 3, 8, 8))
    images, labels, masks = scenes(2, 0)
    with pytest.raises(VarbookError, match="uint8"):
        fit_judge(judge, images.float(), labels, masks, steps=1, seed=0, device="cpu")
    with pytest.raises(VarbookError, match="silhouette"):
        fit_judge(judge, images, labels, masks[:, :8], steps=1, seed=0, device="cpu")
    with pytest.raises(VarbookError, match="Labels"):
        fit_judge(judge, images, labels + 100, masks, steps=1, seed=0, device="cpu")


def test_it_learns_horses_zebras_and_outlines(trained):
    judge, curve = trained
    images, labels, masks = scenes(40, 10_000)
    verdict = look(judge, images)
    for name in ("horse", "zebra"):
        chosen = labels == SPECIES.index(name)
        part = type(verdict)(
            verdict.species[chosen], verdict.domain[chosen], verdict.silhouette[chosen]
        )
        assert domain_accuracy(judge, part, name) >= 0.9
    assert silhouette_iou(verdict.silhouette > 0, masks).mean() > 0.7
    for name in ("species", "domain", "silhouette"):
        assert curve[-1][name] < 0.7 * curve[0][name]


def test_the_same_seed_trains_the_same_judge():
    data, outcomes = scenes(8, 0), []
    for seed in (0, 0, 1):
        torch.manual_seed(5)
        judge = Judge(JudgeConfig(SPECIES))
        fit_judge(judge, *data, steps=2, batch=4, seed=seed, device="cpu")
        outcomes.append(judge.species.weight.detach().clone())
    assert torch.equal(outcomes[0], outcomes[1]) and not torch.equal(outcomes[0], outcomes[2])


def test_an_interrupted_training_goes_on_to_the_same_bits(tmp_path):
    class Interrupted(Keeper):
        def step_done(self, step, state):
            self.save(step + 1, state)
            if step == 1:
                raise KeyboardInterrupt

    data, judges = scenes(8, 0), []
    for keeper in (None, Interrupted(tmp_path), Keeper(tmp_path)):
        torch.manual_seed(5)
        judge = Judge(JudgeConfig(SPECIES))
        with contextlib.suppress(KeyboardInterrupt):
            curve = fit_judge(judge, *data, steps=4, batch=4, seed=0, device="cpu", keeper=keeper)
        judges.append(judge.state_dict())
    assert all(torch.equal(judges[0][name], judges[2][name]) for name in judges[0])
    assert not torch.equal(judges[0]["species.weight"], judges[1]["species.weight"])
    assert [point["step"] for point in curve] == [0, 3]


def test_disturbed_images_stay_images_and_silhouettes_follow_the_mirror():
    images, _, masks = scenes(16, 0)
    images = images.float() / 127.5 - 1
    disturbed, moved = disturb(images, masks, torch.Generator().manual_seed(0))
    assert disturbed.shape == images.shape and disturbed.abs().max() <= 1
    mirrored = torch.tensor([torch.equal(a, b.flip(1)) for a, b in zip(moved, masks, strict=True)])
    assert 0 < mirrored.sum() < 16
    assert torch.equal(moved[~mirrored], masks[~mirrored])
    # The picture moved with its silhouette: it is closer to the picture of the same handedness.
    right = torch.where(mirrored[:, None, None, None], images.flip(3), images)
    assert (
        (disturbed - right).square().mean() < (disturbed - right.flip(3)).square().mean()
    ).item()


def test_domain_loss_looks_at_the_two_domains_alone():
    judge = Judge(JudgeConfig(SPECIES)).eval()
    verdict = judge(torch.rand(4, 3, 32, 32))
    masks, pair = torch.zeros(4, 32, 32), (SPECIES.index("horse"), SPECIES.index("zebra"))
    others = torch.tensor([k for k in range(len(SPECIES)) if k not in pair][:4])
    assert judge_losses(verdict, others, masks, pair)["domain"] == 0
    mixed = torch.tensor([pair[0], others[0], pair[1], others[1]])
    wanted = torch.nn.functional.cross_entropy(verdict.domain[[0, 2]], torch.tensor([0, 1]))
    assert torch.allclose(judge_losses(verdict, mixed, masks, pair)["domain"], wanted)


def test_dice_loss_of_right_and_wrong_masks():
    masks = torch.zeros(1, 16, 16)
    masks[:, :8] = 1
    sure = (masks * 2 - 1) * 50
    assert dice_loss(sure, masks) < 1e-6 and dice_loss(-sure, masks) > 0.98
