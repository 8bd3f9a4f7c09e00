"""CycleVAR's rivals from the shelf: trained once on the small chain, judged as its ablations are, and found again."""

import pytest
import torch

from varbook.book import models, taken_apart
from varbook.book.translators import DIFFUSION, OURS, PIXELS, RIVALS, balance, everyone, rival, translator


@pytest.mark.parametrize("name", RIVALS)
def test_a_rival_is_measured_as_the_ablations_are_and_found_again(smoke, name):
    run = rival(smoke, name)
    values = run.record["measurements"]["result"]["values"]
    yardsticks = taken_apart.yardsticks(smoke).record["measurements"]["result"]["values"]["source, untouched"]
    assert set(values) == {*yardsticks, "pictures", "minutes"} and values["minutes"] >= 0
    assert {one: images.shape for one, images in taken_apart.pictures(values).items()} == {
        one: (taken_apart.KEPT, 3, 32, 32) for one in taken_apart.DIRECTIONS
    }
    again = rival(smoke, name)
    assert again.source == "found" and again.record["measurements"] == run.record["measurements"]


def test_the_kept_pictures_are_the_translators_own(smoke):
    made_by, _ = translator(smoke, "CycleGAN")
    kept = taken_apart.pictures(rival(smoke, "CycleGAN").record["measurements"]["result"]["values"])
    study = taken_apart.study_of(smoke)
    horses = models.toy_domain(study, "horse", held_out=True).images[: taken_apart.KEPT]
    fresh = models.translate_all(made_by, horses, models.ZEBRA)
    assert torch.allclose(kept["h2z"].float() / 127.5 - 1, fresh, atol=0.01)


def test_the_three_ways_by_diffusion_share_one_model(smoke):
    runs = {name: translator(smoke, name)[1][0].key for name in DIFFUSION}
    assert len(set(runs.values())) == 1
    assert len({translator(smoke, name)[1][0].key for name in PIXELS}) == 2


def test_everyone_has_the_same_numbers_and_the_balance_is_what_it_says(smoke):
    numbers = everyone(smoke)
    assert set(numbers) == {"source, untouched", "tokenizer alone", "hidden counterpart", OURS, *RIVALS}
    shared = set(numbers["tokenizer alone"])
    assert all(shared <= set(one) for one in numbers.values())
    assert all(numbers[name]["minutes"] >= 0 and "pictures" in numbers[name] for name in (OURS, *RIVALS))
    made_up = {name: {f"{what} {short}": 1.0 for what in ("FD", "structure") for short in taken_apart.DIRECTIONS} for name in (OURS, *RIVALS)}
    assert all(balance(made_up).values())
    made_up["CUT"] |= {"FD h2z": 0.5}
    assert all(balance(made_up).values())
    made_up["CUT"] |= {"structure h2z": 0.5}
    assert [text for text, held in balance(made_up).items() if not held] == ["horse to zebra: CUT is not better in both distance and structure"]
