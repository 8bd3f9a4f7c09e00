"""Checkpoints: what is written comes back, and every way of being damaged gets one sentence and
changes nothing.
"""

import pytest
import torch
from tiny import noise, same_state
from torch import nn

from varbook.errors import VarbookError
from varbook.train import weights
from varbook.train.weights import (
    load_tensors,
    pack,
    save_tensors,
    unpack,
)


class Network(nn.Module):
    """A matrix large enough to be rounded, and everything that is not."""

    def __init__(self, seed: int = 0):
        super().__init__()
        torch.manual_seed(seed)
        self.large, self.small = nn.Linear(256, 160), nn.Linear(6, 5)
        self.conv = nn.Conv2d(64, 64, 3)
        self.register_buffer("count", torch.tensor([seed, 2, 3]))


def one_sentence(error: pytest.ExceptionInfo) -> str:
    text = str(error.value)
    assert "\n" not in text
    assert (
        error.value.__context__ is None or error.value.__suppress_context__
    )  # no stack of internals behind it
    return text


def test_tensors_come_back_to_the_bit(tmp_path):
    tensors = {
        "a": noise(3, 4),
        "b.c": torch.arange(5),
        "scalar": torch.tensor(2.5),
        "turned": noise(4, 3).T,
        "half": noise(2).bfloat16(),
    }
    digest = save_tensors(tmp_path / "deep" / "t.safetensors", tensors)
    found = load_tensors(tmp_path / "deep" / "t.safetensors", digest)
    assert found.keys() == tensors.keys() and all(
        torch.equal(found[name], tensors[name]) for name in tensors
    )
    assert len(digest) == 64 and digest == save_tensors(tmp_path / "again", tensors)


def test_packing_loses_at_most_half_a_step_of_each_row_and_small_tensors_nothing():
    network, other = Network(0), Network(1)
    packed = pack(network)
    unpack(other, packed)
    for name, tensor in network.state_dict().items():
        found = other.state_dict()[name]
        if tensor.ndim < 2 or tensor.numel() < weights.ROUNDED_FROM:
            assert torch.equal(tensor, found), name
        else:
            rows, error = tensor.flatten(1), (found - tensor).flatten(1).abs()
            assert (
                error <= rows.abs().amax(1, keepdim=True) / 254 * 1.001
            ).all() and error.max() > 0, name
    sizes = {name: packed[name].dtype for name in ("large.weight", "conv.weight", "small.weight")}
    assert sizes == {
        "large.weight": torch.int8,
        "conv.weight": torch.int8,
        "small.weight": torch.float32,
    }


def test_packing_twice_loses_nothing_more():
    first, second = Network(1), Network(2)
    unpack(first, pack(Network(0)))
    unpack(second, pack(first))
    assert all(
        torch.allclose(a, b, rtol=1e-6, atol=0)
        for a, b in zip(first.state_dict().values(), second.state_dict().values())
    )


def test_rows_of_zeros_survive_packing():
    network, other = Network(0), Network(1)
    network.large.weight.data[7] = 0
    unpack(other, pack(network))
    assert (
        torch.equal(other.large.weight[7], torch.zeros(256)) and other.large.weight.isfinite().all()
    )


def damaged(what: str) -> tuple[dict[str, torch.Tensor], str]:
    """Return a packed network with one fault, and the tensor that the error must name."""
    packed = pack(Network(0))
    if what == "missing":
        del packed["small.bias"]
        return packed, "'small.bias' is missing"
    if what == "extra":
        packed["small.third"] = noise(2)
        return packed, "'small.third' is not in the model"
    if what == "misshaped":
        packed["small.weight"] = noise(5, 7)
        return packed, "'small.weight' has the shape (5, 7), not (5, 6)"
    if what == "scale missing":
        del packed["large.weight//scale"]
        return packed, "'large.weight//scale' is missing"
    if what == "scale alone":
        packed["small.weight//third//scale"] = noise(5, 1)
        return packed, "'small.weight//third//scale' is not in the model"
    if what == "scale misshaped":
        packed["large.weight//scale"] = packed["large.weight//scale"][:9]
        return packed, "'large.weight//scale' has the shape (9, 1), not (160, 1)"
    raise AssertionError(what)


@pytest.mark.parametrize(
    "what", ["missing", "extra", "misshaped", "scale missing", "scale alone", "scale misshaped"]
)
def test_a_checkpoint_that_does_not_fit_is_refused_by_name_and_nothing_is_loaded(what):
    network, untouched = Network(5), Network(5)
    packed, says = damaged(what)
    with pytest.raises(VarbookError) as error:
        unpack(network, packed, "model.safetensors")
    assert says in one_sentence(error) and "model.safetensors" in str(error.value)
    assert same_state(network, untouched)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", ["small.bias", "large.weight//scale"])
def test_weights_that_are_not_finite_are_refused(value, name):
    network, untouched = Network(5), Network(5)
    packed = pack(Network(0))
    packed[name] = packed[name].clone()
    packed[name].view(-1)[0] = value
    with pytest.raises(VarbookError, match=f"{name}' holds infinite or undefined"):
        unpack(network, packed, "model.safetensors")
    assert same_state(network, untouched)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("small.bias", torch.int64),
        ("small.bias", torch.bool),
        ("count", torch.float32),
        ("count", torch.int8),
        ("large.weight", torch.int32),
        ("large.weight//scale", torch.int64),
    ],
)
def test_weights_of_another_kind_are_refused(name, kind):
    network, untouched = Network(5), Network(5)
    packed = pack(Network(0))
    packed[name] = packed[name].to(kind)
    if name == "large.weight":
        del packed["large.weight//scale"]
    with pytest.raises(VarbookError, match=f"{name}' holds torch"):
        unpack(network, packed, "model.safetensors")
    assert same_state(network, untouched)


def test_half_precision_is_read_as_what_the_model_has():
    network, packed = Network(5), pack(Network(0))
    packed["small.bias"] = packed["small.bias"].half()
    unpack(network, packed)
    assert network.small.bias.dtype == torch.float32


def test_a_folder_or_a_closed_file_in_place_of_weights_is_told(tmp_path, monkeypatch):
    (tmp_path / "m.safetensors").mkdir()
    with pytest.raises(VarbookError, match="a folder stands where a file is needed"):
        load_tensors(tmp_path / "m.safetensors")
    with pytest.raises(VarbookError, match="a folder stands where a file is needed"):
        save_tensors(tmp_path / "m.safetensors", {})


@pytest.mark.parametrize(
    "how, checked",
    # one wrong bit among the numbers shows in the checksum alone
    [
        ("one bit", True),
        *(
            (how, checked)
            for how in ("truncated", "garbage", "empty", "absent")
            for checked in (True, False)
        ),
    ],
)
def test_a_damaged_file_is_refused_by_name(tmp_path, how, checked):
    path = tmp_path / "model.safetensors"
    digest = save_tensors(path, pack(Network(0)))
    content = path.read_bytes()
    if how == "absent":
        path.unlink()
    elif how == "one bit":
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    else:
        path.write_bytes(
            {
                "truncated": content[: len(content) // 2],
                "garbage": b"no tensors at all",
                "empty": b"",
            }[how]
        )
    with pytest.raises(VarbookError) as error:
        load_tensors(path, digest if checked else None)
    text = one_sentence(error)
    assert (
        str(path) in text and ("There is no checkpoint" if how == "absent" else "damaged") in text
    )
