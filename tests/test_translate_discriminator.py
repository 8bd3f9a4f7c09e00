"""The discriminators, what of them learns, and their losses by their formulas."""

import re

import pytest
import torch
import torch.nn.functional as F
from tiny import noise, pictures, same_state
from torch import nn

from varbook import paths
from varbook.errors import VarbookError
from varbook.features.clip import Clip
from varbook.features.squeezenet import FILE
from varbook.translate import discriminator
from varbook.translate.discriminator import (
    DISCRIMINATORS,
    FeatureDiscriminator,
    PatchDiscriminator,
    backbone,
    freeze,
    hinge_discriminator,
    make_discriminators,
    sigmoid_discriminator,
    sigmoid_generator,
)

REAL, FAKE = noise(3, 1, 4, 4), noise(3, 1, 4, 4, seed=1)


@pytest.mark.parametrize(
    "height, width, grid", [(64, 64, (8, 8)), (32, 64, (4, 8)), (16, 16, (2, 2))]
)
def test_one_logit_a_patch(height, width, grid):
    assert PatchDiscriminator()(pictures(2, height, width)).shape == (2, 1, *grid)


def test_spectral_norm_keeps_every_layer_from_stretching():
    torch.manual_seed(0)
    discriminator, image = PatchDiscriminator((8, 8)), pictures(1)
    with torch.no_grad():  # weights that would stretch a hundredfold
        for layer in discriminator.layers:
            if hasattr(layer, "parametrizations"):
                layer.parametrizations.weight.original.mul_(100)
        for _ in range(30):  # the power iteration settles
            discriminator(image)
        norms = [
            torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item()
            for layer in discriminator.layers
            if hasattr(layer, "weight")
        ]
    assert len(norms) == 4 and norms == pytest.approx([1.0] * 4, abs=0.05)


def test_the_second_judge_says_one_thing_of_the_whole_picture_and_it_depends_on_both_halves():
    torch.manual_seed(0)
    discriminator, image = PatchDiscriminator((8, 16), whole=True).eval(), pictures(2, 32, 32)
    logits = discriminator(image)
    assert logits.shape == (2, 2, 8, 8)
    assert (
        torch.equal(logits[:, 1], logits[:, 1, :1, :1].expand(2, 8, 8))
        and logits[0, 1, 0, 0] != logits[1, 1, 0, 0]
    )
    changed = image.clone()
    changed[..., -4:] = 0.0
    patches, whole = (discriminator(changed) - logits).abs().unbind(1)
    assert (
        patches[..., 0].max() == 0 and whole.min() > 0
    )  # far patches do not notice; the whole does


def on_features(seed: int = 0) -> FeatureDiscriminator:
    torch.manual_seed(seed)
    return FeatureDiscriminator(backbone("random"))


def test_features_give_one_logit_an_image_whatever_its_size():
    discriminator = on_features().eval()
    assert discriminator(pictures(3, 32, 32)).shape == (3, 1) and discriminator(
        pictures(2, 48, 64)
    ).shape == (
        2,
        1,
    )
    together, alone = discriminator(pictures(3, 32, 32)), discriminator(pictures(3, 32, 32)[:1])
    assert torch.allclose(together[:1], alone, atol=1e-5)  # images do not touch one another


def test_the_features_are_the_means_of_three_depths_each_normalised():
    features = backbone("random")
    padded = F.pad(pictures(2, 32, 32), (0, 1, 0, 1), mode="replicate")
    maps = features.network.maps(padded, ("fire3", "fire5", "fire9"))
    pooled = [one.mean((2, 3)) for one in maps]
    slow = [
        (p - p.mean(1, keepdim=True)) / (p.var(1, correction=0, keepdim=True) + 1e-5).sqrt()
        for p in pooled
    ]
    assert torch.allclose(features(pictures(2, 32, 32)), torch.cat(slow, 1), atol=1e-4)


def test_only_the_head_learns_even_when_everything_is_told_to():
    discriminator, image = on_features().train(), pictures(2, 32, 32)
    before = {name: buffer.clone() for name, buffer in discriminator.backbone.named_buffers()}
    discriminator.requires_grad_(False).requires_grad_(True)  # what the generator's step does
    optimiser = torch.optim.AdamW(discriminator.parameters(), 0.1, weight_decay=0.1)
    sigmoid_discriminator(discriminator(image), discriminator(-image)).backward()
    optimiser.step()
    assert before and all(
        torch.equal(buffer, before[name]) for name, buffer in discriminator.backbone.named_buffers()
    )
    assert all(parameter.grad.abs().max() > 0 for parameter in discriminator.parameters())
    assert {name.split(".")[0] for name, _ in discriminator.named_parameters()} == {"head"}
    assert not discriminator.backbone.training and discriminator.head.training


def test_the_gradient_passes_through_the_frozen_features_to_the_image():
    discriminator, image = (
        on_features().eval().requires_grad_(False),
        pictures(2, 32, 32).requires_grad_(),
    )
    sigmoid_generator(discriminator(image)).backward()
    assert (
        image.grad.isfinite().all() and (image.grad != 0).float().mean() > 0.9
    )  # the last row and column too


def test_the_backbone_moves_with_the_discriminator_and_is_in_no_state():
    discriminators = make_discriminators("random", 2).double()
    assert discriminators[0].backbone is discriminators[1].backbone
    assert discriminators[0].backbone.network.conv1.weight.dtype == torch.float64
    assert all("backbone" not in name for name in discriminators.state_dict())
    other = make_discriminators("random", 2).double()
    other.load_state_dict(discriminators.state_dict())
    assert same_state(discriminators, other)
    assert torch.equal(
        other[1].eval()(pictures(1, 32, 32).double()),
        discriminators[1].eval()(pictures(1, 32, 32).double()),
    )


def test_a_jury_says_what_its_judges_say_and_the_features_word_counts_as_much_as_all_patches():
    torch.manual_seed(0)
    discriminators, image = (
        make_discriminators("patch+features", 2, (8, 16), whole=True).eval(),
        pictures(3, 32, 32),
    )
    patches, word, judged = (
        discriminators[0].patch(image),
        discriminators[0].features(image),
        discriminators[0](image),
    )
    assert judged.shape == (3, 3, 8, 8) and torch.equal(judged[:, :2], patches)
    assert torch.equal(judged[:, 2], word[:, :, None].expand(3, 8, 8))
    apart = (2 * sigmoid_generator(patches) + sigmoid_generator(word)) / 3
    assert torch.allclose(sigmoid_generator(judged), apart, atol=1e-6)
    assert discriminators[0].features.backbone is discriminators[1].features.backbone and all(
        "backbone" not in name for name in discriminators.state_dict()
    )


def test_freezing_leaves_the_function_as_it_was():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 3, bias=False), nn.BatchNorm1d(3), nn.ReLU()).eval()
    wanted = network(noise(5, 4))
    frozen = freeze(network)
    assert (
        torch.allclose(frozen(noise(5, 4)), wanted)
        and not list(frozen.parameters())
        and not frozen.state_dict()
    )


def test_the_head_keeps_logits_from_growing_with_the_features():
    """Features are normalised before the head, so that a backbone of another scale gives the same
    judgement.
    """

    class Scaled(nn.Module):
        width = 6

        def __init__(self, scale: float):
            super().__init__()
            self.scale = scale

        def forward(self, images):
            return self.scale * images[:, :, :2, 0].flatten(1)

    judged = []
    for scale in (1.0, 100.0):
        torch.manual_seed(0)
        judged.append(FeatureDiscriminator(Scaled(scale)).eval()(noise(3, 3, 4, 4)))
    assert torch.allclose(*judged, atol=1e-3)


def test_clip_s_tower_is_frozen_and_still_passes_gradients():
    open_clip = pytest.importorskip(
        "open_clip", reason="open_clip (the extra clip) is not installed"
    )
    torch.manual_seed(0)
    discriminator = FeatureDiscriminator(
        Clip(open_clip.create_model("ViT-B-32-quickgelu", pretrained=None).visual)
    )
    image = pictures(1, 64, 64).requires_grad_()
    sigmoid_generator(discriminator(image)).backward()
    assert image.grad.abs().sum() > 0 and all(
        "head" in name for name, _ in discriminator.named_parameters()
    )
    assert discriminator(image.detach()).shape == (1, 1)


@pytest.mark.parametrize(
    "clip, weights, wanted",
    [(True, True, "clip"), (False, True, "squeezenet"), (False, False, "random")],
)
def test_features_are_the_best_at_hand(monkeypatch, clip, weights, wanted):
    made = {"clip": nn.Identity(), "squeezenet": discriminator.squeezenet.SqueezeNet()}
    monkeypatch.setattr(discriminator, "clip_at_hand", lambda: clip)
    monkeypatch.setattr(discriminator, "load_clip", lambda: made["clip"])
    monkeypatch.setattr(paths, "weights_file", lambda name: FILE if weights else None)
    monkeypatch.setattr(discriminator.squeezenet, "load_squeezenet", lambda: made["squeezenet"])
    found = backbone("features")
    names = {made["clip"]: "clip", made["squeezenet"]: "squeezenet"}
    assert names.get(found if wanted == "clip" else found.network, "random") == wanted


def test_untrained_features_are_the_same_each_time_and_leave_the_global_randomness_alone():
    torch.manual_seed(3)
    first, drawn = backbone("random"), torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(torch.rand(1), drawn)
    assert torch.equal(first.network.conv1.weight, backbone("random").network.conv1.weight)


def test_features_tell_stripes_from_none_better_than_chance_with_a_linear_rule(pretrained):
    wave = torch.linspace(0, 40, 64).sin()[None, None, None].expand(8, 3, 64, 64)
    plain, striped = pictures(8, 64, 64), 0.5 * pictures(8, 64, 64, seed=1) + 0.5 * wave
    features = backbone("squeezenet")
    with torch.no_grad():
        a, b = features(plain), features(striped)
    axis = b[:4].mean(0) - a[:4].mean(0)
    assert (b[4:] @ axis).min() > (a[4:] @ axis).max()


def test_a_kind_that_is_not_there_is_refused():
    with pytest.raises(VarbookError, match=re.escape(", ".join(DISCRIMINATORS))):
        make_discriminators("pixel", 2)
    assert all(
        isinstance(discriminator, PatchDiscriminator)
        for discriminator in make_discriminators("patch", 3)
    )


def test_hinge_by_its_formula():
    slow = (
        sum(
            max(0, 1 - r) + max(0, 1 + f)
            for r, f in zip(REAL.flatten().tolist(), FAKE.flatten().tolist())
        )
        / REAL.numel()
        / 2
    )
    assert hinge_discriminator(REAL, FAKE).item() == pytest.approx(slow, rel=1e-5)
    assert hinge_discriminator(torch.full((2, 1), 1.5), torch.full((2, 1), -1.5)) == 0


def test_sigmoid_losses_are_cross_entropies():
    """-log C(fake) for the generator, -log C(real) - log(1 - C(fake)) for the discriminator
    (CycleVAR eqs. 14, 16).
    """
    ones, zeros = torch.ones_like(REAL), torch.zeros_like(REAL)
    generator = F.binary_cross_entropy(FAKE.sigmoid(), ones)
    discriminator = F.binary_cross_entropy(REAL.sigmoid(), ones) + F.binary_cross_entropy(
        FAKE.sigmoid(), zeros
    )
    assert sigmoid_generator(FAKE).item() == pytest.approx(generator.item(), rel=1e-5)
    assert sigmoid_discriminator(REAL, FAKE).item() == pytest.approx(discriminator.item(), rel=1e-5)


def test_the_losses_survive_extreme_logits_and_push_the_right_way():
    far = torch.tensor([[-1e4], [1e4]], requires_grad=True)
    (
        sigmoid_generator(far) + sigmoid_discriminator(far, far) + hinge_discriminator(far, far)
    ).backward()
    assert far.grad.isfinite().all()
    fake = torch.zeros(4, 1, requires_grad=True)
    sigmoid_generator(fake).backward()
    assert (fake.grad < 0).all()  # the generator wants higher logits for its fakes


@pytest.mark.parametrize(
    "loss", [hinge_discriminator, sigmoid_discriminator, lambda real, fake: sigmoid_generator(fake)]
)
def test_the_losses_do_not_grow_with_the_batch(loss):
    once, more = (
        loss(REAL, FAKE).item(),
        loss(REAL.repeat(5, 1, 1, 1), FAKE.repeat(5, 1, 1, 1)).item(),
    )
    assert once == pytest.approx(more, rel=1e-5)


def test_the_whole_judge_sees_beyond_a_patch_and_counts_as_much_as_all_patches():
    torch.manual_seed(0)
    discriminator = PatchDiscriminator((8, 8, 8), whole=True).eval()
    image = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    logits = discriminator(image)
    assert logits.shape == (1, 2, 8, 8) and logits[:, 1].unique().numel() == 1
    (corner,) = torch.autograd.grad(logits[0, 0, 0, 0], image, retain_graph=True)
    (whole,) = torch.autograd.grad(logits[0, 1, 0, 0], image)
    assert corner[..., -4:, -4:].abs().sum() == 0  # a patch in one corner does not see the other
    assert whole[..., -4:, -4:].abs().sum() > 0 and whole[..., :4, :4].abs().sum() > 0
