"""Nothing is known by its number alone: other pictures, other labels and another order are other
runs, other measurements and other unfinished trainings, and the same pictures are the same anywhere.
"""

import errno
import hashlib
import os
import shutil
from dataclasses import replace
from functools import partial

import pytest
import torch

from varbook import paths
from varbook.book.experiments import streets_and_flat, translator_rivals
from varbook.book.models import build, tasks
from varbook.book.models.profiles import profile
from varbook.book.models.sources import Folders, Scenes
from varbook.book.models.trained import measured_on, network_settings
from varbook.book.models.unpaired_task import Task
from varbook.data.folders import UNPAIRED
from varbook.data.images import save_image
from varbook.errors import VarbookError
from varbook.features import book_weights, mobilenet, squeezenet
from varbook.train import store
from varbook.train.keeper import Keeper

SMOKE = profile("smoke")
SEASONS = Task("seasons", {"summer": 0, "winter": 1}, Folders("seasons"), "photographs")


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """The folder that holds the data sets of a test, and nothing else's."""
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VARBOOK_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("VARBOOK_DEVICE", "cpu")
    monkeypatch.delenv("VARBOOK_RETRAIN", raising=False)
    write(tmp_path / "data" / "seasons")
    return tmp_path / "data"


def noise(file, seed):
    """Write an uncompressed picture, so that all are of one length."""
    pixels = torch.randint(
        256, (3, 40, 44), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed)
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    save_image(pixels, file)


def write(folder, seed=0):
    for number, part in enumerate(UNPAIRED):
        for index in range(3):
            noise(folder / part / f"{index}.bmp", seed + 10 * number + index)


def every_key(task=SEASONS):
    """Return the key of each part of a task, and of its rivals."""
    methods = ("cyclevar", "cyclegan", "cut", "ddib")
    made = {method: build.translator(task, SMOKE, method) for method in methods}
    made |= {"var": build.next_scale(task, SMOKE), "tokenizer": build.tokenizer(task, SMOKE)}
    return {name: one.key for name, one in made.items()}


def nothing_shared(first, second):
    return not set(first.values()) & set(second.values())


def exchange(folder):
    (folder / "trainA").rename(folder / "other")
    (folder / "trainB").rename(folder / "trainA")
    (folder / "other").rename(folder / "trainB")


def others(folder):
    shutil.rmtree(folder)
    write(folder, seed=100)


def one_pixel(folder):
    """Change one byte of one picture, and put its times back."""
    file = folder / "trainB" / "1.bmp"
    content, times = bytearray(file.read_bytes()), file.stat()
    content[-1] ^= 1
    file.write_bytes(content)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (times.st_size, times.st_mtime_ns)


def another_order(folder):
    (folder / "trainA" / "0.bmp").rename(folder / "trainA" / "9.bmp")


@pytest.mark.parametrize("change", [exchange, others, one_pixel, another_order])
def test_other_pictures_in_equal_number_are_other_runs(place, change):
    before = every_key()
    change(place / "seasons")
    assert nothing_shared(before, every_key())


def test_the_same_pictures_are_the_same_wherever_and_whenever(place):
    before = every_key()
    write(place / "seasons")  # new times
    shutil.copytree(place / "seasons", place / "copy")
    assert every_key() == every_key(replace(SEASONS, pictures=Folders("copy"))) == before


@pytest.mark.parametrize("domains", [{"winter": 1, "summer": 0}, {"summer": 1, "winter": 0}])
def test_reordered_labels_are_other_runs(domains):
    assert nothing_shared(every_key(), every_key(replace(SEASONS, domains=domains)))


def test_held_out_pictures_change_no_training(place):
    before, marked = every_key(), SEASONS.held_out()
    noise(place / "seasons" / "testA" / "0.bmp", 500)
    assert every_key() == before and SEASONS.held_out() != marked


def test_what_was_measured_on_other_pictures_is_laid_aside_and_found_again(place):
    def brightness():
        made = build.tokenizer(SEASONS, SMOKE)
        mean = SEASONS.parts(SMOKE)["testA"].float().mean().item()
        return made.run.measure("brightness", {"images": 3}, lambda: {"mean": mean}), mean

    first, true = brightness()
    assert first["mean"] == true
    shutil.copytree(place / "seasons", place / "kept")
    noise(place / "seasons" / "testA" / "0.bmp", 500)
    second, now = brightness()
    assert second["mean"] == now != true
    shutil.rmtree(place / "seasons")
    (place / "kept").rename(place / "seasons")
    run = build.tokenizer(SEASONS, SMOKE).run
    assert run.measure("brightness", {"images": 3}, pytest.fail) == first


def test_a_record_of_the_book_s_own_pictures_is_left_as_it_is():
    record = {"measurements": {"a": {"key": "1", "values": {}}}}
    assert measured_on(record, {}) is record
    elsewhere = measured_on(record, {"held out": "abc"})
    assert elsewhere["measurements"] == {} and record["measurements"]
    assert measured_on(elsewhere, {})["measurements"] == record["measurements"]


def test_an_unfinished_training_goes_on_with_its_own_pictures_alone(place, monkeypatch):
    monkeypatch.setattr(store, "Keeper", partial(Keeper, seconds=0.0))
    began = []

    def stop_after(step, *_):
        began.append(step)
        if len(began) == 3:
            raise InterruptedError

    def train():
        began.clear()
        with pytest.raises(InterruptedError):
            build.tokenizer(SEASONS, SMOKE).load(stop_after)
        return began[0]

    assert [train(), train()] == [0, 3]
    shutil.copytree(place / "seasons", place / "kept")
    others(place / "seasons")
    assert train() == 0
    shutil.rmtree(place / "seasons")
    (place / "kept").rename(place / "seasons")
    assert train() == 6


def test_pictures_that_change_while_a_notebook_is_open_are_read_again(place):
    before = SEASONS.parts(SMOKE)["trainB"]
    others(place / "seasons")  # under the same names
    assert not torch.equal(before, SEASONS.parts(SMOKE)["trainB"])


# --- numbers that are kept without a model


@pytest.fixture
def asked(monkeypatch):
    """Names of the records that were asked for; nothing is trained or measured."""
    names = []

    def find(name):
        names.append(name)
        return {"measurements": {"result": {"values": {}}}}, "found"

    for module in (store, streets_and_flat):
        monkeypatch.setattr(module, "find_record", find)
    return names


def test_rivals_on_other_photographs_are_other_records(place, asked, monkeypatch):
    monkeypatch.setattr(
        translator_rivals, "PHOTOGRAPHS", replace(tasks.PHOTOGRAPHS, pictures=Folders("seasons"))
    )
    for change in (lambda folder: None, one_pixel, exchange, others):
        change(place / "seasons")
        translator_rivals.photograph_rival(SMOKE, "CUT")
        translator_rivals.photograph_rival(SMOKE, "DDIB")
    noise(place / "seasons" / "testA" / "0.bmp", 500)
    translator_rivals.photograph_rival(SMOKE, "CUT")
    assert len(set(asked)) == len(asked) == 9


def test_streets_of_other_photographs_are_another_record(place, asked, monkeypatch):
    monkeypatch.setattr(
        streets_and_flat, "STREETS", replace(tasks.STREETS, pictures=Folders("seasons"))
    )
    for change in (lambda folder: None, one_pixel, exchange, others):
        change(place / "seasons")
        first = streets_and_flat.streets(SMOKE).name
        assert streets_and_flat.known_streets(SMOKE) is not None and asked[-1] == first
    noise(place / "seasons" / "testB" / "0.bmp", 500)
    streets_and_flat.known_streets(SMOKE)
    shutil.rmtree(place / "seasons")
    streets_and_flat.known_streets(SMOKE)  # without photographs: the book's own record
    assert len(set(asked)) == 6


def test_numbers_on_other_scenes_are_other_records(asked):
    tasks_of = (
        tasks.TOY,
        with_world(held_out_seed=77),
        with_world(domains=dict(DOMAINS, horse=SCENES)),
    )
    for task in tasks_of:
        store.experiment("row", {"held_out": 3}, pytest.fail, seed=0, on=task.fingerprint)
    assert len(set(asked)) == 3
    assert asked[0] == f"row-{store.run_key('row', {'held_out': 3}, 0)}"  # of the book's own


# --- pretrained features


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """A folder with files of the names that the book's pretrained weights have, and other content."""
    folder = tmp_path / "weights"
    folder.mkdir()
    for file in book_weights.BOOK:
        (folder / file).write_bytes(b"other weights")
    monkeypatch.setenv("VARBOOK_WEIGHTS", str(folder))
    monkeypatch.setattr("varbook.book.models.trained.best_at_hand", lambda: "squeezenet")
    return folder


def as_the_book_s(monkeypatch, file, content):
    monkeypatch.setitem(book_weights.BOOK, file, hashlib.sha256(content).hexdigest())


def test_other_weights_of_the_perceptual_loss_are_other_runs(weights, monkeypatch):
    keys = [build.tokenizer(tasks.TOY, SMOKE).key]
    (weights / squeezenet.FILE).write_bytes(b"others still")
    keys.append(build.tokenizer(tasks.TOY, SMOKE).key)
    as_the_book_s(monkeypatch, squeezenet.FILE, b"others still")
    keys.append(build.tokenizer(tasks.TOY, SMOKE).key)
    assert len(set(keys)) == 3
    assert network_settings(1.0) == {}  # as in the keys of the runs that come with the book


def test_measurements_with_other_features_are_others(weights, monkeypatch, asked):
    def measured():
        translator_rivals.photograph_rival(SMOKE, "CUT")
        return SEASONS.held_out() | {"judge": build.judge(tasks.IMAGENET, SMOKE).key}

    seasons = replace(tasks.PHOTOGRAPHS, pictures=Folders("seasons"))
    monkeypatch.setattr(translator_rivals, "PHOTOGRAPHS", seasons)
    keys, toy = every_key(), tasks.TOY.held_out()
    with_others = measured()
    as_the_book_s(monkeypatch, mobilenet.FILE, b"other weights")
    with_the_book_s = measured()
    assert with_others["features"].startswith("mobilenet ") and "features" not in with_the_book_s
    assert with_others["judge"] != with_the_book_s["judge"]
    assert len(set(asked)) == 2
    # Nothing is trained with these features, and the toy world is judged without them.
    assert every_key() == keys and tasks.TOY.held_out() == toy == {}


def test_what_other_features_measured_is_laid_aside():
    record = measured_on({"measurements": {"distance": 1}}, {})
    other = measured_on(record, {"features": "mobilenet 123"})
    assert other["measurements"] == {}
    assert measured_on(other, {})["measurements"] == {"distance": 1}


def test_weights_that_cannot_be_read_are_told(weights, monkeypatch):
    def refused(*_):
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(book_weights, "_sha256", refused)
    with pytest.raises(VarbookError, match="squeezenet.*cannot be read: there is no right"):
        build.tokenizer(tasks.TOY, SMOKE)


# --- the toy world


def with_world(**changes):
    return replace(tasks.TOY, pictures=replace(tasks.TOY.pictures, **changes))


SCENES = tasks.TOY.pictures.training[0]
DOMAINS = tasks.TOY.pictures.domains


@pytest.mark.parametrize(
    "training",
    [
        (replace(SCENES, seed=5),),
        (replace(SCENES, night=True),),
        (replace(SCENES, flat=True),),
        (replace(SCENES, share=2),),
        (replace(SCENES, weights={"horse": 2.0}),),
        (SCENES, Scenes(seed=9)),
    ],
)
def test_other_training_scenes_are_other_runs(training):
    assert nothing_shared(every_key(tasks.TOY), every_key(with_world(training=training)))
    judges = {build.judge(task, SMOKE).key for task in (tasks.TOY, with_world(training=training))}
    assert len(judges) == 2


@pytest.mark.parametrize(
    "task",
    [
        with_world(domains=dict(DOMAINS) | {"horse": Scenes(seed=7, share=4, species="horse")}),
        replace(tasks.TOY, domains=dict(reversed(tasks.TOY.domains.items()))),
        replace(tasks.TOY, domains={"horse": 1, "zebra": 0}),
    ],
)
def test_other_domains_are_other_translators_of_the_same_models(task):
    ours, theirs = every_key(tasks.TOY), every_key(task)
    shared = {name for name in ours if ours[name] == theirs[name]}
    # `ddib` is named by its diffusion model, which knows all classes and no domains.
    assert shared == {"tokenizer", "var", "ddib"}


def test_other_held_out_scenes_are_measured_again_and_nothing_is_trained_again():
    other = with_world(held_out_seed=77)
    assert every_key(other) == every_key(tasks.TOY)
    assert other.held_out() != tasks.TOY.held_out() == {}


def test_the_order_of_the_classes_is_in_the_keys(monkeypatch):
    before = every_key(tasks.TOY)
    monkeypatch.setattr(
        "varbook.book.models.sources.SPECIES", tasks.SPECIES[1:] + tasks.SPECIES[:1]
    )
    assert nothing_shared(before, every_key(tasks.TOY))


def test_a_model_over_another_task_s_tokenizer_says_what_it_was_trained_on():
    over = build.tokenizer(tasks.TOY, SMOKE)
    keys = [
        build.next_scale(task, SMOKE, over=over).key
        for task in (tasks.TOY, with_world(training=(replace(SCENES, seed=5),)), SEASONS)
    ]
    assert len(set(keys)) == 3


# --- places


def test_a_place_without_data_sets_is_not_passed_over(tmp_path, monkeypatch):
    (tmp_path / "empty" / "pictures").mkdir(parents=True)
    monkeypatch.setenv("VARBOOK_DATA", str(tmp_path / "empty"))
    with pytest.raises(VarbookError, match="holds no data set"):
        SEASONS.parts(SMOKE)
    with pytest.raises(VarbookError, match=f"it names {tmp_path}/empty, which does not hold"):
        build.tokenizer(SEASONS, SMOKE)
    write(tmp_path / "empty" / "others")
    with pytest.warns(UserWarning, match="photographs of seasons are not there"):
        assert SEASONS.parts(SMOKE) is None
    monkeypatch.delenv("VARBOOK_DATA")
    monkeypatch.setattr(paths, "repository", lambda: tmp_path / "work" / "checkout")
    assert SEASONS.parts(SMOKE) is None  # nothing was named: the toy world will do
