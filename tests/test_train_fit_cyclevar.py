"""Fine-tuning CycleVAR: the loss against a slow transcription, who gets a gradient from whom,
resuming.
"""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from tiny import (
    CPU,
    MODEL,
    SCHEDULE,
    TOKENIZER,
    Killed,
    KilledKeeper,
    awake,
    pictures,
    same_state,
    tiny_cyclevar,
    tiny_model,
    uint8_pictures,
)
from torch import nn

from varbook import device
from varbook.errors import VarbookError
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.train import fit_cyclevar as cyclevar_module
from varbook.train.fit_cyclevar import (
    CycleVARTraining,
    discriminator_loss,
    fit_cyclevar,
    generator_loss,
    identity_loss,
)
from varbook.train.keeper import Keeper
from varbook.transformer.model import NextScaleModel
from varbook.translate.augment import KINDS, augment
from varbook.translate.cyclevar import CycleVAR, CycleVARConfig
from varbook.translate.discriminator import PatchDiscriminator, make_discriminators

T_X, T_Y = 0, 2
ALL = tuple(KINDS)
PARTS = ("cycle", "identity", "keep", "gan")
X, Y = pictures(2, seed=1), pictures(2, seed=2)
PAPER = CycleVARTraining(
    cycle_noise=0.0, keep_l1=0.0, augment=()
)  # the losses of the equations alone
WEIGHTS = replace(
    PAPER, cycle_l1=2.0, cycle_perceptual=3.0, identity_l1=1.5, identity_perceptual=0.7, gan=0.5
)
SHORT = CycleVARTraining(
    steps=6, batch=2, identity_steps=2, warmup=2, average=0.5, discriminator_channels=(8,)
)


def squares(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """A distance per image that stands for the perceptual one."""
    return (x - y).square().mean((1, 2, 3))


def two_discriminators(kind: str = "patch") -> nn.ModuleList:
    torch.manual_seed(0)
    if kind == "patch":
        return nn.ModuleList(PatchDiscriminator((8, 8)) for _ in range(2)).eval()
    return make_discriminators(kind, 2).eval()


both_discriminators = pytest.mark.parametrize(
    "kind", ["patch", "random"]
)  # "random": frozen features without any file


def loss_of(cyclevar, discriminators, x=X, y=Y, training=WEIGHTS):
    return generator_loss(cyclevar, discriminators, (x, y), (T_X, T_Y), training, squares)


@pytest.mark.parametrize(
    "config", [CycleVARConfig(), CycleVARConfig(mode="serial", fusion="paper")]
)
def test_the_loss_is_cycle_identity_and_adversarial_part_of_the_equations(config):
    """One image and one translation at a time; discriminators[0] judges domain X (CycleVAR eqs. 13, 14,
    15).
    """
    cyclevar, discriminators, n = tiny_cyclevar(config), two_discriminators(), len(X)

    def translate(image, label):
        return cyclevar(image, torch.tensor([label]))

    def distance(a, b, l1, perceptual):
        return l1 * (a - b).abs().mean() + perceptual * squares(a, b)[0]

    slow = dict.fromkeys(("cycle", "identity", "gan"), 0.0)
    with torch.no_grad():
        for images, own, other, discriminator in (
            (X, T_X, T_Y, discriminators[1]),
            (Y, T_Y, T_X, discriminators[0]),
        ):
            for image in images.split(1):
                fake = translate(image, other)
                slow["cycle"] += distance(translate(fake, own), image, 2.0, 3.0) / (2 * n)
                slow["identity"] += distance(translate(image, own), image, 1.5, 0.7) / (2 * n)
                slow["gan"] += 0.5 * -discriminator(fake).sigmoid().log().mean() / n
        total, _, parts = loss_of(cyclevar, discriminators)
    assert parts == pytest.approx({name: value.item() for name, value in slow.items()}, rel=1e-4)
    assert total.item() == pytest.approx(sum(parts.values()), rel=1e-5)


@torch.no_grad()
def test_the_identity_loss_alone_is_the_same_part():
    cyclevar = tiny_cyclevar()
    alone = identity_loss(cyclevar, (X, Y), (T_X, T_Y), WEIGHTS, squares).item()
    assert alone == pytest.approx(loss_of(cyclevar, two_discriminators())[2]["identity"], rel=1e-4)


def test_the_fakes_are_those_of_each_domain_and_carry_no_gradient():
    cyclevar = tiny_cyclevar()
    _, (fake_x, fake_y), _ = loss_of(cyclevar, two_discriminators())
    with torch.no_grad():
        assert torch.allclose(fake_x, cyclevar(Y, torch.full((2,), T_X)), atol=1e-4)
        assert torch.allclose(fake_y, cyclevar(X, torch.full((2,), T_Y)), atol=1e-4)
    assert not fake_x.requires_grad and not fake_y.requires_grad


@both_discriminators
def test_the_loss_does_not_grow_with_the_batch(kind):
    cyclevar, discriminators = tiny_cyclevar(), two_discriminators(kind)
    with torch.no_grad():
        once = loss_of(cyclevar, discriminators)
        more = loss_of(cyclevar, discriminators, X.repeat(3, 1, 1, 1), Y.repeat(3, 1, 1, 1))
        judged = [
            discriminator_loss(discriminators, (x, y), [y, x]).item()
            for x, y in ((X, Y), (X.repeat(3, 1, 1, 1), Y.repeat(3, 1, 1, 1)))
        ]
    assert once[2] == pytest.approx(more[2], rel=1e-4) and judged[0] == pytest.approx(
        judged[1], rel=1e-4
    )


@both_discriminators
def test_the_generator_s_step_leaves_no_gradient_in_the_discriminators_nor_in_the_tokenizer(kind):
    cyclevar, discriminators = tiny_cyclevar(), two_discriminators(kind)
    loss_of(cyclevar, discriminators)[0].backward()
    assert all(parameter.grad is None for parameter in discriminators.parameters())
    assert all(
        parameter.requires_grad for parameter in discriminators.parameters()
    )  # and they can learn again
    assert all(parameter.grad is None for parameter in cyclevar.tokenizer.parameters())
    assert all(parameter.grad.abs().max() > 0 for parameter in cyclevar.model.parameters())


@both_discriminators
def test_the_discriminators_step_leaves_no_gradient_in_the_generator(kind):
    cyclevar, discriminators = tiny_cyclevar(), two_discriminators(kind)
    _, fakes, _ = loss_of(cyclevar, discriminators)
    discriminator_loss(discriminators, (X, Y), fakes).backward()
    assert all(parameter.grad is None for parameter in cyclevar.model.parameters())
    assert all(parameter.grad.abs().max() > 0 for parameter in discriminators.parameters())


@pytest.mark.parametrize("part", ["cycle", "identity", "gan"])
def test_each_part_alone_moves_the_model(part):
    nothing = dict.fromkeys(
        ("cycle_l1", "cycle_perceptual", "identity_l1", "identity_perceptual", "gan"), 0.0
    )
    alone = (
        nothing
        | {"cycle": {"cycle_l1": 1.0}, "identity": {"identity_l1": 1.0}, "gan": {"gan": 1.0}}[part]
    )
    cyclevar = tiny_cyclevar()
    total, _, parts = loss_of(cyclevar, two_discriminators(), training=replace(WEIGHTS, **alone))
    total.backward()
    assert [name for name, value in parts.items() if value] == [part]
    assert cyclevar.model.head.weight.grad.abs().max() > 0


def test_each_discriminator_sees_its_own_domain():
    """-log C(real) - log(1 - C(fake)), summed over the domains (CycleVAR eq. 16)."""
    discriminators, fakes = two_discriminators(), [pictures(2, seed=5), pictures(2, seed=6)]
    with torch.no_grad():
        slow = 0.0
        for discriminator, real, fake in (
            (discriminators[0], X, fakes[0]),
            (discriminators[1], Y, fakes[1]),
        ):
            slow += (
                -discriminator(real).sigmoid().log().mean()
                - (1 - discriminator(fake).sigmoid()).log().mean()
            )
        assert discriminator_loss(discriminators, (X, Y), fakes).item() == pytest.approx(
            slow.item(), rel=1e-4
        )
        assert discriminator_loss(discriminators, (Y, X), fakes).item() != pytest.approx(
            slow.item(), rel=1e-4
        )


@both_discriminators
def test_the_adversarial_part_alone_reaches_the_model_through_either_discriminator(kind):
    nothing = dict.fromkeys(
        ("cycle_l1", "cycle_perceptual", "identity_l1", "identity_perceptual"), 0.0
    )
    cyclevar = tiny_cyclevar()
    loss_of(cyclevar, two_discriminators(kind), training=replace(WEIGHTS, **nothing))[0].backward()
    assert (
        cyclevar.model.head.weight.grad.isfinite().all()
        and cyclevar.model.head.weight.grad.abs().max() > 0
    )


def test_augmentation_changes_what_the_discriminators_see_and_nothing_else():
    """Fakes are handed on as they were made; cycle and identity look at the images themselves."""
    cyclevar, discriminators, draws = tiny_cyclevar(), two_discriminators(), torch.Generator()
    plain = generator_loss(cyclevar, discriminators, (X, Y), (T_X, T_Y), WEIGHTS, squares)
    shown = [[], []]
    for discriminator, seen in zip(discriminators, shown):
        discriminator.register_forward_pre_hook(
            lambda _, inputs, seen=seen: seen.append(inputs[0].detach())
        )
    changed = generator_loss(
        cyclevar,
        discriminators,
        (X, Y),
        (T_X, T_Y),
        replace(WEIGHTS, augment=ALL),
        squares,
        draws.manual_seed(4),
    )
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(plain[1], changed[1], strict=True))
    assert {
        name for name in plain[2] if plain[2][name] != pytest.approx(changed[2][name], rel=1e-5)
    } == {"gan"}
    draws.manual_seed(4)
    assert all(
        torch.allclose(seen[0], augment(fake, ALL, draws), atol=1e-4)
        for seen, fake in zip(shown, changed[1], strict=True)
    )


def test_the_noise_meets_the_cycle_alone_and_what_is_kept_is_measured_on_the_translations():
    cyclevar, discriminators = tiny_cyclevar(), two_discriminators()
    training = replace(WEIGHTS, cycle_noise=0.2, keep_l1=4.0, keep_up_to=0.3)
    plain = loss_of(cyclevar, discriminators)
    total, (fake_x, fake_y), parts = loss_of(cyclevar, discriminators, training=training)
    assert tuple(parts) == PARTS and total.item() == pytest.approx(sum(parts.values()), rel=1e-5)
    assert {
        name for name in plain[2] if parts[name] != pytest.approx(plain[2][name], rel=1e-5)
    } == {"cycle"}
    slow = (
        sum(
            (fake - source).abs().mean(1).clamp(max=0.3).mean()
            for fake, source in ((fake_y, X), (fake_x, Y))
        )
        / 2
    )
    assert parts["keep"] == pytest.approx(4 * slow.item(), rel=1e-4)


@pytest.mark.parametrize("augmented", [False, True])
def test_real_and_fake_images_are_augmented_both_or_neither(monkeypatch, augmented):
    """In the discriminators' own step: with augmentation neither a real nor a fake image is seen as
    it is.
    """
    judged, sets = [], (uint8_pictures(2, seed=1), uint8_pictures(2, seed=2))

    def listening(discriminators, real, fakes):
        judged.append((real, fakes))
        return discriminator_loss(discriminators, real, fakes)

    monkeypatch.setattr(cyclevar_module, "discriminator_loss", listening)
    monkeypatch.setattr(
        cyclevar_module,
        "augment",
        lambda images, kinds, generator: images * 0 + 5.0 if kinds else images,
    )
    training = replace(SHORT, steps=1, identity_steps=0, augment=ALL if augmented else ())
    fit_cyclevar(tiny_cyclevar(), sets, (T_X, T_Y), training, seed=0, device=CPU)
    (sides,) = judged
    assert all(bool((image == 5.0).all()) is augmented for side in sides for image in side)


def fit(cyclevar, training=SHORT, keeper=None, seed: int = 3):
    torch.manual_seed(11)  # the discriminators start from the global generator
    sets = (uint8_pictures(5, seed=1), uint8_pictures(4, seed=2))
    return fit_cyclevar(cyclevar, sets, (T_X, T_Y), training, seed=seed, device=CPU, keeper=keeper)


def test_a_killed_training_on_features_with_augmentation_resumes_to_the_same_bits(tmp_path):
    training = replace(SHORT, discriminator="random", augment=ALL)
    whole, first, second = tiny_cyclevar(), tiny_cyclevar(), tiny_cyclevar()
    curve = fit(whole, training)
    with pytest.raises(Killed):
        fit(first, training, keeper=KilledKeeper(tmp_path))
    resumed = fit(second, training, keeper=Keeper(tmp_path))
    assert same_state(whole.model, second.model) and resumed == curve


def test_the_kind_of_discriminator_is_checked_before_anything_is_trained():
    with pytest.raises(VarbookError, match="no discriminator 'pixel'"):
        fit(tiny_cyclevar(), replace(SHORT, discriminator="pixel"))


@pytest.mark.parametrize("bfloat16", [False, True], ids=["float32", "bfloat16"])
def test_a_thousand_steps_stay_finite(monkeypatch, bfloat16):
    """The smallest model there is, at five times the learning rate, on images of pure black and
    white.
    """
    monkeypatch.setattr(device, "has_bfloat16", lambda where: bfloat16)
    torch.manual_seed(0)
    training = CycleVARTraining(
        steps=1000,
        batch=1,
        lr=2e-3,
        identity_steps=10,
        discriminator_channels=(8,),
        discriminator_whole=False,
    )
    schedule = SCHEDULE[:2]
    tokenizer = Tokenizer(
        replace(TOKENIZER, schedule=schedule, vocab_size=8, channels=(8,), blocks=0)
    )
    model = awake(
        NextScaleModel(replace(MODEL, schedule=schedule, vocab_size=8, depth=1, width=16))
    )
    sets = tuple(255 * torch.randint(2, (6, 3, 4, 4), dtype=torch.uint8) for _ in range(2))
    curve = fit_cyclevar(CycleVAR(tokenizer, model), sets, (T_X, T_Y), training, seed=0, device=CPU)
    assert curve[-1]["step"] == 999 and all(
        math.isfinite(value) for entry in curve for value in entry.values()
    )
    assert all(tensor.isfinite().all() for tensor in model.state_dict().values())


@pytest.mark.parametrize(
    "alone", [2, 5]
)  # killed in the fourth step: with all losses, and while copying is learnt
@pytest.mark.parametrize("config", [CycleVARConfig(noise=True), CycleVARConfig(mode="serial")])
def test_a_killed_training_resumes_to_the_same_bits(tmp_path, config, alone):
    training = replace(SHORT, identity_steps=alone)
    whole, first, second = tiny_cyclevar(config), tiny_cyclevar(config), tiny_cyclevar(config)
    second.model.load_state_dict(tiny_model(seed=8).state_dict())  # whatever was there before
    curve = fit(whole, training)
    with pytest.raises(Killed):
        fit(first, training, keeper=KilledKeeper(tmp_path))
    torch.manual_seed(99)
    sets = (uint8_pictures(5, seed=1), uint8_pictures(4, seed=2))
    resumed = fit_cyclevar(
        second, sets, (T_X, T_Y), training, seed=3, device=CPU, keeper=Keeper(tmp_path)
    )
    assert same_state(whole.model, second.model) and resumed == curve
    assert not same_state(whole.model, first.model)


def test_the_model_moves_stays_finite_and_the_tokenizer_does_not_move():
    cyclevar, untouched = tiny_cyclevar(), tiny_cyclevar()
    curve = fit(cyclevar)
    assert same_state(cyclevar.tokenizer, untouched.tokenizer) and not same_state(
        cyclevar.model, untouched.model
    )
    assert (
        all(tensor.isfinite().all() for tensor in cyclevar.model.state_dict().values())
        and not cyclevar.model.training
    )
    assert [entry["step"] for entry in curve] == [0, 5]
    assert curve[0].keys() == {"step", "loss"} and curve[1].keys() == {
        "step",
        "loss",
        *PARTS,
        "critic",
    }
    assert all(torch.tensor(list(entry.values())).isfinite().all() for entry in curve)


def test_it_learns_the_identity_when_nothing_else_is_asked():
    cyclevar = tiny_cyclevar(CycleVARConfig(alpha=1.0))
    image, labels = pictures(4, seed=1), torch.full((4,), T_X)

    def distance() -> float:
        with torch.no_grad():
            return F.l1_loss(cyclevar(image, labels), image).item()

    before = distance()
    fit(cyclevar, replace(SHORT, steps=40, identity_steps=40, lr=3e-3))
    assert distance() < 0.98 * before  # its decoder is a random one, so that no more can be had


def test_what_is_kept_is_the_moving_average():
    """With a decay of 1 the average would stay at its first steps: it lags behind the weights that
    are trained.
    """
    kept = {}
    for average in (0.0, 0.999):
        cyclevar = tiny_cyclevar()
        fit(cyclevar, replace(SHORT, average=average))
        kept[average] = cyclevar.model.head.weight.detach()
    start = tiny_model().head.weight.detach()
    assert 0 < (kept[0.999] - start).norm() < (kept[0.0] - start).norm()


def test_plain_descent_moves_along_the_gradient_and_an_unknown_optimiser_is_refused():
    model, training = tiny_model(), replace(SHORT, optimiser="sgd", lr=0.5, weight_decay=0.0)
    optimiser = cyclevar_module.generator_optimiser(model, training)
    before = [weight.detach().clone() for weight in model.parameters()]
    sum(weight.square().sum() for weight in model.parameters()).backward()  # gradient 2 w
    optimiser.step()
    assert all(
        torch.allclose(weight, torch.zeros_like(weight), atol=1e-6) for weight in model.parameters()
    ) and any(w.any() for w in before)
    usual = cyclevar_module.generator_optimiser(model, SHORT)
    assert isinstance(usual, torch.optim.AdamW) and usual.defaults["betas"] == SHORT.betas
    with pytest.raises(VarbookError, match="use adamw or sgd"):
        cyclevar_module.generator_optimiser(model, replace(SHORT, optimiser="lion"))


def test_real_images_are_judged_as_the_tokenizer_renders_them_where_that_is_asked_for():
    cyclevar, fakes = tiny_cyclevar(), (pictures(2, seed=3), pictures(2, seed=4))
    with torch.no_grad():
        tokens = cyclevar.tokenizer.tokens(torch.cat((X, Y)))
        latent = cyclevar.tokenizer.pyramid.decode(tokens)
        rendered = cyclevar.tokenizer.decode(latent).split(2)
    for asked, wanted in ((True, rendered), (False, (X, Y))):
        training = replace(PAPER, discriminator_on_reconstructions=asked)
        real, shown = cyclevar_module.judged_images(cyclevar, (X, Y), fakes, training)
        assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(real, wanted, strict=True))
        assert all(torch.equal(a, b) for a, b in zip(shown, fakes, strict=True))
    assert not torch.allclose(rendered[0], X, atol=1e-2)


def test_the_rate_rises_stays_and_falls_and_the_discriminators_keep_theirs(monkeypatch):
    rates, real = {}, cyclevar_module.take_step

    def spy(loss, module, optimiser, *clip):
        kind = "discriminators" if isinstance(module, nn.ModuleList) else "model"
        rates.setdefault(kind, []).append(optimiser.param_groups[0]["lr"])
        real(loss, module, optimiser, *clip)

    monkeypatch.setattr(cyclevar_module, "take_step", spy)
    training = replace(
        SHORT, steps=8, identity_steps=0, warmup=4, hold=0.5, lr=1e-3, discriminator_lr=7e-4
    )
    fit(tiny_cyclevar(), training)
    shares = [0.25, 0.5, 0.75, 1.0, 1.0, 0.7625, 0.525, 0.2875]  # a twentieth would be step 8
    assert rates["model"] == pytest.approx([1e-3 * share for share in shares])
    assert rates["discriminators"] == pytest.approx([7e-4] * 8)


def test_the_average_is_short_at_first_and_soon_forgets_the_start(monkeypatch):
    decays, real = [], cyclevar_module.update_average

    def spy(average, model, decay):
        decays.append(decay)
        real(average, model, decay)

    monkeypatch.setattr(cyclevar_module, "update_average", spy)
    fit(tiny_cyclevar(), replace(SHORT, steps=8, identity_steps=8, average=0.3))
    assert decays == pytest.approx([1 / 10, 2 / 11, 3 / 12, *[0.3] * 5])
