"""A plan fits the three trainings into the time that was named, on a machine as fast as measured."""

import pytest
import torch
from tiny import CPU

from varbook.book.models.profiles import profile
from varbook.errors import VarbookError
from varbook.own import plan as own_plan
from varbook.own.plan import allot, base_chain, chain_of_size, make_plan, plan_from
from varbook.own.speed import Speed, measure_speed


@pytest.fixture(autouse=True)
def laptop(monkeypatch):
    monkeypatch.setattr(own_plan, "base_chain", lambda: profile("laptop").chains["photographs"])


def machine(factor: float = 1.0, asked: list | None = None):
    """A machine on which a step at 64 pixels takes what the book's own took, times `factor`."""

    def speed_at(size: int) -> Speed:
        if asked is not None:
            asked.append(size)
        times = factor * (size / 64) ** 2
        return Speed(0.25 * times, 0.5 * times, 0.2 * times, 0.7 * times, 0.03)

    return speed_at


@pytest.mark.parametrize("adapted", [True, False])
@pytest.mark.parametrize("minutes", [5, 60, 600])
@pytest.mark.parametrize("factor", [0.02, 0.3, 1.0, 3.0])
def test_the_parts_take_the_time_that_was_named_and_no_more(minutes, factor, adapted):
    plan = make_plan(minutes, machine(factor), adapted=adapted)
    assert sum(plan.seconds.values()) <= 60 * minutes
    most = own_plan.MANY_STEPS * base_chain().cyclevar_training.steps
    assert plan.translator == most or sum(plan.seconds.values()) > 0.9 * 60 * minutes


def test_a_fast_machine_has_larger_images_and_a_slow_one_smaller():
    sizes = [make_plan(60, machine(factor)).size for factor in (0.01, 1.0, 10.0, 60.0)]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > 64 == sizes[1] > sizes[-1]


def test_only_sizes_that_matter_are_timed():
    asked: list[int] = []
    make_plan(60, machine(1.0, asked))
    make_plan(60, machine(1.0, asked), size=48)
    assert asked == [64, 48] or asked == [64, 96, 48]


def test_more_time_is_more_steps_at_the_size_that_was_asked_for():
    few, many = (make_plan(minutes, machine(), size=64) for minutes in (10, 20))
    assert few.size == many.size == 64
    assert all(
        getattr(few, part) < getattr(many, part)
        for part in ("tokenizer", "next_scale", "translator")
    )


def test_no_more_pictures_are_measured_than_the_time_allows():
    plans = [make_plan(minutes, machine(), size=64) for minutes in (10, 30, 600)]
    assert [plan.held_out for plan in plans] == [40, 120, 200]
    measuring = [plan.seconds["sheets and numbers"] for plan in plans]
    assert measuring == sorted(measuring) and measuring[0] < 60 * 10 / 4


def test_too_little_time_is_refused_with_the_time_that_is_needed():
    with pytest.raises(VarbookError, match=r"too short .* needs about \d+ or more"):
        make_plan(1, machine(20.0))
    with pytest.raises(VarbookError, match="above 0"):
        make_plan(0, machine())


def test_sizes_that_the_tokenizer_cannot_have_are_refused():
    with pytest.raises(VarbookError, match="such as 64 or 68"):
        chain_of_size(66)
    with pytest.raises(VarbookError, match="from 32 on, such as 32"):
        chain_of_size(8)


def test_the_chain_is_the_book_s_with_the_plan_s_size_and_steps():
    chain = allot(48, 30, machine()(48), adapted=True).chain()
    assert chain.tokenizer.schedule == chain.model.schedule
    assert chain.tokenizer.schedule[-1] == (12, 12) and chain.model_training.max_steps == 5
    assert chain.tokenizer_training.warmup == -1 and chain.cyclevar_training.identity_steps > 0
    assert allot(64, 30, machine()(64), adapted=True).chain().model == base_chain().model


def test_a_plan_is_read_back_as_it_was_written():
    plan = make_plan(30, machine())
    assert plan_from(plan.numbers()) == plan
    assert "translator" in plan.say() and f"{plan.translator}" in plan.say()


def test_a_step_of_every_training_is_timed_on_this_machine():
    torch.manual_seed(0)
    speed = measure_speed(chain_of_size(32), CPU, steps=1)
    assert all(
        value > 0 for value in (speed.tokenizer, speed.next_scale, speed.copying, speed.translator)
    )
