"""Checkpoint files: fetched with a plain word where that fails, checked, and never allowed to run
code.
"""

import argparse
import hashlib
import pickle
import sys
from collections import OrderedDict
from types import ModuleType

import pytest
import torch
from safetensors.torch import save_file

from varbook.errors import VarbookError
from varbook.pretrained.files import address, blob_checksum, check, checksum, fetch, read

TENSORS = {"a": torch.arange(6.0).view(2, 3), "b": torch.ones(4)}


class Bomb:
    """Runs a command when an unsuspecting reader unpickles it."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (exec, (f"open({str(self.path)!r}, 'w').close()",))


@pytest.mark.parametrize("ending", [".pth", ".pt", ".safetensors", "-old.pth"])
def test_every_format_gives_the_same_tensors(tmp_path, ending):
    path = tmp_path / f"file{ending}"
    if ending == ".safetensors":
        save_file(TENSORS, path)
    else:
        torch.save(TENSORS, path, _use_new_zipfile_serialization=ending != "-old.pth")
    found = read(path)
    assert found.keys() == TENSORS.keys() and all(
        torch.equal(found[name], TENSORS[name]) for name in TENSORS
    )


def test_arguments_of_a_training_may_stand_beside_the_tensors(tmp_path):
    path = tmp_path / "training.pt"
    torch.save(
        {"model": OrderedDict(TENSORS), "args": argparse.Namespace(lr=1e-4), "steps": 7}, path
    )
    assert torch.equal(read(path)["model"]["b"], TENSORS["b"])


@pytest.mark.parametrize("new", [True, False])
def test_a_pickle_with_code_is_refused_by_name_and_the_code_does_not_run(tmp_path, new):
    path, trace = tmp_path / "bomb.pth", tmp_path / "trace"
    torch.save({"a": TENSORS["a"], "b": Bomb(trace)}, path, _use_new_zipfile_serialization=new)
    with pytest.raises(
        VarbookError, match=r"bomb.pth is refused: it asks for \S*exec, which could run code"
    ):
        read(path)
    assert not trace.exists()
    torch.load(path, weights_only=False)
    assert trace.exists()  # the bomb was a real one


def test_a_plain_pickle_with_code_is_refused_too(tmp_path):
    path, trace = tmp_path / "bomb.pth", tmp_path / "trace"
    path.write_bytes(pickle.dumps({"b": Bomb(trace)}, protocol=2))
    with pytest.raises(VarbookError, match="bomb.pth"):
        read(path)
    assert not trace.exists()


@pytest.mark.parametrize("ending", [".pth", ".safetensors", "-old.pth"])
@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.99])
def test_a_truncated_file_is_named(tmp_path, ending, share):
    whole, path = tmp_path / f"whole{ending}", tmp_path / f"cut{ending}"
    tensors = TENSORS | {"c": torch.randn(100, 100)}
    if ending == ".safetensors":
        save_file(tensors, whole)
    else:
        torch.save(tensors, whole, _use_new_zipfile_serialization=ending != "-old.pth")
    path.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * share)])
    with pytest.raises(VarbookError, match=f"{path.name} is cut off or no"):
        read(path)


def test_a_file_without_named_tensors_is_refused(tmp_path):
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(VarbookError, match="holds a list, not tensors by name"):
        read(tmp_path / "list.pth")


def test_the_checksum_is_sha256_and_a_wrong_one_is_refused_with_both(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"weights")
    found = checksum(path)
    assert found == hashlib.sha256(b"weights").hexdigest()
    check(path, found, None)
    check(path, found, found.upper())
    with pytest.raises(VarbookError, match=f"The checksum of {path} is {found}, not {'0' * 64}: "):
        check(path, found, "0" * 64)
    with pytest.raises(VarbookError, match="no checkpoint file at"):
        checksum(tmp_path / "nowhere")


def test_the_hub_s_cache_says_which_checksum_a_file_should_have(tmp_path):
    blob = tmp_path / ("ab" * 32)
    blob.write_bytes(b"")
    (tmp_path / "file.pth").symlink_to(blob)
    assert blob_checksum(tmp_path / "file.pth") == "ab" * 32
    assert blob_checksum(tmp_path / "plain.pth") is None


def hub(monkeypatch, download) -> None:
    module = ModuleType("huggingface_hub")
    module.hf_hub_download = download
    monkeypatch.setitem(sys.modules, "huggingface_hub", module)


def test_a_file_is_fetched_at_its_revision(monkeypatch, tmp_path):
    asked = []
    hub(
        monkeypatch,
        lambda *names, revision: asked.append((names, revision)) or str(tmp_path / "f.pth"),
    )
    assert fetch("var-d16", "a/b", "f.pth", "0" * 40) == tmp_path / "f.pth"
    assert asked == [(("a/b", "f.pth"), "0" * 40)]


def test_without_the_package_the_reader_is_told_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(VarbookError) as problem:
        fetch("var-d16", "a/b", "f.pth")
    said = str(problem.value)
    assert (
        "pip install varbook[hub]" in said
        and address("a/b", "f.pth") in said
        and 'load("var-d16", path="f.pth")' in said
    )


def test_without_a_network_the_reader_is_told_what_to_do(monkeypatch):
    def fail(*names, revision):
        raise ConnectionError("no route")

    hub(monkeypatch, fail)
    with pytest.raises(
        VarbookError,
        match=r"f.pth could not be fetched from a/b \(ConnectionError\): connect to the network",
    ):
        fetch("var-d16", "a/b", "f.pth")
