"""`load` as a reader uses it: by name, from a file or from the hub; all or nothing."""

import os
import re
from dataclasses import replace

import pytest
import torch
from golden_weights import golden_state
from safetensors.torch import save_file
from small_published import CONFIGS, small
from tiny import same_state

from varbook.data.images import to_float
from varbook.data.toy import toy_images
from varbook.errors import VarbookError
from varbook.evaluate.reconstruction import psnr
from varbook.paths import repository
from varbook.pretrained import load as module
from varbook.pretrained.catalogue import PUBLISHED, VAR_512
from varbook.pretrained.files import checksum
from varbook.pretrained.load import build, fill, load, load_pair
from varbook.tokenizer.tokenizer import Tokenizer

PAIR = ("var-tokenizer", "var-d16")


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """Make the catalogue's models small, put their files into a folder, and let "the hub" be that
    folder.
    """
    for name in PAIR:
        torch.save(golden_state(name), tmp_path / PUBLISHED[name].file)
        small_one = replace(PUBLISHED[name], config=CONFIGS[name], sha256=None)
        monkeypatch.setitem(module.PUBLISHED, name, small_one)
    monkeypatch.setattr(module, "fetch", lambda name, repository, file, revision: tmp_path / file)
    return tmp_path


def test_every_name_of_the_issue_is_there_and_says_where_its_file_lies():
    wanted = {"var-tokenizer", "flexvar-tokenizer", "llamagen-vq16"} | {
        f"var-d{d}" for d in (16, 20, 24, 30, 36)
    }
    wanted |= {f"flexvar-d{d}" for d in (16, 20, 24)} | {"infinity-tokenizer", "infinity-2b"}
    larger = {"var-tokenizer-512", "infinity-tokenizer-512", "infinity-2b-512"}
    assert wanted == set(PUBLISHED) - larger
    for entry in PUBLISHED.values():
        assert entry.repository.count("/") == 1 and entry.file.endswith((".pth", ".pt"))
        assert entry.sha256 is None or len(entry.sha256) == 64
        assert (
            not entry.tokenizer
            or entry.config.schedule == PUBLISHED[entry.tokenizer].config.schedule
        )
        assert (
            not entry.tokenizer
            or entry.config.vocab_size == PUBLISHED[entry.tokenizer].config.vocab_size
        )
    assert sum(h * w for h, w in VAR_512) == 2240


def test_each_file_is_fetched_at_one_commit_or_the_promises_say_that_the_newest_is_taken():
    promises = (repository() / "docs" / "promises.md").read_text()
    files: dict[tuple[str, str], tuple] = {}
    for name, entry in PUBLISHED.items():
        if entry.revision is None:
            assert entry.repository in promises, name
        else:
            assert re.fullmatch("[0-9a-f]{40}", entry.revision), name
        pins = entry.revision, entry.sha256
        # Two names of one file must not be two files.
        assert files.setdefault((entry.repository, entry.file), pins) == pins, name


@pytest.mark.parametrize("revision", ["a" * 40, None])
def test_a_file_is_asked_for_at_its_row_s_commit_and_the_newest_is_said_to_be(
    shelf, monkeypatch, revision
):
    asked, said = [], []
    row = replace(PUBLISHED["var-d16"], revision=revision)
    monkeypatch.setitem(module.PUBLISHED, "var-d16", row)
    monkeypatch.setattr(module, "fetch", lambda *names: asked.append(names) or shelf / row.file)
    load("var-d16", say=said.append)
    load("var-d16", shelf / row.file, say=said.append)
    assert asked == [("var-d16", row.repository, row.file, revision)]
    assert ["the newest of its repository" in line for line in said] == [revision is None, False]


def test_an_unknown_name_is_refused_with_the_names_there_are():
    with pytest.raises(
        VarbookError, match="no published model 'var-d17'; use one of var-tokenizer, var-d16"
    ):
        load("var-d17")


@pytest.mark.parametrize("name", PAIR)
def test_a_file_and_the_hub_give_the_same_model(shelf, name):
    path = shelf / PUBLISHED[name].file
    said = []
    fetched, own = load(name, say=said.append), load(name, path, say=said.append)
    assert same_state(fetched, own) and not own.training
    assert same_state(own, fill(small(name), path, PUBLISHED[name].layout))
    assert all(checksum(path) in line and "none is on record" in line for line in said)


def test_safetensors_serve_as_well(shelf):
    save_file(golden_state("var-d16"), shelf / "mine.safetensors")
    own = load("var-d16", shelf / "mine.safetensors", say=str)
    assert same_state(own, load("var-d16", say=str))


def test_half_precision_becomes_float32(shelf):
    torch.save(
        {key: value.half() for key, value in golden_state("var-d16").items()}, shelf / "half.pth"
    )
    model = load("var-d16", shelf / "half.pth", say=str)
    assert all(parameter.dtype == torch.float32 for parameter in model.parameters())
    assert torch.equal(model.head.bias, golden_state("var-d16")["head.bias"].half().float())


def test_a_wrong_checksum_is_refused(shelf, monkeypatch):
    path = shelf / PUBLISHED["var-d16"].file
    with pytest.raises(VarbookError, match="The checksum of .*var_d16.pth is"):
        load("var-d16", path, sha256="0" * 64, say=str)
    monkeypatch.setitem(
        module.PUBLISHED, "var-d16", replace(module.PUBLISHED["var-d16"], sha256="0" * 64)
    )
    with pytest.raises(VarbookError, match="the file is damaged or another one"):
        load("var-d16", say=str)
    said = []
    load(
        "var-d16", path, say=said.append
    )  # a file of the reader's own may be another one, and is said to be
    assert "not the file that was published" in said[0]
    load("var-d16", path, sha256=checksum(path), say=said.append)
    assert "as it should be" in said[1]


def test_a_model_is_filled_wholly_or_not_at_all(tmp_path):
    content = golden_state("var-d16")
    content["head.bias"] = content["head.bias"][:-1]  # the last tensor
    torch.save(content, tmp_path / "bad.pth")
    model = small("var-d16")
    with pytest.raises(
        VarbookError, match="bad.pth does not fit the model: 'head.bias' has the shape"
    ):
        fill(model, tmp_path / "bad.pth", PUBLISHED["var-d16"].layout)
    assert same_state(model, small("var-d16"))


def test_a_pair_belongs_together(shelf):
    model, tokenizer = load_pair("var-d16", say=str)
    assert isinstance(tokenizer, Tokenizer) and model.config.schedule == tokenizer.config.schedule
    with pytest.raises(
        VarbookError, match="var-tokenizer is a tokenizer alone; next-scale models are var-d16, "
    ):
        load_pair("var-tokenizer")


@pytest.mark.network
@pytest.mark.skipif(
    not os.environ.get("VARBOOK_NETWORK"), reason="VARBOOK_NETWORK=1 fetches the published files"
)
@pytest.mark.parametrize("name", ["var-tokenizer", "flexvar-tokenizer", "llamagen-vq16"])
def test_the_published_tokenizer_itself_keeps_a_picture(name):
    image = to_float(toy_images(1, 256, seed=0).images)
    assert psnr(load(name).reconstruct(image)[-1], image).item() > 18


def test_a_built_model_costs_no_memory_on_the_meta_device():
    model = build("var-d36", "meta")
    assert all(parameter.is_meta for parameter in model.parameters()) and model.config.shared_adaln
