"""CycleVAR from a published VAR, on a small synthetic checkpoint: it loads, translates, and trains
with the paper's settings.
"""

from dataclasses import replace

import pytest
import torch
from golden_weights import golden, golden_state
from small_published import CONFIGS
from tiny import CPU, same_state

from varbook.book.models import build, published
from varbook.book.models.profiles import profile
from varbook.book.models.sources import Folders
from varbook.book.models.tasks import PHOTOGRAPHS, Published
from varbook.data.images import save_image, to_uint8
from varbook.errors import VarbookError
from varbook.pretrained import load as loading
from varbook.pretrained.catalogue import PUBLISHED
from varbook.pretrained.published_cyclevar import (
    PUBLISHED_LABELS,
    PUBLISHED_TRAINING,
    published_cyclevar,
)
from varbook.train.fit_cyclevar import fit_cyclevar
from varbook.train.steps import learning_rate


@pytest.fixture
def paths(tmp_path, monkeypatch):
    """Make VAR-d16 and its tokenizer small, and return the two files in the published layout."""
    files = []
    for name in ("var-d16", "var-tokenizer"):
        files.append(tmp_path / PUBLISHED[name].file)
        torch.save(golden_state(name), files[-1])
        monkeypatch.setitem(loading.PUBLISHED, name, replace(PUBLISHED[name], config=CONFIGS[name]))
    return files


def made(paths, **settings):
    return published_cyclevar("var-d16", *paths, say=str, **settings)


@torch.no_grad()
def test_it_translates_with_the_paper_s_defaults(paths):
    cyclevar, image = made(paths).eval(), golden("var")["image"]
    assert (cyclevar.config.mode, cyclevar.config.temperature, cyclevar.config.noise) == (
        "parallel",
        2.0,
        False,
    )
    horse, zebra = (cyclevar(image, torch.full((2,), label)) for label in (3, 4))
    assert horse.shape == image.shape and not torch.allclose(horse, zebra, atol=1e-3)
    assert not any(parameter.requires_grad for parameter in cyclevar.tokenizer.parameters())


def test_the_settings_are_those_of_cyclegan_turbo():
    t = PUBLISHED_TRAINING
    assert (t.cycle_l1, t.cycle_perceptual, t.identity_l1, t.identity_perceptual, t.gan) == (
        1,
        10,
        1,
        1,
        0.5,
    )
    assert (t.lr, t.warmup, t.weight_decay, t.clip, t.steps) == (1e-5, 500, 1e-2, 10, 25_000)
    assert (
        t.cycle_noise,
        t.keep_l1,
        t.discriminator_whole,
        t.discriminator_on_reconstructions,
        t.average,
        t.identity_steps,
    ) == (0,) * 6
    assert (t.discriminator, t.betas, t.discriminator_lr) == ("clip", (0.9, 0.999), 1e-5)
    rates = [
        learning_rate(step, t.steps, t.warmup, t.hold) for step in (0, 249, 499, 12_000, 24_999)
    ]
    assert rates == pytest.approx([1 / 500, 0.5, 1, 1, 1])
    assert PUBLISHED_LABELS == (339, 340)


def test_fine_tuning_changes_the_model_alone(paths):
    cyclevar, before = made(paths), made(paths)
    images = to_uint8(golden("var")["image"])
    training = replace(PUBLISHED_TRAINING, steps=2, batch=1, warmup=1, discriminator="random")
    curve = fit_cyclevar(cyclevar, (images[:1], images[1:]), (3, 4), training, seed=0, device=CPU)
    assert {"step", "loss", "cycle", "identity", "gan", "critic"} == curve[
        -1
    ].keys()  # no loss of ours among them
    assert same_state(cyclevar.tokenizer, before.tokenizer) and not same_state(
        cyclevar.model, before.model
    )


def test_the_paper_s_fine_tuning_is_one_call_of_the_book(paths, monkeypatch, tmp_path):
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VARBOOK_DEVICE", "cpu")
    small = replace(PUBLISHED_TRAINING, steps=1, batch=1, discriminator="patch", augment=())
    monkeypatch.setattr(published, "PUBLISHED_TRAINING", small)
    images = to_uint8(torch.nn.functional.interpolate(golden("var")["image"], size=64))
    # Test pictures are other ones: what is in a training folder, too, is not measured on.
    images = torch.cat((images, images.flip(-1)))
    files = {
        part: [save_image(image, tmp_path / f"{part}.png")]
        for part, image in zip(("trainA", "trainB", "testA", "testB"), images, strict=True)
    }
    task = replace(  # the small model has ten classes
        PHOTOGRAPHS,
        pictures=Folders("own", files),
        published=Published("var-d16", (3, 4)),
    )
    smoke = profile("smoke")
    made, again = (build.translator(task, smoke, "published", files=paths) for _ in range(2))
    assert made.run.source == "trained" and again.run.source == "found"
    assert made.run.record["settings"]["model"].startswith("var-d16 ")
    assert made.run.record["task"]["domains"] == [["horse", 0], ["zebra", 1]]
    assert made.model.model.config.classes == 2
    assert made.key == again.key and same_state(made.model.model, again.model.model)

    def other_codes(*arguments, **settings):
        cyclevar = published_cyclevar(*arguments, **settings)
        next(cyclevar.tokenizer.parameters()).data.add_(1.0)
        return cyclevar

    monkeypatch.setattr(published, "published_cyclevar", other_codes)
    assert build.translator(task, smoke, "published", files=paths).key != made.key


def test_a_model_of_some_classes_draws_them_as_the_whole_one_does(paths):
    whole, some = made(paths).eval(), made(paths, classes=(3, 4)).eval()
    image = golden("var")["image"]
    for ours, theirs in ((0, 3), (1, 4)):
        labels = torch.full((2,), ours), torch.full((2,), theirs)
        torch.testing.assert_close(some(image, labels[0]), whole(image, labels[1]))
    nothing = [model.model.no_condition(torch.tensor([0])) for model in (some, whole)]
    assert [label.item() for label in nothing] == [2, 10]


def test_a_model_that_predicts_no_residuals_is_refused():
    with pytest.raises(VarbookError, match="which flexvar-d16 does not predict; use var-d16"):
        published_cyclevar("flexvar-d16")
