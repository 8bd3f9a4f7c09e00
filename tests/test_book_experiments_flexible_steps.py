"""Numbers of steps, time and other families: what is measured, and what the verdicts say of it."""

from types import SimpleNamespace

import pytest
from test_book_experiments_flexible import DRAWING, RUNS, sample, task
from tiny import tiny_judge, tiny_model, tiny_tokenizer

from varbook.book.experiments import flexible_step_verdicts as verdicts
from varbook.book.experiments import flexible_steps
from varbook.book.experiments.flexible import Flexible
from varbook.book.experiments.flexible_steps import Steps
from varbook.book.models.profiles import SMOKE
from varbook.tokenizer.schedule import TABLE_7, square, token_count

TAKEN = "taken for its class"


@pytest.fixture
def steps(monkeypatch):
    toys = task()
    toys.sample = lambda profile, number, seed: sample(profile, number, 16, seed)
    toys.chain_of = lambda profile: SimpleNamespace(
        model=SimpleNamespace(depth=2), model_training=SimpleNamespace(max_steps=3)
    )
    model, tokenizer = tiny_model("ground_truth"), tiny_tokenizer("ground_truth")
    flex = Flexible(SMOKE, toys, model, tokenizer, tiny_judge(), RUNS, DRAWING, seed=0)
    made = SimpleNamespace(model=model, parents=[SimpleNamespace(model=tokenizer)])
    monkeypatch.setattr(flexible_steps.build, "next_scale", lambda *_, **__: made)
    return Steps(flex)


def measured(fd, share=1.0):
    """The measures of two seeds, 0.2 apart."""
    base = {TAKEN: share, "IS-toy": 2.0, "precision": 0.5, "recall": 0.5, "card": {}}
    return [base | {"FD-toy": fd + off} for off in (-0.1, 0.1)]


def run(result):
    return SimpleNamespace(result=result)


def test_steps_are_measured_with_two_seeds_and_the_parameters_counted(steps):
    values = flexible_steps.measure_steps(steps, "ground_truth", 2, {2: square(1, 4)})
    first, second = values["2"]
    assert first != second and first.keys() == second.keys()
    assert values["parameters"] == sum(p.numel() for p in steps.flex.model.parameters())


def test_fewest_trained_and_most_steps_are_compared(steps):
    assert steps.told == (2, 3, 4)


def test_a_network_of_the_papers_geometry_takes_every_schedule_of_table_7():
    model, tokenizer = flexible_steps.of_the_papers_geometry()
    assert tokenizer.stride == 16 and not model.training
    assert model.config.schedule == TABLE_7[256, 10]


def test_more_steps_are_better_where_their_distance_is_lower(steps):
    by_depth = {
        2: run({"2": measured(3.0), "3": measured(2.0), "4": measured(2.5)}),
        3: run({"2": measured(3.0), "3": measured(2.0), "4": measured(1.0)}),
    }
    assert verdicts.distances(steps, by_depth)[2] == pytest.approx({2: 3.0, 3: 2.0, 4: 2.5})
    assert verdicts.luck(steps, by_depth) == pytest.approx(0.2)
    by_depth[steps.depths[0]] = by_depth[2]
    checks, told = verdicts.more_steps(steps, by_depth)
    assert checks["depth 2: 4 steps better than 2"] and checks["depth 3: 4 steps better than 2"]
    assert not checks["depth 2: more steps than in training (4) better than 3"]
    assert checks["depth 3: more steps than in training (4) better than 3"]
    assert "from 3 to 4 steps FD-toy changes by +0.50, -1.00" in told["why"]


def test_times_that_follow_tokens_are_explained_by_them(steps):
    timed = {
        size: {"seconds": 0.1 + 0.001 * token_count(schedule), "shape": [size[0]] * 2}
        for size, schedule in TABLE_7.items()
    }
    seconds = run({f"FlexVAR, {steps.depths[-1]}, {n}": 0.1 * n for n in steps.schedules})
    rows = verdicts.rows_of_table_7(steps, timed)
    assert len(rows) == len(TABLE_7) + len(steps.schedules)
    checks, told = verdicts.all_schedules(steps, timed, run({}), seconds)
    assert all(checks.values()) and len(checks) == len(TABLE_7) + 2
    assert "61% of the tokens" in told["ours"] and "explain 100%" in told["ours"]
    timed[256, 6]["shape"] = [256, 128]
    checks, _ = verdicts.all_schedules(steps, timed, run({}), seconds)
    assert not checks["256 px, 6 steps: an image of its resolution"]


def test_a_class_is_kept_with_other_numbers_of_steps(steps):
    checks, told = verdicts.same_class(steps, run({"2": 0.4, "3": 1.0, "4": 0.9}))
    assert checks == {
        "2 steps: most keep their class": False,
        "4 steps: most keep their class": True,
    }
    assert "with 3 steps, recognised with: 2 steps 40%" in told["ours"]


def test_families_are_rows_beside_each_other_with_the_time_of_var_as_one(steps):
    depth = steps.depths[0]
    own = {
        d: run({"3": measured(1.0), "4": measured(0.9), "parameters": 10**6}) for d in steps.depths
    }
    var = {d: run({"4": measured(2.0), "parameters": 10**6}) for d in steps.depths}
    rivals = {"raster": run({"16": measured(3.0), "passes": 16, "parameters": 10**6})}
    names = [("VAR", 4), ("FlexVAR", 3), ("FlexVAR", 4)]
    times = {f"{model}, {d}, {n}": 0.5 for d in (*steps.depths, 2) for model, n in names}
    rows = verdicts.rows_of_table_2(
        steps, var, own, rivals, run(times), run({"raster": 2.0, "VAR": 0.5})
    )
    assert [row["model"] for row in rows[:3]] == [
        f"VAR, depth {depth}",
        f"FlexVAR, depth {depth}",
        f"FlexVAR, depth {depth}",
    ]
    assert rows[-1]["family"] == "raster scan" and rows[-1]["time"] == 4.0
    assert rows[0]["time"] == 1.0 and rows[0]["parameters"] == "1.00M"
