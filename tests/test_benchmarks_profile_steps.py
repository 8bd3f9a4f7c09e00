"""Where a step spends its time: parts add up, and the loops are left as they were."""

import pytest
from torch import Tensor
from torch.nn.modules import module as hooks_of_torch

from benchmarks import profile_steps
from benchmarks.cases import LOOPS, case


@pytest.mark.parametrize("loop", LOOPS)
def test_the_parts_of_a_step_are_its_whole(loop):
    backward = Tensor.backward
    found = profile_steps.profiled(case("tiny", loop))
    parts = found["parts"]
    assert sum(parts.values()) == pytest.approx(1.0)
    assert min(parts.values()) > -1e-6 and found["seconds"] > 0
    assert {"backward", "optimisers", profile_steps.REST} <= set(parts)
    judged = "GAN" in loop or loop == "CycleVAR"
    assert ("discriminators, backward" in parts) == judged
    assert ("discriminators, forward" in parts) == judged
    assert ("transformer, forward" in parts) == ("tokenizer" not in loop)
    assert len(found["operators"]) == profile_steps.OPERATORS
    # Nothing stays behind.
    assert Tensor.backward is backward and not hooks_of_torch._global_forward_hooks


def test_the_profile_is_written(tmp_path, capsys):
    file = tmp_path / "profile.md"
    profile_steps.main(["--sizes", "tiny", "--only", "next-scale (VAR)", "--out", str(file)])
    text = file.read_text()
    assert "## next-scale (VAR), tiny:" in text and "| backward |" in text
    assert "## next-scale (VAR), tiny:" in capsys.readouterr().out
