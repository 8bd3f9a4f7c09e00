"""Measures of photographs, on real ones."""

import pytest
import torch

from varbook import paths
from varbook.errors import VarbookError
from varbook.evaluate import photographs as photographs_module
from varbook.evaluate.photographs import DomainProbe, photograph_report, real_report, seen_as
from varbook.features import mobilenet


def photographs(folder: str, count: int) -> torch.Tensor:
    """Return the first photographs of a folder of horse2zebra, uint8 (count,3,64,64)."""
    root = paths.data_folder("horse2zebra")
    if paths.weights_file(mobilenet.FILE) is None or root is None:
        pytest.skip(f"needs {mobilenet.FILE} (VARBOOK_WEIGHTS) and horse2zebra (VARBOOK_DATA)")
    from PIL import Image
    from torchvision.transforms.functional import pil_to_tensor

    pictures = sorted((root / folder).iterdir())[:count]
    return torch.stack(
        [pil_to_tensor(Image.open(path).convert("RGB").resize((64, 64))) for path in pictures]
    )


def test_zebras_are_seen_as_zebras_and_doing_nothing_is_no_translation():
    horses, zebras = photographs("testA", 5), photographs("testB", 5)
    assert seen_as(zebras, "zebra").value == 1 - seen_as(zebras, "horse").value >= 0.8
    idle = photograph_report(horses, horses, zebras, "zebra")
    assert set(idle) == {
        "structure",
        "seen_as",
    }  # five images are too few for a distance between sets
    assert idle["structure"].value < 1e-6 and idle["seen_as"].value <= 0.6
    replaced = photograph_report(horses, zebras, zebras, "zebra")
    assert (
        replaced["structure"].value > 0.1 and replaced["seen_as"].name == "seen-as-zebra-mobilenet"
    )


def test_a_probe_tells_domains_apart_that_it_was_shown():
    horses, zebras = photographs("testA", 30), photographs("testB", 30)
    probe = DomainProbe(horses[:20], zebras[:20])
    assert probe.seen_as_second(zebras[20:]) >= 0.7 and probe.seen_as_second(horses[20:]) <= 0.3


def textures(count: int, coarse: bool, seed: int) -> torch.Tensor:
    """Noise in large or in small cells, uint8 (count, 3, 64, 64): two domains that any network sees."""
    side = 4 if coarse else 64
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randint(256, (count, 3, side, side), generator=generator, dtype=torch.uint8)
    return noise.repeat_interleave(64 // side, 2).repeat_interleave(64 // side, 3)


def test_what_is_reported_of_any_photographs(pretrained):
    source, target = textures(12, True, 0), textures(12, False, 1)
    idle = photograph_report(source, source, target, "zebra")
    done = photograph_report(source, target, target, "zebra")
    assert set(idle) == {"frechet", "kernel", "structure", "seen_as"}
    assert idle["structure"].value < 1e-6 < done["structure"].value
    assert done["frechet"].value < 1e-2 * idle["frechet"].value
    assert idle["frechet"].name == "FD-mobilenet" and done["structure"].name.startswith("structure")
    shares = [seen_as(target, name).value for name in ("horse", "zebra")]
    assert sum(shares) == pytest.approx(1) and idle["seen_as"].card.samples == 12


def test_a_probe_tells_two_textures_apart(pretrained):
    coarse, fine = textures(16, True, 2), textures(16, False, 3)
    probe = DomainProbe(coarse[:10], fine[:10])
    assert probe.seen_as_second(fine[10:]) == 1 and probe.seen_as_second(coarse[10:]) == 0


def test_only_horses_and_zebras_can_be_asked_for():
    with pytest.raises(VarbookError, match="cow"):
        seen_as(torch.zeros(1, 3, 64, 64), "cow")


def test_the_floor_is_measured_on_other_real_pictures_as_many_and_as_large(monkeypatch):
    seen = []
    monkeypatch.setattr(
        photographs_module, "fidelity", lambda *sets, describe: seen.append((*sets, describe)) or {}
    )
    numbered = torch.arange(31, dtype=torch.uint8).view(31, 1, 1, 1).expand(31, 3, 80, 64)
    reference = textures(12, False, 1)
    real_report(numbered, reference, 11, "zebras")
    ((real, others, describe),) = seen
    assert real[:, 0, 0, 0].tolist() == list(range(0, 31, 3)) and real.shape == (11, 3, 64, 64)
    assert others is reference and describe == "zebras"
    real_report(numbered, reference, 100)  # more than there are
    assert len(seen[1][0]) == 31
    assert (
        real_report(numbered[:9], reference, 12) == {} == real_report(numbered, reference[:9], 12)
    )
    assert len(seen) == 2
