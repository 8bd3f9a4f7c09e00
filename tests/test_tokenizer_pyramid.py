"""Both pyramids against slow transcriptions of their equations."""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from tiny import CPU, TOKENIZER, awake, noise, tiny_model, uint8_pictures

from varbook.errors import VarbookError
from varbook.generate.loop import generate
from varbook.tokenizer.codebook import Codebook
from varbook.tokenizer.pyramid import (
    PYRAMIDS,
    GroundTruthPyramid,
    Phi,
    ResidualPyramid,
    down,
    make_pyramid,
    phi_index,
    up,
)
from varbook.tokenizer.schedule import square
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.train.fit_tokenizer import TokenizerTraining, fit_tokenizer
from varbook.translate.cyclevar import CycleVAR

SCHEDULE = square(1, 2, 3, 5)


def residual(vocab_size: int = 40, dim: int = 6, shared: int = 4) -> ResidualPyramid:
    pyramid = awake(ResidualPyramid(Codebook(vocab_size, dim), shared_phi=shared), 3)
    pyramid.codebook.embedding.weight.data = noise(vocab_size, dim, seed=1)
    return pyramid


def ground_truth(vocab_size: int = 40, dim: int = 6, normalise: bool = True) -> GroundTruthPyramid:
    pyramid = GroundTruthPyramid(Codebook(vocab_size, dim, normalise=normalise))
    pyramid.codebook.embedding.weight.data = noise(vocab_size, dim, seed=1)
    return pyramid


def slow_down(x: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Average the pixels that each cell of the smaller grid touches."""
    (height, width), (h, w), out = x.shape[-2:], size, x.new_zeros(*x.shape[:2], *size)
    for i in range(h):
        for j in range(w):
            rows = slice(i * height // h, math.ceil((i + 1) * height / h))
            columns = slice(j * width // w, math.ceil((j + 1) * width / w))
            out[:, :, i, j] = x[:, :, rows, columns].mean((2, 3))
    return out


def slow_nearest(codebook: Codebook, x: torch.Tensor) -> torch.Tensor:
    """Return the nearest code of every pixel of a map (B, C, h, w), one at a time."""
    vectors = codebook.vectors().detach()
    tokens = torch.zeros(len(x), *x.shape[-2:], dtype=torch.long)
    for b in range(len(x)):
        for i in range(x.shape[2]):
            for j in range(x.shape[3]):
                pixel = F.normalize(x[b, :, i, j], dim=0) if codebook.normalise else x[b, :, i, j]
                tokens[b, i, j] = (vectors - pixel).square().sum(1).argmin()
    return tokens


def test_ten_scales_share_four_phi_as_the_published_weights_do():
    assert [phi_index(k, 10, 4) for k in range(10)] == [0, 0, 1, 1, 1, 2, 2, 3, 3, 3]
    assert [phi_index(k, 4, 4) for k in range(4)] == [0, 1, 2, 3]
    assert [phi_index(k, 3, 2) for k in range(3)] == [0, 0, 1]  # a tie goes to the coarser one
    assert [phi_index(k, 5, 1) for k in range(5)] == [0] * 5
    assert phi_index(0, 1, 4) == 0


def test_a_tie_of_seven_scales_goes_to_the_lower_phi():
    # VAR's own code breaks this tie upwards, [0, 0, 1, 2, 2, 3, 3]; no checkpoint of seven scales
    # was ever published
    assert [phi_index(k, 7, 4) for k in range(7)] == [0, 0, 1, 1, 2, 3, 3]


def test_every_phi_is_used_in_order_whatever_the_number_of_scales():
    for steps in range(4, 20):
        chosen = [phi_index(k, steps, 4) for k in range(steps)]
        assert chosen == sorted(chosen) and set(chosen) == {0, 1, 2, 3}


def test_phi_is_half_the_map_and_half_its_convolution():
    phi, x = awake(Phi(4)), noise(2, 4, 5, 5)
    slow = torch.zeros_like(x)
    padded = F.pad(x, (1, 1, 1, 1))
    for i in range(5):
        for j in range(5):
            window = padded[:, :, i : i + 3, j : j + 3]
            slow[:, :, i, j] = (
                torch.einsum("bcyx,ocyx->bo", window, phi.conv.weight.detach())
                + phi.conv.bias.detach()
            )
    assert torch.allclose(phi(x), 0.5 * x + 0.5 * slow, atol=1e-5)


def test_down_averages_areas_and_up_keeps_constants():
    x = noise(2, 3, 7, 5)
    for size in ((1, 1), (2, 2), (3, 4), (7, 5)):
        assert torch.allclose(down(x, size), slow_down(x, size), atol=1e-6)
    assert torch.allclose(up(torch.full((1, 2, 2, 3), 0.7), (8, 9)), torch.full((1, 2, 8, 9), 0.7))
    assert up(x, (7, 5)) is x and down(x, (7, 5)) is x


def test_residual_pyramid_equals_the_slow_algorithm():
    """Quantise what is left, add phi(up(codes)), go on (VAR's quantiser; FlexVAR eq. 1)."""
    pyramid, f = residual(), noise(2, 6, 5, 5)
    out = pyramid(f, SCHEDULE)
    total = torch.zeros_like(f)
    for k, size in enumerate(SCHEDULE):
        rest = slow_down(f - total, size)
        tokens = slow_nearest(pyramid.codebook, rest)
        codes = pyramid.codebook.embedding.weight.detach()[tokens].permute(0, 3, 1, 2)
        big = F.interpolate(codes, size=(5, 5), mode="bicubic") if size != (5, 5) else codes
        conv = pyramid.phi[[0, 1, 2, 3][k]].conv
        total = total + 0.5 * big + 0.5 * F.conv2d(big, conv.weight, conv.bias, padding=1).detach()
        assert torch.equal(out.tokens[k], tokens)
        assert torch.allclose(out.latents[k], total, atol=1e-5)
        assert torch.allclose(out.targets[k], rest, atol=1e-5)


def test_the_tokens_alone_give_the_sum_back():
    pyramid, f = residual(), noise(3, 6, 5, 5)
    out = pyramid(f, SCHEDULE)
    assert torch.allclose(pyramid.decode(out.tokens), out.latents[-1], atol=1e-5)


def test_more_scales_leave_less_behind_where_phi_does_nothing():
    pyramid, f = residual(vocab_size=400), noise(2, 6, 5, 5)
    for phi in pyramid.phi:  # the identity convolution: phi(x) = x
        phi.conv.weight.data.zero_()
        phi.conv.bias.data.zero_()
        phi.conv.weight.data[range(6), range(6), 1, 1] = 1.0
    errors = [F.mse_loss(picture, f).item() for picture in pyramid(f, SCHEDULE).latents]
    assert errors[-1] < 0.5 * errors[0] and errors[-1] == min(errors)


def test_residual_teacher_inputs_are_the_sums_before_each_scale():
    pyramid, f = residual(), noise(2, 6, 5, 5)
    out = pyramid(f, SCHEDULE)
    inputs = pyramid.teacher_inputs(out.tokens)
    assert len(inputs) == 3
    for k, seen in enumerate(inputs):
        assert torch.allclose(seen, slow_down(out.latents[k], SCHEDULE[k + 1]), atol=1e-5)


@pytest.mark.parametrize("schedule", [SCHEDULE, ((1, 1), (1, 2), (3, 4), (4, 8))])
def test_ground_truth_pyramid_quantises_every_scale_on_its_own(schedule):
    """f_k = down(f), q_k = nearest code: no sum, no phi (FlexVAR eqs. 3, 4)."""
    pyramid, f = ground_truth(), noise(2, 6, *schedule[-1])
    out = pyramid(f, schedule)
    for k, size in enumerate(schedule):
        tokens = slow_nearest(pyramid.codebook, slow_down(f, size))
        assert torch.equal(out.tokens[k], tokens)
        assert torch.allclose(
            out.latents[k], pyramid.codebook.lookup(tokens).permute(0, 3, 1, 2), atol=1e-5
        )
    assert torch.equal(
        pyramid.decode(out.tokens), pyramid.codebook.lookup(out.tokens[-1]).permute(0, 3, 1, 2)
    )
    # another set of coarser scales changes nothing at the last one
    assert torch.equal(pyramid(f, (schedule[-1],)).tokens[0], out.tokens[-1])


def test_ground_truth_teacher_inputs_are_the_previous_codes_enlarged():
    pyramid, schedule = ground_truth(), ((1, 1), (1, 2), (3, 4), (4, 8))
    out = pyramid(noise(2, 6, 4, 8), schedule)
    for k, seen in enumerate(pyramid.teacher_inputs(out.tokens)):
        codes = pyramid.codebook.lookup(out.tokens[k]).permute(0, 3, 1, 2)
        assert torch.allclose(
            seen, F.interpolate(codes, size=schedule[k + 1], mode="bicubic"), atol=1e-6
        )


def test_residual_loss_compares_the_running_sums_with_all_of_f():
    pyramid, f = residual(), noise(2, 6, 5, 5)
    out = pyramid(f, SCHEDULE)
    slow = sum((1 + pyramid.beta) * (picture - f).square().mean() for picture in out.latents) / len(
        SCHEDULE
    )
    assert out.loss.item() == pytest.approx(slow.item(), rel=1e-5)


@pytest.mark.parametrize("normalise", [False, True])
def test_ground_truth_loss_compares_each_scale_with_its_codes(normalise):
    pyramid, f = ground_truth(normalise=normalise), noise(2, 6, 5, 5)
    out, slow = pyramid(f, SCHEDULE), 0.0
    for size, picture in zip(SCHEDULE, out.latents):
        target = slow_down(f, size)
        target = target / target.norm(dim=1, keepdim=True) if normalise else target
        slow += (1 + pyramid.beta) * (picture - target).square().mean().item() / len(SCHEDULE)
    assert out.loss.item() == pytest.approx(slow, rel=1e-5)


@pytest.mark.parametrize("make", [residual, ground_truth])
def test_the_loss_is_a_mean_over_the_batch(make):
    pyramid, f = make(), noise(2, 6, 5, 5)
    once, twice = pyramid(f, SCHEDULE).loss.item(), pyramid(torch.cat((f, f)), SCHEDULE).loss.item()
    assert once == pytest.approx(twice, rel=1e-5)


def test_the_sum_passes_its_gradient_straight_through():
    pyramid, f, weight = residual(), noise(2, 6, 5, 5).requires_grad_(), noise(2, 6, 5, 5, seed=2)
    (pyramid(f, SCHEDULE).latents[-1] * weight).sum().backward()
    assert torch.equal(f.grad, weight)  # as if nothing had been quantised
    assert all(parameter.grad is None for parameter in pyramid.parameters())


def test_every_ground_truth_scale_passes_its_gradient_to_the_features_at_that_scale():
    pyramid, f = ground_truth(normalise=False), noise(1, 6, 4, 4).requires_grad_()
    pyramid(f, square(1, 2, 4)).latents[1].sum().backward()
    assert torch.allclose(f.grad, torch.full_like(f, 0.25))  # each pixel is a quarter of one cell


@pytest.mark.parametrize("make", [residual, ground_truth])
def test_the_loss_trains_codes_and_features(make):
    pyramid, f = make(), noise(2, 6, 5, 5).requires_grad_()
    pyramid(f, SCHEDULE).loss.backward()
    assert f.grad.abs().max() > 0 and pyramid.codebook.embedding.weight.grad.abs().max() > 0


def test_commitment_alone_moves_the_features():
    """beta scales the gradient of the features, not that of the codes."""
    grads = {}
    for beta in (0.25, 0.5):
        pyramid, f = ground_truth(normalise=False), noise(2, 6, 5, 5).requires_grad_()
        pyramid.beta = beta
        pyramid(f, SCHEDULE).loss.backward()
        grads[beta] = f.grad, pyramid.codebook.embedding.weight.grad
    assert torch.allclose(2 * grads[0.25][0], grads[0.5][0], atol=1e-7)
    assert torch.allclose(grads[0.25][1], grads[0.5][1], atol=1e-7)


def test_var_s_beta_weighs_the_commitment_and_not_the_codebook_s_part():
    """L = |sum - sg(f)|^2 + beta |f - sg(sum)|^2, a mean over the scales (VAR's tokenizer)."""
    schedule, grads = SCHEDULE, {}
    for beta in (0.0, 0.5, 1.0):
        pyramid, f = residual(), noise(2, 6, 5, 5).requires_grad_()
        pyramid.beta = beta
        out = pyramid(f, schedule)
        out.loss.backward()
        sums = [latent.detach() for latent in out.latents]
        # f's gradient is that of the commitment alone: nothing of the codebook's part reaches it.
        slow = sum(2 * beta * (f.detach() - total) / f.numel() for total in sums) / len(schedule)
        assert torch.allclose(f.grad, slow, atol=1e-6)
        grads[beta] = pyramid.codebook.embedding.weight.grad
    assert torch.allclose(grads[0.0], grads[1.0], atol=1e-7) and grads[0.0].abs().max() > 0


@pytest.mark.parametrize("make", [residual, ground_truth])
def test_half_precision_around_it_changes_nothing(make):
    pyramid, f = make(), noise(2, 6, 5, 5)
    plain = pyramid(f, SCHEDULE)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = pyramid(f, SCHEDULE)
    assert all(torch.equal(a, b) for a, b in zip(plain.tokens, mixed.tokens))
    assert torch.equal(plain.latents[-1], mixed.latents[-1])


@pytest.mark.parametrize("make", [residual, ground_truth])
def test_a_schedule_that_does_not_fit_the_features_is_refused(make):
    with pytest.raises(VarbookError, match=r"latent \(5, 5\)"):
        make()(noise(1, 6, 5, 5), square(1, 2, 4))


def test_pyramids_are_made_by_name():
    assert isinstance(make_pyramid("residual", Codebook(4, 2), shared_phi=2), ResidualPyramid)
    assert isinstance(make_pyramid("ground_truth", Codebook(4, 2)), GroundTruthPyramid)
    with pytest.raises(VarbookError, match="no pyramid named 'laplacian'"):
        make_pyramid("laplacian", Codebook(4, 2))


class Averaged(GroundTruthPyramid):
    """A pyramid of a reader's own: each scale is half of what the next one sees."""

    def next_input(self, latent, size):
        return 0.5 * super().next_input(latent, size)


def test_a_pyramid_of_one_s_own_is_a_subclass_and_a_row(monkeypatch):
    monkeypatch.setitem(PYRAMIDS, "averaged", Averaged)
    tokenizer = Tokenizer(replace(TOKENIZER, pyramid="averaged"))
    training = TokenizerTraining(steps=2, batch=2, warmup=0)
    fit_tokenizer(tokenizer, uint8_pictures(4), training, seed=0, device=CPU)
    assert isinstance(tokenizer.pyramid, Averaged)
    labels, model = torch.tensor([0, 1]), tiny_model("ground_truth")
    assert generate(model, tokenizer, labels).images.shape == (2, 3, 16, 16)
    with pytest.raises(VarbookError, match="averaged"):
        make_pyramid("average", Codebook(4, 2))
    with pytest.raises(VarbookError, match="adds up residual scales"):
        CycleVAR(tokenizer, model)
