"""Training a tokenizer: its parts, a few steps of it, and that a killed training resumes to the
same bits.
"""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from tiny import (
    CPU,
    SCHEDULE,
    TOKENIZER,
    noise,
    pictures,
    same_state,
    tiny_tokenizer,
    uint8_pictures,
)

from varbook.tokenizer.tokenizer import Tokenizer
from varbook.train import fit_tokenizer as module
from varbook.train.fit_tokenizer import (
    TokenizerTraining,
    fit_tokenizer,
    image_loss,
    judged_scales,
    spread_targets,
    start_codebook,
    training_schedule,
)
from varbook.train.keeper import Keeper
from varbook.translate.discriminator import PatchDiscriminator

SHORT = TokenizerTraining(
    steps=8, batch=2, warmup=2, gan_start=0.5, revive_every=2, random_scales=2
)
KINDS = ("residual", "ground_truth")


class Killed(Exception):
    """Stands for a kill."""


class KilledKeeper(Keeper):
    """Saves after so many steps, and dies one step later."""

    def __init__(self, folder, after: int):
        super().__init__(folder, seconds=1e9)
        self.after = after

    def step_done(self, step, state):
        """Save, or die."""
        if step + 1 == self.after:
            self.save(step + 1, state)
        if step == self.after:
            raise Killed


def fresh(kind: str) -> Tokenizer:
    torch.manual_seed(0)
    return Tokenizer(replace(TOKENIZER, pyramid=kind, normalise=kind == "ground_truth"))


def fit(
    tokenizer: Tokenizer,
    training: TokenizerTraining = SHORT,
    keeper: Keeper | None = None,
    seed: int = 3,
):
    torch.manual_seed(11)  # the discriminator starts from the global generator
    return fit_tokenizer(
        tokenizer, uint8_pictures(6), training, seed=seed, device=CPU, keeper=keeper
    )


def test_what_is_trained_on_which_scales():
    generator = torch.Generator().manual_seed(0)
    assert training_schedule(tiny_tokenizer("residual"), SHORT, (4, 4), generator) == SCHEDULE
    single = replace(SHORT, single_scale=True)
    assert training_schedule(tiny_tokenizer("ground_truth"), single, (4, 4), generator) == ((4, 4),)
    drawn = {
        training_schedule(
            tiny_tokenizer("ground_truth"), replace(SHORT, random_scales=3), (8, 8), generator
        )
        for _ in range(40)
    }
    assert len(drawn) > 5 and all(
        len(schedule) == 3 and schedule[-1] == (8, 8) for schedule in drawn
    )


def test_the_smallest_scale_is_among_the_random_ones_where_the_training_says_so():
    generator, tokenizer = torch.Generator().manual_seed(0), tiny_tokenizer("ground_truth")
    for smallest in (False, True):
        training = replace(SHORT, random_scales=3, smallest_scale=smallest)
        drawn = [training_schedule(tokenizer, training, (8, 8), generator) for _ in range(40)]
        assert any(schedule[0] == (1, 1) for schedule in drawn) == smallest
        assert all(len(schedule) == 3 and schedule[-1] == (8, 8) for schedule in drawn)


def test_the_discriminator_judges_the_full_scale_or_every_one_that_is_large_enough():
    scales = [pictures(2, side, side) for side in (16, 32, 48, 64)]
    judged = judged_scales(scales, TokenizerTraining(gan_every_scale=True))
    assert [len(scale[0, 0]) for scale in judged] == [32, 48, 64]
    assert judged_scales(scales, TokenizerTraining()) == scales[-1:]
    torch.manual_seed(0)
    discriminator, image = PatchDiscriminator((8, 8)).eval(), pictures(2, 64, 64, seed=1)
    losses = [
        module.hinge_discriminator(
            discriminator(F.interpolate(image, size=scale.shape[-2:], mode="area")),
            discriminator(scale),
        )
        for scale in judged
    ]
    found = module.discriminator_loss(discriminator, judged, image)
    assert found.item() == pytest.approx(sum(losses).item() / 3, rel=1e-5)


def test_the_optimisers_have_the_betas_and_the_decay_of_the_paper(monkeypatch):
    made, adamw = [], torch.optim.AdamW
    monkeypatch.setattr(
        torch.optim,
        "AdamW",
        lambda weights, lr, **settings: (
            made.append({"lr": lr} | settings) or adamw(weights, lr, **settings)
        ),
    )
    fit(fresh("residual"), replace(SHORT, steps=1, hold=1.0, lr=2e-3))
    one_pass = {"fused": True}
    # FlexVAR section 4.1, and the discriminator's at half the rate
    assert made[0] == one_pass | {"lr": 2e-3, "betas": (0.9, 0.95), "weight_decay": 0.05}
    assert made[1] == one_pass | {"lr": 1e-3, "betas": (0.5, 0.95), "weight_decay": 0.0}


def test_every_scale_gives_equally_many_vectors():
    targets = [torch.full((2, 3, side, side), float(side)) for side in (1, 2, 8)]
    rows = spread_targets(targets, 300, torch.Generator().manual_seed(0))
    assert (
        rows.shape == (303, 3)
        and [int((rows[:, 0] == side).sum()) for side in (1, 2, 8)] == [101] * 3
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_codebook_starts_from_features_and_is_used(kind):
    tokenizer = fresh(kind)  # with the customary small start
    f = 2 * noise(16, 8, 4, 4) + 3
    before = torch.cat([tokens.flatten() for tokens in tokenizer.quantise(f).tokens]).unique()
    start_codebook(tokenizer, f, SCHEDULE, torch.Generator().manual_seed(0))
    after = torch.cat([tokens.flatten() for tokens in tokenizer.quantise(f).tokens]).unique()
    assert len(after) > len(before) and len(after) >= 18  # of 24
    assert tokenizer.codebook.hits.tolist() == pytest.approx([1 / 24] * 24)


RANDOM = torch.Generator().manual_seed(0)


def test_the_image_loss_by_its_formula_and_against_a_smaller_image():
    picture, image, training = (
        pictures(2, seed=1),
        pictures(2),
        TokenizerTraining(l1=0.5, l2=2.0, perceptual=3.0),
    )
    wanted = 2.0 * (picture - image).square().mean() + 0.5 * (picture - image).abs().mean()
    assert image_loss(picture, image, training, None, RANDOM).item() == pytest.approx(
        wanted.item(), rel=1e-5
    )
    small = F.avg_pool2d(image, 2)
    assert image_loss(small, image, training, None, RANDOM).item() == pytest.approx(0, abs=1e-6)


def test_perception_judges_pictures_from_32_pixels_on():
    training, seen = TokenizerTraining(l1=0.0, l2=0.0, perceptual=3.0), []

    def perceptual(x, y):
        seen.append(tuple(x.shape[-2:]))
        return torch.tensor([1.0, 2.0])

    assert image_loss(
        pictures(2, 32, 40), pictures(2, 64, 80), training, perceptual, RANDOM
    ).item() == pytest.approx(4.5)
    assert (
        image_loss(pictures(2, 16, 40), pictures(2, 64, 160), training, perceptual, RANDOM).item()
        == 0
    )
    assert seen == [(32, 40)]


def test_perception_sees_both_pictures_from_the_same_random_pixel_on():
    training, seen = TokenizerTraining(perceptual_offset=3), []

    def perceptual(x, y):
        seen.append(tuple(x.shape[-2:]))
        assert torch.equal(x, picture[..., -x.shape[2] :, -x.shape[3] :])
        assert torch.equal(y, image[..., -x.shape[2] :, -x.shape[3] :])
        return torch.zeros(2)

    picture, image = pictures(2, 33, 64, seed=1), pictures(2, 33, 64)
    for _ in range(100):
        image_loss(picture, image, training, perceptual, RANDOM)
    # 32 rows are the fewest that it judges, so one may go; of the columns up to three
    assert set(seen) == {(h, w) for h in (32, 33) for w in (61, 62, 63, 64)}


def test_the_image_loss_does_not_grow_with_the_batch():
    picture, image = pictures(2, seed=1), pictures(2)
    once, more = (
        image_loss(picture.repeat(n, 1, 1, 1), image.repeat(n, 1, 1, 1), SHORT, None, RANDOM).item()
        for n in (1, 4)
    )
    assert once == pytest.approx(more, rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "after", [1, 5]
)  # before the codebook starts, and with the discriminator at work
def test_a_killed_training_resumes_to_the_same_bits(tmp_path, kind, after):
    whole, first, second = fresh(kind), fresh(kind), Tokenizer(fresh(kind).config)
    curve = fit(whole)
    with pytest.raises(Killed):
        fit(first, keeper=KilledKeeper(tmp_path, after))
    torch.manual_seed(99)  # another process: other global randomness
    resumed = fit_tokenizer(
        second, uint8_pictures(6), SHORT, seed=3, device=CPU, keeper=Keeper(tmp_path)
    )
    assert same_state(whole, second) and resumed == curve
    assert not same_state(whole, first)


@pytest.mark.parametrize("kind", KINDS)
def test_it_learns_and_stays_finite(kind):
    tokenizer = fresh(kind)
    before = F.mse_loss(tokenizer.reconstruct(pictures(6))[-1], pictures(6))
    curve = fit(tokenizer, replace(SHORT, steps=40, batch=4, lr=3e-3, warmup=10))
    after = F.mse_loss(tokenizer.reconstruct(pictures(6))[-1], pictures(6))
    assert after < 0.7 * before and not tokenizer.training
    assert [entry["step"] for entry in curve] == [0, 20, 39]
    assert all(torch.tensor(list(entry.values())).isfinite().all() for entry in curve)
    assert all(tensor.isfinite().all() for tensor in tokenizer.state_dict().values())


def test_the_seed_shapes_the_training():
    first, again, other = fresh("residual"), fresh("residual"), fresh("residual")
    short = replace(SHORT, steps=3)
    for tokenizer, seed in ((first, 1), (again, 1), (other, 2)):
        fit(tokenizer, short, seed=seed)
    assert same_state(first, again) and not same_state(first, other)


@pytest.fixture
def discriminators(monkeypatch):
    """Collect the discriminators that a training makes."""
    made = []

    class Watched(PatchDiscriminator):
        def __init__(self, channels):
            super().__init__(channels)
            made.append(self)

    monkeypatch.setattr(module, "PatchDiscriminator", Watched)
    return made


def test_the_discriminator_gets_no_gradient_from_the_tokenizer_s_step(discriminators, monkeypatch):
    original, looked = module.hinge_discriminator, []

    def look(real, fake):
        looked.append([parameter.grad for parameter in discriminators[0].parameters()])
        return original(real, fake)

    monkeypatch.setattr(module, "hinge_discriminator", look)
    fit(
        fresh("residual"), replace(SHORT, steps=6, gan_start=0.8)
    )  # the generator's one step with it comes just before
    assert len(looked) == 1 and looked[0] and all(gradient is None for gradient in looked[0])
    assert all(
        parameter.grad is not None for parameter in discriminators[0].parameters()
    )  # from its own step


def test_the_discriminator_rests_until_its_time(discriminators):
    fit(fresh("residual"), replace(SHORT, gan_start=1.0))
    fit(fresh("residual"), replace(SHORT, gan=0.0))
    assert len(discriminators) == 2 and all(
        parameter.grad is None
        for discriminator in discriminators
        for parameter in discriminator.parameters()
    )


def test_dead_codes_are_cured_unless_collapse_shall_be_watched():
    moved = {}
    for every in (0, 2):
        tokenizer = fresh("residual")
        tokenizer.codebook.revive = lambda features, generator, every=every: moved.setdefault(
            every, len(features)
        )
        fit(tokenizer, replace(SHORT, revive_every=every))
    assert list(moved) == [2] and moved[2] >= 2 * TOKENIZER.vocab_size


@pytest.mark.parametrize("kind", KINDS)
def test_a_training_in_bfloat16_runs_to_the_end_with_the_discriminator_in_it(monkeypatch, kind):
    monkeypatch.setattr(
        module, "autocast", lambda device: torch.autocast(device.type, torch.bfloat16)
    )
    curve = fit(fresh(kind))
    assert curve[-1]["step"] == SHORT.steps - 1 and all(
        torch.tensor(list(point.values())).isfinite().all() for point in curve
    )


class Brightness(torch.nn.Module):
    """Takes an image for real the brighter it is."""

    def __init__(self, channels):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))

    def forward(self, image):
        """Judge images."""
        return self.weight * image.mean((1, 2, 3), keepdim=True)


def test_the_tokenizer_is_rewarded_for_what_the_discriminator_takes_for_real(monkeypatch):
    monkeypatch.setattr(module, "PatchDiscriminator", Brightness)
    tokenizer, image = fresh("residual"), pictures(4, 16, 16)
    # Nothing else is asked for, and nothing is quantised yet.
    alone = replace(SHORT, steps=12, warmup=99, l1=0.0, l2=0.0, gan=1.0, gan_start=0.0, lr=1e-2)
    before = tokenizer.decode(tokenizer.encode(image)).mean().item()
    fit(tokenizer, alone)
    after = tokenizer.decode(tokenizer.encode(image)).mean().item()
    assert after > before + 0.1


def test_no_code_is_moved_in_the_last_tenth():
    moved, tokenizer = [], fresh("residual")
    steps, real = 20, module.care_for_codebook

    def watched(tokenizer, quantised, training, step, generator):
        tokenizer.codebook.revive = lambda *_: moved.append(step)
        real(tokenizer, quantised, training, step, generator)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "care_for_codebook", watched)
        fit(tokenizer, replace(SHORT, steps=steps, revive_every=1, gan=0.0))
    assert moved == list(range(SHORT.warmup, 18))  # of 20 steps
