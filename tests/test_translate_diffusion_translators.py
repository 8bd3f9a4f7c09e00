"""Translation by diffusion: exact where the two classes are one, and each way up is what its paper
says.
"""

import math

import pytest
import torch
from tiny import MODEL, awake, noise, tiny_tokenizer

from varbook.errors import VarbookError
from varbook.generate.rival_sampling import walk
from varbook.transformer.rival_generators import DiffusionModel
from varbook.translate.diffusion_translators import (
    STRENGTHS,
    DiffusionTranslator,
    noised,
    random_step,
)


class Blind(DiffusionModel):
    """Does not look at the class: then translating must give back what came in."""

    def forward(self, x, t, labels):
        return super().forward(x, t, torch.zeros_like(labels))


def translator(
    method: str, kind=DiffusionModel, pyramid: str = "ground_truth", **settings
) -> DiffusionTranslator:
    torch.manual_seed(0)
    model = awake(kind(MODEL)).eval()
    model.measure(noise(8, MODEL.code_dim, 4, 4, seed=3))
    return DiffusionTranslator(model, tiny_tokenizer(pyramid), (0, 2), method, **settings)


def rounded(one: DiffusionTranslator, image):
    tokens = one.tokenizer.codebook.nearest(one.tokenizer.encode(image).permute(0, 2, 3, 1))
    return one.tokenizer.decode(one.tokenizer.codebook.lookup(tokens).permute(0, 3, 1, 2)).clamp(
        -1, 1
    )


IMAGE, TARGET = noise(4, 3, 16, 16, seed=5).clamp(-1, 1), torch.tensor([2, 0, 2, 0])


def test_a_random_step_is_the_posterior_of_the_noising():
    x, clean = noise(2, 3, seed=1), noise(2, 3, seed=2)
    for t, to in ((1.0, 0.9), (0.7, 0.4), (0.3, 0.0)):
        a, b = math.pi / 2 * t, math.pi / 2 * to
        mean, spread = random_step(x, clean, t, to)
        # by Bayes: x_t = r x_to + fresh noise of variance u, and x_to = cos(b) clean + sin(b) noise
        r = math.cos(a) / math.cos(b)
        u = math.sin(a) ** 2 - r**2 * math.sin(b) ** 2
        precise = (
            r * math.sin(b) ** 2 / math.sin(a) ** 2 * x + math.cos(b) * u / math.sin(a) ** 2 * clean
        )
        assert torch.allclose(mean, precise, atol=1e-5)
        assert spread**2 == pytest.approx(u * math.sin(b) ** 2 / math.sin(a) ** 2, abs=1e-6)


def test_cycle_diffusion_is_exact_where_the_classes_do_not_matter():
    one = translator("cyclediffusion", Blind, passes=6)
    assert torch.allclose(one(IMAGE, TARGET), rounded(one, IMAGE), atol=1e-4)
    seeing = translator("cyclediffusion", passes=6)
    assert not torch.allclose(seeing(IMAGE, TARGET), rounded(seeing, IMAGE), atol=0.05)


def test_ddib_comes_back_nearly_and_the_nearer_the_smaller_its_steps():
    def error(passes: int) -> float:
        one = translator("ddib", Blind, passes=passes)
        # a milder network: small steps are small only where the answer is smooth
        one.model.net.head.weight.data *= 0.1
        clean = one.model.normalise(one.tokenizer.encode(IMAGE))
        falling = [one.strength * (1 - k / passes) for k in range(passes + 1)]
        with torch.no_grad():
            back = walk(one.model, walk(one.model, clean, TARGET, falling[::-1]), TARGET, falling)
        return (back - clean).abs().mean().item()

    assert error(80) < 0.5 * error(10)


def test_sdedit_keeps_the_source_where_there_is_hardly_any_noise_and_loses_it_at_full_strength():
    little, all_of_it = translator("sdedit", strength=1e-6), translator("sdedit", strength=1.0)
    assert torch.allclose(little(IMAGE, TARGET), rounded(little, IMAGE), atol=1e-3)
    other = noise(4, 3, 16, 16, seed=9).clamp(-1, 1)
    assert torch.equal(all_of_it(IMAGE, TARGET), all_of_it(other, TARGET))


def test_over_a_residual_pyramid_all_scales_are_rounded_as_the_tokenizer_does():
    little = translator("sdedit", pyramid="residual", strength=1e-6)
    rendered = little.tokenizer.reconstruct(IMAGE)[-1]
    assert torch.allclose(little(IMAGE, TARGET), rendered, atol=1e-3)
    assert not torch.allclose(
        rendered, rounded(little, IMAGE), atol=1e-2
    )  # one code a place would say less


@pytest.mark.parametrize("method", list(STRENGTHS))
def test_translations_are_pictures_that_depend_on_the_target_and_repeat(method):
    one = translator(method, passes=4, guidance=1.0)
    first, again, other = one(IMAGE, TARGET), one(IMAGE, TARGET), one(IMAGE, 2 - TARGET)
    assert first.shape == IMAGE.shape and first.abs().max() <= 1
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_noised_keeps_the_variance():
    maps = noised(noise(50, 4, 8, 8, seed=1), noise(50, 4, 8, 8, seed=2), 0.3)
    assert maps.std().item() == pytest.approx(1, abs=0.03)


def test_what_is_wrong_is_said():
    with pytest.raises(VarbookError, match="no rival 'edit'"):
        translator("edit")
    with pytest.raises(VarbookError, match="strength"):
        translator("ddib", strength=1.5)
