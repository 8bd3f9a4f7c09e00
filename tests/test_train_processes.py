"""Training by several processes: two give what one gives, resume what one began, and the first
alone writes.
"""

import functools
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from at_work import together
from tiny import (
    CPU,
    MODEL,
    SCHEDULE,
    TOKENIZER,
    awake,
    noise,
    pictures,
    tiny_cyclevar,
    tiny_tokenizer,
    uint8_pictures,
)

from varbook import processes
from varbook.features.judge import Judge, JudgeConfig
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.train import fit_next_scale as module
from varbook.train import store
from varbook.train.fit_cyclevar import CycleVARTraining, fit_cyclevar
from varbook.train.fit_judge import fit_judge
from varbook.train.fit_next_scale import NextScaleTraining, fit_next_scale
from varbook.train.fit_tokenizer import TokenizerTraining, fit_tokenizer
from varbook.train.keeper import Keeper
from varbook.train.store import train_or_load
from varbook.transformer.model import NextScaleModel, flexvar
from varbook.transformer.text_model import TextNextScaleConfig, TextNextScaleModel
from varbook.translate.augment import KINDS
from varbook.translate.cyclevar import CycleVAR, CycleVARConfig
from varbook.world.scene import SPECIES

READER = TextNextScaleConfig(
    SCHEDULE,
    bits=8,
    code_dim=8,
    depth=2,
    width=32,
    heads=2,
    words=("a", "by", "cow", "day", "night"),
    text_channels=32,
    text_length=8,
)
FEATURES, LABELS = noise(12, 8, 4, 4), torch.arange(12) % 3
NEXT = NextScaleTraining(steps=50, batch=4, max_steps=4)
# Every part at work: start and cure of the codebook, and the discriminator.
TOKENS = TokenizerTraining(steps=50, batch=4, warmup=6, revive_every=5, gan_start=0.5, lr=1e-3)
CYCLE = CycleVARTraining(
    steps=8,
    batch=2,
    identity_steps=2,
    warmup=2,
    augment=tuple(KINDS),
    keep_l1=0.5,
    cycle_noise=0.1,
    discriminator_channels=(8,),
)


def state(model) -> dict:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


class Killed(Keeper):
    """Notes the first step of a run; saves after step `kill`, and then stops as if it had been
    interrupted.
    """

    def __init__(self, folder, kill: int | None):
        super().__init__(folder)
        self.kill, self.first = kill, None

    def step_done(self, step, state):
        self.first = step if self.first is None else self.first
        if step == self.kill:
            self.save(step + 1, state)
            raise KeyboardInterrupt


def next_scale(kind: str, folder=None, kill: int | None = None, shard: bool = False):
    """Train a model -> (curve, weights, first step)."""
    torch.manual_seed(processes.rank())  # another start in every process: the first one's must win
    model = NextScaleModel(MODEL if kind == "residual" else flexvar(MODEL))
    training, keeper = (
        replace(NEXT, step_sampling=kind == "ground_truth"),
        Killed(folder, kill) if folder else None,
    )
    arguments = (model, tiny_tokenizer(kind), FEATURES, LABELS, training)
    try:
        curve = fit_next_scale(*arguments, seed=3, device=CPU, keeper=keeper, shard=shard)
    except KeyboardInterrupt:
        return "interrupted"
    return curve, state(model), keeper and keeper.first


def tokenizer(kind: str, folder=None, kill: int | None = None):
    """Train a tokenizer -> (curve, what it makes of pictures, first step). Some of its biases,
    before a norm, do nothing at all.
    """
    model, keeper = tiny_tokenizer(kind), Killed(folder, kill) if folder else None
    torch.manual_seed(processes.rank())
    try:
        curve = fit_tokenizer(model, uint8_pictures(8), TOKENS, seed=3, device=CPU, keeper=keeper)
    except KeyboardInterrupt:
        return "interrupted"
    return (
        curve,
        {"picture": model.reconstruct(pictures(2))[-1]} | state(model.codebook),
        keeper and keeper.first,
    )


def cyclevar(config: CycleVARConfig, shard: bool = False):
    """Train CycleVAR -> (curve, weights, None)."""
    model = tiny_cyclevar(config)
    torch.manual_seed(processes.rank())
    sets = (uint8_pictures(6, seed=1), uint8_pictures(4, seed=2))
    return (
        fit_cyclevar(model, sets, (0, 2), CYCLE, seed=3, device=CPU, shard=shard),
        state(model.model),
        None,
    )


def reader() -> tuple[Tokenizer, TextNextScaleModel]:
    """Return a tokenizer of sign bits and a small model that reads, with other weights in every
    process.
    """
    torch.manual_seed(0)
    tokenizer = Tokenizer(replace(TOKENIZER, codes_kind="bits", code_dim=8)).eval()
    torch.manual_seed(processes.rank())
    return tokenizer, TextNextScaleModel(READER)


def text_next_scale(shard: bool = False):
    """Train a model that reads, bits flipped -> (curve, weights, None)."""
    tokenizer, model = reader()
    ids = model.ids(["a cow by night", "by day", "a cow"])[torch.arange(12) % 3]
    training = replace(NEXT, steps=30, flips=0.3)
    return (
        fit_next_scale(model, tokenizer, FEATURES, ids, training, seed=3, device=CPU, shard=shard),
        state(model),
        None,
    )


def text_cyclevar(shard: bool = False):
    """Train CycleVAR with prompts for classes -> (curve, weights, None).

    A sign bit that lies within rounding of zero makes another picture of the same one: with this
    seed none does, whichever kernel attends.
    """
    tokenizer, model = reader()
    translator = CycleVAR(tokenizer, awake(model))
    sets, prompts = (
        (uint8_pictures(6, seed=1), uint8_pictures(4, seed=2)),
        tuple(model.ids(["by day", "by night"])),
    )
    return (
        fit_cyclevar(translator, sets, prompts, CYCLE, seed=5, device=CPU, shard=shard),
        state(model),
        None,
    )


def judge():
    """Train a judge -> (curve, weights, None)."""
    torch.manual_seed(processes.rank())
    model = Judge(JudgeConfig(SPECIES, widths=(8, 8, 8), neck=8))
    silhouettes = torch.rand(8, 16, 16, generator=torch.Generator().manual_seed(0)) > 0.5
    labels = torch.arange(8) % 3
    curve = fit_judge(
        model, uint8_pictures(8), labels, silhouettes, steps=12, batch=3, seed=0, device=CPU
    )
    return curve, state(model), None


@functools.cache
def alone(work, *arguments) -> list:
    """Return what one process makes of `work`, computed once."""
    with tempfile.TemporaryDirectory() as folder:
        return together(1, Path(folder), work, *arguments)


def assert_equal(one: list, two: list):
    """Losses to 1e-5 at every logged step, tensors to 1e-4, and those of the two processes to the
    bit.
    """
    assert all(isinstance(answer, tuple) for answer in one + two), one + two
    (curve, single, _), (first, ours, _), (second, theirs, _) = *one, *two
    assert first == second and all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert [entry["step"] for entry in first] == [entry["step"] for entry in curve] and len(
        curve
    ) > 1
    for a, b in zip(curve, first, strict=True):
        assert b == pytest.approx(a, abs=1e-5, rel=1e-5)
    for name, tensor in single.items():
        assert torch.allclose(tensor, ours[name], atol=1e-4), (
            name,
            (tensor - ours[name]).abs().max(),
        )


@pytest.mark.parametrize("kind", ["residual", "ground_truth"])
def test_two_processes_train_the_next_scale_model_of_one(tmp_path, kind):
    assert_equal(alone(next_scale, kind), together(2, tmp_path, next_scale, kind))


@pytest.mark.parametrize("kind", ["residual", "ground_truth"])
def test_two_processes_train_the_tokenizer_of_one(tmp_path, kind):
    assert_equal(alone(tokenizer, kind), together(2, tmp_path, tokenizer, kind))


@pytest.mark.parametrize(
    "config", [CycleVARConfig(noise=True), CycleVARConfig(mode="serial", relaxation="gumbel")]
)
def test_two_processes_train_the_cyclevar_of_one(tmp_path, config):
    assert_equal(alone(cyclevar, config), together(2, tmp_path, cyclevar, config))


def test_two_processes_train_the_judge_of_one(tmp_path):
    assert_equal(alone(judge), together(2, tmp_path, judge))


def test_a_sharded_next_scale_model_is_trained_alike(tmp_path):
    assert_equal(
        alone(next_scale, "residual"),
        together(2, tmp_path, next_scale, "residual", None, None, True),
    )


@pytest.mark.parametrize("mode", ["parallel", "serial"])
def test_a_sharded_cyclevar_is_trained_alike(tmp_path, mode):
    config = CycleVARConfig(mode=mode)
    assert_equal(alone(cyclevar, config), together(2, tmp_path, cyclevar, config, True))


@pytest.mark.parametrize("shard", [False, True])
@pytest.mark.parametrize("work", [text_next_scale, text_cyclevar])
def test_a_model_that_reads_is_trained_alike_by_two_and_sharded(tmp_path, work, shard):
    assert_equal(alone(work), together(2, tmp_path, work, shard))


def test_a_process_alone_has_nobody_to_share_a_model_with(tmp_path):
    (answer,) = together(1, tmp_path, next_scale, "residual", None, None, True)
    assert "VarbookError: A model is sharded over several processes" in answer


@pytest.mark.parametrize(
    ("work", "kind", "before", "after"),
    [
        (next_scale, "ground_truth", 1, 2),
        (next_scale, "ground_truth", 2, 1),
        (tokenizer, "residual", 1, 2),
    ],
)
def test_a_killed_training_goes_on_with_another_number_of_processes(
    tmp_path, work, kind, before, after
):
    """From the step where it stopped, with the same rows in the same order: the result is that of
    an undisturbed run.
    """
    folder = tmp_path / "state"
    assert together(before, tmp_path / "before", work, kind, folder, 22) == ["interrupted"] * before
    assert sorted(path.name for path in folder.iterdir()) == ["state-23.safetensors", "state.json"]
    resumed = together(after, tmp_path / "after", work, kind, folder, None)
    assert [answer[2] for answer in resumed] == [23] * after
    assert_equal(alone(work, kind), resumed if after == 2 else resumed * 2)


def test_a_sharded_training_is_saved_whole_and_goes_on_without_sharding_and_back(tmp_path):
    folder = tmp_path / "state"
    for count, kill, shard in ((2, 10, True), (1, 20, False)):
        stopped = together(
            count, tmp_path / str(count), next_scale, "residual", folder, kill, shard
        )
        assert stopped == ["interrupted"] * count
    resumed = together(2, tmp_path / "back", next_scale, "residual", folder, None, True)
    assert [answer[2] for answer in resumed] == [21, 21]
    assert_equal(alone(next_scale, "residual"), resumed)


def stored(home):
    """Train through the store, twice; only the first process can write -> (source, name, weights)
    of both times.
    """
    os.environ["VARBOOK_HOME"] = str(home)
    if processes.rank():
        os.replace = os.remove = None  # whoever writes needs these
    out = []
    for _ in range(2):
        torch.manual_seed(0)
        model = NextScaleModel(MODEL)

        def fit(keeper, model=model):
            keeper.seconds = 0  # save at every step
            return fit_next_scale(
                model,
                tiny_tokenizer(),
                FEATURES,
                LABELS,
                replace(NEXT, steps=5),
                seed=3,
                device=CPU,
                keeper=keeper,
            )

        run = train_or_load("tiny", model, NEXT, fit, seed=3)
        out.append((run.source, run.record, state(model)))
    return out


def test_the_first_process_alone_writes_and_all_have_the_same_run(tmp_path):
    ours, theirs = together(2, tmp_path, stored, tmp_path / "home")
    assert isinstance(ours, list) and isinstance(theirs, list), (ours, theirs)
    for (source, record, weights), (other_source, other_record, other_weights), wanted in zip(
        ours, theirs, ("trained", "found")
    ):
        assert source == other_source == wanted and record == other_record
        assert all(torch.equal(weights[name], other_weights[name]) for name in weights)
    runs = sorted(path.suffix for path in (tmp_path / "home" / "runs").iterdir())
    assert runs == [".json", ".safetensors"] and not list(
        (tmp_path / "home" / "partial").glob("*/*")
    )


def homeless(home):
    """Resume a training where the second process does not see the folder of the first."""
    return next_scale("residual", home if processes.first() else home / "elsewhere", None)


def test_a_state_that_one_process_does_not_see_is_refused(tmp_path):
    together(1, tmp_path, next_scale, "residual", tmp_path / "state", 3)
    _, second = together(2, tmp_path, homeless, tmp_path / "state")
    assert "VarbookError" in second and "put VARBOOK_HOME where all processes see it" in second


def failing():
    """Fail in the second process, in the middle of a training."""
    original = module.step_schedule

    def fail(*arguments):
        if processes.rank() == 1:
            raise RuntimeError("out of memory")
        return original(*arguments)

    module.step_schedule = fail
    return next_scale("residual")


def test_when_one_process_fails_the_other_ends_too(tmp_path):
    first, second = together(2, tmp_path, failing)
    assert "out of memory" in second
    assert (
        isinstance(first, str) and "out of memory" not in first
    )  # it ended by itself, and says that its partner is gone


def sleeping():
    """Let the first process wait for a second one that never comes."""
    if processes.rank() == 1:
        time.sleep(6)
        return "slept"
    return processes.from_first(1), processes.mean({"a": 1.0})


def test_a_process_does_not_wait_for_ever(tmp_path):
    first, second = together(2, tmp_path, sleeping, minutes=0.03)
    assert isinstance(first, str) and "imed out" in first and second == "slept"


def uneven():
    """Train with a batch that two cannot share."""
    return fit_next_scale(
        NextScaleModel(MODEL),
        tiny_tokenizer(),
        FEATURES,
        LABELS,
        replace(NEXT, batch=3),
        seed=3,
        device=CPU,
    )


def test_a_batch_that_cannot_be_shared_is_refused(tmp_path):
    for answer in together(2, tmp_path, uneven):
        assert "VarbookError: A batch of 3 cannot be shared by 2 processes" in answer


def sharing():
    """Return what the small functions give in this process."""
    batch = torch.arange(12).view(6, 2)
    share = processes.share(batch)
    two = torch.cat((share, 10 * share))  # two batches behind each other, as CycleVAR makes them
    return {
        "who": (processes.rank(), processes.count(), processes.first()),
        "back": torch.equal(processes.gather(share), batch),
        "pair": torch.equal(processes.gather(two), torch.cat((batch, 10 * batch))),
        "drawn": processes.drawn(torch.rand, (3, 2), torch.Generator().manual_seed(4)),
        "mean": processes.mean({"a": processes.rank() + 1.0, "b": 4.0}),
        "total": processes.total(processes.rank() + 1.0),
        "told": processes.from_first({"name": processes.rank()}),
    }


def test_sharing_gathering_and_averaging(tmp_path):
    answers = together(2, tmp_path, sharing)
    assert [answer["who"] for answer in answers] == [(0, 2, True), (1, 2, False)]
    assert all(answer["back"] and answer["pair"] for answer in answers)
    assert all(
        answer["mean"] == {"a": 1.5, "b": 4.0}
        and answer["total"] == 3.0
        and answer["told"] == {"name": 0}
        for answer in answers
    )
    alone = torch.rand((6, 2), generator=torch.Generator().manual_seed(4))
    assert all(torch.equal(answer["drawn"], alone[rank::2]) for rank, answer in enumerate(answers))


def core_seconds(folder):
    """Return the processor time of a training of which this process has had 100 seconds, the second
    200, when it is saved and when it is resumed.
    """
    keeper = Keeper(folder)
    keeper.core_began -= 100.0 * (processes.rank() + 1)
    model = torch.nn.Linear(1, 1)
    keeper.save(1, {"model": model})
    processes.total(0.0)  # the second waits until the first has written
    resumed = Keeper(folder)
    resumed.resume({"model": model})
    return keeper.core_seconds(), resumed.core_seconds()


def test_the_processor_time_of_a_training_is_that_of_all_its_processes(tmp_path):
    for count, spent in ((1, 100.0), (2, 300.0)):
        for times in together(count, tmp_path / str(count), core_seconds, tmp_path / f"of {count}"):
            assert times == pytest.approx((spent, spent), abs=30)


def tried(home):
    """Return the core-minutes of an experiment that takes this process one minute, the second two."""
    os.environ["VARBOOK_HOME"] = str(home)
    ticks = iter([0.0, 60.0 * (processes.rank() + 1)])
    store.time = SimpleNamespace(**vars(time) | {"process_time": lambda: next(ticks)})
    return store.experiment("tiny", {}, lambda: ({"x": 1.0}, []), seed=0).core_minutes


def test_the_processor_time_of_an_experiment_is_that_of_all_its_processes(tmp_path):
    assert together(1, tmp_path / "1", tried, tmp_path / "home of one") == [1.0]
    assert together(2, tmp_path / "2", tried, tmp_path / "home of two") == [3.0, 3.0]


def test_a_process_alone_shares_with_nobody():
    rows, values, value = torch.arange(3), {"a": 0.1}, object()
    assert processes.share(rows) is rows and processes.gather(rows) is rows
    assert processes.mean(values) is values and processes.from_first(value) is value
    assert (processes.count(), processes.rank(), processes.first()) == (1, 0, True)
    assert processes.total(0.1) == 0.1
