"""Large matrices of an ONNX file in eight bits give what they gave before."""

import sys

import numpy as np
import pytest
import torch
from torch import nn

from varbook.errors import VarbookError
from varbook.pretrained.small_onnx import in_eight_bits
from varbook.train.weights import ROUNDED_FROM, pack, unpack

SIDE = 256


@pytest.fixture
def file(tmp_path):
    """An ONNX file of a product with a checkpoint's matrix, transposed, and with another one."""
    onnx = pytest.importorskip("onnx", reason="pip install varbook[export]")
    pytest.importorskip("onnxruntime", reason="pip install varbook[export]")
    torch.manual_seed(0)
    layer = nn.Linear(SIDE, SIDE, bias=False)
    assert layer.weight.numel() >= ROUNDED_FROM
    unpack(layer, pack(layer))
    rounded = layer.weight.detach().numpy().T.copy()
    other = np.random.default_rng(0).normal(size=(SIDE, SIDE)).astype(np.float32)
    floats = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        [
            onnx.helper.make_node("MatMul", ["x", "rounded"], ["y"]),
            onnx.helper.make_node("MatMul", ["y", "other"], ["z"], doc_string="of the exporter"),
        ],
        "products",
        [onnx.helper.make_tensor_value_info("x", floats, [3, SIDE])],
        [onnx.helper.make_tensor_value_info("z", floats, [3, SIDE])],
        [
            onnx.numpy_helper.from_array(rounded, "rounded"),
            onnx.numpy_helper.from_array(other, "other"),
        ],
    )
    version = onnx.helper.make_opsetid("", 20)
    path = tmp_path / "products.onnx"
    onnx.save(onnx.helper.make_model(graph, opset_imports=[version], ir_version=10), path)
    return path


def run(path) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    x = np.random.default_rng(1).normal(size=(3, SIDE)).astype(np.float32)
    return session.run(None, {"x": x})[0]


def test_a_checkpoint_s_matrix_takes_a_quarter_and_the_products_stay(file):
    before, size = run(file), file.stat().st_size
    assert in_eight_bits(file) == file
    np.testing.assert_allclose(run(file), before, rtol=0, atol=2e-6 * np.abs(before).max())
    saved = size - file.stat().st_size
    assert 0.7 * 4 * SIDE**2 < saved < 0.8 * 4 * SIDE**2  # of one of the two


def test_a_matrix_that_was_not_rounded_stays_as_it_is(file):
    import onnx

    in_eight_bits(file)
    kinds = {one.name: one.data_type for one in onnx.load(file).graph.initializer}
    assert kinds["other"] == onnx.TensorProto.FLOAT
    assert kinds["rounded//int8"] == onnx.TensorProto.INT8 and "rounded" not in kinds


def test_the_file_is_valid_and_what_the_exporter_noted_is_gone(file):
    import onnx

    in_eight_bits(file)
    model = onnx.load(file)
    onnx.checker.check_model(model)
    assert not any(node.doc_string for node in model.graph.node)


def test_without_onnx_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(VarbookError, match=r"pip install varbook\[export\]"):
        in_eight_bits(tmp_path / "no.onnx")
