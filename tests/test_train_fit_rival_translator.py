"""Training the rivals: losses against slow transcriptions, who gets a gradient from whom, resuming,
and that they learn.
"""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from tiny import CPU, Killed, KilledKeeper, pictures, same_state, uint8_pictures
from torch import nn

from varbook.errors import VarbookError
from varbook.train.fit_rival_translator import (
    LOSSES,
    RivalTraining,
    content_loss,
    cut_loss,
    cyclegan_loss,
    fit_rival_translator,
)
from varbook.train.keeper import Keeper
from varbook.translate.discriminator import PatchDiscriminator
from varbook.translate.rival_translators import PixelTranslator

X, Y = pictures(2, seed=1), pictures(2, seed=2)
SHORT = RivalTraining(steps=5, batch=2, channels=8, blocks=1, pool=3, patches=8)
both = pytest.mark.parametrize("method", sorted(LOSSES))


def rival(method: str, seed: int = 0) -> PixelTranslator:
    torch.manual_seed(seed)
    return PixelTranslator((3, 7), method, channels=8, blocks=1)


def two_discriminators() -> nn.ModuleList:
    torch.manual_seed(5)
    return nn.ModuleList(PatchDiscriminator((8, 8)) for _ in range(2)).eval()


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@torch.no_grad()
def test_cyclegan_s_loss_one_image_at_a_time():
    translator, discriminators, training = (
        rival("cyclegan"),
        two_discriminators(),
        replace(SHORT, cycle=3.0, identity=2.0),
    )
    to_x, to_y = translator.model
    slow = dict.fromkeys(("gan", "cycle", "identity"), 0.0)
    for images, there, back, discriminator in (
        (X, to_y, to_x, discriminators[1]),
        (Y, to_x, to_y, discriminators[0]),
    ):
        for image in images.split(1):
            fake = there(image)
            slow["gan"] += (discriminator(fake) - 1).square().mean() / 2
            slow["cycle"] += 3.0 * (back(fake) - image).abs().mean() / 2
            slow["identity"] += 2.0 * (back(image) - image).abs().mean() / 2
    parts, (fake_x, fake_y) = cyclegan_loss(translator, discriminators, (X, Y), training, None)
    assert {name: part.item() for name, part in parts.items()} == pytest.approx(
        {n: s.item() for n, s in slow.items()}, rel=1e-4
    )
    assert torch.allclose(fake_x, to_x(Y), atol=1e-5) and torch.allclose(fake_y, to_y(X), atol=1e-5)


@torch.no_grad()
def test_cut_s_loss_is_the_content_of_translation_and_identity_and_the_adversarial_part():
    translator, discriminators, draws = rival("cut"), two_discriminators(), seeded()
    content = 0.0
    for way, (source, own) in enumerate(((Y, X), (X, Y))):
        images = torch.cat((source, own))
        content += content_loss(
            translator, way, images, translator.model[way](images), SHORT, draws
        )
    parts, (fake_x, fake_y) = cut_loss(
        translator, discriminators, (X, Y), replace(SHORT, nce=2.0), seeded()
    )
    gan = (discriminators[0](fake_x) - 1).square().mean() + (
        discriminators[1](fake_y) - 1
    ).square().mean()
    assert parts["content"].item() == pytest.approx(2 * content.item(), rel=1e-4)
    assert parts["gan"].item() == pytest.approx(gan.item(), rel=1e-4) and torch.allclose(
        fake_x, translator.model[0](Y), atol=1e-5
    )


@torch.no_grad()
def test_content_is_kept_by_the_source_itself_and_not_by_another_image():
    translator = rival("cut")
    itself, other = (
        content_loss(translator, 0, X, out, replace(SHORT, patches=64), seeded())
        for out in (X, X.flip(-1))
    )
    assert itself < other


@both
def test_the_loss_does_not_grow_with_the_batch(method):
    translator, discriminators = rival(method), two_discriminators()
    with torch.no_grad():
        once, more = (
            {
                name: part.item()
                for name, part in LOSSES[method](
                    translator, discriminators, (x, y), SHORT, seeded()
                )[0].items()
            }
            for x, y in ((X, Y), (X.repeat(3, 1, 1, 1), Y.repeat(3, 1, 1, 1)))
        )
    assert once == pytest.approx(more, rel=1e-4)


@both
def test_the_generators_step_leaves_no_gradient_in_the_discriminators(method):
    translator, discriminators = rival(method), two_discriminators()
    parts, _ = LOSSES[method](translator, discriminators, (X, Y), SHORT, seeded())
    sum(parts.values()).backward()
    assert all(p.grad is None and p.requires_grad for p in discriminators.parameters())
    assert all(p.grad is not None and p.grad.isfinite().all() for p in translator.parameters())


def fit(translator, training, keeper=None):
    torch.manual_seed(11)  # the discriminators start from the global generator
    sets = (uint8_pictures(5, seed=1), uint8_pictures(4, seed=2))
    return fit_rival_translator(translator, sets, training, seed=3, device=CPU, keeper=keeper)


@both
def test_a_killed_training_resumes_to_the_same_bits(tmp_path, method):
    training = replace(SHORT, method=method)
    whole, first, second = rival(method), rival(method), rival(method, seed=8)
    curve = fit(whole, training)
    with pytest.raises(Killed):
        fit(first, training, KilledKeeper(tmp_path))
    resumed = fit(second, training, Keeper(tmp_path))
    assert same_state(whole, second) and resumed == curve and not same_state(whole, first)
    assert [entry["step"] for entry in curve] == [0, 4] and not whole.training
    assert all(torch.tensor(list(entry.values())).isfinite().all() for entry in curve)


def test_cyclegan_learns_the_way_back():
    translator = rival("cyclegan")
    images = pictures(4, seed=1)

    def way_back() -> float:
        with torch.no_grad():
            return F.l1_loss(translator.model[0](translator.model[1](images)), images).item()

    before = way_back()
    fit(translator, replace(SHORT, steps=40, lr=2e-3))
    assert way_back() < 0.7 * before


def test_cut_learns_to_find_its_patches():
    translator = rival("cut")
    curve = fit(translator, replace(SHORT, method="cut", steps=41, lr=2e-3))
    assert curve[-1]["content"] < 0.8 * curve[0]["content"]


def test_a_translator_of_the_other_method_is_refused():
    with pytest.raises(VarbookError, match="for 'cut' cannot be trained as 'cyclegan'"):
        fit(rival("cut"), SHORT)
