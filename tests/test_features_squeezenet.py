"""SqueezeNet: the architecture against torchvision's, the folded preprocessing, and photographs
where weights are.
"""

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from torchvision.models import squeezenet1_1

from varbook import paths
from varbook.errors import VarbookError
from varbook.features.squeezenet import (
    FILE,
    LAYERS,
    MEAN_BGR,
    SqueezeNet,
    load_squeezenet,
    read_npz,
)


@pytest.fixture(scope="module")
def weights(pretrained):
    return read_npz(None, FILE)


def test_same_network_as_torchvisions():
    torch.manual_seed(0)
    theirs = squeezenet1_1(weights=None).eval()
    ours = SqueezeNet(LAYERS)
    places = {"conv1": "features.0", "conv10": "classifier.1"}
    places |= {
        f"fire{k}": f"features.{index}"
        for k, index in zip(range(2, 10), (3, 4, 6, 7, 9, 10, 11, 12), strict=True)
    }
    state = theirs.state_dict()

    def their_key(key: str) -> str:
        layer, rest = key.split(".", 1)
        return f"{places[layer]}.{rest.replace('squeeze1x1', 'squeeze')}"

    ours.load_state_dict({key: state[their_key(key)] for key in ours.state_dict()})
    images = torch.rand(2, 3, 70, 57) * 2 - 1
    with torch.no_grad():
        assert torch.allclose(ours.logits(images), theirs(images), atol=1e-5)
        assert torch.allclose(ours(images)[1], theirs.features[:4](images), atol=1e-5)


def test_preprocessing_is_folded_exactly(weights):
    images = torch.rand(2, 3, 64, 64) * 2 - 1
    raw = ((images + 1) * 127.5).flip(1) - torch.tensor(MEAN_BGR)[:, None, None]
    by_hand = F.relu(F.conv2d(raw, weights["conv1.weight"], weights["conv1.bias"], stride=2))
    folded = load_squeezenet(layers=("conv1",))(images)[0]
    assert (folded - by_hand).abs().max() < 1e-4 * by_hand.abs().max()


def test_maps_have_the_expected_shapes_and_no_gradients(weights):
    network = load_squeezenet()
    assert [tuple(m.shape) for m in network(torch.zeros(1, 3, 64, 64))] == [
        (1, 64, 31, 31),
        (1, 128, 15, 15),
        (1, 256, 7, 7),
    ]
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_unknown_layers_are_refused():
    with pytest.raises(VarbookError, match="conv7"):
        SqueezeNet(("conv7",))
    with pytest.raises(VarbookError):
        SqueezeNet(())


def test_missing_damaged_and_foreign_files_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "weights_file", lambda name: None)
    with pytest.raises(VarbookError, match="VARBOOK_WEIGHTS"):
        load_squeezenet()
    damaged = tmp_path / FILE
    damaged.write_bytes(b"not an archive")
    with pytest.raises(VarbookError, match="cannot be read"):
        load_squeezenet(damaged)
    np.savez(tmp_path / "other.npz", weight=np.zeros(3))
    with pytest.raises(VarbookError, match="SqueezeNet"):
        load_squeezenet(tmp_path / "other.npz")
