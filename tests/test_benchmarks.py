"""The benchmark's questions, small: the candidates agree, and disagreement is noticed."""

import json
import math
from pathlib import Path

import pytest
import torch

from benchmarks import bench, memory, question, settings, stepper
from benchmarks.kernels import srq_difference
from benchmarks.machine import COLUMNS, limits, processor_class
from benchmarks.question import Candidate, Question
from benchmarks.questions import (
    MEMORY,
    QUESTIONS,
    WANTED,
    WANTED_AGAINST,
    WANTED_MEMORY,
    WANTED_SHARE,
)
from varbook.errors import VarbookError
from varbook.transformer.block import Block

RATES = {
    name: 1.0
    for name in ("float32", "bfloat16", "convolution float32", "convolution bfloat16", "copy")
}
CPU = torch.device("cpu")


def quick(asked: Question, key: str = "") -> list[dict]:
    return bench.answer(key, asked, RATES, "avx512", seconds=0.0, least=1, most=1)


@pytest.mark.parametrize("key", QUESTIONS)
def test_every_question_is_answered(key):
    asked = QUESTIONS[key](True)
    rows = quick(asked, key)
    assert [row["candidate"] for row in rows] == list(asked.candidates)
    assert rows[0]["ratio"] == 1
    assert all(row["median"] >= row["fastest"] > 0 and row["rounds"] == 1 for row in rows)
    plain, ours = (
        [row for row in rows if row["plain"] is kind and row["precision"] == "float32"]
        for kind in (True, False)
    )
    # Something plain is held against something of the package, and is not the package itself.
    assert plain and ours


@pytest.mark.parametrize("key", ["next-scale", "cyclevar", "tokenizer", "attention", "generation"])
def test_operations_are_counted(key):
    products, convolutions = question.count_flops(QUESTIONS[key](True))
    assert products > 10_000
    assert (convolutions > 0) == (key != "attention")


def test_operations_are_those_of_the_formula():
    a, b = torch.ones(3, 5), torch.ones(5, 7)
    q = torch.ones(2, 4, 6, 8, requires_grad=True)
    with question.FlopCounter() as counter:
        a @ b
    assert (counter.products, counter.convolutions) == (2 * 3 * 5 * 7, 0)
    with question.FlopCounter() as counter:
        torch.nn.functional.scaled_dot_product_attention(q, q, q).sum().backward()
    forward = 4 * 2 * 4 * 6 * 6 * 8  # 2 products of 2 operations for each channel
    assert counter.products == forward * 7 // 2  # backward has five products
    with question.FlopCounter() as counter:
        torch.conv2d(torch.ones(1, 3, 8, 8), torch.ones(4, 3, 3, 3), padding=1)
    assert counter.convolutions == 2 * 9 * 3 * 4 * 64


def test_plain_forms_use_no_method_of_the_package(monkeypatch):
    def fail(*unused, **also_unused):
        raise AssertionError("a plain form called a block of the package")

    asked = QUESTIONS["next-scale"](True)
    asked.candidates["plain"]()
    monkeypatch.setattr(Block, "forward", fail)
    asked.candidates["plain"]()
    with pytest.raises(AssertionError, match="a block of the package"):
        asked.candidates["varbook"]()


def test_greedy_tokens_are_compared():
    rows = quick(QUESTIONS["generation"](True), "generation")
    assert "100.0% of the greedy tokens are equal; wanted all: held" in rows[-1]["notes"][0]


def test_float64_srq_is_compared():
    assert 0 <= srq_difference() < 1e-5


def test_what_is_wanted_belongs_to_a_candidate():
    named = {(key, name) for key, make in QUESTIONS.items() for name in make(True).candidates}
    assert set(WANTED) | set(WANTED_MEMORY) | set(WANTED_SHARE) <= named
    assert {pair[:2] for pair in WANTED_AGAINST} <= named
    assert set(MEMORY) <= set(QUESTIONS)


def test_candidates_that_differ_are_refused():
    wrong = Question(
        "wrong",
        {"zeros": Candidate(lambda: torch.zeros(3)), "ones": Candidate(lambda: torch.ones(3))},
    )
    with pytest.raises(VarbookError, match="differs by"):
        quick(wrong)


def test_a_code_index_that_differs_is_refused():
    wrong = Question(
        "codes",
        {
            "a": Candidate(lambda: torch.arange(9)),
            "b": Candidate(lambda: torch.arange(9) + 1),
        },
    )
    with pytest.raises(VarbookError):
        quick(wrong)


def test_an_answer_that_is_not_a_number_is_refused():
    wrong = Question(
        "wrong",
        {
            "one": Candidate(lambda: torch.ones(1)),
            "nan": Candidate(lambda: torch.full((1,), math.nan)),
        },
    )
    with pytest.raises(VarbookError):
        quick(wrong)


def test_candidates_take_turns():
    calls = []
    asked = Question(
        "turns", {name: Candidate(lambda name=name: calls.append(name)) for name in "ab"}
    )
    settings.choose(plain=False)
    question.take_turns(asked, seconds=0.0, least=3, most=3)
    assert calls == ["a", "b", "b", "a", "a", "b"]


def test_settings_of_the_package_hold_in_its_turns_only(monkeypatch):
    seen = []

    class Quicken:
        @staticmethod
        def __wrapped__():
            torch.set_float32_matmul_precision("medium")

    before = torch.get_float32_matmul_precision()
    monkeypatch.setattr(settings, "quicken", Quicken)
    monkeypatch.setattr(settings, "_plain", None)

    def look(name):
        return lambda: seen.append((name, torch.get_float32_matmul_precision()))

    asked = Question(
        "settings",
        {"plain": Candidate(look("plain"), plain=True), "ours": Candidate(look("ours"))},
    )
    try:
        question.take_turns(asked, seconds=0.0, least=2, most=2)
    finally:
        torch.set_float32_matmul_precision(before)
    plain, ours = ("plain", "highest"), ("ours", "medium")
    # Settled once after each change, forwards and then backwards.
    assert seen == [plain, ours, ours, ours, plain, plain]


def test_a_loop_steps_when_it_is_asked_to():
    steps = []

    def fit(keeper):
        for step in range(keeper.resume({}), 1000):
            steps.append(step)
            keeper.curve.append({"loss": float(step)})
            keeper.step_done(step, {})

    loop = stepper.Stepper(fit)
    assert loop().item() == 20 and loop().item() == 21 and steps == [20, 21]
    loop.close()
    assert not loop.thread.is_alive()


def test_the_error_of_a_loop_reaches_the_one_who_asked():
    def fit(keeper):
        keeper.resume({})
        raise VarbookError("no data")

    with pytest.raises(VarbookError, match="no data"):
        stepper.Stepper(fit)()


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the system has no /proc")
def test_peak_memory_is_what_a_call_adds():
    def hold():
        return torch.ones(64 * 2**20 // 4)  # 64 MiB

    hold()
    assert 60 < memory.peak_of(hold) < 80
    assert memory.peak_of(lambda: None) < 5


def test_memory_of_a_question_is_measured_in_a_process_of_its_own():
    assert memory.measure("srq", "varbook", 1, small=True) >= 0
    with pytest.raises(VarbookError, match="was not measured"):
        memory.measure("srq", "nobody", 1, small=True)


def test_verdicts_follow_from_the_numbers():
    row = {"ratio": 2.0, "wanted": 2.0, "peak": 100.0, "peak_wanted": None}
    assert bench.verdict(row) == "held"
    assert bench.verdict(row | {"ratio": 1.99}) == "not held"
    assert bench.verdict(row | {"peak_wanted": 99.0}) == "not held"
    assert bench.verdict(row | {"wanted": None}) == ""


def test_the_machine_is_measured_and_named():
    assert processor_class(CPU) in COLUMNS
    rates = limits(CPU, side=64)
    assert set(RATES) <= set(rates) and min(rates.values()) > 0


def test_an_unknown_question_is_refused():
    with pytest.raises(VarbookError, match="There is no question"):
        bench.main(["--only", "weather"])


def test_bfloat16_is_left_out_where_there_are_no_instructions_for_it(monkeypatch):
    asked = QUESTIONS["attention"](True)
    for has in (True, False):
        monkeypatch.setattr(bench, "has_bfloat16", lambda device, has=has: has)
        kept = bench.affordable(asked, CPU).candidates.values()
        assert ("bfloat16" in {candidate.precision for candidate in kept}) == has


def test_a_run_is_written_as_numbers_text_and_picture(tmp_path, capsys):
    bench.main(
        [
            "--only",
            "srq,nearest",
            "--small",
            "--seconds",
            "0",
            "--no-memory",
            "--docs",
            str(tmp_path),
        ]
    )
    record = json.loads((tmp_path / "benchmarks.json").read_text())
    assert {row["key"] for row in record["rows"]} == {"srq", "nearest"}
    text = (tmp_path / "benchmarks.md").read_text()
    assert all(row["candidate"] in text for row in record["rows"])
    assert (tmp_path / "benchmarks.png").stat().st_size > 10_000
    assert "Class:" in capsys.readouterr().out
