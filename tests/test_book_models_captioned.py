"""Chapter 11's models: hidden pairs, trained once and found again, prompts for targets, photographs
where they are.
"""

from dataclasses import replace

import pytest
import torch
from PIL import Image
from tiny import same_state

from varbook import paths
from varbook.book.experiments import streets_and_flat
from varbook.book.models import build, captioned, find
from varbook.book.models.profiles import PROFILES, profile
from varbook.cli import train, translate
from varbook.errors import VarbookError
from varbook.world.scene import every_caption, flip


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Give every test a home of its own, where no photographs are."""
    for variable in ("VARBOOK_HOME", "VARBOOK_DATA"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    monkeypatch.setenv("VARBOOK_DEVICE", "cpu")
    monkeypatch.delenv("VARBOOK_RETRAIN", raising=False)
    monkeypatch.setattr(paths, "shipped", lambda: tmp_path / "shipped")
    captioned._training_sets.cache_clear()


SMOKE = profile("smoke")


def test_held_out_sets_are_hidden_pairs_and_training_sets_share_no_scene():
    day, night, flat = (
        captioned.captioned_set(SMOKE, kind, held_out=True) for kind in ("day", "night", "flat")
    )
    assert [flip(scene, "time") for scene in day.scenes] == night.scenes
    assert [flip(scene, "style") for scene in day.scenes] == flat.scenes
    seeds = [
        {scene.seed for scene in captioned.captioned_set(SMOKE, kind).scenes}
        for kind in captioned.KINDS
    ]
    seeds.append({scene.seed for scene in day.scenes})
    assert sum(map(len, seeds)) == len(set.union(*seeds))


def test_every_profile_can_read_every_caption_and_every_prompt():
    for one in PROFILES.values():
        known = set(one.chains["captions"].model.words)
        spoken = (
            " ".join([*every_caption(captioned.CAPTIONED), *captioned.PROMPTS.values()])
            .replace(",", "")
            .split()
        )
        assert set(spoken) == known
        assert (
            one.chains["captions"].model.bits
            == one.chains["captions"].tokenizer.code_dim
            == one.chains["captions"].model.code_dim
        )
        assert one.chains["captions"].model.schedule == one.chains["captions"].tokenizer.schedule


def test_the_chain_is_trained_once_and_translates_by_prompt():
    cyclevar, run = captioned.caption_cyclevar(SMOKE)
    again, found = captioned.caption_cyclevar(SMOKE)
    assert (run.source, found.source) == ("trained", "found") and same_state(
        cyclevar.model, again.model
    )
    assert run.record["settings"]["prompts"] == ["by day", "by night"]
    images = captioned.captioned_set(SMOKE, "day", held_out=True).images[:3]
    night, day = (
        build.translate_all(cyclevar, images, captioned.PROMPTS[kind], batch=2)
        for kind in ("night", "day")
    )
    assert night.shape == images.shape and night.abs().max() <= 1 and not torch.equal(night, day)
    judge, judged = captioned.attribute_judge(SMOKE)
    assert judged.source == "trained" and set(judge(night)) == {"animal", "coat", "time", "style"}


def test_photographs_of_streets_are_used_where_they_are(tmp_path, monkeypatch):
    place = tmp_path / "home" / "day2night"
    monkeypatch.setattr(captioned, "data_folder", lambda name: place if place.is_dir() else None)
    assert captioned.driving_photographs(SMOKE) is None
    generator = torch.Generator().manual_seed(0)
    for part in ("trainA", "trainB", "testA", "testB"):
        folder = place / part
        folder.mkdir(parents=True)
        for n in range(3):
            pixels = torch.randint(256, (40, 40, 3), dtype=torch.uint8, generator=generator)
            Image.fromarray(pixels.numpy()).save(folder / f"{n}.png")
    data = captioned.driving_photographs(SMOKE)
    assert [len(one) for one in data.values()] == [3] * 4 and data["trainA"].shape[-1] > data[
        "testA"
    ].shape[-1] == 32
    cyclevar, run = captioned.driving_cyclevar(SMOKE)
    assert build.translate_all(cyclevar, data["testA"], "by night").shape == (3, 3, 32, 32)
    assert run.name.startswith("driving-cyclevar")
    values = streets_and_flat.streets(SMOKE).record["measurements"]["result"]["values"]
    rows = streets_and_flat.street_pictures(values, data)
    assert len(rows) == 6 and all(
        one.shape == (streets_and_flat.SHOWN_STREETS, 3, 32, 32) for one in rows.values()
    )
    assert torch.equal(rows["day, source"][0], data["testA"][0])
    other = {
        name: images // 2 for name, images in data.items()
    }  # not the photographs of the record
    assert (
        len(streets_and_flat.street_pictures(values, other))
        == len(streets_and_flat.street_pictures(values, None))
        == 4
    )
    place.rename(tmp_path / "elsewhere")
    assert streets_and_flat.streets(SMOKE).source == "found"  # the record is enough


def test_missing_photographs_are_said_in_one_sentence(capsys, monkeypatch):
    monkeypatch.setattr(captioned, "data_folder", lambda name: None)
    with pytest.raises(VarbookError, match="photographs of day2night are not there"):
        captioned.published_driving_cyclevar(profile("paper"))
    assert train.main(["--profile", "smoke", "--model", "driving-cyclevar"]) == 2
    assert "finds no photographs of streets" in capsys.readouterr().err


def test_a_translator_with_prompts_is_put_together_again_from_its_records():
    built, run = captioned.caption_cyclevar(SMOKE)
    cyclevar, found = find.load_cyclevar(run.name)
    assert same_state(cyclevar.model, built.model) and run.name in find.runs()
    assert find.domains(found) == {"day": "by day", "night": "by night"}
    images = captioned.captioned_set(SMOKE, "day", held_out=True).images[:2]
    (first, second) = translate.translate_images(
        cyclevar, list(images), find.domains(found)["night"]
    )
    assert first.shape == (3, 32, 32) and not torch.equal(first, second)


def test_flat_pictures_are_kept_with_their_numbers():
    run = streets_and_flat.flat(SMOKE)
    values = run.record["measurements"]["result"]["values"]
    assert (
        set(values["counterparts"]) == set(streets_and_flat.STYLES) and values["core_minutes"] > 0
    )
    pictures = streets_and_flat.flat_pictures(values)
    assert list(pictures) == list(streets_and_flat.STYLES)
    assert all(one.shape == (streets_and_flat.SHOWN, 3, 32, 32) for one in pictures.values())
    assert streets_and_flat.flat(SMOKE).source == "found"


def test_streets_without_photographs_and_record_are_one_sentence(monkeypatch):
    monkeypatch.setattr(captioned, "data_folder", lambda name: None)
    with pytest.raises(VarbookError, match="photographs of day2night are not there, and no record"):
        streets_and_flat.streets(replace(SMOKE, seed=5))
