"""Training a next-scale model: what it is taught, a few steps of it, resuming, and the score."""

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
    noise,
    pictures,
    same_state,
    tiny_model,
    tiny_tokenizer,
    uint8_pictures,
)

from varbook.book.models.profiles import PROFILES
from varbook.book.models.profiles.fine import FINE
from varbook.config import plain
from varbook.errors import VarbookError
from varbook.tokenizer.codebook import Codebook
from varbook.tokenizer.schedule import scale_slices, token_count
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.train import fit_next_scale as module
from varbook.train.fit_next_scale import (
    NextScaleTraining,
    decay_groups,
    drop_labels,
    encode_all,
    fit_next_scale,
    pictures_of_step,
    score_next_scale,
    step_latent,
    step_schedule,
    token_loss,
)
from varbook.train.keeper import Keeper
from varbook.transformer.model import NextScaleModel, flexvar

FEATURES, LABELS = noise(10, 8, 4, 4), torch.arange(10) % 3
# Of other sizes: 3 x 6 and 8 x 8 cells, where the model's own latent has 4 x 4.
OTHERS = {size: (noise(6, 8, *size), torch.arange(6) % 3) for size in ((3, 6), (8, 8))}
SHORT = NextScaleTraining(steps=6, batch=3, max_steps=4)
KINDS = ("residual", "ground_truth")


def fresh(kind: str, seed: int = 0) -> NextScaleModel:
    torch.manual_seed(seed)
    return NextScaleModel(MODEL if kind == "residual" else flexvar(MODEL))


def training_for(kind: str) -> NextScaleTraining:
    return replace(SHORT, step_sampling=kind == "ground_truth")


def fit(
    model: NextScaleModel,
    kind: str,
    training: NextScaleTraining | None = None,
    keeper: Keeper | None = None,
    seed: int = 3,
    others=None,
):
    return fit_next_scale(
        model,
        tiny_tokenizer(kind),
        FEATURES,
        LABELS,
        training or training_for(kind),
        seed=seed,
        device=CPU,
        keeper=keeper,
        others=others,
    )


def test_the_loss_is_the_mean_cross_entropy_of_all_tokens():
    logits, tokens = (
        noise(2, 5, 7),
        [torch.tensor([[[1]], [[6]]]), torch.tensor([[[0, 2], [3, 3]], [[5, 4], [0, 1]]])],
    )
    loss, right = token_loss(logits, tokens, Codebook(7, 4))
    for b in range(2):
        target = [int(t) for part in tokens for t in part[b].flatten()]
        for i, wanted in enumerate(target):
            assert loss[b, i].item() == pytest.approx(
                -logits[b, i].log_softmax(0)[wanted].item(), rel=1e-4
            )
            assert right[b, i] == (logits[b, i].argmax() == wanted)


def test_the_loss_does_not_grow_with_the_batch():
    logits, tokens = (
        noise(2, 16, 7),
        [torch.randint(7, (2, 4, 4), generator=torch.Generator().manual_seed(0))],
    )
    codebook = Codebook(7, 4)
    once = token_loss(logits, tokens, codebook)[0].mean().item()
    assert once == pytest.approx(
        token_loss(logits.repeat(5, 1, 1), [tokens[0].repeat(5, 1, 1)], codebook)[0].mean().item(),
        rel=1e-5,
    )


def test_labels_are_withheld_as_often_as_asked():
    labels, generator = torch.arange(3).repeat(1000), torch.Generator().manual_seed(0)
    kept = drop_labels(labels, 0.1, 3, generator)
    dropped = kept == 3
    assert 0.07 < dropped.float().mean() < 0.13 and torch.equal(kept[~dropped], labels[~dropped])
    assert torch.equal(drop_labels(labels, 0.0, 3, generator), labels)
    assert (drop_labels(labels, 1.0, 3, generator) == 3).all()


def test_var_has_one_schedule_and_flexvar_draws_another_every_step():
    generator = torch.Generator().manual_seed(0)
    assert step_schedule(tiny_model(), SHORT, generator) == SCHEDULE
    config = replace(flexvar(MODEL), schedule=((1, 1), (8, 8)))
    drawn = [
        step_schedule(
            NextScaleModel(config), replace(SHORT, step_sampling=True, max_steps=5), generator
        )
        for _ in range(40)
    ]
    assert len(set(drawn)) > 10 and all(
        schedule[-1] == (8, 8) and schedule[0] == (1, 1) for schedule in drawn
    )


def test_features_are_those_of_the_images_and_then_of_their_mirror_images():
    tokenizer, images = tiny_tokenizer(), uint8_pictures(5)
    features = encode_all(tokenizer, images, CPU, batch=2)
    as_floats = images.float() / 127.5 - 1
    with torch.no_grad():
        assert torch.allclose(features[:5], tokenizer.encode(as_floats), atol=1e-5)
        assert torch.allclose(features[5:], tokenizer.encode(as_floats.flip(-1)), atol=1e-5)
    assert not torch.allclose(features[:5], features[5:], atol=1e-2)


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_training_resumes_to_the_same_bits(tmp_path, kind):
    whole, first, second = fresh(kind), fresh(kind), fresh(kind, seed=5)
    curve = fit(whole, kind)
    with pytest.raises(Killed):
        fit(first, kind, keeper=KilledKeeper(tmp_path))
    resumed = fit(second, kind, keeper=Keeper(tmp_path))
    assert same_state(whole, second) and resumed == curve
    assert not same_state(whole, first)


@pytest.mark.parametrize("kind", KINDS)
def test_it_learns_a_small_set_and_stays_finite(kind):
    model, tokenizer = fresh(kind), tiny_tokenizer(kind)
    before = score_next_scale(model, tokenizer, FEATURES, LABELS)
    fit(model, kind, replace(training_for(kind), steps=80, batch=8, lr=3e-3))
    after = score_next_scale(model, tokenizer, FEATURES, LABELS)
    assert before["loss"] == pytest.approx(
        torch.tensor(24.0).log().item(), rel=0.05
    )  # a fresh model guesses
    assert after["loss"] < 0.9 * before["loss"] and after["accuracy"] > before["accuracy"]
    assert not model.training and all(
        tensor.isfinite().all() for tensor in model.state_dict().values()
    )


def test_the_model_is_shown_only_what_comes_before(monkeypatch):
    """At every step: nothing at the first scale, then the teacher inputs of the very tokens that it
    must predict.
    """
    model, tokenizer, seen, asked = fresh("residual"), tiny_tokenizer(), [], []
    original, forward = module.true_choices, model.forward

    def choices(tokens, codebook):
        asked.append(tokens)
        return original(tokens, codebook)

    def watched(maps, labels, schedule, targets):
        seen.append(maps)
        return forward(maps, labels, schedule, targets)

    monkeypatch.setattr(module, "true_choices", choices)
    model.forward = watched
    fit_next_scale(model, tokenizer, FEATURES, LABELS, SHORT, seed=0, device=CPU)
    assert len(seen) == len(asked) == 6
    for maps, tokens in zip(seen, asked):
        assert maps[0] is None
        assert all(
            torch.equal(a, b)
            for a, b in zip(maps[1:], tokenizer.pyramid.teacher_inputs(tokens), strict=True)
        )


def test_the_tokenizer_is_left_as_it_is():
    tokenizer, untouched = tiny_tokenizer(), tiny_tokenizer()
    fit_next_scale(fresh("residual"), tokenizer, FEATURES, LABELS, SHORT, seed=0, device=CPU)
    assert same_state(tokenizer, untouched) and all(p.grad is None for p in tokenizer.parameters())


def test_the_score_is_the_same_in_any_batches_and_agrees_with_a_direct_computation():
    model, tokenizer = tiny_model(), tiny_tokenizer()
    score = score_next_scale(model, tokenizer, FEATURES, LABELS)
    assert score_next_scale(model, tokenizer, FEATURES, LABELS, batch=3)["loss"] == pytest.approx(
        score["loss"], rel=1e-5
    )
    tokens = tokenizer.quantise(FEATURES).tokens
    with torch.no_grad():
        logits = model([None, *tokenizer.pyramid.teacher_inputs(tokens)], LABELS)
    target = torch.cat([part.flatten(1) for part in tokens], 1)
    assert score["loss"] == pytest.approx(
        F.cross_entropy(logits.flatten(0, 1), target.flatten()).item(), rel=1e-5
    )
    for k, s in enumerate(scale_slices(SCHEDULE)):
        share = (logits[:, s].argmax(-1) == target[:, s]).float().mean().item()
        assert score["accuracy_per_scale"][k] == pytest.approx(share, abs=1e-6)
    assert score["images"] == 10 and len(score["loss_per_scale"]) == 4


def test_a_flexible_model_is_scored_on_rectangles():
    tokenizer, schedule = tiny_tokenizer("ground_truth"), ((1, 1), (2, 4), (4, 8))
    with torch.no_grad():
        features = tokenizer.encode(pictures(3, 16, 32))
    score = score_next_scale(
        tiny_model("ground_truth"), tokenizer, features, torch.arange(3), schedule
    )
    assert len(score["loss_per_scale"]) == 3 and score["loss"] > 0


def test_positions_and_step_embeddings_do_not_decay():
    model = NextScaleModel(MODEL)
    groups = decay_groups(model, 0.05)
    matrices, rest = (group["params"] for group in groups)
    still = {id(p) for p in rest}
    assert [group["weight_decay"] for group in groups] == [0.05, 0.0]
    assert {
        id(model.lvl_embed.weight),
        id(model.pos_start),
        id(model.positions.table),
        id(model.head.bias),
    } <= still
    assert id(model.head.weight) not in still and id(model.class_emb.weight) not in still
    assert len(matrices) + len(rest) == len(list(model.parameters()))


def test_drawn_schedules_keep_to_the_token_budget_and_end_at_the_latent():
    training = replace(SHORT, step_sampling=True, max_steps=4, token_budget=22)
    model = NextScaleModel(flexvar(MODEL))
    for seed in range(40):
        drawn = step_schedule(model, training, torch.Generator().manual_seed(seed))
        assert drawn[-1] == (4, 4) and sum(h * w for h, w in drawn) <= 22


def test_the_optimiser_has_the_betas_of_the_paper_and_the_rate_falls_at_the_end(monkeypatch):
    seen, real = [], module.take_step

    def spy(loss, model, optimiser, clip):
        seen.append((optimiser.defaults["betas"], optimiser.param_groups[0]["lr"], clip))
        real(loss, model, optimiser, clip)

    monkeypatch.setattr(module, "take_step", spy)
    training = replace(training_for("residual"), steps=10, batch=2, lr=1e-3, hold=0.5)
    fit(tiny_model(), "residual", training)
    assert {betas for betas, _, _ in seen} == {(0.9, 0.95)}  # FlexVAR section 4.1
    rates = [rate / 1e-3 * 50 / (step + 1) for step, (_, rate, _) in enumerate(seen)]  # warm-up: 50
    assert rates[:6] == pytest.approx([1.0] * 6)
    assert rates[6:] == pytest.approx([1 - 0.95 * fall for fall in (0.2, 0.4, 0.6, 0.8)])


def test_a_model_that_corrects_itself_sees_flipped_bits_and_is_asked_for_the_true_ones(monkeypatch):
    torch.manual_seed(0)
    tokenizer = Tokenizer(replace(TOKENIZER, codes_kind="bits", code_dim=8)).eval()
    model = NextScaleModel(replace(MODEL, bits=8))
    quantised, seen, asked = [], [], []
    quantise, choices_of, forward = tokenizer.quantise, module.true_choices, model.forward

    def watched_quantise(*arguments):
        quantised.append(quantise(*arguments))
        return quantised[-1]

    def watched_choices(tokens, codebook):
        asked.append(tokens)
        return choices_of(tokens, codebook)

    monkeypatch.setattr(tokenizer, "quantise", watched_quantise)
    monkeypatch.setattr(module, "true_choices", watched_choices)
    model.forward = lambda maps, *rest: seen.append(maps) or forward(maps, *rest)
    training = replace(SHORT, steps=3, flips=0.5)
    fit_next_scale(model, tokenizer, FEATURES, LABELS, training, seed=0, device=CPU)
    for out, maps, tokens in zip(quantised, seen, asked, strict=True):
        shown = tokenizer.pyramid.teacher_inputs(out.used)
        assert all(torch.equal(a, b) for a, b in zip(maps[1:], shown, strict=True))
        assert all(torch.equal(a, b) for a, b in zip(tokens, out.tokens, strict=True))
        assert any(not torch.equal(a, b) for a, b in zip(out.tokens, out.used))


# --- pictures of several sizes

SIZES = replace(SHORT, steps=8, step_sampling=True, latents=tuple(OTHERS), own_size=0.25)


def told_size(seed: int = 0) -> NextScaleModel:
    torch.manual_seed(seed)
    return NextScaleModel(replace(flexvar(MODEL), size_told=True))


def test_a_training_at_one_size_draws_what_it_drew_before_there_were_others():
    generator = torch.Generator().manual_seed(0)
    before = generator.get_state()
    assert step_latent(tiny_model("ground_truth"), SHORT, generator) == (4, 4)
    assert torch.equal(generator.get_state(), before)
    assert pictures_of_step(tiny_model(), SHORT, SCHEDULE) == SHORT.batch
    assert not {"latents", "own_size"} & set(plain(NextScaleTraining()))
    assert "size_told" not in plain(MODEL)


def test_a_step_has_pictures_of_one_size_and_the_own_size_its_share(monkeypatch):
    seen, real = [], module.step_schedule
    monkeypatch.setattr(
        module,
        "step_schedule",
        lambda *arguments: seen.append(real(*arguments)) or seen[-1],
    )
    model, shapes = told_size(), []
    forward = model.forward
    model.forward = lambda maps, *rest: shapes.append(maps[-1].shape) or forward(maps, *rest)
    curve = fit(model, "ground_truth", replace(SIZES, steps=40), others=OTHERS)
    last = [schedule[-1] for schedule in seen]
    assert set(last) == {(4, 4), *OTHERS} and 4 <= last.count((4, 4)) <= 18
    assert [tuple(shape[-2:]) for shape in shapes] == last
    assert {row["cells"] for row in curve} <= {16, 18, 64}


@pytest.mark.parametrize(
    "chain", [FINE, PROFILES["smoke"].chains["toy"], PROFILES["gpu"].chains["toy"]]
)
def test_a_step_at_another_size_has_no_more_tokens_than_a_batch_at_the_own_one(chain):
    training = replace(chain.other_sizes.training, step_sampling=True)
    small = replace(flexvar(chain.model), depth=1, width=32, heads=2)
    model, own = NextScaleModel(small), chain.model.schedule
    most, pictures = training.batch * token_count(own), {}
    for seed in range(200):
        generator = torch.Generator().manual_seed(seed)
        latent = step_latent(model, training, generator)
        schedule = step_schedule(model, training, generator, latent)
        count = pictures_of_step(model, training, schedule)
        assert schedule[0] == (1, 1) and schedule[-1] == latent
        assert training.batch % count == 0
        assert latent == own[-1] or count * token_count(schedule) <= most
        pictures.setdefault(latent, set()).add(count)
        if max(latent) > own[-1][0]:  # as in sampling: half as large again, at most
            longest = [max(scale) for scale in schedule if max(scale) >= own[-1][0]]
            assert all(b <= 1.5 * a + 0.5 for a, b in zip(longest, longest[1:]))
    assert set(pictures) == {own[-1], *training.latents}
    assert pictures[own[-1]] == {training.batch}


def test_a_killed_training_at_several_sizes_resumes_to_the_same_bits(tmp_path):
    whole, first, second, other = told_size(), told_size(), told_size(5), told_size()
    curve = fit(whole, "ground_truth", SIZES, others=OTHERS)
    with pytest.raises(Killed):
        fit(first, "ground_truth", SIZES, KilledKeeper(tmp_path), others=OTHERS)
    assert fit(second, "ground_truth", SIZES, Keeper(tmp_path), others=OTHERS) == curve
    assert same_state(whole, second) and not same_state(whole, first)
    fit(other, "ground_truth", SIZES, seed=4, others=OTHERS)
    assert not same_state(whole, other)


def test_pictures_of_other_sizes_than_the_training_names_are_refused():
    for training, others in ((SIZES, None), (SIZES, {(8, 8): OTHERS[8, 8]}), (SHORT, OTHERS)):
        with pytest.raises(VarbookError, match="needs pictures of just those"):
            fit(told_size(), "ground_truth", training, others=others)
    with pytest.raises(VarbookError, match="own_size is a finite number"):
        fit(told_size(), "ground_truth", replace(SIZES, own_size=1.5), others=OTHERS)


def test_pictures_of_another_size_are_learnt_and_the_own_size_is_kept():
    model, tokenizer = told_size(), tiny_tokenizer("ground_truth")
    schedules = {(4, 4): SCHEDULE, (8, 8): (*SCHEDULE, (6, 6), (8, 8))}
    sets = {(4, 4): (FEATURES, LABELS), **OTHERS}

    def losses() -> dict:
        return {
            size: score_next_scale(model, tokenizer, *sets[size], schedule)["loss"]
            for size, schedule in schedules.items()
        }

    before = losses()
    fit(model, "ground_truth", replace(SIZES, steps=120, batch=8, lr=3e-3), others=OTHERS)
    after = losses()
    assert all(after[size] < 0.95 * before[size] for size in schedules)
