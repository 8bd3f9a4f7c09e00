"""Store the large matrices of an ONNX file in eight bits, as our checkpoints hold them."""

from pathlib import Path

import numpy as np

from varbook.errors import VarbookError
from varbook.pretrained.export import INSTALL
from varbook.train.weights import ROUNDED_FROM

# What a number may be off, as a share of its row's largest: the rounding of float32.
ROUNDING = 1e-6


def in_eight_bits(path: str | Path) -> Path:
    """Store the large float32 matrices of the ONNX file `path` with eight bits a number and one
    scale a row, and return the path.

    Weights of a checkpoint have been rounded so (`varbook.train.weights.pack`), so nothing is lost;
    a matrix that would lose something, such as one that is still in training, stays as it is. What
    the exporter noted for its own debugging is dropped. VarbookError where onnx is not installed.
    """
    try:
        import onnx
    except ImportError:
        raise VarbookError(f"Storing an ONNX file needs onnx: {INSTALL}.") from None
    model = onnx.load(path)
    graph = model.graph
    kept, decoded = [], []
    for tensor in graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        found = _rounded(values) if tensor.data_type == onnx.TensorProto.FLOAT else None
        if found is None:
            kept.append(tensor)
            continue
        whole, scale, product = (f"{tensor.name}//{part}" for part in ("int8", "scale", "float"))
        kept += map(onnx.numpy_helper.from_array, found, (whole, scale))
        # Not DequantizeLinear: where onnxruntime meets that before a product of matrices, it
        # rounds the other factor as well.
        floats = onnx.TensorProto.FLOAT
        decoded.append(onnx.helper.make_node("Cast", [whole], [product], to=floats))
        decoded.append(onnx.helper.make_node("Mul", [product, scale], [tensor.name]))
    for node in graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    nodes = [*decoded, *graph.node]
    for field, entries in ((graph.initializer, kept), (graph.node, nodes)):
        copies = list(entries)
        del field[:]
        field.extend(copies)
    del graph.value_info[:]
    onnx.save(model, path)
    return Path(path)


def _rounded(values: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return int8 numbers and the scales whose product with them is `values`, one scale for each
    slice along an axis; None where there is no such axis, or `values` are few.
    """
    if values.ndim < 2 or values.size < ROUNDED_FROM:
        return None
    for axis in range(values.ndim):
        others = tuple(other for other in range(values.ndim) if other != axis)
        largest = np.abs(values).max(axis=others, keepdims=True)
        scale = np.maximum(largest, 1e-12).astype(np.float32) / np.float32(127)
        rounded = np.rint(values / scale)
        if np.all(np.abs(rounded * scale - values) <= ROUNDING * np.maximum(largest, 1e-12)):
            return rounded.astype(np.int8), scale
    return None
