"""The exported translator gives the same picture without torch."""

import sys

import pytest
import torch
from golden_weights import golden
from small_published import published
from tiny import pictures, tiny_cyclevar

from varbook.errors import VarbookError
from varbook.pretrained.export import export_onnx, run_onnx
from varbook.translate.cyclevar import CycleVAR, CycleVARConfig

WHY = "the export is not tested here: pip install varbook[export]"


@pytest.fixture(scope="module", params=["ours", "published"])
def exported(request, tmp_path_factory):
    """Return a translator, images that it takes, and the file that it was exported to."""
    for package in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(package, reason=WHY)
    folder = tmp_path_factory.mktemp("export")
    if request.param == "ours":
        cyclevar, images = tiny_cyclevar(), pictures(2)
    else:
        cyclevar, images = (
            CycleVAR(published("var-tokenizer", folder), published("var-d16", folder)).eval(),
            golden("var")["image"],
        )
    return cyclevar, images, export_onnx(cyclevar, folder / "translator.onnx", batch=2)


@torch.no_grad()
def test_onnxruntime_gives_the_same_picture_in_both_directions(exported):
    cyclevar, images, path = exported
    outs = []
    for target in (torch.tensor([0, 1]), torch.tensor([1, 0])):
        wanted = cyclevar(images, target).clamp(-1, 1)
        outs.append(run_onnx(path, images, target))
        torch.testing.assert_close(outs[-1], wanted, rtol=0, atol=1e-4)
    assert not torch.allclose(outs[0], outs[1], atol=1e-3)  # the target matters
    assert not torch.allclose(outs[0], images, atol=1e-1)


@torch.no_grad()
def test_temperature_and_alpha_can_be_inputs(tmp_path):
    for package in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(package, reason=WHY)
    import onnxruntime

    cyclevar, image, target = tiny_cyclevar(), pictures(1), torch.tensor([1])
    path = export_onnx(cyclevar, tmp_path / "adjustable.onnx", adjustable=True)
    session = onnxruntime.InferenceSession(path)
    outs = []
    for temperature, alpha in ((2.0, 0.5), (0.3, 1.0), (7.0, 0.0)):
        cyclevar.config = CycleVARConfig(temperature=temperature, alpha=alpha)
        wanted = cyclevar(image, target).clamp(-1, 1)
        numbers = {"temperature": torch.tensor(temperature), "alpha": torch.tensor(alpha)}
        given = {"image": image, "target": target} | numbers
        (out,) = session.run(None, {name: one.numpy() for name, one in given.items()})
        outs.append(torch.from_numpy(out))
        torch.testing.assert_close(outs[-1], wanted, rtol=0, atol=1e-4)
    assert all((one - outs[0]).abs().max() > 1e-2 for one in outs[1:])  # each of them matters


def test_the_file_is_a_valid_model_of_one_piece(exported):
    import onnx

    _, _, path = exported
    onnx.checker.check_model(path)
    assert [file.suffix for file in path.parent.iterdir() if "translator" in file.name] == [".onnx"]


def test_another_size_is_refused(exported):
    _, images, path = exported
    with pytest.raises(VarbookError, match="was exported for"):
        run_onnx(path, images[:1], torch.tensor([0]))


def test_the_serial_mode_and_missing_packages_are_refused_with_what_to_do(monkeypatch, tmp_path):
    with pytest.raises(VarbookError, match="Only the one-step translator"):
        export_onnx(tiny_cyclevar(CycleVARConfig(mode="serial")), tmp_path / "no.onnx")
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(VarbookError, match=r"pip install varbook\[export\]"):
        export_onnx(tiny_cyclevar(), tmp_path / "no.onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(VarbookError, match=r"pip install varbook\[export\]"):
        run_onnx(tmp_path / "no.onnx", pictures(1), torch.tensor([0]))


def test_labels_are_still_checked_where_nothing_is_traced():
    with pytest.raises(VarbookError, match="Class labels run from 0"):
        tiny_cyclevar()(pictures(1), torch.tensor([9]))
