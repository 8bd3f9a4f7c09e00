"""The model that reads: what a word reaches, what nothing means, cached and whole passes, and
turned queries.
"""

import math

import pytest
import torch
import torch.nn.functional as F
from tiny import MODEL, awake, noise, pictures

from varbook.errors import VarbookError
from varbook.generate.loop import generate
from varbook.generate.sampling import Drawing
from varbook.tokenizer.bits import BinaryCodes
from varbook.tokenizer.schedule import square, token_count
from varbook.tokenizer.tokenizer import Tokenizer, TokenizerConfig
from varbook.train.fit_next_scale import drop_labels, token_loss
from varbook.transformer.model import NextScaleModel
from varbook.transformer.positions import RotaryPositions, rotate
from varbook.transformer.text_model import TextNextScaleConfig, TextNextScaleModel, make_next_scale
from varbook.translate.cyclevar import CycleVAR, CycleVARConfig

SCHEDULE = square(1, 2, 4)
WORDS = ("a", "brown", "by", "cow", "day", "night")
CONFIG = TextNextScaleConfig(
    SCHEDULE,
    vocab_size=0,
    code_dim=6,
    bits=6,
    classes=0,
    depth=2,
    width=32,
    heads=2,
    words=WORDS,
    text_channels=32,
    text_length=8,
)


@pytest.fixture(scope="module")
def model() -> TextNextScaleModel:
    torch.manual_seed(0)
    return awake(make_next_scale(CONFIG)).eval()


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    torch.manual_seed(0)
    return Tokenizer(
        TokenizerConfig(schedule=SCHEDULE, code_dim=6, codes_kind="bits", channels=(8, 16))
    ).eval()


def maps(count: int = 2) -> list[torch.Tensor]:
    return [noise(count, 6, *size, seed=k) for k, size in enumerate(SCHEDULE)]


@torch.no_grad()
def test_two_logits_per_bit_and_every_word_matters(model):
    ids = model.ids(["a brown cow by day", "a cow by night"])
    logits = model(maps(), ids)
    assert logits.shape == (2, token_count(SCHEDULE), 12)
    other = model(maps(), model.ids(["a brown cow by night", "a cow by night"]))
    assert not torch.allclose(logits[0], other[0], atol=1e-3)
    alone = model([one[1:] for one in maps()], model.ids(["a cow by night"]))
    assert torch.allclose(logits[1], alone[0], atol=1e-4)  # padding does not


@torch.no_grad()
def test_withheld_words_say_nothing_but_their_number(model, one_thread):
    first, second = model.ids(["a brown cow", "by night by"])
    nothing = model.no_condition(torch.stack((first, second)))
    assert nothing.tolist() == [[-1, -1, -1], [-1, -1, -1]]
    condition = model.condition(nothing)
    assert torch.equal(condition.vector[0], condition.vector[1])
    padded = model.no_condition(model.ids(["a cow", "a brown cow"]))
    assert padded.tolist() == [[-1, -1, 0], [-1, -1, -1]]


@torch.no_grad()
def test_scale_by_scale_with_a_cache_equals_one_pass(model):
    ids = model.ids(["a brown cow", "by night"])
    whole = model(maps(), ids)
    condition = model.condition(ids)
    modulations, caches, parts = model.modulations(condition), model.new_caches(), []
    for k, seen in enumerate(maps()):
        parts.append(
            model.step(
                model.embed([seen], condition, SCHEDULE, first=k), condition, modulations, caches
            )
        )
    assert torch.allclose(torch.cat(parts, 1), whole, atol=1e-4)


@torch.no_grad()
def test_a_finer_scale_changes_no_coarser_one(model):
    ids, changed = model.ids(["a brown cow", "by night"]), maps()
    changed[2] = changed[2] + 1
    before, after = model(maps(), ids), model(changed, ids)
    assert torch.allclose(before[:, :5], after[:, :5], atol=1e-5) and not torch.allclose(
        before[:, 5:], after[:, 5:], atol=1e-2
    )


def test_a_turn_is_a_rotation_in_each_pair_of_channels():
    x, angles = noise(3, 4), noise(3, 2, seed=1)
    for row, found in enumerate(rotate(x, angles)):
        for pair in range(2):
            a, (u, v) = angles[row, pair].item(), x[row, 2 * pair : 2 * pair + 2].tolist()
            expected = [u * math.cos(a) - v * math.sin(a), u * math.sin(a) + v * math.cos(a)]
            assert found[2 * pair : 2 * pair + 2].tolist() == pytest.approx(expected, abs=1e-5)


def test_the_same_spot_has_the_same_angles_at_every_scale():
    positions = RotaryPositions(32, 2, side=8)
    angles = positions.angles(square(1, 2, 4)).split([1, 4, 16])
    assert angles[0].shape == (1, 8) and not angles[0].any()
    assert torch.equal(
        angles[1][3], angles[2].view(4, 4, -1)[2, 2]
    )  # row and column 1 of 2 are those 2 of 4
    assert torch.equal(
        positions.angles(square(1, 2, 4)), RotaryPositions(32, 2, side=8).angles(square(1, 2, 4))
    )
    wide = positions.angles(((1, 2), (2, 4))).split([2, 8])[1].view(2, 4, 2, 4)
    assert torch.equal(wide[1, 0, 0], torch.tensor(2.0) * wide[0, 1, 1]) or wide[0, 1, 1].any()
    with pytest.raises(VarbookError, match="multiple of 4"):
        RotaryPositions(6, 1, side=4)


@torch.no_grad()
def test_pictures_are_drawn_from_a_text(model, tokenizer):
    ids = model.ids(["a brown cow by day", "by night"])
    made = generate(
        model,
        tokenizer,
        ids,
        drawing=Drawing(guidance=2.0),
        generator=torch.Generator().manual_seed(0),
    )
    again = generate(
        model,
        tokenizer,
        ids,
        drawing=Drawing(guidance=2.0),
        generator=torch.Generator().manual_seed(0),
    )
    assert made.images.shape == (2, 3, 16, 16) and torch.equal(made.images, again.images)
    greedy = generate(model, tokenizer, ids, drawing=Drawing(guidance=0.0, top_k=1))
    condition, first = model.condition(ids), greedy.tokens[0].flatten(1)
    logits = model.predict([None], condition, SCHEDULE[:1])
    assert torch.equal(
        tokenizer.codebook.bits(first), logits.unflatten(-1, (6, 2)).argmax(-1).bool()
    )


@pytest.mark.parametrize("mode", ["parallel", "serial"])
def test_cyclevar_takes_prompts_for_classes(model, tokenizer, mode):
    cyclevar = CycleVAR(tokenizer, model, CycleVARConfig(mode=mode))
    images = pictures(2).requires_grad_()
    out = cyclevar(images, model.ids(["by night", "by day"]))
    out.square().sum().backward()
    assert out.shape == images.shape and images.grad.abs().sum() > 0
    with torch.no_grad():
        idle = CycleVAR(tokenizer, model, CycleVARConfig(mode=mode, alpha=1e-9))(
            images, model.ids(["by night", "by day"])
        )
        assert torch.allclose(idle.clamp(-1, 1), tokenizer.reconstruct(images)[-1], atol=1e-3)


def test_the_loss_of_bits_by_hand():
    logits, tokens = noise(1, 1, 4), [torch.tensor([[[2]]])]  # bits: minus, plus
    loss, right = token_loss(logits, tokens, BinaryCodes(2))
    pairs = logits.view(2, 2)
    expected = (
        F.cross_entropy(pairs[:1], torch.tensor([0]))
        + F.cross_entropy(pairs[1:], torch.tensor([1]))
    ) / 2
    assert torch.allclose(loss[0, 0], expected)
    assert (
        right[0, 0].item()
        == ((pairs[0, 0] > pairs[0, 1]).float() + (pairs[1, 1] > pairs[1, 0]).float()).item() / 2
    )


def test_dropped_texts_are_withheld_whole(model):
    ids = model.ids(["a cow by day"] * 200)
    given = drop_labels(ids, 0.5, model.no_condition(ids), torch.Generator().manual_seed(0))
    rows = (given < 0).all(1)
    assert 60 < rows.sum() < 140 and torch.equal(given[~rows], ids[~rows])


def test_what_it_cannot_take_is_refused_in_one_sentence(model):
    with pytest.raises(VarbookError, match="at most 8 words"):
        model.condition(torch.ones(1, 9, dtype=torch.long))
    deaf = TextNextScaleModel(
        TextNextScaleConfig(
            SCHEDULE, bits=6, code_dim=6, depth=1, width=32, heads=2, text_channels=48
        )
    )
    with pytest.raises(VarbookError, match="no text encoder yet"):
        deaf.ids(["a cow"])
    with pytest.raises(VarbookError, match="48 channels, not 32"):
        deaf.set_encoder(model.encoder)
    assert (
        type(make_next_scale(CONFIG)) is TextNextScaleModel
        and type(make_next_scale(MODEL)) is NextScaleModel
    )
