"""From two folders to a translator and its numbers, with one call that goes on where it stopped."""

import json
import os
from dataclasses import replace

import pytest
from test_own_folder import fill, picture

from varbook import paths
from varbook.book.models.profiles import profile
from varbook.book.models.tasks import domains_of
from varbook.data.images import load_image
from varbook.errors import VarbookError
from varbook.own import plan as own_plan
from varbook.own import train as own_train
from varbook.own.folder import listed, survey
from varbook.own.plan import Plan
from varbook.own.speed import Speed
from varbook.own.train import Request, train_own

PLAN = Plan(1, 32, 4, 3, 1, 4, Speed(1, 1, 1, 1), adapted=False)


@pytest.fixture(autouse=True)
def small(tmp_path, monkeypatch):
    """The smoke chain, a handful of steps, no features to measure with, and a home of its own."""
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VARBOOK_DEVICE", "cpu")
    monkeypatch.chdir(tmp_path)
    chain = profile("smoke").chains["photographs"]
    chain = replace(
        chain, cyclevar_training=replace(chain.cyclevar_training, discriminator_channels=(8, 8, 8))
    )
    for module in (own_plan, own_train):
        monkeypatch.setattr(module, "base_chain", lambda: chain)
    monkeypatch.setattr(own_train, "make_plan", lambda *args, **kwargs: PLAN)
    monkeypatch.setattr("varbook.own.report.weights_file", lambda name: None)
    monkeypatch.setattr("varbook.evaluate.structure.paths.weights_file", lambda name: None)


@pytest.fixture
def pair(tmp_path):
    fill(tmp_path / "pair" / "summer", 14)
    fill(tmp_path / "pair" / "winter", 6, seed=50)
    return tmp_path / "pair"


def ask(pair, **changes) -> tuple[dict, str]:
    said: list[str] = []
    result = train_own(Request(pair, minutes=1, start="new", **changes), said.append)
    return result, "\n".join(said)


def test_one_call_goes_from_folders_to_a_run_that_translates(pair):
    (pair / "summer" / "text.jpg").write_text("no")
    result, said = ask(pair)
    out = pair.with_name("pair-varbook")
    assert {"tokenizer.png", "translations.png", "report.json", "left_out.txt"} <= set(
        os.listdir(out)
    )
    assert any(name.startswith("step-") for name in os.listdir(out))
    assert load_image(out / "translations.png").shape[0] == 3
    assert "text.jpg" in (out / "left_out.txt").read_text()
    assert f"varbook translate PICTURES OUT --run {result['run']} --to winter" in said
    assert "minutes left" in said and "dB PSNR" in said and "VARBOOK_WEIGHTS" in said
    record = json.loads((paths.home() / "runs" / f"{result['run']}.json").read_text())
    assert domains_of(record) == {"summer": 0, "winter": 1}
    assert json.loads((out / "report.json").read_text())["run"] == result["run"]


def test_the_same_call_again_trains_nothing(pair, monkeypatch):
    first, _ = ask(pair)
    monkeypatch.setattr(own_train, "make_plan", None)
    again, said = ask(pair)
    assert again == first and "trained just now" not in said


def test_other_or_exchanged_pictures_are_another_run(pair, tmp_path):
    runs = [ask(pair)[0]["run"]]
    summer, winter = pair / "summer", pair / "winter"
    runs.append(train_own(Request(source=winter, target=summer, start="new"), str)["run"])
    picture(99).save(winter / "000.png")
    runs.append(ask(pair)[0]["run"])
    assert len(set(runs)) == 3


def test_a_training_that_was_stopped_goes_on_with_what_is_finished(pair, monkeypatch):
    sheet = own_train.translation_sheet

    def stop(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(own_train, "translation_sheet", stop)
    with pytest.raises(KeyboardInterrupt):
        ask(pair)
    monkeypatch.setattr(own_train, "translation_sheet", sheet)
    result, said = ask(pair)
    assert said.count("trained just now") == 1 and "found below VARBOOK_HOME" in said
    assert result["run"].startswith("own-cyclevar-")


def test_curves_and_sheets_are_shown_on_the_way(pair):
    parts = listed(pair)
    looked = survey(parts, size=32, load_size=36, most=100)
    seen: dict[str, list] = {}

    def shown(part, curve, sheet):
        seen.setdefault(part, []).append((len(curve), sheet is not None))

    task, own_profile = own_train.task_of(looked), own_train.profile_of(PLAN, 0)
    for _ in range(2):  # trained, then found: the last line is the same
        training = own_train.Training(task, own_profile, PLAN, pair.parent / "out", str, shown)
        translator = training.run(None)
    assert list(seen) == list(PLAN.steps)
    assert len(seen["translator"]) > PLAN.translator and seen["tokenizer"][-1][1]
    assert seen["translator"][-1] == (len(translator.run.curve), True) and translator.run.curve
    assert any(sheet for _, sheet in seen["translator"][: PLAN.translator])


def test_a_time_that_is_too_short_is_refused_or_lengthened(pair, monkeypatch):
    asked = []

    def make_plan(minutes, speed_at, **options):
        asked.append(minutes)
        if minutes < 5:
            raise VarbookError("too short")
        return PLAN

    monkeypatch.setattr(own_train, "make_plan", make_plan)
    request, parts = Request(pair, minutes=1), listed(pair)
    with pytest.raises(VarbookError, match="too short"):
        own_train.planned(request, parts, None)
    for _ in range(2):  # made, then found
        assert own_train.planned(request, parts, None, most_minutes=40) == PLAN
    assert asked == [1, 1, 40]


def test_a_dry_run_says_what_would_be_done_and_writes_nothing_beside_the_pictures(pair):
    result, said = ask(pair, dry_run=True)
    assert "plan at 32 pixels" in said and "summer" in said
    assert result["plan"]["translator"] == 4 and not pair.with_name("pair-varbook").exists()


def test_places_that_cannot_be_written_are_refused_before_any_work(pair, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    with pytest.raises(VarbookError, match="--out"):
        ask(pair, out=tmp_path / "file")
    full = type("Usage", (), {"free": 1e6})
    monkeypatch.setattr(own_train.shutil, "disk_usage", lambda path: full)
    with pytest.raises(VarbookError, match="has 1 MB left"):
        ask(pair)
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path / "file"))
    with pytest.raises(VarbookError, match="VARBOOK_HOME"):
        ask(pair)


def test_a_start_that_does_not_exist_is_refused(pair):
    with pytest.raises(VarbookError, match='"book" or "new"'):
        train_own(Request(pair, start="old"), str)
