"""A task is data: pictures, labels and keys follow from its row, and another data set is another
row and nothing else.
"""

import os
from dataclasses import replace

import pytest
import torch
from PIL import Image
from tiny import same_state

from varbook import paths
from varbook.book.models import build, find, load_run, tasks
from varbook.book.models.profiles import PROFILES, profile
from varbook.book.models.sources import Folders
from varbook.book.models.tasks import (
    FLAT,
    NIGHT,
    PHOTOGRAPHS,
    PROMPTS,
    STREETS,
    TASKS,
    TOY,
    Task,
    domains_of,
)
from varbook.cli import train, translate
from varbook.data.images import save_image
from varbook.errors import VarbookError
from varbook.translate.apply import translate_all
from varbook.world.scene import every_caption, flip

SMOKE = profile("smoke")
SEASONS = Task("seasons", {"summer": 0, "winter": 1}, Folders("summer2winter"), "photographs")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Give every test a home of its own, where no photographs are."""
    (tmp_path / "home").mkdir()
    for variable in ("VARBOOK_HOME", "VARBOOK_DATA"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    monkeypatch.setenv("VARBOOK_DEVICE", "cpu")
    monkeypatch.delenv("VARBOOK_RETRAIN", raising=False)
    monkeypatch.setattr(paths, "shipped", lambda: tmp_path / "shipped")


def photographs(root, count=3, seed=0):
    """Write small pictures into the four folders of an unpaired data set and return their files."""
    generator = torch.Generator().manual_seed(seed)
    files = {}
    for part in ("trainA", "trainB", "testA", "testB"):
        files[part] = [root / part / f"{n}.png" for n in range(count + (part == "trainB"))]
        for file in files[part]:
            noise = torch.randint(256, (3, 40, 44), dtype=torch.uint8, generator=generator)
            save_image(noise, file)
    return files


def test_another_data_set_is_another_row_and_nothing_else(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(TASKS, "seasons", SEASONS)
    assert train.main(["--profile", "smoke", "--model", "seasons-cyclevar"]) == 2
    assert "photographs of summer2winter are not there" in capsys.readouterr().err
    photographs(tmp_path / "home" / "summer2winter")
    assert train.main(["--profile", "smoke", "--model", "seasons-cyclevar"]) == 0
    assert "seasons-cyclevar" in capsys.readouterr().out
    summer = SEASONS.domain(SMOKE, "summer", held_out=True).images
    for method in ("cyclevar", "cyclegan", "cut", "sdedit", "ddib", "cyclediffusion"):
        made = build.translator(SEASONS, SMOKE, method)
        assert translate_all(made.model, summer, 1).shape == summer.shape == (3, 3, 32, 32)
        again = build.translator(SEASONS, SMOKE, method)
        assert again.key == made.key == made.run.key and again.run.source == "found"
    names = {"seasons-tokenizer", "seasons-var", "seasons-cyclevar", "seasons-cut"}
    assert names < set(build.models_of(TASKS.values()))
    name = build.translator(SEASONS, SMOKE).run.name
    assert name in [run.name for run in find.stored("translator")]
    out = tmp_path / "out"
    source = tmp_path / "home" / "summer2winter" / "testA"
    assert translate.main([str(source), str(out), "--run", name, "--to", "winter"]) == 0
    assert sorted(file.name for file in out.iterdir()) == ["0.png", "1.png", "2.png"]


def test_the_record_of_a_run_says_between_which_domains_and_from_what(tmp_path):
    photographs(tmp_path / "home" / "summer2winter")
    turned = replace(SEASONS, domains={"winter": 1, "summer": 0})  # X is the winter now
    record = build.tokenizer(turned, SMOKE).run.record
    assert record["task"] == {
        "name": "seasons",
        "domains": [["winter", 1], ["summer", 0]],
        "data": "summer2winter",
    }
    assert list(domains_of(record)) == ["winter", "summer"]
    assert domains_of({"kind": "toy-cyclevar"}) == TOY.domains
    assert domains_of({"kind": "text-cyclevar-flat"}) == FLAT.domains
    assert domains_of({"kind": "published-cyclevar"}) == PHOTOGRAPHS.domains
    assert domains_of({"kind": "unknown"}) == {}


def test_other_and_exchanged_pictures_of_one_s_own_are_other_runs(tmp_path):
    files = photographs(tmp_path / "own")
    own = replace(SEASONS, pictures=Folders("own", files))
    exchanged = files | {"trainA": files["testA"], "trainB": files["trainB"]}
    keys = [
        build.translator(task, SMOKE).key
        for task in (
            own,
            replace(own, pictures=Folders("own", exchanged)),  # as many, but others
            replace(own, domains={"winter": 0, "summer": 1}),
            replace(own, domains={"summer": 1, "winter": 0}),
        )
    ]
    Image.new("RGB", (40, 44)).save(files["trainA"][0])
    os.utime(files["trainA"][0], (1, 1))
    keys.append(build.translator(own, SMOKE).key)
    assert len(set(keys)) == len(keys)


def test_photographs_are_cropped_at_random_for_training_and_held_out_ones_are_whole(tmp_path):
    files = photographs(tmp_path / "own")
    task = replace(SEASONS, pictures=Folders("own", files))
    assert task.counts(SMOKE) == (3, 4)
    images, labels = task.labelled(SMOKE)
    assert images.shape == (7, 3, 32, 32) and labels.tolist() == [0] * 3 + [1] * 4
    assert task.images(SMOKE).shape == (7, 3, 36, 36)
    batch = task.draw(SMOKE)(task.images(SMOKE), 5, torch.Generator().manual_seed(0))
    assert batch.shape == (5, 3, 32, 32) and batch.is_floating_point()
    assert task.domain(SMOKE, "winter", held_out=True).images.shape == (3, 3, 32, 32)
    asked = replace(task, domains=STREETS.domains)
    assert asked.labelled(SMOKE)[1] == ["by day"] * 3 + ["by night"] * 4
    whole = replace(task, pictures=Folders("own", files, margin=1))
    assert whole.images(SMOKE).shape == (7, 3, 32, 32)


def test_held_out_scenes_are_hidden_pairs_and_training_sets_share_no_scene():
    day, night, flat = (NIGHT.domain(SMOKE, name, held_out=True) for name in PROMPTS)
    assert [flip(scene, "time") for scene in day.scenes] == night.scenes
    assert [flip(scene, "style") for scene in day.scenes] == flat.scenes
    parts = [*NIGHT.pictures.training_sets(SMOKE, 32), day]
    seeds = [{scene.seed for scene in part.scenes} for part in parts]
    assert sum(map(len, seeds)) == len(set.union(*seeds))
    horses, zebras = (TOY.domain(SMOKE, name) for name in TOY.domains)
    assert not {scene.seed for scene in horses.scenes} & {scene.seed for scene in zebras.scenes}


# Chains that not every profile has: ImageNet is for many cards, "animals" for the papers' geometry.
ONLY = {"imagenet": ("paper",), "animals": ()}


def test_every_profile_knows_the_classes_and_the_words_that_the_tasks_ask_for():
    for settings in PROFILES.values():
        for task in TASKS.values():
            if settings.name not in ONLY.get(task.chain, PROFILES):
                continue
            model = task.chain_of(settings).model
            if task.reads:
                captions = [*every_caption(tasks.CAPTIONED), *task.targets]
                assert set(" ".join(captions).replace(",", "").split()) <= set(model.words)
            else:
                assert max(task.targets) < model.classes
    with pytest.raises(VarbookError, match="needs class 20, but .* know 2 classes"):
        replace(SEASONS, domains={"summer": 0, "winter": 20}).chain_of(SMOKE)


@pytest.mark.parametrize(
    ("task", "name"), [(TOY, "goat"), (replace(SEASONS, pictures=Folders("own", {})), "autumn")]
)
def test_an_unknown_domain_is_refused(task, name):
    with pytest.raises(VarbookError, match=f"no domain '{name}'; use"):
        task.domain(SMOKE, name)


def test_a_chain_of_prompts_is_trained_once_translates_and_is_put_together_again():
    made, again = build.translator(NIGHT, SMOKE), build.translator(NIGHT, SMOKE)
    assert (made.run.source, again.run.source) == ("trained", "found")
    assert same_state(made.model.model, again.model.model)
    assert made.run.record["settings"]["prompts"] == ["by day", "by night"]
    images = NIGHT.domain(SMOKE, "day", held_out=True).images[:3]
    night, day = (translate_all(made.model, images, PROMPTS[name]) for name in ("night", "day"))
    assert night.shape == images.shape and night.abs().max() <= 1 and not torch.equal(night, day)
    loaded, run = load_run.load_cyclevar(made.run.name)
    assert same_state(loaded.model, made.model.model)
    assert find.find_run(run.name).classes() == NIGHT.domains
