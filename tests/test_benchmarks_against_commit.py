"""Two versions of the package take turns, and what cannot be compared is said."""

import pytest
import torch

from benchmarks import against_commit, every_case, two_threads
from benchmarks.cases import LOOPS, SIZES, case
from benchmarks.machine import machine_facts
from benchmarks.steps_document import write_document
from benchmarks.timing import compare
from benchmarks.turns import Version, take_turns
from varbook.errors import VarbookError
from varbook.paths import repository


@pytest.mark.parametrize("loop", ["next-scale (FlexVAR)", "tokenizer with GAN"])
def test_a_version_against_itself_has_the_same_losses(loop):
    versions = [Version(name, repository(), 1, "float32") for name in ("one", "other")]
    first, second = take_turns(versions, case("tiny", loop), seconds=0.0, least=2, most=2)
    assert first["loss"] == second["loss"] != 0
    assert first["rounds"] == second["rounds"] == 2
    assert min(first["median"], second["median"], second["ratio"], second["peak"]) > 0
    assert "not the same" not in every_case.line(first, second)


def test_other_losses_are_told():
    versions = [Version(name, repository(), 1, "float32") for name in ("one", "other")]
    first, second = take_turns(versions, case("tiny", "CycleVAR"), seconds=0.0, least=1, most=1)
    second["loss"] *= 1.1
    assert "not the same training" in every_case.line(first, second)


def test_a_commit_that_is_not_there_is_refused():
    with (
        pytest.raises(VarbookError, match="cannot be checked out"),
        against_commit.checkout("0" * 40),
    ):
        pass


def test_a_training_that_fails_is_told():
    broken = case("tiny", "CycleVAR")
    broken["model"] |= {"heads": 7}  # does not divide the width
    with pytest.raises(VarbookError, match="has failed"):
        take_turns([Version("now", repository(), 1, "float32")], broken, seconds=0.0)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("loop", LOOPS)
def test_model_and_tokenizer_of_a_case_fit(size, loop):
    made = case(size, loop)
    shared = ("schedule", "vocab_size", "code_dim")
    assert all(made["model"][name] == made["tokenizer"][name] for name in shared)


def test_rows_are_written_as_numbers_and_text(tmp_path):
    shared = {"case": "CycleVAR, tiny", "precision": "float32", "core_ratio": 1.0, "peak": 9.0}
    shared |= {"ratio_low": 1.0, "ratio_high": 2.0, "loss": 1.0}
    before = shared | {"version": "old", "median": 2.0, "ratio": 1.0}
    now = shared | {"version": "now", "median": 1.0, "ratio": 2.0, "wanted": 2.0}
    record = {"machine": machine_facts(torch.device("cpu"), 1), "rows": [before, now]}
    write_document("against_commit", record, tmp_path)
    write_document("two_threads", record | {"rows": [before, now | {"wanted": 2.1}]}, tmp_path)
    text = (tmp_path / "training_steps.md").read_text()
    assert "| 2.00 | 1.00 to 2.00 | 1.00 | 9, 9 MiB | 2 | held |" in text
    assert "| 2.1 | **not held** |" in text
    assert "held" in every_case.line(before | {"rounds": 1}, now | {"rounds": 1})


def test_ratios_are_to_the_first_candidate():
    rows = compare({"slow": [2.0, 4.0, 6.0], "fast": [1.0, 2.0, 2.0]})
    assert rows["slow"]["ratio"] == 1 and rows["fast"]["ratio"] == 2
    assert rows["fast"]["ratio_low"] == 2 and rows["fast"]["ratio_high"] == 2.5
    assert rows["fast"]["median"] == 2 and rows["fast"]["fastest"] == 1


def test_more_threads_than_cores_are_refused():
    with pytest.raises(VarbookError, match="wait for each other"):
        two_threads.main(["--threads", "100000", "--sizes", "tiny"])
