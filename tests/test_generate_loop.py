"""The loop over scales: what it draws is what the teacher-forced model would have said, in both
families.
"""

import pytest
import torch
from tiny import MODEL, SCHEDULE, TOKENIZER, tiny_model, tiny_tokenizer

from varbook.errors import VarbookError
from varbook.generate.loop import Forced, generate
from varbook.generate.sampling import Drawing, guidance_at, guide
from varbook.tokenizer.schedule import square

KINDS = ("residual", "ground_truth")
WIDE = ((1, 1), (1, 2), (2, 4), (4, 8))


def teacher_forced(model, tokenizer, tokens, labels, schedule) -> list[torch.Tensor]:
    """Return, per scale, the logits that the model gives to all scales at once when it is shown
    `tokens`.
    """
    maps = [None, *tokenizer.pyramid.teacher_inputs(tokens)]
    return list(model(maps, labels, schedule).split([h * w for h, w in schedule], 1))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("guidance", [0.0, 1.5])
@torch.no_grad()
def test_greedy_tokens_are_the_best_of_the_guided_teacher_forced_logits(kind, guidance):
    model, tokenizer, labels = (
        tiny_model(kind, seed=3),
        tiny_tokenizer(kind),
        torch.tensor([0, 1, 2]),
    )
    out = generate(model, tokenizer, labels, drawing=Drawing(guidance=guidance, top_k=1))
    with_class = teacher_forced(model, tokenizer, out.tokens, labels, SCHEDULE)
    without = teacher_forced(
        model, tokenizer, out.tokens, torch.full((3,), MODEL.classes), SCHEDULE
    )
    for k, tokens in enumerate(out.tokens):
        logits = guide(with_class[k], without[k], guidance_at(guidance, k, len(SCHEDULE)))
        assert torch.equal(tokens.flatten(1), logits.argmax(-1))
    assert len(torch.cat([tokens.flatten() for tokens in out.tokens]).unique()) > 4


@torch.no_grad()
def test_guidance_changes_the_result_but_not_the_first_scale():
    model, tokenizer, labels = tiny_model(), tiny_tokenizer(), torch.tensor([0, 1, 2])
    plain, strong = (
        generate(model, tokenizer, labels, drawing=Drawing(guidance=g, top_k=1)) for g in (0.0, 8.0)
    )
    assert torch.equal(plain.tokens[0], strong.tokens[0])
    assert not torch.equal(plain.tokens[-1], strong.tokens[-1])


@pytest.mark.parametrize("kind", KINDS)
def test_the_pictures_are_those_of_the_tokens(kind):
    tokenizer = tiny_tokenizer(kind)
    out = generate(
        tiny_model(kind),
        tokenizer,
        torch.tensor([0, 2]),
        generator=torch.Generator().manual_seed(0),
    )
    assert [tuple(tokens.shape) for tokens in out.tokens] == [(2, h, w) for h, w in SCHEDULE]
    assert torch.allclose(tokenizer.pyramid.decode(out.tokens), out.latents[-1], atol=1e-6)
    assert torch.allclose(tokenizer.image(out.tokens), out.images, atol=1e-6)
    assert (
        out.images.shape == (2, 3, 16, 16)
        and out.images.abs().max() <= 1
        and not out.images.requires_grad
    )


@pytest.mark.parametrize("schedule", [WIDE, ((1, 1), (3, 2), (8, 4)), square(1, 3, 6), square(4)])
def test_ground_truth_prediction_takes_any_schedule_and_aspect_ratio(schedule):
    model, tokenizer = tiny_model("ground_truth"), tiny_tokenizer("ground_truth")
    out = generate(
        model, tokenizer, torch.tensor([1]), schedule, generator=torch.Generator().manual_seed(0)
    )
    assert [tuple(tokens.shape[1:]) for tokens in out.tokens] == list(schedule)
    assert out.images.shape == (1, 3, 4 * schedule[-1][0], 4 * schedule[-1][1])
    assert [tuple(picture.shape[-2:]) for picture in out.latents] == list(schedule)


@torch.no_grad()
def test_a_rectangle_is_generated_as_the_teacher_forced_model_says():
    model, tokenizer, labels = (
        tiny_model("ground_truth"),
        tiny_tokenizer("ground_truth"),
        torch.tensor([0, 1]),
    )
    out = generate(model, tokenizer, labels, WIDE, Drawing(guidance=0.0, top_k=1))
    for tokens, logits in zip(
        out.tokens, teacher_forced(model, tokenizer, out.tokens, labels, WIDE)
    ):
        assert torch.equal(tokens.flatten(1), logits.argmax(-1))


def test_the_generator_decides():
    model, tokenizer, labels = tiny_model(), tiny_tokenizer(), torch.tensor([0, 1])
    runs = [
        generate(model, tokenizer, labels, generator=torch.Generator().manual_seed(seed)).tokens
        for seed in (0, 0, 1)
    ]
    assert all(torch.equal(a, b) for a, b in zip(runs[0], runs[1]))
    assert not all(torch.equal(a, b) for a, b in zip(runs[0], runs[2]))


def test_all_codes_stay_within_the_codebook():
    out = generate(
        tiny_model(),
        tiny_tokenizer(),
        torch.arange(4),
        drawing=Drawing(temperature=50.0),
        generator=torch.Generator().manual_seed(0),
    )
    tokens = torch.cat([tokens.flatten() for tokens in out.tokens])
    assert (
        0 <= int(tokens.min())
        and int(tokens.max()) < TOKENIZER.vocab_size
        and len(tokens.unique()) > 15
    )


@torch.no_grad()
def test_scales_above_a_side_get_their_likeliest_codes_and_the_others_are_drawn():
    model, tokenizer, labels = (
        tiny_model("ground_truth"),
        tiny_tokenizer("ground_truth"),
        torch.tensor([0, 1]),
    )
    out = generate(
        model,
        tokenizer,
        labels,
        WIDE,
        Drawing(guidance=0.0, greedy_above=2),
        generator=torch.Generator().manual_seed(0),
    )
    likeliest = [
        logits.argmax(-1) for logits in teacher_forced(model, tokenizer, out.tokens, labels, WIDE)
    ]
    same = [torch.equal(tokens.flatten(1), best) for tokens, best in zip(out.tokens, likeliest)]
    assert same[2:] == [True, True] and not all(same[:2])


def forced_half(out) -> Forced:
    """The codes of `out` for all scales but the last, left half given."""
    masks = [torch.zeros_like(tokens, dtype=torch.bool) for tokens in out.tokens[:-1]]
    for mask in masks:
        mask[..., : (mask.shape[-1] + 1) // 2] = True
    return Forced(out.tokens[:-1], masks)


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_forced_codes_are_kept_and_the_rest_is_what_the_model_says_after_them(kind):
    model, tokenizer, labels = tiny_model(kind), tiny_tokenizer(kind), torch.tensor([0, 1])
    forced = forced_half(
        generate(model, tokenizer, labels, generator=torch.Generator().manual_seed(5))
    )
    out = generate(model, tokenizer, labels, drawing=Drawing(guidance=0.0, top_k=1), forced=forced)
    logits = teacher_forced(model, tokenizer, out.tokens, labels, SCHEDULE)
    changed = 0
    for k, tokens in enumerate(out.tokens):
        best = logits[k].argmax(-1).view(tokens.shape)
        if k < len(forced.tokens):
            assert torch.equal(tokens, torch.where(forced.masks[k], forced.tokens[k], best))
            changed += int((tokens != best).sum())
        else:
            assert torch.equal(tokens, best)
    assert changed > 0


def test_forced_codes_of_other_sizes_are_refused():
    model, tokenizer, labels = tiny_model(), tiny_tokenizer(), torch.tensor([0, 1])
    forced = forced_half(
        generate(model, tokenizer, labels, generator=torch.Generator().manual_seed(5))
    )
    for bad in (
        Forced(forced.tokens[1:], forced.masks[1:]),
        Forced(forced.tokens, forced.masks[:-1]),
    ):
        with pytest.raises(VarbookError, match="not those of the masks or of the schedule"):
            generate(model, tokenizer, labels, forced=bad)


@pytest.mark.parametrize(
    "labels, schedule, says",
    [
        ([], None, "at least one class label"),
        ([7], None, "run from 0 to 2"),
        ([0], square(1, 2, 4), "only the schedule of their training"),
        ([0], square(4, 2), "must grow"),
    ],
)
def test_bad_input_gets_one_sentence(labels, schedule, says):
    with pytest.raises(VarbookError, match=says):
        generate(tiny_model(), tiny_tokenizer(), torch.tensor(labels, dtype=torch.long), schedule)


@torch.no_grad()
def test_released_sampling_is_greedy_at_odd_sizes_alone():
    model, tokenizer, schedule = (
        tiny_model("ground_truth"),
        tiny_tokenizer("ground_truth"),
        square(1, 7, 8),
    )
    labels = torch.tensor([0, 1])

    def drawn(seed: int, released: bool):
        generators = [torch.Generator().manual_seed(seed + n) for n in range(2)]
        return generate(
            model,
            tokenizer,
            labels,
            schedule,
            Drawing(guidance=0.0, released=released),
            generator=generators,
        ).tokens

    def greedy(tokens) -> list[bool]:
        best = teacher_forced(model, tokenizer, tokens, labels, schedule)
        return [torch.equal(own.flatten(1), logits.argmax(-1)) for own, logits in zip(tokens, best)]

    assert greedy(drawn(0, released=True)) == [False, True, False]
    assert greedy(drawn(0, released=False)) == [False, False, False]
    assert all(torch.equal(a, b) for a, b in zip(drawn(0, True), drawn(0, True)))
