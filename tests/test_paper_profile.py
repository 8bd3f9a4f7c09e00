"""The paper profile: its numbers are the papers', and its chain runs, smaller, from the pictures as
they are published to a sheet of samples.
"""

import json
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import CPU, Killed, KilledKeeper, same_state, tiny_cyclevar, tiny_judge

from varbook import paths
from varbook.book.experiments import imagenet
from varbook.book.models import build, judges, published
from varbook.book.models.profiles import PROFILES, profile
from varbook.book.models.profiles.fields import Profile
from varbook.book.models.tasks import IMAGENET, PHOTOGRAPHS, TASKS
from varbook.data.shards import Crops
from varbook.errors import VarbookError
from varbook.evaluate.reference import score
from varbook.features import mobilenet
from varbook.generate.sampling import Drawing
from varbook.pretrained import start
from varbook.pretrained.catalogue import PUBLISHED
from varbook.tokenizer.schedule import VAR_256, square
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.train.encoded import encoded
from varbook.train.fit_next_scale import fit_next_scale
from varbook.train.keeper import Keeper
from varbook.transformer.model import NextScaleModel, flexvar, of_depth

sys.path.insert(0, str(paths.repository() / "data_scripts"))
import make_shards  # noqa: E402
import prepare_imagenet  # noqa: E402
import prepare_openimages  # noqa: E402

PAPER = profile("paper")
CHAIN = PAPER.chains["imagenet"]


# --- its numbers


@pytest.mark.parametrize(
    ("section", "ours", "papers"),
    [
        ("FlexVAR 4.1, pixels", CHAIN.image_size, 256),
        ("FlexVAR 4.1, codes", (CHAIN.tokenizer.vocab_size, CHAIN.tokenizer.code_dim), (8912, 32)),
        ("FlexVAR 4.1, epochs", round(CHAIN.tokenizer_training.steps * 128 / 1_743_042, 2), 20),
        ("FlexVAR 4.1, batch", CHAIN.tokenizer_training.batch, 128),
        ("FlexVAR 4.1, rate", CHAIN.tokenizer_training.lr, 1e-4),
        ("FlexVAR 4.1, constant", CHAIN.tokenizer_training.hold, 1.0),
        ("FlexVAR 4.1, decay", CHAIN.tokenizer_training.weight_decay, 0.05),
        ("FlexVAR 4.1, K", CHAIN.tokenizer_training.random_scales, 5),
        ("FlexVAR 4.1, start", CHAIN.tokenizer_training.start, "llamagen-vq16"),
        ("FlexVAR 3.3, any scale", CHAIN.tokenizer_training.smallest_scale, True),
        ("FlexVAR eq. 5, every scale", CHAIN.tokenizer_training.gan_every_scale, True),
        ("FlexVAR 3.4, schedule", CHAIN.model.schedule, VAR_256),
        ("FlexVAR 3.4, steps", CHAIN.model_training.max_steps, 10),
        ("FlexVAR 3.4, drop", CHAIN.model_training.step_drop, 0.05),
        ("FlexVAR 3.4, drops", CHAIN.model_training.max_drops, 4),
        ("FlexVAR 3.4, no budget", CHAIN.model_training.token_budget, 0),
        ("FlexVAR 4.1, rate", CHAIN.model_training.lr, 1e-4),
        ("FlexVAR 4.1, decay", CHAIN.model_training.weight_decay, 0.05),
        ("FlexVAR table 1, epochs", round(CHAIN.model_training.steps * 768 / 1_281_167, 2), 180),
        ("FlexVAR 4.3, iterations", PAPER.ablation.steps, 70_000),
        ("FlexVAR 4.3, d20", (PAPER.ablation.depth, PAPER.ablation.width), (20, 1280)),
        ("CycleVAR 4.1, pixels", PAPER.chains["photographs"].image_size, 256),
        ("CycleVAR 4.1, crops", PHOTOGRAPHS.pictures.margin, 286 / 256),
        ("CycleVAR 4.1, start", PHOTOGRAPHS.published.checkpoint, "var-d16"),
        ("CycleVAR 4.1, streets", TASKS["streets"].published.checkpoint, "infinity-2b-512"),
        ("CycleVAR 4.1, CLIP", PAPER.chains["photographs"].cyclevar_training.discriminator, "clip"),
        ("CycleVAR 4.1, constant", PAPER.chains["photographs"].cyclevar_training.hold, 1.0),
        ("CycleVAR 3, temperature", PHOTOGRAPHS.config.temperature, 2.0),
    ],
)
def test_the_numbers_are_the_papers(section, ours, papers):
    assert ours == papers, section


@pytest.mark.parametrize(("depth", "width"), [(16, 1024), (20, 1280), (24, 1536)])
def test_depths_have_the_widths_and_heads_of_flexvar_table_1(depth, width):
    config = of_depth(CHAIN.model, depth)
    assert (config.depth, config.width, config.heads) == (depth, width, depth)


def test_the_autoencoder_is_llamagen_s():
    ours, theirs = CHAIN.tokenizer, PUBLISHED["llamagen-vq16"].config
    names = ("channels", "patch", "blocks", "line", "autoencoder", "feature_channels")
    assert [getattr(ours, name) for name in names] == [getattr(theirs, name) for name in names]


def test_the_class_conditional_models_are_imagenet_s_and_other_profiles_have_no_sizes_for_it():
    assert [profile(name).generation for name in ("smoke", "laptop", "gpu", "paper")] == [
        *["toy"] * 3,
        "imagenet",
    ]
    with pytest.raises(VarbookError, match="no sizes for the task imagenet: use the profile paper"):
        build.tokenizer(IMAGENET, profile("laptop"))


# --- from the pictures to the figure

SIDE = 64


def photographs(folder, count: int, suffix: str = ".jpg") -> None:
    """Write `count` photographs of noise, wider than high."""
    folder.mkdir(parents=True)
    for number in range(count):
        Image.effect_noise((110, 80), 90).convert("RGB").save(
            folder / f"{folder.name}_{number}{suffix}", "JPEG"
        )


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """ImageNet and OpenImages, small, through the scripts: as published, prepared, in shards."""
    place = tmp_path_factory.mktemp("data")
    for name in ("n01", "n02", "n03"):
        photographs(place / "ILSVRC" / "train" / name, 4, ".JPEG")
        photographs(place / "ILSVRC" / "val" / name, 20, ".JPEG")
    photographs(place / "original", 8)
    side = ("--side", str(round(1.125 * SIDE)))
    jobs = [
        (prepare_imagenet, "ILSVRC", "imagenet", side),
        (prepare_openimages, "original", "openimages", side),
        (make_shards, "imagenet/train", "imagenet-shards/train", ("--images", "5")),
        (make_shards, "imagenet/val", "imagenet-shards/val", ()),
        (make_shards, "openimages/train", "openimages-shards/train", ()),
    ]
    for script, source, target, options in jobs:
        assert (
            script.main(["--from", str(place / source), "--to", str(place / target), *options]) == 0
        )
    return place


@pytest.fixture
def paper(data, tmp_path, monkeypatch):
    """The paper profile with smaller sizes and fewer steps, and nothing else changed."""
    monkeypatch.setenv("VARBOOK_DATA", str(data))
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path))
    size = {"schedule": square(1, 2, 3, 4), "vocab_size": 32, "code_dim": 8}
    chain = replace(
        CHAIN,
        image_size=SIDE,
        tokenizer=replace(
            CHAIN.tokenizer, channels=(32, 32, 32, 32, 64), feature_channels=32, blocks=1, **size
        ),
        tokenizer_training=replace(
            CHAIN.tokenizer_training,
            steps=2,
            batch=2,
            random_scales=3,
            discriminator_channels=(8, 8),
        ),
        model=replace(CHAIN.model, depth=1, width=64, heads=1, **size),
        model_training=replace(CHAIN.model_training, steps=3, batch=2, max_steps=4),
    )
    llamagen = replace(chain.tokenizer, code_dim=4)
    monkeypatch.setattr(start, "load", lambda name, path, say: Tokenizer(llamagen))
    return replace(PAPER, chains=PAPER.chains | {"imagenet": chain})


class SmallMobileNet(torch.nn.Module):
    """Colours of 2 x 2 places in place of MobileNetV2's features, and scores of its classes."""

    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(12, 1001)

    def forward(self, x):
        return torch.nn.functional.adaptive_avg_pool2d(x, 2).flatten(1)  # B 12

    def logits(self, x):
        return self.fc(self(x))  # B 1001


@pytest.fixture
def chapters(paper, tmp_path, monkeypatch):
    """The same profile as the notebooks find it: few pictures held out, three classes, and a
    judge without weights.
    """
    settings = replace(paper, held_out=12, use_photographs=False)
    monkeypatch.setattr(Profile, "live_steps", lambda profile, steps: min(steps, 6))
    monkeypatch.setitem(PROFILES, "paper", settings)
    shown = {name: number % 3 for number, name in enumerate(IMAGENET.shown)}
    monkeypatch.setitem(TASKS, "imagenet", replace(IMAGENET, shown=shown))
    monkeypatch.setattr(judges, "choose_features", lambda: "mobilenet")
    monkeypatch.setattr(judges, "load_mobilenet", SmallMobileNet)
    monkeypatch.setattr(mobilenet, "load_mobilenet", SmallMobileNet)
    monkeypatch.setenv("VARBOOK_PROFILE", "paper")
    monkeypatch.setenv("VARBOOK_FIGURES", str(tmp_path / "figures"))


def test_from_the_published_pictures_to_scored_samples_and_a_sheet(paper, tmp_path, monkeypatch):
    task = TASKS[paper.generation]
    made = imagenet.samples(paper, images=12)
    assert made.sampling.drawing == Drawing(guidance=2.5, top_k=900, top_p=0.95)  # FlexVAR table 2
    flex, (tokenizer,) = made.model, made.model.parents
    images = made.draw(batch=6)
    assert tokenizer.run.source == flex.run.source == "trained" and len(images) == 12
    assert tokenizer.run.record["settings"]["images"] == 8  # OpenImages'
    openimages, of_imagenet = (run.record["settings"]["data"] for run in (tokenizer.run, flex.run))
    assert of_imagenet == task.pictures.shards().identity[:12] != openimages
    figure = imagenet.sheet_of(paper, images, columns=3)
    assert figure.width > 3 * SIDE and figure.height > 2 * SIDE
    held = task.pictures.shards("val").middle(torch.arange(6).repeat(2), SIDE)
    np.savez(tmp_path / "reference.npz", arr_0=held.permute(0, 2, 3, 1).numpy())
    judge = tiny_judge()
    monkeypatch.setattr(
        imagenet, "score", lambda *sets, describe: score(*sets, judge, describe=describe)
    )
    scores = made.measure(images, tmp_path / "reference.npz")
    assert scores["frechet"]["name"] == "FD-toy"  # named after the features, never FID without them
    again = build.next_scale(task, paper, "ground_truth")
    assert again.run.source == "found" and again.key == flex.key
    assert build.next_scale(task, paper, "ground_truth", depth=2).key != flex.key


def test_the_code_of_chapter_03_runs_on_imagenet(chapters, tmp_path):
    path = paths.repository() / "notebooks" / "03_next_scale_prediction.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    names = {"__name__": "__main__"}
    for number, cell in enumerate(cells):
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), f"{path.stem}, cell {number}", "exec"), names)
    records = [json.loads(file.read_text()) for file in (tmp_path / "runs").glob("*.json")]
    trained = [record for record in records if "task" in record]
    assert trained and all(record["task"]["name"] == "imagenet" for record in trained)


def test_other_domains_and_shards_made_anew_are_other_runs(paper, data, tmp_path, monkeypatch):
    monkeypatch.setenv("VARBOOK_DATA", str(shutil.copytree(data, tmp_path / "copy")))
    turned = replace(IMAGENET, domains=dict(reversed(IMAGENET.domains.items())))
    keys = [build.translator(task, paper).key for task in (IMAGENET, turned)]
    assert len({build.next_scale(task, paper).key for task in (IMAGENET, turned)}) == 1
    held_out = IMAGENET.pictures.shards("val").identity[:12]
    assert IMAGENET.fingerprint()["held out"] == held_out
    # While a notebook is open: the manifest says which pictures these are.
    manifest = tmp_path / "copy" / "imagenet-shards" / "train" / "manifest.json"
    facts = json.loads(manifest.read_text()) | {"identity": "0" * 64}
    manifest.write_text(json.dumps(facts))
    keys.append(build.translator(IMAGENET, paper).key)
    assert len(set(keys)) == 3 and IMAGENET.held_out() == {"held out": held_out}


def test_a_killed_training_on_shards_resumes_to_the_same_bits(paper, tmp_path):
    chain, shards = paper.chains["imagenet"], IMAGENET.pictures.shards()
    crops, training = Crops(shards, SIDE), replace(chain.model_training, steps=5)

    def fit(keeper=None):
        torch.manual_seed(0)
        tokenizer, model = Tokenizer(chain.tokenizer), NextScaleModel(flexvar(chain.model))
        features, labels = encoded(tokenizer, crops, None, CPU)
        fit_next_scale(
            model, tokenizer, features, labels, training, seed=3, device=CPU, keeper=keeper
        )
        return model

    whole = fit()
    with pytest.raises(Killed):
        fit(KilledKeeper(tmp_path))
    assert same_state(whole, fit(Keeper(tmp_path)))


def test_llamagen_s_weights_are_refused_where_they_cannot_be_had(paper, monkeypatch):
    def nowhere(*_, **unused):
        raise VarbookError("no network")

    monkeypatch.setattr(start, "load", nowhere)
    with pytest.raises(VarbookError, match="starts from llamagen-vq16: put vq_ds16_c2i.pt"):
        build.tokenizer(IMAGENET, paper, "ground_truth").load()


def test_the_discriminator_on_clip_is_refused_where_clip_cannot_be_had(data, tmp_path, monkeypatch):
    for part in ("trainA", "trainB", "testA", "testB"):
        photographs(tmp_path / "horse2zebra" / part, 2)
    monkeypatch.setenv("VARBOOK_DATA", str(tmp_path))
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(published, "published_cyclevar", lambda *_, classes: tiny_cyclevar())
    monkeypatch.setitem(sys.modules, "open_clip", None)  # as where it is not installed
    translator = build.translator(PHOTOGRAPHS, PAPER)
    with pytest.raises(VarbookError, match="CLIP needs the package open_clip"):
        translator.load()


def test_missing_shards_are_named_with_the_scripts_that_make_them(paper, tmp_path, monkeypatch):
    monkeypatch.setenv("VARBOOK_DATA", str(tmp_path))
    with pytest.raises(
        VarbookError, match="openimages-shards are not there: make them with data_scripts"
    ):
        build.tokenizer(IMAGENET, paper, "ground_truth")
