"""The command that scores a published model, on small ones: plan, sampling, resuming, npz, scores
with their card.
"""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from golden_weights import golden_state
from small_published import CONFIGS
from tiny import tiny_judge

from varbook.errors import VarbookError
from varbook.evaluate import reference
from varbook.generate.sampling import Drawing
from varbook.pretrained import evaluate as module
from varbook.pretrained import load as loading
from varbook.pretrained.catalogue import PUBLISHED
from varbook.pretrained.evaluate import evaluate, main, parse, published_sampling
from varbook.tokenizer.schedule import TABLE_7, VAR_256


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """Make the published VAR small, put its files into a folder, and let a small judge stand for
    Inception.
    """
    for name in ("var-tokenizer", "var-d16"):
        torch.save(golden_state(name), tmp_path / PUBLISHED[name].file)
        monkeypatch.setitem(
            loading.PUBLISHED, name, replace(PUBLISHED[name], config=CONFIGS[name], sha256=None)
        )
    monkeypatch.setattr(loading, "fetch", lambda name, repository, file, revision: tmp_path / file)
    judge = tiny_judge()
    monkeypatch.setattr(
        reference, "extractor_for", lambda features, real=reference.extractor_for: real(judge)
    )
    for variable in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("VARBOOK_DEVICE", "cpu")
    return tmp_path


def test_the_published_settings():
    assert published_sampling("var-d16") == module.Sampling(
        VAR_256, drawing=Drawing(guidance=1.5, top_k=900, top_p=0.96)
    )
    flex = published_sampling("flexvar-d24", TABLE_7[512, 12])
    assert flex.drawing == Drawing(3.0, 900, 0.95, released=True) and flex.images == 50_000
    assert published_sampling("flexvar-d24").drawing.guidance == 2.5
    assert not published_sampling("flexvar-d24", released=False).drawing.released


def test_the_dry_run_prints_the_plan_with_the_schedule_and_does_nothing(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(module, "load_pair", None)
    to = tmp_path / "out"
    assert main(["--model", "flexvar-d20", "--steps", "9", "--to", str(to), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert (
        "9 steps (1, 2, 3, 4, 5, 7, 10, 13, 16), guidance 2.5, top-k 900, top-p 0.95, FlexVAR's released"
        in said
    )
    assert (
        "FlexVARd20-epo249.pth of jiaosiyu1999/FlexVAR" in said and "1000, 50 images each" in said
    )
    assert not to.exists()


def test_sampling_over_processes_then_npz_and_scores_with_the_schedule(shelf, monkeypatch):
    rng = np.random.default_rng(0)
    np.savez(shelf / "ref.npz", arr_0=rng.integers(0, 256, (12, 64, 64, 3), dtype=np.uint8))
    options = ["--model", "var-d16", "--images", "12", "--to", str(shelf / "out"), "--batch", "4"]
    said: list[str] = []
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank in "01":
        monkeypatch.setenv("RANK", rank)
        assert evaluate(parse(options), say=said.append) is None
    assert "process 0: 6 images made" in said and "process 1: 6 images made" in said
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "1")
    monkeypatch.setattr(module, "load_pair", None)  # nothing is left to sample
    more = ["--npz", str(shelf / "out.npz"), "--reference", str(shelf / "ref.npz")]
    found = evaluate(parse(options + more), say=said.append)
    assert np.load(shelf / "out.npz")["arr_0"].shape == (12, 64, 64, 3)
    assert found == json.loads((shelf / "out" / "scores.json").read_text())
    assert found["frechet"]["name"] == "FD-toy" and found["frechet"]["value"] > 0
    card = "var-d16: 12 images of balanced classes, 4 steps (1, 2, 3, 4), guidance 1.5, top-k 900, top-p 0.96, seed 0"
    assert found["frechet"]["card"]["protocol"] == card
    assert any("FD-toy" in line and card in line and "ref.npz" in line for line in said)


def test_a_schedule_of_one_s_own_and_what_cannot_be(capsys):
    base = ["--to", "nowhere", "--dry-run", "--model"]
    assert main([*base, "flexvar-d16", "--sides", "1,2,5,16"]) == 0
    assert "4 steps (1, 2, 5, 16)" in capsys.readouterr().out
    for options, wanted in [
        (["var-d17"], "no published model 'var-d17'"),
        (["var-tokenizer"], "only next-scale models draw images"),
        (
            ["flexvar-d16", "--steps", "5"],
            "FlexVAR table 7 has no 5 steps at 256 pixels; it has 6 at 256",
        ),
        (["flexvar-d16", "--sides", "1,two"], "--sides takes whole numbers"),
    ]:
        assert main([*base, *options]) == 2
        assert wanted in capsys.readouterr().err


def test_fixed_positions_refuse_another_schedule(shelf):
    with pytest.raises(
        VarbookError, match="Fixed positions know only the schedule of their training"
    ):
        evaluate(
            parse(
                [
                    "--model",
                    "var-d16",
                    "--sides",
                    "1,2,4",
                    "--images",
                    "2",
                    "--to",
                    str(shelf / "o"),
                ]
            ),
            say=str,
        )
