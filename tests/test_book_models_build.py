"""Every model of the book is one function of (task, profile): its key is known at once, it is
trained once and found again.
"""

from dataclasses import replace

import pytest
import torch
from tiny import same_state

from varbook import paths
from varbook.book.models import build, sources, trained
from varbook.book.models.profiles import PROFILES
from varbook.book.models.sources import Folders
from varbook.book.models.tasks import NIGHT, PHOTOGRAPHS, SMALL, STREETS, TASKS, TOY
from varbook.errors import VarbookError
from varbook.generate.rival_sampling import draw_diffusion, draw_masked, draw_raster
from varbook.train import store
from varbook.transformer.model import NextScaleModel
from varbook.translate.apply import translate_all
from varbook.translate.rival_translators import METHODS

PYRAMIDS = ("residual", "ground_truth", "single")
DRAW = {"raster": draw_raster, "masked": draw_masked, "diffusion": draw_diffusion}


def test_a_key_is_known_before_anything_is_rendered_built_or_loaded(smoke, monkeypatch):
    for module, name in ((sources, "toy_images"), (store, "load_tensors")):
        monkeypatch.setattr(module, name, lambda *_, **__: pytest.fail("too early"))
    monkeypatch.setattr(torch, "manual_seed", lambda _: pytest.fail("too early"))
    made = [
        *(build.tokenizer(TOY, smoke, pyramid) for pyramid in PYRAMIDS),
        *(build.next_scale(TOY, smoke, "ground_truth", depth=depth) for depth in (1, 2)),
        *(build.translator(TOY, smoke, seed=seed) for seed in (0, 1)),
        *(build.judge(task, smoke) for task in (TOY, SMALL, NIGHT)),
        *(build.generator_rival(TOY, smoke, name) for name in DRAW),
    ]
    assert len({one.key for one in made}) == len(made) - 1  # the judges of TOY and SMALL are one


def test_a_chain_is_trained_from_its_parents_and_leaves_them_as_they_are(smoke):
    made = build.translator(TOY, smoke)
    model, run, (parent,) = made
    assert run.record["settings"]["model"] == parent.key == parent.run.key
    assert parent.run.record["settings"]["tokenizer"] == parent.parents[0].key
    assert [one.name for one in made.runs] == [
        run.name,
        parent.run.name,
        parent.parents[0].run.name,
    ]
    assert same_state(parent.model, build.next_scale(TOY, smoke).model)
    assert not same_state(parent.model, model.model) and not model.training


def test_a_tokenizer_may_begin_with_another_ones_weights(smoke):
    start = build.tokenizer(TOY, smoke)
    still = replace(smoke.chains["toy"].tokenizer_training, steps=0)
    chain = replace(smoke.chains["toy"], tokenizer_training=still)
    frozen = replace(smoke, chains=smoke.chains | {"toy": chain})
    made = build.tokenizer(TOY, frozen, start=start)
    assert made.key != build.tokenizer(TOY, frozen).key and made.parents == (start,)
    assert same_state(made.model, start.model)


@pytest.mark.parametrize("method", METHODS)
def test_a_rival_in_pixels_translates_both_ways(smoke, method):
    made, again = build.translator(SMALL, smoke, method), build.translator(SMALL, smoke, method)
    assert (made.run.source, again.run.source) == ("trained", "found")
    assert same_state(made.model, again.model) and not made.model.training
    horses = SMALL.domain(smoke, "horse", held_out=True).images[:3]
    ways = [translate_all(made.model, horses, label, batch=2) for label in SMALL.targets]
    assert ways[0].shape == horses.shape and ways[0].abs().max() <= 1
    assert not torch.equal(*ways)


@pytest.mark.parametrize("method", DRAW)
def test_a_rival_generator_has_the_size_of_the_models_and_draws(smoke, method):
    made, again = (build.generator_rival(TOY, smoke, method) for _ in range(2))
    assert (made.run.source, again.run.source) == ("trained", "found")
    assert same_state(made.model, again.model)
    drawn = DRAW[method](
        made.model,
        made.parents[0].model,
        torch.tensor([0, 1, 2]),
        generator=torch.Generator().manual_seed(0),
    )
    assert drawn.images.shape == (3, 3, smoke.image_size, smoke.image_size)
    assert torch.isfinite(drawn.images).all()
    own = NextScaleModel(smoke.chains["toy"].model)
    sizes = [sum(p.numel() for p in model.parameters()) for model in (made.model, own)]
    assert 0.8 < sizes[0] / sizes[1] < 1.2


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda p: build.translator(TOY, p, "pix2pix"), "no translator 'pix2pix'"),
        (lambda p: build.translator(NIGHT, p, "cut"), "are prompts"),
        (lambda p: build.translator(TOY, p, "published"), "names no published model"),
        (lambda p: build.generator_rival(NIGHT, p, "raster"), "whose domains are classes"),
        (lambda p: build.tokenizer(TOY, p, "wavelet").model, "no pyramid named 'wavelet'"),
        (lambda p: build.judge(PHOTOGRAPHS, p), "has no judge of its own"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(smoke, ask, says):
    with pytest.raises(VarbookError, match=says):
        ask(smoke)


@pytest.mark.parametrize("task", [PHOTOGRAPHS, STREETS])
def test_missing_photographs_are_said_in_one_sentence(smoke, task):
    missing = replace(task, pictures=Folders("nowhere"))
    for method in ("cyclevar", "published"):
        with pytest.raises(VarbookError, match="The photographs of nowhere are not there"):
            build.translator(missing, smoke, method)


def test_a_task_judged_by_attributes_has_a_judge_of_them(smoke):
    judge, run, _ = build.judge(NIGHT, smoke)
    images = NIGHT.domain(smoke, "day", held_out=True).images[:2]
    assert run.source == "trained"
    assert set(judge(images / 127.5 - 1)) == {"animal", "coat", "time", "style"}


def test_what_was_trained_with_other_networks_than_the_book_s_has_another_key(smoke, monkeypatch):
    monkeypatch.setattr(paths, "weights_file", lambda name: None)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: "/nowhere")
    without = build.tokenizer(TOY, smoke)
    assert without.run.record["settings"]["perceptual"] == "lpips-random"
    assert trained.network_settings(0.5, "patch+features") == {
        "perceptual": "lpips-random",
        "critic_features": "random",
    }
    assert trained.network_settings(0.0, "patch") == {}
    monkeypatch.setattr(trained, "best_at_hand", lambda: "squeezenet")
    assert build.tokenizer(TOY, smoke).key != without.key


def test_every_name_of_the_command_line_is_one_model_of_one_task(smoke):
    models = build.models_of(TASKS.values())
    assert {"toy-judge", "toy-tokenizer", "toy-tokenizer-ground-truth", "toy-flexvar"} < set(models)
    assert {"photo-cyclevar", "bit-tokenizer", "attribute-judge", "text-var"} < set(models)
    assert {"text-cyclevar-flat", "driving-cyclevar", "published-infinity"} < set(models)
    assert models["toy-flexvar"](smoke).key == build.next_scale(TOY, smoke, "ground_truth").key
    names = [one for one in models if one.startswith(("toy", "text", "bit", "attribute"))]
    assert len({models[name](smoke).key for name in names}) == len(names)


def test_the_rows_of_flexvar_s_tables_have_equal_budgets_and_the_main_depth_is_among_the_depths():
    for settings in PROFILES.values():
        toy = settings.chains["toy"]
        assert settings.ground_truth_steps == toy.tokenizer_training.steps
        main = TASKS[settings.generation].chain_of(settings).model.depth
        assert main in settings.flex_depths and len(settings.flex_depths) > 1
        assert set(settings.rivals.generators) == set(DRAW)
