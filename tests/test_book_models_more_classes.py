"""Photographs of two domains among those of more classes."""

import shutil
from dataclasses import replace

import pytest
import torch

from varbook.book.models import build, tasks
from varbook.book.models.more_classes import MoreClasses
from varbook.book.models.profiles import profile
from varbook.book.models.profiles.fine import CLASSES, with_fine_chain
from varbook.book.models.sources import Folders
from varbook.data.folders import UNPAIRED
from varbook.data.images import save_image
from varbook.errors import VarbookError

SMOKE = profile("smoke")
DOMAINS = {"summer": 0, "winter": 1}
WIDE = MoreClasses("seasons", more=("land", "beasts"), often=2)
COUNTS = {"land": {"hill": 2, "sea": 1}, "beasts": {"ant": 3}}
SIZE = 32  # 36 with the margin


def grey(file, value):
    file.parent.mkdir(parents=True, exist_ok=True)
    save_image(torch.full((3, 40, 40), value, dtype=torch.uint8), file)


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    """A set of two domains and two sets of more classes, every picture of another grey."""
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VARBOOK_DATA", str(tmp_path / "data"))
    value = 0
    folders = [("seasons", part, 2) for part in UNPAIRED]
    folders += [
        (f"{name}/train", label, n) for name, sizes in COUNTS.items() for label, n in sizes.items()
    ]
    for name, part, count in folders:
        for index in range(count):
            grey(tmp_path / "data" / name / part / f"{index}.png", value)
            value += 5
    return tmp_path / "data"


def test_the_classes_of_more_sets_follow_those_of_the_domains():
    images, labels = WIDE.labelled(DOMAINS, SMOKE, SIZE)
    assert labels.tolist() == [0] * 4 + [1] * 4 + [2] * 2 + [3] + [4] * 3
    assert images.shape == (14, 3, SIZE, SIZE)
    greys = images[:, 0, 0, 0].tolist()
    assert greys == [0, 5, 0, 5, 10, 15, 10, 15, 40, 45, 50, 55, 60, 65]


def test_the_tokenizer_sees_all_of_them_larger_and_a_translator_its_domains_alone():
    images = WIDE.images_of_all(DOMAINS, SMOKE, SIZE)
    assert images.shape == (14, 3, 36, 36) and WIDE.counts(DOMAINS, SMOKE) == (2, 2)
    whole, alone = WIDE, Folders("seasons")
    for name in DOMAINS:
        for held_out in (False, True):
            ours = whole.domain(DOMAINS, name, SMOKE, SIZE, held_out).images
            assert torch.equal(ours, alone.domain(DOMAINS, name, SMOKE, SIZE, held_out).images)


def test_other_classes_and_other_pictures_of_them_are_other_runs(data):
    task = replace(tasks.PHOTOGRAPHS, pictures=WIDE, domains=DOMAINS)

    def keys():
        return build.tokenizer(task, SMOKE).key, task.trained_on()["data"]

    before = keys()
    assert keys() == before
    fewer = replace(task, pictures=replace(WIDE, more=("land",)))
    rarer = replace(task, pictures=replace(WIDE, often=1))
    for other in (fewer, rarer, replace(task, pictures=Folders("seasons"))):
        assert build.tokenizer(other, SMOKE).key != before[0]
    grey(data / "beasts" / "train" / "ant" / "1.png", 99)
    assert not set(keys()) & set(before)


def test_what_is_missing_or_has_one_name_twice_is_told(data):
    assert WIDE.missing() is None
    shutil.copytree(data / "land" / "train" / "sea", data / "beasts" / "train" / "sea")
    with pytest.raises(VarbookError, match="class sea is in beasts and in a data set before it"):
        WIDE.more_files()
    shutil.rmtree(data / "land")
    assert "photographs of land" in WIDE.missing()
    with pytest.raises(VarbookError, match="photographs of land"):
        WIDE.more_files()
    shutil.rmtree(data / "seasons")
    assert "seasons" in replace(WIDE, more=()).missing()


def test_without_a_published_set_its_runs_are_found_and_none_is_trained(data):
    known = replace(WIDE, published=WIDE.more_facts())
    task = replace(tasks.PHOTOGRAPHS, pictures=known, domains=DOMAINS)
    before = build.tokenizer(task, SMOKE).key
    assert WIDE.more_facts()["land"][0] == 3
    other = replace(known, published=known.published | {"land": (3, "0" * 12)})
    assert other.trained_on(DOMAINS) == known.trained_on(DOMAINS), "pictures that are there count"
    shutil.rmtree(data / "land")
    assert build.tokenizer(task, SMOKE).key == before
    assert other.trained_on(DOMAINS) != known.trained_on(DOMAINS)
    with pytest.raises(VarbookError, match="photographs of land"):
        task.labelled(SMOKE)
    with pytest.raises(VarbookError, match="photographs of land"):
        WIDE.more_facts()


def test_the_published_sets_are_those_that_are_there(monkeypatch):
    monkeypatch.delenv("VARBOOK_DATA")
    if tasks.ANIMALS.missing():
        pytest.skip("needs the photographs of 28 classes")
    assert tasks.ANIMALS.pictures.more_facts() == tasks.ANIMALS.pictures.published


def test_prompts_do_not_name_classes():
    with pytest.raises(VarbookError, match="need domains that are classes"):
        WIDE.labelled({"summer": "by day", "winter": "by night"}, SMOKE, SIZE)


def test_the_chain_of_the_papers_geometry_knows_every_class(monkeypatch):
    chain = tasks.ANIMALS.chain_of(with_fine_chain(profile("laptop")))
    assert chain.model.classes == CLASSES
    monkeypatch.delenv("VARBOOK_DATA")
    if tasks.ANIMALS.missing():
        pytest.skip("needs the photographs of 28 classes")
    assert len(tasks.ANIMALS.pictures.more_files()) + len(tasks.ANIMALS.domains) == CLASSES
