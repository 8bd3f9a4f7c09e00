"""CycleVAR's rivals from the shelf: trained once on the small chain, judged as its ablations are,
and found again.
"""

from dataclasses import replace

import pytest
import torch

from varbook import paths
from varbook.book.experiments import cyclevar_ablations, streets_and_flat, translator_rivals
from varbook.book.experiments.translator_rivals import (
    DIFFUSION,
    DIRECTIONS,
    OURS,
    PIXELS,
    RIVALS,
    against_rivals,
    all_numbers,
    column_titles,
    kept_photographs,
    photograph_numbers,
    photograph_rival,
    real_reports,
    rival,
)
from varbook.book.models import build, sources
from varbook.book.models.sources import Folders
from varbook.book.models.tasks import PHOTOGRAPHS, SMALL
from varbook.data.images import evenly_spaced
from varbook.translate.apply import translate_all


def test_the_columns_of_the_pictures_say_the_direction():
    assert column_titles() == ["horse to zebra"] * 4 + ["zebra to horse"] * 4


@pytest.mark.parametrize("name", RIVALS)
def test_a_rival_is_measured_as_the_ablations_are_and_found_again(smoke, name):
    run = rival(smoke, name)
    values = run.result
    yardsticks = cyclevar_ablations.references(smoke).result["source, untouched"]
    assert set(values) == {*yardsticks, "pictures", "minutes"} and values["minutes"] >= 0
    assert {
        one: images.shape for one, images in cyclevar_ablations.kept_images(values).items()
    } == {one: (cyclevar_ablations.KEPT, 3, 32, 32) for one in cyclevar_ablations.DIRECTIONS}
    again = rival(smoke, name)
    assert again.source == "found" and again.record["measurements"] == run.record["measurements"]


def test_the_kept_pictures_are_the_translators_own(smoke):
    made_by = build.translator(SMALL, smoke, "cyclegan").model
    kept = cyclevar_ablations.kept_images(rival(smoke, "CycleGAN").result)
    horses = SMALL.domain(smoke, "horse", held_out=True).images[: cyclevar_ablations.KEPT]
    fresh = translate_all(made_by, horses, SMALL.domains["zebra"])
    assert torch.allclose(kept["h2z"].float() / 127.5 - 1, fresh, atol=0.01)


def test_the_three_ways_by_diffusion_share_one_model(smoke):
    assert len({build.translator(SMALL, smoke, way).key for way in DIFFUSION.values()}) == 1
    assert len({build.translator(SMALL, smoke, way).key for way in PIXELS.values()}) == 2


def test_everyone_has_the_same_numbers_and_the_balance_is_what_it_says(smoke):
    numbers = all_numbers(smoke)
    assert set(numbers) == {
        "source, untouched",
        "tokenizer alone",
        "hidden counterpart",
        OURS,
        *RIVALS,
    }
    shared = set(numbers["tokenizer alone"])
    assert all(shared <= set(one) for one in numbers.values())
    assert all(
        numbers[name]["minutes"] >= 0 and "pictures" in numbers[name] for name in (OURS, *RIVALS)
    )
    made_up = {
        name: {
            f"{what} {short}": 1.0
            for what in ("FD", "structure")
            for short in cyclevar_ablations.DIRECTIONS
        }
        for name in (OURS, *RIVALS)
    }
    failed = [key for key, holds in against_rivals(made_up).items() if not holds]
    assert failed == [
        f"{way}: nearer to the target than {name}" for way in DIRECTIONS for name in RIVALS
    ]
    for name in RIVALS:
        made_up[name] |= {"FD h2z": 2.0, "FD z2h": 2.0}
    assert all(against_rivals(made_up).values())
    made_up[OURS]["structure h2z"] = 1.5
    made_up["CUT"]["FD z2h"] = 0.5
    assert [key for key, holds in against_rivals(made_up).items() if not holds] == [
        "horse to zebra: keeps as much structure as the middle rival",
        "zebra to horse: nearer to the target than CUT",
    ]
    assert len(against_rivals(made_up, ["CycleGAN"])) == 4


@pytest.fixture
def photographs(smoke, pretrained, monkeypatch):
    """The smoke profile with coloured noise for photographs: a dozen for each part, larger where
    crops are taken.
    """
    draw, size = torch.Generator().manual_seed(0), smoke.chains["photographs"].image_size
    sides = {"trainA": size + 4, "trainB": size + 4, "testA": size, "testB": size}
    made = {
        part: torch.randint(256, (12, 3, side, side), generator=draw, dtype=torch.uint8)
        for part, side in sides.items()
    }
    monkeypatch.setattr(Folders, "parts", lambda *_: made)
    monkeypatch.setattr(Folders, "parts_files", lambda _: made)
    monkeypatch.setattr(sources, "data_folder", lambda name: paths.home())
    for digest in ("trained_on", "held_out"):
        monkeypatch.setattr(Folders, digest, lambda *_: {})
    return made


@pytest.mark.parametrize("name", RIVALS)
def test_a_rival_on_photographs_is_measured_both_ways_and_found_again(smoke, photographs, name):
    short = replace(
        smoke,
        rivals=replace(
            smoke.rivals,
            photograph_translators=tuple(RIVALS),
            pixel_steps={"photographs": 3},
            diffusion_steps={"photographs": 3},
        ),
    )
    run = photograph_rival(short, name)
    values = run.result
    assert list(values["report"]) == list(DIRECTIONS) and values["minutes"] >= 0
    assert all(
        set(one) == {"frechet", "kernel", "structure", "seen_as"}
        for one in values["report"].values()
    )
    assert set(photograph_numbers(values["report"])) == {
        f"{what} {way}" for what in ("FD", "structure") for way in ("h2z", "z2h")
    }
    side = smoke.chains["photographs"].image_size
    assert kept_photographs(values).shape == (2 * cyclevar_ablations.KEPT, 3, side, side)
    assert photograph_rival(short, name).source == "found"
    made_by = build.translator(PHOTOGRAPHS, short, RIVALS[name]).model
    fresh = translate_all(made_by, evenly_spaced(photographs["testA"], cyclevar_ablations.KEPT), 1)
    # as kept they went through a JPEG
    assert (
        kept_photographs(values)[: cyclevar_ablations.KEPT].float() / 127.5 - 1 - fresh
    ).abs().mean() < 0.2


PARTS = {"trainA": 30, "trainB": 40, "testA": 11, "testB": 12}
PHOTOS = {
    part: torch.full((count, 3, 8, 8), n, dtype=torch.uint8)
    for n, (part, count) in enumerate(PARTS.items())
}


@pytest.fixture
def told(monkeypatch):
    """Pairs of sets that are compared: (first pixel of the training part, of the test part, count)."""
    seen = []

    def real_report(training, reference, count, describe):
        seen.append((int(training[0, 0, 0, 0]), int(reference[0, 0, 0, 0]), count))
        return {"frechet": Distance()}

    for module in (translator_rivals, streets_and_flat):
        monkeypatch.setattr(module, "real_report", real_report)
    return seen


class Distance:
    def as_dict(self):
        return {"name": "FD-x", "value": 0.5}


def test_real_photographs_are_compared_with_others_of_the_same_domain(told):
    reports = real_reports(PHOTOS)
    assert list(reports) == list(DIRECTIONS)
    assert told == [(1, 3, 11), (0, 2, 12)]  # zebras, as many as horses are translated; horses


def test_streets_keep_their_floor_where_they_have_distances_and_photographs(told):
    class Record:
        record = {"measurements": {}}

        def __init__(self, **more):
            ours = {streets_and_flat.OURS: more}
            self.result = {"counts": PARTS, "measures": dict.fromkeys(("a", "b"), ours)}

        def measure(self, name, settings, function):
            self.kept = {name: {"settings": settings, "values": function()}}

    run = Record(frechet=1)
    streets_and_flat.measure_floor(run, PHOTOS)
    (kept,) = run.kept.values()
    assert list(run.kept) == ["real against real"] and kept["settings"] == {"counts": PARTS}
    assert told == [(1, 3, 11), (0, 2, 12)]  # night, as many as days are translated; day
    assert kept["values"]["day to night"] == {"frechet": {"name": "FD-x", "value": 0.5}}
    for run, data in ((Record(), PHOTOS), (Record(frechet=1), None)):
        streets_and_flat.measure_floor(run, data)
        assert not hasattr(run, "kept")
