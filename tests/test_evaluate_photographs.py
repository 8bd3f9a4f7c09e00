"""Measures of photographs, on real ones."""

import pytest
import torch

from varbook import paths
from varbook.errors import VarbookError
from varbook.evaluate.photographs import DomainProbe, photograph_report, seen_as
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


def test_only_horses_and_zebras_can_be_asked_for():
    with pytest.raises(VarbookError, match="cow"):
        seen_as(torch.zeros(1, 3, 64, 64), "cow")
