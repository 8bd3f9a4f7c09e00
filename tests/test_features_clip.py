"""CLIP's image tower: preprocessing by its numbers, gradients, and a clear word where package or
weights are missing.
"""

import sys
import types

import pytest
import torch
from tiny import pictures
from torch import nn

from varbook.errors import VarbookError
from varbook.features import clip


class Tower(nn.Module):
    """Keeps what it is shown."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen = x
        return x.mean((2, 3))  # B 3


def test_pictures_arrive_at_224_pixels_with_clips_mean_and_spread():
    tower = Tower()
    clip.Clip(tower, 3)(torch.ones(2, 3, 32, 48))
    white = (1 - torch.tensor(clip.MEAN)) / torch.tensor(clip.STD)
    assert tower.seen.shape == (2, 3, 224, 224)
    assert torch.allclose(tower.seen, white[:, None, None].expand(2, 3, 224, 224), atol=1e-5)


def test_pictures_of_the_right_size_are_not_resized():
    tower, images = Tower(), pictures(1, 224, 224)
    clip.Clip(tower, 3)(images)
    back = (
        tower.seen * torch.tensor(clip.STD)[:, None, None] + torch.tensor(clip.MEAN)[:, None, None]
    )
    assert torch.allclose(back, (images + 1) / 2, atol=1e-6)


def test_mean_and_spread_move_with_the_module_and_are_in_no_state():
    module = clip.Clip(Tower(), 3).double()
    assert module.mean.dtype == torch.float64 and not module.state_dict()


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "open_clip", None)
    monkeypatch.setattr(clip, "find_spec", lambda name: None)
    assert clip.clip_at_hand() is False
    with pytest.raises(VarbookError, match=r"varbook\[clip\]"):
        clip.load_clip()


def test_the_tower_of_open_clip_gives_512_numbers_and_a_gradient():
    open_clip = pytest.importorskip(
        "open_clip", reason="open_clip (the extra clip) is not installed"
    )
    tower = open_clip.create_model(clip.MODEL, pretrained=None).visual.eval().requires_grad_(False)
    images = pictures(1, 64, 64).requires_grad_()
    out = clip.Clip(tower)(images)
    out.square().sum().backward()
    assert out.shape == (1, 512) and images.grad.abs().sum() > 0


def stand_ins(monkeypatch, download, asked: list) -> None:
    """Let modules of the test stand in for open_clip and the hub, and note what is asked of them."""
    hub, open_clip = types.ModuleType("huggingface_hub"), types.ModuleType("open_clip")
    hub.hf_hub_download = download
    open_clip.create_model = lambda *names, pretrained: (
        asked.append((names, pretrained)) or types.SimpleNamespace(visual=Tower())
    )
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    monkeypatch.setitem(sys.modules, "open_clip", open_clip)


def test_weights_that_cannot_be_fetched_are_named(monkeypatch):
    def offline(*arguments, **options):
        raise OSError("no network")

    stand_ins(monkeypatch, offline, [])
    with pytest.raises(VarbookError, match="cannot be fetched"):
        clip.load_clip()


def test_the_weights_are_those_of_one_known_commit(monkeypatch):
    asked: list = []

    def download(*names, revision):
        asked.append((names, revision))
        return "the file"

    stand_ins(monkeypatch, download, asked)
    clip.load_clip()
    assert asked == [
        ((clip.REPOSITORY, clip.FILE), clip.REVISION),
        ((clip.MODEL,), "the file"),
    ]
    assert len(clip.REVISION) == 40
