"""CycleVAR against literal, slow transcriptions of its equations, and where its gradients go."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from tiny import SCHEDULE, noise, pictures, tiny_cyclevar, tiny_model, tiny_tokenizer

from varbook.errors import VarbookError
from varbook.translate.cyclevar import CycleVAR, CycleVARConfig

LABELS = torch.tensor([0, 2])
LAST = SCHEDULE[-1]
EVERY = [
    CycleVARConfig(),
    CycleVARConfig(context="shifted"),
    CycleVARConfig(multi_scale_context=False),
    CycleVARConfig(multi_scale_output=False),
    CycleVARConfig(multi_scale_context=False, multi_scale_output=False),
    CycleVARConfig(mode="serial", fusion="paper"),
    CycleVARConfig(mode="serial", fusion="separate"),
]


def name_of(config: CycleVARConfig) -> str:
    return "-".join(
        str(value)
        for value in (
            config.mode,
            config.fusion,
            config.context,
            config.multi_scale_context,
            config.multi_scale_output,
        )
    )


every = pytest.mark.parametrize("config", EVERY, ids=name_of)


def slow_codes(
    logits: torch.Tensor, codebook: torch.Tensor, size, temperature: float
) -> torch.Tensor:
    """Return R_k (B, C, h, w) from logits (B, h*w, V), token by token (CycleVAR eqs. 10, 11)."""
    out = torch.zeros(len(logits), codebook.shape[1], *size)
    for b in range(len(logits)):
        for i in range(size[0]):
            for j in range(size[1]):
                weights = torch.exp(logits[b, i * size[1] + j] / temperature)
                out[b, :, i, j] = (weights[:, None] * codebook).sum(0) / weights.sum()
    return out


def slow_add(cyclevar: CycleVAR, total: torch.Tensor, codes: torch.Tensor, k: int) -> torch.Tensor:
    """Return total + phi_k(up(R_k)); with four scales each has its own phi."""
    big = (
        codes
        if codes.shape[-2:] == total.shape[-2:]
        else F.interpolate(codes, size=LAST, mode="bicubic")
    )
    conv = cyclevar.tokenizer.pyramid.phi[k].conv
    return total + 0.5 * big + 0.5 * F.conv2d(big, conv.weight, conv.bias, padding=1)


def slow_source(cyclevar: CycleVAR, image: torch.Tensor) -> list[torch.Tensor]:
    """Return F_k = down(sum over all j of phi_j(up(R_j)), (h_k, w_k)) (CycleVAR eq. 5)."""
    total = torch.zeros(len(image), 8, *LAST)
    for k, tokens in enumerate(cyclevar.tokenizer.tokens(image)):
        total = slow_add(
            cyclevar, total, cyclevar.tokenizer.codebook.lookup(tokens).permute(0, 3, 1, 2), k
        )
    return [F.adaptive_avg_pool2d(total, size) for size in SCHEDULE]


def logits_at(cyclevar: CycleVAR, seen: list[torch.Tensor | None], k: int) -> torch.Tensor:
    """Return the logits of scale k when the model is shown `seen` up to it: a whole pass, no cache."""
    schedule = SCHEDULE[: k + 1]
    height, width = schedule[-1]
    return cyclevar.model(seen[: k + 1], LABELS, schedule)[:, -height * width :]


@torch.no_grad()
def test_the_context_holds_the_whole_picture_at_every_scale():
    cyclevar, image = tiny_cyclevar(), pictures(2)
    source, slow = cyclevar.source(image), slow_source(cyclevar, image)
    assert [tuple(f.shape) for f in source] == [(2, 8, h, w) for h, w in SCHEDULE]
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(source, slow, strict=True))


@torch.no_grad()
def test_the_shifted_context_holds_what_var_sees_in_training():
    cyclevar, image = tiny_cyclevar(CycleVARConfig(context="shifted")), pictures(2)
    tokenizer = cyclevar.tokenizer
    *before, whole = cyclevar.source(image)
    assert torch.equal(before[0], torch.zeros(2, 8, 1, 1))
    for a, b in zip(
        before[1:], tokenizer.pyramid.teacher_inputs(tokenizer.tokens(image)), strict=True
    ):
        assert torch.allclose(a, b, atol=1e-5)
    assert torch.allclose(
        whole, slow_source(cyclevar, image)[-1], atol=1e-5
    )  # eq. 9 mixes with the whole picture


@torch.no_grad()
def test_parallel_mode_is_equations_8_and_9():
    config = CycleVARConfig(alpha=0.3, temperature=1.3)
    cyclevar, image = tiny_cyclevar(config), pictures(2)
    source, total = slow_source(cyclevar, image), torch.zeros(2, 8, *LAST)
    for k, size in enumerate(SCHEDULE):
        codes = slow_codes(
            logits_at(cyclevar, source, k), cyclevar.tokenizer.codebook.embedding.weight, size, 1.3
        )  # eq. 8
        total = slow_add(cyclevar, total, codes, k)
    slow = 0.3 * total + 0.7 * source[-1]  # eq. 9
    assert torch.allclose(cyclevar.latent(cyclevar.source(image), LABELS), slow, atol=1e-4)
    assert torch.allclose(cyclevar(image, LABELS), cyclevar.tokenizer.decode(slow), atol=1e-4)


@torch.no_grad()
def test_the_serial_mode_as_printed_is_equations_6_and_7():
    config = CycleVARConfig(mode="serial", fusion="paper", alpha=0.3, temperature=1.3)
    cyclevar, image = tiny_cyclevar(config), pictures(2)
    source, seen, total = (
        slow_source(cyclevar, image),
        [None],
        torch.zeros(2, 8, *LAST),
    )  # H_0 is the class embedding
    for k, size in enumerate(SCHEDULE):
        codes = slow_codes(
            logits_at(cyclevar, seen, k), cyclevar.tokenizer.codebook.embedding.weight, size, 1.3
        )  # eq. 7
        picture = source[k] if size == LAST else F.interpolate(source[k], size=LAST, mode="bicubic")
        total = 0.3 * slow_add(cyclevar, total, codes, k) + 0.7 * picture  # eq. 6
        if k + 1 < len(SCHEDULE):
            seen.append(F.adaptive_avg_pool2d(total, SCHEDULE[k + 1]))
    assert torch.allclose(cyclevar.latent(cyclevar.source(image), LABELS), total, atol=1e-4)


@torch.no_grad()
def test_separate_fusion_keeps_the_generated_sum_apart():
    config = CycleVARConfig(mode="serial", fusion="separate", alpha=0.3, temperature=1.3)
    cyclevar, image = tiny_cyclevar(config), pictures(2)
    source, seen, generated = slow_source(cyclevar, image), [None], torch.zeros(2, 8, *LAST)
    for k, size in enumerate(SCHEDULE):
        codes = slow_codes(
            logits_at(cyclevar, seen, k), cyclevar.tokenizer.codebook.embedding.weight, size, 1.3
        )
        generated = slow_add(cyclevar, generated, codes, k)
        picture = source[k] if size == LAST else F.interpolate(source[k], size=LAST, mode="bicubic")
        mixed = 0.3 * generated + 0.7 * picture
        if k + 1 < len(SCHEDULE):
            seen.append(F.adaptive_avg_pool2d(mixed, SCHEDULE[k + 1]))
    assert torch.allclose(cyclevar.latent(cyclevar.source(image), LABELS), mixed, atol=1e-4)


@torch.no_grad()
def test_the_two_fusions_differ_by_the_powers_of_alpha():
    """Eq. 6 as printed multiplies R_j by alpha ** (K - j + 1): shown with a model whose codes are
    the same everywhere.
    """
    results, alpha, constant = {}, 0.5, torch.ones(1, 8, *LAST)
    for fusion in ("paper", "separate"):
        cyclevar = tiny_cyclevar(CycleVARConfig(mode="serial", fusion=fusion, alpha=alpha))
        for phi in cyclevar.tokenizer.pyramid.phi:  # phi(up(R)) = R / 2 for constant maps
            phi.conv.weight.zero_()
            phi.conv.bias.zero_()
        cyclevar.model.head.weight.zero_()
        cyclevar.tokenizer.codebook.embedding.weight.fill_(2.0)
        empty = [torch.zeros(1, 8, h, w) for h, w in SCHEDULE]
        results[fusion] = cyclevar.latent(empty, LABELS[:1])
    assert torch.allclose(results["separate"], alpha * 4 * constant, atol=1e-5)
    assert torch.allclose(
        results["paper"], sum(alpha**j for j in (1, 2, 3, 4)) * constant, atol=1e-5
    )


@every
@torch.no_grad()
def test_all_modes_give_an_image_of_the_source_s_size_that_depends_on_source_and_target(config):
    cyclevar, image = tiny_cyclevar(config), pictures(2)
    out = cyclevar(image, LABELS)
    assert out.shape == image.shape and out.isfinite().all()
    assert not torch.allclose(out, cyclevar(image, LABELS.flip(0)), atol=1e-3)
    assert not torch.allclose(out, cyclevar(pictures(2, seed=9), LABELS), atol=1e-3)
    assert torch.allclose(
        out[1:], cyclevar(image[1:], LABELS[1:]), atol=1e-4
    )  # images do not touch one another


@every
@torch.no_grad()
def test_alpha_zero_is_the_source_s_reconstruction_alone(config):
    cyclevar, image = tiny_cyclevar(replace(config, alpha=0.0)), pictures(2)
    tokenizer = cyclevar.tokenizer
    reconstruction = tokenizer.decode(tokenizer.pyramid.decode(tokenizer.tokens(image)))
    assert torch.allclose(cyclevar(image, LABELS), reconstruction, atol=1e-5)


@torch.no_grad()
def test_a_model_that_says_the_source_gives_the_source_for_any_alpha():
    cyclevar, image = tiny_cyclevar(CycleVARConfig(alpha=0.8, temperature=0.01)), pictures(2)
    tokens = torch.cat([indices.flatten(1) for indices in cyclevar.tokenizer.tokens(image)], 1)
    cyclevar.model.forward = lambda maps, labels, schedule: F.one_hot(tokens, 24).float()
    source = cyclevar.source(image)
    assert torch.allclose(cyclevar.latent(source, LABELS), source[-1], atol=1e-4)


@torch.no_grad()
def test_without_coarser_context_a_scale_sees_itself_alone():
    image = pictures(2)
    for together, touched in ((True, True), (False, False)):
        cyclevar = tiny_cyclevar(
            CycleVARConfig(multi_scale_context=together, multi_scale_output=False)
        )
        source = cyclevar.source(image)
        before = cyclevar.latent(source, LABELS)
        coarse = [f + 1.0 for f in source[:-1]]
        assert (
            not torch.allclose(cyclevar.latent([*coarse, source[-1]], LABELS), before, atol=1e-4)
        ) is touched


@torch.no_grad()
def test_without_coarser_output_the_last_scale_s_codes_alone_are_mixed_in():
    cyclevar, image = tiny_cyclevar(CycleVARConfig(multi_scale_output=False)), pictures(2)
    source = slow_source(cyclevar, image)
    codes = slow_codes(
        logits_at(cyclevar, source, 3), cyclevar.tokenizer.codebook.embedding.weight, LAST, 2.0
    )
    slow = 0.5 * slow_add(cyclevar, torch.zeros(2, 8, *LAST), codes, 3) + 0.5 * source[-1]
    assert torch.allclose(cyclevar.latent(cyclevar.source(image), LABELS), slow, atol=1e-4)


@every
def test_the_gradient_reaches_the_image_and_every_parameter_of_the_model_but_none_of_the_tokenizer(
    config,
):
    cyclevar, image = tiny_cyclevar(config), pictures(2).requires_grad_()
    (cyclevar(image, LABELS) * noise(2, 3, 16, 16, seed=5)).sum().backward()
    assert (image.grad.abs() > 0).float().mean() > 0.9
    silent = [
        name
        for name, p in cyclevar.model.named_parameters()
        if p.grad is None or p.grad.abs().max() == 0
    ]
    only_last = not (
        config.multi_scale_context or config.multi_scale_output
    )  # the first scale's token serves nothing then
    assert silent == (["pos_start"] if only_last else [])
    assert all(p.grad is None and not p.requires_grad for p in cyclevar.tokenizer.parameters())


def watch_logits(cyclevar: CycleVAR) -> list[torch.Tensor]:
    """Return a list that collects the logits of every scale of every pass, with their gradients."""
    kept, original = [], cyclevar.code_map

    def codes(logits, size, generator=None):
        if logits.requires_grad:
            logits.retain_grad()
        kept.append(logits)
        return original(logits, size, generator)

    cyclevar.code_map = codes
    return kept


def cycle(cyclevar: CycleVAR, image: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Return the cycle loss and the source maps of the way back, which keep their gradients."""
    back = cyclevar.source(cyclevar(image, LABELS))
    for f in back:
        if f.requires_grad:
            f.retain_grad()
    return F.l1_loss(cyclevar.tokenizer.decode(cyclevar.latent(back, LABELS.flip(0))), image), back


@every
def test_the_cycle_s_gradient_reaches_the_first_pass_through_the_tokens_of_the_second(config):
    cyclevar = tiny_cyclevar(config)
    logits = watch_logits(cyclevar)
    loss, back = cycle(cyclevar, pictures(2))
    loss.backward()
    scales = 1 if config.mode == "parallel" and not config.multi_scale_output else len(SCHEDULE)
    first_pass = logits[:scales]
    assert len(logits) == 2 * scales and all(part.grad.abs().max() > 0 for part in first_pass)
    seen = (
        back[1:] if config.context == "shifted" else back
    )  # the shifted context starts from nothing
    if not (config.multi_scale_context or config.multi_scale_output):
        seen = back[-1:]  # nothing but the last scale takes part
    assert all(f.grad is not None and f.grad.abs().max() > 0 for f in seen)


@pytest.mark.parametrize(
    "how, learns",
    [("argmax", False), ("straight_through", True), ("gumbel", True), ("softmax", True)],
)
def test_only_argmax_cuts_the_model_off(how, learns):
    cyclevar = tiny_cyclevar(CycleVARConfig(relaxation=how, alpha=1.0))
    loss, _ = cycle(cyclevar, pictures(2).requires_grad_())
    gradients = torch.autograd.grad(loss, list(cyclevar.model.parameters()), allow_unused=True)
    assert any(g is not None and g.abs().max() > 0 for g in gradients) is learns


def test_noise_is_for_training_alone():
    cyclevar, image = tiny_cyclevar(CycleVARConfig(noise=True)), pictures(2)

    def run(seed: int) -> torch.Tensor:
        with torch.no_grad():
            return cyclevar(image, LABELS, torch.Generator().manual_seed(seed))

    assert torch.equal(run(0), run(1))
    cyclevar.train()
    assert torch.equal(run(0), run(0)) and not torch.equal(run(0), run(1))


def test_the_tokenizer_stays_frozen_and_in_evaluation_mode():
    cyclevar = tiny_cyclevar().train()
    assert cyclevar.model.training and not cyclevar.tokenizer.training
    assert not any(p.requires_grad for p in cyclevar.tokenizer.parameters())
    assert all(p.requires_grad for p in cyclevar.model.parameters())


def test_bad_choices_are_refused():
    with pytest.raises(VarbookError, match="residual pyramid"):
        CycleVAR(tiny_tokenizer("ground_truth"), tiny_model())
    for field, options in (("mode", "serial"), ("fusion", "separate"), ("context", "shifted")):
        with pytest.raises(VarbookError, match=options):
            CycleVAR(tiny_tokenizer(), tiny_model(), CycleVARConfig(**{field: "sideways"}))
    with pytest.raises(VarbookError, match="latent"):
        tiny_cyclevar()(pictures(1, 32, 32), LABELS[:1])
