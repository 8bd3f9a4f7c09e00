"""No training ends well that went wrong: of all six loops, told with the step and what was odd, the
last good state kept, and nothing finished.
"""

import math

import pytest
import torch
from trainings import STEPS, TRAININGS, outcome, trained

from varbook.errors import VarbookError
from varbook.files import read_json, write_json
from varbook.train import fit_tokenizer
from varbook.train.keeper import Keeper
from varbook.train.store import train_or_load
from varbook.train.weights import load_tensors, save_tensors

every_loop = pytest.mark.parametrize("name", TRAININGS)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch, one_thread):
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path))
    monkeypatch.setenv("VARBOOK_DEVICE", "cpu")
    monkeypatch.setenv("VARBOOK_PRECISION", "float32")
    return tmp_path


def poison(at: int):
    """What puts a number that is none into the first weights after step `at` (from 0)."""

    def after(step, model):
        if step == at:
            with torch.no_grad():
                next(model.parameters()).fill_(math.nan)

    return after


def finished(home) -> list:
    return [*home.glob("runs/*.json"), *home.glob("runs/*.safetensors")]


def good_state(home) -> int:
    """The step of the state that is kept, all of whose numbers are finite; 0 without one."""
    for notes in home.glob("partial/*/state.json"):
        kept = read_json(notes)
        tensors = load_tensors(notes.with_name(kept["file"]), kept["sha256"])
        assert all(tensor.isfinite().all() for tensor in tensors.values())
        return kept["step"]
    return 0


@every_loop
def test_a_loss_that_is_no_number_ends_the_training_with_its_step(name, home):
    with pytest.raises(VarbookError) as error:
        trained(name, poison(4))
    told = str(error.value)
    assert f"after step 6 of {STEPS}, went wrong: its '" in told and " is nan; " in told
    assert "lower its learning rate (lr)" in told and "\n" not in told
    assert not finished(home)


@every_loop
def test_weights_that_are_no_numbers_are_not_saved_over_good_ones(name, home):
    with pytest.raises(VarbookError, match="after step 6, went wrong: '.*' holds infinite"):
        trained(name, poison(4), seconds=0)  # it saves after each step
    assert good_state(home) == 5 and not finished(home)
    resumed = trained(name)  # as nothing is wrong with its settings, it can go on
    assert outcome(resumed)[1][-1]["step"] == STEPS - 1


@every_loop
def test_weights_that_the_last_step_has_spoilt_are_not_kept(name, home):
    with pytest.raises(VarbookError, match=f"after step {STEPS} of {STEPS}, went wrong"):
        trained(name, poison(STEPS - 1))
    assert not finished(home)


def test_a_discriminator_s_loss_is_watched_though_it_is_not_logged(monkeypatch):
    original = fit_tokenizer.discriminator_loss
    calls: list[int] = []

    def odd_once(*arguments):
        calls.append(1)
        return original(*arguments) * (math.nan if len(calls) == 3 else 1.0)

    monkeypatch.setattr(fit_tokenizer, "discriminator_loss", odd_once)
    joins = STEPS // 2  # the discriminator does, after so many steps
    with pytest.raises(VarbookError, match=f"after step {joins + 3} .* its 'critic' is nan"):
        trained("fit_tokenizer")


def test_float32_is_advised_where_it_was_not_used(monkeypatch):
    with pytest.raises(VarbookError) as error:
        trained("fit_judge", poison(4))
    assert "float32" not in str(error.value)
    monkeypatch.setenv("VARBOOK_PRECISION", "bfloat16")
    with pytest.raises(VarbookError, match="or train in float32 .VARBOOK_PRECISION=float32."):
        trained("fit_judge", poison(4))


def test_a_loop_of_one_s_own_that_leaves_no_numbers_is_not_kept_either(home):
    model = torch.nn.Linear(2, 2)
    torch.nn.init.constant_(model.bias, math.inf)
    with pytest.raises(VarbookError, match="'bias' holds infinite or undefined numbers"):
        train_or_load("own", model, {}, lambda keeper: [], seed=0)
    assert not finished(home)


def test_a_state_without_numbers_from_elsewhere_is_not_gone_on_with(home):
    class Over(Exception):
        pass

    def stop(step, model):
        raise Over

    with pytest.raises(Over):
        trained("fit_judge", stop, seconds=0)
    (notes,) = home.glob("partial/*/state.json")
    kept = read_json(notes)
    file = notes.with_name(kept["file"])
    tensors = load_tensors(file)
    name = next(name for name in tensors if name.startswith("optimiser/") and "exp_avg" in name)
    tensors[name] = tensors[name] / 0
    write_json(notes, kept | {"sha256": save_tensors(file, tensors)})
    with pytest.raises(VarbookError, match="delete that file, and it starts from the beginning"):
        trained("fit_judge")
    notes.unlink()
    assert trained("fit_judge").source == "trained"


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."),
        RuntimeError("MPS backend out of memory"),
    ],
)
def test_too_little_memory_is_told_with_what_to_lower_and_keeps_what_was_saved(home, error):
    def after(step, model):
        if step == 5:
            raise error

    with pytest.raises(VarbookError) as told:
        trained("fit_judge", after, seconds=0)
    assert "needs more memory than there is: make its batch smaller" in str(told.value)
    assert "\n" not in str(told.value) and good_state(home) == 6


def test_other_errors_of_torch_stay_what_they_are():
    def after(step, model):
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes do not fit"):
        trained("fit_judge", after)


def test_a_real_lack_of_memory_is_known_as_one():
    def fit(keeper: Keeper) -> list:
        torch.empty(2**55)
        return []

    with pytest.raises(VarbookError, match="needs more memory"):
        train_or_load("own", torch.nn.Linear(2, 2), {}, fit, seed=0)


def test_a_measurement_that_is_no_number_is_told_and_not_kept(home):
    run = trained("fit_judge")
    with pytest.raises(VarbookError, match="Measuring 'far' of tiny-judge-.*: FD.1 is inf"):
        run.measure("far", {}, lambda: {"FD": [1.0, math.inf]})
    assert run.measure("near", {}, lambda: {"FD": [1.0]}) == {"FD": [1.0]}
    assert set(trained("fit_judge").record["measurements"]) == {"near"}
