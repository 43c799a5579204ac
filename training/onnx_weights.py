"""Smaller weights in an ONNX graph: float16, or int8 with a scale per output, computed with in float32 all the same.

Only what is stored shrinks. ONNX Runtime unpacks the weights once, when it loads the graph, so that the answers of a
row never depend on the rows beside it (as they do where activations are quantised by their range in the batch), and the
operators, `Cast` and `Mul`, are ones that every runtime has, onnxruntime-web among them. Inputs and outputs stay
float32. What else was tried, and what it gave, is in docs/adr/0021.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

LEAST_VALUES = 256
"""Smaller tensors (biases, means, scales) stay as they are: they matter for accuracy and hardly for size."""
_LARGEST_HALF = float(np.finfo(np.float16).max)
_LARGEST_INT8 = 127

Weights = npt.NDArray[np.float32]
Pass = Callable[[str, Weights], tuple[list[TensorProto], list[NodeProto]]]


def half_weights(graph: bytes) -> bytes:
    """The graph with its weights in float16, those beyond float16's range cut off at it."""
    return _repacked(graph, _half)


def int8_weights(graph: bytes) -> bytes:
    """The graph with its weights in int8: each output's weights by a scale of their own, symmetric around zero."""
    return _repacked(graph, _int8)


def _repacked(graph: bytes, pack: Pass) -> bytes:
    """The same bytes for the same graph: tensors and nodes keep their order."""
    model = onnx.load_model_from_string(graph)
    tensors: list[TensorProto] = []
    unpacking: list[NodeProto] = []
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and int(np.prod(tensor.dims)) >= LEAST_VALUES:
            packed, nodes = pack(tensor.name, numpy_helper.to_array(tensor))
            tensors += packed
            unpacking += nodes
        else:
            tensors.append(tensor)
    nodes = [*unpacking, *model.graph.node]
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend(tensors)
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)  # pyright: ignore[reportUnknownMemberType] - a path may stand there too
    return model.SerializeToString(deterministic=True)


def _half(name: str, weights: Weights) -> tuple[list[TensorProto], list[NodeProto]]:
    packed = numpy_helper.from_array(np.clip(weights, -_LARGEST_HALF, _LARGEST_HALF).astype(np.float16), f"{name}_half")
    return [packed], [helper.make_node("Cast", [packed.name], [name], name=f"{name}_widened", to=TensorProto.FLOAT)]


def _int8(name: str, weights: Weights) -> tuple[list[TensorProto], list[NodeProto]]:
    # The last axis is a product's outputs, the one before it what is summed over; a convolution's outputs come first.
    summed = tuple(range(1, weights.ndim)) if weights.ndim > 3 else max(weights.ndim - 2, 0)
    scale = np.abs(weights).max(axis=summed, keepdims=True) / np.float32(_LARGEST_INT8)
    scale = np.where(scale > 0, scale, np.float32(1)).astype(np.float32)
    steps = np.clip(np.rint(weights / scale), -_LARGEST_INT8, _LARGEST_INT8).astype(np.int8)
    tensors = [numpy_helper.from_array(steps, f"{name}_int8"), numpy_helper.from_array(scale, f"{name}_scale")]
    nodes = [
        helper.make_node("Cast", [f"{name}_int8"], [f"{name}_steps"], name=f"{name}_widened", to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{name}_steps", f"{name}_scale"], [name], name=f"{name}_scaled"),
    ]
    return tensors, nodes
