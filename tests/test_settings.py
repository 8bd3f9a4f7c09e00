"""Settings out of range get one sentence from every function that takes them, never a fault of
torch, Python or the operating system.
"""

import math
from dataclasses import replace

import pytest
import torch
from tiny import MODEL, SCHEDULE, TOKENIZER, pictures, tiny_cyclevar, tiny_model, tiny_tokenizer

from varbook.book.models.profiles import PROFILES, profile
from varbook.data.images import to_uint8
from varbook.data.toy import toy_images
from varbook.errors import VarbookError
from varbook.evaluate.generation import detail, spectrum
from varbook.evaluate.translation import silhouette_iou
from varbook.evaluate.usage import usage
from varbook.generate.editing import extend, inpaint, outpaint, refine
from varbook.generate.loop import generate
from varbook.generate.sampling import Drawing, sample_tokens
from varbook.pretrained.catalogue import PUBLISHED
from varbook.tokenizer.schedule import (
    make_schedule,
    sample_scales,
    sample_schedule,
    schedule_for,
)
from varbook.tokenizer.tokenizer import Tokenizer, TokenizerConfig, check_config
from varbook.transformer.checks import check_model
from varbook.transformer.model import NextScaleModel
from varbook.transformer.words import WordEncoder
from varbook.translate.any_size import translate_sizes, working_size
from varbook.translate.apply import render_all, translate_all
from varbook.translate.cyclevar import CycleVAR, CycleVARConfig
from varbook.translate.relaxation import relax, relax_bits
from varbook.translate.tiles import places

NO_NUMBERS = (math.nan, math.inf, "2", None, True)


def refused(call, *arguments, **settings) -> str:
    """The one sentence with which a call is refused."""
    with pytest.raises(VarbookError) as told:
        call(*arguments, **settings)
    assert "\n" not in str(told.value)
    return str(told.value)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("temperature", (0, -1, 1e-157, *NO_NUMBERS)),
        ("top_k", (-1, 2.5, *NO_NUMBERS)),
        ("top_p", (-0.1, 1.5, 90, *NO_NUMBERS)),
    ],
)
def test_how_codes_are_drawn(name, values):
    for value in values:
        said = refused(sample_tokens, torch.zeros(2, 5), **{name: value})
        assert said == refused(Drawing, **{name: value})  # one place answers for all


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("guidance", NO_NUMBERS),
        ("ramp_to", (-1, 2.5, math.nan, "2")),
        ("greedy_above", (-1, 2.5, math.nan, "2")),
    ],
)
def test_how_a_scale_is_drawn(name, values):
    for value in values:
        refused(Drawing, **{name: value})


@pytest.mark.parametrize(
    "labels",
    [
        3,
        [0, 1],
        None,
        torch.tensor([0.0, 1.0]),
        torch.tensor([[0, 1]]),
        torch.tensor(1),
        torch.tensor([True]),
        torch.tensor([], dtype=torch.long),
        torch.tensor([-1]),
        torch.tensor([9]),
    ],
)
def test_labels_of_every_wrong_kind(labels):
    refused(generate, tiny_model(), tiny_tokenizer(), labels)
    image = pictures(1, 16, 16)
    refused(tiny_cyclevar(), image, labels)


def test_as_many_labels_as_images():
    model, tokenizer = tiny_model("ground_truth"), tiny_tokenizer("ground_truth")
    image = pictures(2, 16, 16)
    mask = torch.zeros(16, 16, dtype=torch.bool)
    mask[:8] = True
    for labels in (torch.tensor([0]), torch.tensor([0, 1, 2])):
        assert "a label for each image" in refused(inpaint, model, tokenizer, image, mask, labels)
        refused(extend, model, tokenizer, image, (16, 32), labels)
        refused(refine, model, tokenizer, image, (32, 32), labels)
    for size in (None, 3.5, (16,), "large", (0, 4)):
        refused(extend, model, tokenizer, image, size, torch.tensor([0, 1]))
        refused(refine, model, tokenizer, image, size, torch.tensor([0, 1]))


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
def test_weights_in_half_precision(half):
    labels = torch.tensor([0])
    assert ".float()" in refused(generate, tiny_model().to(half), tiny_tokenizer(), labels)
    assert "Tokenizer" in refused(generate, tiny_model(), tiny_tokenizer().to(half), labels)


@pytest.mark.parametrize(
    "latent", [(0, 0), (4, 0), (-1, 4), (2.5, 4), ("a", 4), (4,), (4, 4, 4), 4, None]
)
def test_sizes_of_a_latent(latent):
    generator = torch.Generator()
    refused(make_schedule, latent, 1)
    refused(schedule_for, SCHEDULE, latent)
    refused(sample_schedule, latent, 4, generator=generator)
    refused(sample_scales, latent, 2, generator=generator)


def test_schedules_and_steps():
    generator = torch.Generator()
    for trained in ((), ((0, 0),), ((2, 2), (1, 1)), (1, 2), None, ((1, 1), (2.5, 3))):
        refused(schedule_for, trained, (4, 4))
    for steps in (0, -1, 99):
        refused(make_schedule, (4, 4), steps)
    for settings in (
        {"max_steps": 0},
        {"drop": 2.0},
        {"drop": math.nan},
        {"max_drops": -1},
        {"budget": "2"},
    ):
        refused(sample_schedule, (4, 4), **{"max_steps": 4} | settings, generator=generator)
    refused(sample_scales, (4, 4), 0, generator=generator)


@pytest.mark.parametrize(
    "change",
    [
        {"schedule": ()},
        {"schedule": ((0, 1),)},
        {"vocab_size": 0},
        {"code_dim": 0},
        {"channels": ()},
        {"channels": (12, 16)},
        {"channels": (0,)},
        {"channels": 8},
        {"patch": 0},
        {"blocks": -1},
        {"beta": math.nan},
        {"beta": -1.0},
        {"quant_kernel": 2},
        {"quant_kernel": -1},
        {"feature_channels": -1},
        {"full_channels": -8},
        {"autoencoder": "vqgan", "patch": 1, "line": False, "channels": (16, 32)},
        {"autoencoder": "other"},
        {"codes_kind": "other"},
        {"pyramid": "other"},
    ],
)
def test_configurations_of_a_tokenizer(change):
    refused(Tokenizer, replace(TOKENIZER, **change))


@pytest.mark.parametrize(
    "change",
    [
        {"schedule": ()},
        {"vocab_size": 0},
        {"classes": -1},
        {"depth": 0},
        {"heads": 0},
        {"heads": 3},
        {"width": 0},
        {"width": 2, "heads": 1},
        {"code_dim": 0},
        {"bits": -1},
    ],
)
def test_configurations_of_a_next_scale_model(change):
    refused(NextScaleModel, replace(MODEL, **change))


def test_every_published_and_every_profile_s_configuration_is_one():
    configs = [entry.config for entry in PUBLISHED.values()]
    for name in PROFILES:
        chains = profile(name).chains.values()
        configs += [part for chain in chains for part in (chain.tokenizer, chain.model)]
    for config in configs:
        (check_config if isinstance(config, TokenizerConfig) else check_model)(config)
    assert len(configs) > 20


@pytest.mark.parametrize(
    "change",
    [
        {"alpha": -0.1},
        {"alpha": 1.1},
        {"alpha": math.nan},
        {"temperature": 0},
        {"temperature": -1},
        {"temperature": math.inf},
        {"relaxation": "hard"},
        {"mode": "both"},
        {"context": "none"},
        {"fusion": "none"},
    ],
)
def test_configurations_of_a_translator(change):
    refused(CycleVAR, tiny_tokenizer(), tiny_model(), CycleVARConfig(**change))


def test_no_prompt():
    refused(WordEncoder(("a",), 32, 4).ids, [])


def test_images_and_batches():
    cyclevar = tiny_cyclevar()
    images = to_uint8(pictures(2, 16, 16))
    for batch in (0, -1, 2.5, None):
        refused(translate_all, cyclevar, images, 1, batch)
        refused(render_all, tiny_tokenizer(), images, batch)
        refused(lambda batch=batch: list(translate_sizes(lambda x: x, images, 16, batch=batch)))
    for none in (images[:0], images[0], images[:, :1], [], None):
        refused(translate_all, cyclevar, none, 1)
    for target in (-1, 99, 1.5, None, True):
        refused(translate_all, cyclevar, images, target)
    refused(cyclevar, pictures(0, 16, 16), torch.tensor([], dtype=torch.long))
    refused(cyclevar, pictures(3, 16, 16), torch.tensor([0, 1]))
    refused(lambda: list(translate_sizes(lambda x: x, images, 16, large="tiles", short_side=0)))


@pytest.mark.parametrize("logits", [torch.tensor(1.0), torch.zeros(2, 0), torch.zeros(0, 4)])
def test_logits_that_hold_nothing(logits):
    assert "nothing to draw from" in refused(sample_tokens, logits)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_logits_that_are_no_numbers(value):
    assert "not numbers" in refused(sample_tokens, torch.tensor([[0.0, value, 1.0]]))
    steep = Drawing(guidance=1e38)  # finite, and too much for float32
    refused(generate, tiny_model(), tiny_tokenizer(), torch.tensor([0]), None, steep)


def test_one_row_of_logits_gives_one_token():
    row = torch.tensor([0.0, 9e3, 0.0])
    assert sample_tokens(row).shape == () and sample_tokens(row) == 1 == sample_tokens(row, top_k=1)


@pytest.mark.parametrize(
    ("logits", "vectors"), [((), (4, 3)), ((2, 5), (4, 3)), ((2, 4), (4,)), ((2, 0), (0, 3))]
)
@pytest.mark.parametrize("method", ["argmax", "softmax"])
def test_logits_and_vectors_that_do_not_belong_together(logits, vectors, method):
    refused(relax, torch.zeros(logits), torch.zeros(vectors), method)
    refused(relax_bits, torch.zeros(3) if logits else torch.tensor(1.0), method)


@pytest.mark.parametrize("temperature", [0, -1, 1e-30, *NO_NUMBERS])
def test_temperatures_of_a_relaxation(temperature):
    said = refused(relax, torch.zeros(2, 4), torch.zeros(4, 3), temperature=temperature)
    assert said == refused(relax_bits, torch.zeros(2, 4), temperature=temperature)
    config = CycleVARConfig(temperature=temperature)
    assert said == refused(CycleVAR, tiny_tokenizer(), tiny_model(), config)


NO_IMAGES = (
    None,
    torch.zeros(3, 16, 16),
    torch.zeros(0, 3, 16, 16),
    torch.zeros(1, 3, 0, 16),
    torch.zeros(1, 1, 16, 16),
    torch.zeros(1, 3, 16, 16, dtype=torch.uint8),
    torch.full((1, 3, 16, 16), math.nan),
    torch.full((1, 3, 16, 16), 255.0),
)


@pytest.mark.parametrize("image", NO_IMAGES)
def test_images_that_are_edited(image):
    parts = tiny_model("ground_truth"), tiny_tokenizer("ground_truth")
    mask = torch.zeros(16, 16, dtype=torch.bool)
    mask[:8] = True
    label = torch.tensor([0])
    for edit, more in ((inpaint, mask), (outpaint, mask), (extend, (16, 32)), (refine, (32, 32))):
        refused(edit, *parts, image, more, label)


@pytest.mark.parametrize("mask", [None, True, "left", [[True]], torch.zeros(3, 3)])
def test_masks_of_every_wrong_kind(mask):
    parts = tiny_model("ground_truth"), tiny_tokenizer("ground_truth"), pictures(1, 16, 16)
    refused(inpaint, *parts, mask, torch.tensor([0]))
    refused(outpaint, *parts, mask, torch.tensor([0]))


@pytest.mark.parametrize("kind", [torch.uint8, torch.float64, torch.float16, torch.long])
def test_images_of_another_precision_than_the_tokenizer(kind):
    image = pictures(1, 16, 16).to(kind)
    assert "to_float" in refused(tiny_tokenizer().encode, image)
    refused(tiny_cyclevar(), image, torch.tensor([0]))


@pytest.mark.parametrize("odd", [None, "8", 2.5, 0, -1, math.nan])
def test_sides_of_tiles(odd):
    for arguments in ((odd, 8, 4, 1), (8, odd, 4, 1), (8, 8, odd, 1)):
        refused(places, *arguments)
    refused(places, 8, 8, 4, odd if odd != 0 else 4)
    refused(working_size, (8, 8), odd, "tiles")
    refused(working_size, (8, odd), 8, "tiles")


@pytest.mark.parametrize(
    "image",
    [
        None,
        torch.zeros(3, 8, 8),
        *(torch.zeros(s, dtype=torch.uint8) for s in ((8, 8), (1, 8, 8), (3, 0, 8))),
    ],
)
def test_images_of_any_size(image):
    refused(lambda: list(translate_sizes(lambda x: x.float(), [image], 8)))


def test_what_measures_cannot_take():
    refused(spectrum, pictures(1, 8, 12))
    refused(detail, pictures(1, 1, 8))
    refused(detail, torch.zeros(1, 3, 0, 8))
    refused(silhouette_iou, torch.zeros(4, 4) > 0, torch.zeros(4, 4) > 0)
    refused(silhouette_iou, torch.zeros(1, 4, 4), torch.zeros(1, 4, 4))
    for size in (None, 0, 2.5, "9"):
        refused(usage, torch.zeros(2, 2).long(), size)


@pytest.mark.parametrize("weight", [None, "", "2", (), math.nan, math.inf, -1.0])
def test_weights_of_species(weight):
    refused(toy_images, 1, 16, seed=0, weights={"horse": weight})
