"""The keeper: everything that a loop carries is saved and comes back, and a kill at any moment
loses at most one interval.
"""

import errno
import json
import os
import pathlib

import pytest
import torch
from tiny import same_state
from torch import nn

from varbook.device import step_generator
from varbook.errors import VarbookError
from varbook.files import read_json
from varbook.train import keeper as keeper_module
from varbook.train.keeper import Keeper, restore, state_tensors


def new_state(seed: int) -> dict:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 1))
    other = nn.Linear(3, 3)
    return {
        "model": model,
        "optimiser": torch.optim.AdamW(model.parameters(), 0.05),
        "other": other,
        "idle": torch.optim.SGD(other.parameters(), 0.1),  # has no state yet
    }


def work(state: dict, steps: range) -> None:
    for step in steps:
        x = torch.randn(6, 4, generator=step_generator(0, step))
        state["optimiser"].zero_grad()
        state["model"](x).square().mean().backward()
        state["optimiser"].step()


def test_a_restored_training_goes_on_to_the_same_bits(tmp_path):
    whole, first, second = new_state(0), new_state(0), new_state(9)
    work(whole, range(9))
    work(first, range(4))
    Keeper(tmp_path).save(4, first)
    assert Keeper(tmp_path).resume(second) == 4
    assert same_state(first["model"], second["model"]) and same_state(
        first["other"], second["other"]
    )
    work(second, range(4, 9))
    assert same_state(whole["model"], second["model"])
    work(first, range(5, 9))  # a step left out: the comparison can tell
    assert not same_state(whole["model"], first["model"])


def test_another_number_of_threads_is_told_once(tmp_path, capsys, monkeypatch):
    state = new_state(0)
    work(state, range(2))
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    Keeper(tmp_path).save(2, state)
    assert Keeper(tmp_path).resume(new_state(1)) == 2
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(torch, "get_num_threads", lambda: 5)
    assert Keeper(tmp_path).resume(new_state(1)) == 2
    told = capsys.readouterr().err
    assert "saved with 3 and resumes with 5 threads" in told and len(told.splitlines()) == 1
    notes = read_json(tmp_path / "state.json")
    del notes["threads"]  # as an earlier version wrote them
    (tmp_path / "state.json").write_text(json.dumps(notes))
    assert Keeper(tmp_path).resume(new_state(1)) == 2
    assert capsys.readouterr().err == ""


def test_the_flat_state_holds_every_tensor_and_goes_back():
    state, other = new_state(0), new_state(1)
    work(state, range(2))
    tensors = state_tensors(state)
    assert {
        "model.0.weight",
        "model.1.running_mean",
        "optimiser/0/exp_avg",
        "optimiser/0/step",
        "other.bias",
    } <= tensors.keys()
    assert not any(name.startswith("idle") for name in tensors)
    restore(other, tensors)
    again = state_tensors(other)
    assert again.keys() == tensors.keys() and all(
        torch.equal(again[name], tensors[name]) for name in tensors
    )


def test_without_a_save_the_training_starts_at_the_beginning(tmp_path):
    state, untouched = new_state(0), new_state(0)
    keeper = Keeper(tmp_path / "nothing")
    assert (
        keeper.resume(state) == 0
        and keeper.curve == []
        and same_state(state["model"], untouched["model"])
    )


def test_curve_and_time_come_back(tmp_path):
    keeper = Keeper(tmp_path)
    keeper.curve.append({"step": 3, "loss": 0.1 + 0.2})
    keeper.spent, keeper.core_spent = 100.0, 50.0
    keeper.save(4, new_state(0))
    later = Keeper(tmp_path)
    later.resume(new_state(1))
    assert later.curve == [{"step": 3, "loss": 0.1 + 0.2}]
    assert later.elapsed() >= 100 and later.core_seconds() >= 50


def test_it_saves_when_the_interval_is_over_and_keeps_one_file(tmp_path):
    patient, eager = Keeper(tmp_path / "p", seconds=1e6), Keeper(tmp_path / "e", seconds=0)
    for step in range(3):
        patient.step_done(step, new_state(0))
        eager.step_done(step, new_state(0))
    assert not (tmp_path / "p").exists()
    assert sorted(file.name for file in (tmp_path / "e").iterdir()) == [
        "state-3.safetensors",
        "state.json",
    ]
    assert Keeper(tmp_path / "e").resume(new_state(0)) == 3


def test_a_kill_between_the_two_files_leaves_the_earlier_save_whole(tmp_path, monkeypatch):
    first, second, found = new_state(0), new_state(0), new_state(5)
    Keeper(tmp_path).save(4, first)
    work(second, range(3))

    def killed(path, value):
        raise KeyboardInterrupt

    monkeypatch.setattr(keeper_module, "write_json", killed)
    with pytest.raises(KeyboardInterrupt):
        Keeper(tmp_path).save(7, second)
    monkeypatch.undo()
    assert Keeper(tmp_path).resume(found) == 4 and same_state(found["model"], first["model"])


@pytest.mark.parametrize("what", ["tensors cut", "tensors gone", "notes cut"])
def test_a_damaged_save_gets_one_sentence_and_following_it_helps(tmp_path, what):
    Keeper(tmp_path).save(4, new_state(0))
    notes, tensors = tmp_path / "state.json", tmp_path / read_json(tmp_path / "state.json")["file"]
    if what == "tensors cut":
        tensors.write_bytes(tensors.read_bytes()[:100])
    elif what == "tensors gone":
        tensors.unlink()
    else:
        notes.write_text("{")
    state, untouched = new_state(3), new_state(3)
    with pytest.raises(VarbookError) as error:
        Keeper(tmp_path).resume(state)
    assert (
        str(notes) in str(error.value)
        and "delete" in str(error.value)
        and "\n" not in str(error.value)
    )
    assert same_state(state["model"], untouched["model"])
    notes.unlink()  # as it says
    assert Keeper(tmp_path).resume(state) == 0


WHOLE = {
    "step": 4,
    "file": "state-4.safetensors",
    "sha256": "",
    "curve": [{"step": 0, "loss": 1.0}],
    "seconds": 1.0,
    "core_seconds": 1.0,
}


@pytest.mark.parametrize(
    "notes",
    [
        *({key: value for key, value in WHOLE.items() if key != name} for name in WHOLE),
        *(WHOLE | {name: None} for name in WHOLE),
        WHOLE | {"file": "../state-4.safetensors"},
        WHOLE | {"step": -1},
        WHOLE | {"curve": [3]},
        {},
        [],
    ],
)
def test_odd_notes_are_told_and_lose_nothing(tmp_path, notes):
    Keeper(tmp_path).save(4, new_state(0))
    file, names = tmp_path / "state.json", sorted(os.listdir(tmp_path))
    file.write_text(json.dumps(notes))
    with pytest.raises(
        VarbookError, match="state.json .*delete that file, and it starts from the beginning"
    ):
        Keeper(tmp_path).resume(new_state(1))
    assert sorted(os.listdir(tmp_path)) == names


@pytest.mark.parametrize("what", ["notes are a folder", "tensors are a folder", "no right"])
def test_what_is_not_damaged_is_not_to_be_deleted(tmp_path, monkeypatch, what):
    Keeper(tmp_path).save(4, new_state(0))
    if what == "no right":

        def closed(*_, **__):
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr(pathlib.Path, "open", closed)
    else:
        file = tmp_path / ("state.json" if "notes" in what else "state-4.safetensors")
        file.unlink()
        file.mkdir()
    with pytest.raises(VarbookError, match="cannot be read") as error:
        Keeper(tmp_path).resume(new_state(1))
    assert "delete" not in str(error.value)


def test_a_save_of_another_model_is_refused(tmp_path):
    Keeper(tmp_path).save(4, new_state(0))
    state = {"model": nn.Linear(4, 9)}
    with pytest.raises(VarbookError, match="delete"):
        Keeper(tmp_path).resume(state)


def test_restored_moments_lie_in_memory_as_their_weights():
    """An optimiser's one pass goes by memory, not by index: moments in another order would be taken
    for other weights' without a word.
    """
    weight = nn.Parameter(torch.arange(2 * 3 * 4 * 5.0).view(2, 3, 4, 5))
    module = nn.Module()
    module.weight = nn.Parameter(weight.detach().contiguous(memory_format=torch.channels_last))
    optimiser = torch.optim.AdamW(module.parameters(), 0.1, fused=True)
    module.weight.square().sum().backward()
    optimiser.step()
    saved = {name: tensor.clone() for name, tensor in state_tensors({"o": optimiser}).items()}
    saved = {name: tensor.contiguous() for name, tensor in saved.items()}  # as a file holds them
    restore({"o": optimiser}, saved)
    moments = optimiser.state[module.weight]
    for name in ("exp_avg", "exp_avg_sq"):
        assert moments[name].stride() == module.weight.stride()
        assert torch.equal(moments[name], saved[f"o/0/{name}"])
