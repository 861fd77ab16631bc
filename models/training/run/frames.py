# SPDX-License-Identifier: MIT
"""Frees the frame axis of an exported graph: it then takes any number of frames at once, each with the same bits.

Whole recordings are separated many frames at a time, which reads the weights once for all of them.
"""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper, shape_inference

FRAMES = "frames"
_COMPARED_FRAMES = (1, 2, 5, 32)


class FramesError(RuntimeError):
    """The graph cannot take any number of frames with the same bits."""


def free_frames(model: onnx.ModelProto, *, lookahead_frames: int) -> onnx.ModelProto:
    """A copy of a graph for one frame that takes any number.

    Every shape that counts the frames copies that number from its input. Weights that differ from band to band are
    multiplied with one frame at a time: onnxruntime computes a product with one row in another order than one with
    several, and then the bits would depend on how many frames come together. The products of one band stay together,
    so that its weights are read once.
    """
    freed = onnx.ModelProto.FromString(model.SerializeToString())
    del freed.graph.value_info[:]
    for tensor, axis in ((_named(freed.graph.input, "mixture"), 3), (_named(freed.graph.output, "stems"), 4)):
        if tensor.type.tensor_type.shape.dim[axis].dim_value != 1:
            raise FramesError(f"the graph does not take one frame at once: {tensor.name} has others on axis {axis}")
        tensor.type.tensor_type.shape.dim[axis].dim_param = FRAMES
    _free_lookahead(freed.graph, lookahead_frames)
    _separate_rows(freed.graph)
    _free_shapes(freed)
    _drop_unused(freed.graph)
    onnx.checker.check_model(freed, full_check=True)
    return freed


def _named(tensors, name: str):
    return next(tensor for tensor in tensors if tensor.name == name)


def _constants(graph: onnx.GraphProto) -> dict[str, np.ndarray]:
    """All small constants by name, from initialisers and Constant nodes."""
    found = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer if np.prod(tensor.dims) < 64}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            found[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    return found


def _new_constant(graph: onnx.GraphProto, name: str, values: list[int]) -> str:
    if all(tensor.name != name for tensor in graph.initializer):
        graph.initializer.append(numpy_helper.from_array(np.array(values, np.int64), name))
    return name


def _free_lookahead(graph: onnx.GraphProto, lookahead_frames: int) -> None:
    """The frames before the newest `lookahead_frames`, where the tracer wrote: the first one."""
    constants = _constants(graph)
    joined = {node.output[0] for node in graph.node if node.op_type == "Concat" and "mixture" in node.input}
    for node in graph.node:
        if node.op_type != "Slice" or node.input[0] not in joined:
            continue
        begin, end, axis = (constants[name].tolist() for name in node.input[1:4])
        if (begin, end, axis) == ([0], [1], [3]):
            node.input[2] = _new_constant(graph, "frames_ahead", [-lookahead_frames])


def _separate_rows(graph: onnx.GraphProto) -> None:
    """Multiply (bands, frames, values) by the bands' weights as (bands, frames, 1, values)."""
    initializers = {tensor.name: tensor for tensor in graph.initializer}
    casts = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Cast"}
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        weights = None
        if node.op_type == "MatMul":
            weights = initializers.get(casts.get(node.input[1], node.input[1]))
        if weights is None or len(weights.dims) != 3:
            nodes.append(node)
            continue
        bands, *sizes = weights.dims
        del weights.dims[:]
        weights.dims.extend([bands, 1, *sizes])
        axis, output = _new_constant(graph, "row_axis", [2]), node.output[0]
        rows, products = f"{output}_rows", f"{output}_products"
        nodes += [
            onnx.helper.make_node("Unsqueeze", [node.input[0], axis], [rows]),
            onnx.helper.make_node("MatMul", [rows, node.input[1]], [products], name=node.name),
            onnx.helper.make_node("Squeeze", [products, axis], [output]),
        ]
    nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(nodes)


def _free_shapes(model: onnx.ModelProto) -> None:
    """Let every Reshape copy the number of frames: 0 at its place says so."""
    constants = _constants(model.graph)
    fixed: set[str] = set()
    while True:
        shapes = _shapes(model)
        pending = [
            node
            for node in model.graph.node
            if node.op_type == "Reshape" and node.output[0] not in fixed and FRAMES in shapes.get(node.input[0], [])
        ]
        if not pending:
            break
        node = pending[0]
        place, target = shapes[node.input[0]].index(FRAMES), constants[node.input[1]].tolist()
        if place >= len(target) or target[place] != 1:
            raise FramesError(f"{node.name}: the frames of {shapes[node.input[0]]} have no place in {target}")
        target[place] = 0
        node.input[1] = _new_constant(model.graph, f"{node.output[0]}_shape", target)
        fixed.add(node.output[0])


def _shapes(model: onnx.ModelProto) -> dict[str, list[int | str]]:
    """Shapes by tensor, as far as they can be told."""
    graph = shape_inference.infer_shapes(model, data_prop=True).graph
    return {
        value.name: [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for values in (graph.input, graph.value_info, graph.output)
        for value in values
    }


def _drop_unused(graph: onnx.GraphProto) -> None:
    used = {name for node in graph.node for name in node.input}
    kept = [node for node in graph.node if node.op_type != "Constant" or node.output[0] in used]
    del graph.node[:]
    graph.node.extend(kept)


def compare(fixed: bytes, freed: bytes, *, num_frames: int = 64) -> None:
    """Run both graphs over the same frames, the freed one with several at once.

    Raises
    ------
    FramesError
        If a single bit differs.
    """
    rng = np.random.default_rng(6)
    level = 10.0 ** rng.uniform(-3, 1.5, (1, 1, 1, num_frames, 1))  # from near silence to loud
    bins = _session(fixed).get_inputs()[0].shape[4]
    mixture = (rng.standard_normal((1, 2, 2, num_frames, bins)) * level).astype(np.float32)
    expected = run_in_steps(fixed, mixture, 1)
    for frames in _COMPARED_FRAMES:
        if not np.array_equal(run_in_steps(freed, mixture, frames), expected):
            raise FramesError(f"{frames} frames at once give other bits than one at a time")


def run_in_steps(graph: bytes, mixture: np.ndarray, frames: int) -> np.ndarray:
    """Stems (1, stems, 2, 2, all frames, bins) of a mixture (1, 2, 2, all frames, bins), some frames at once."""
    session = _session(graph)
    states = {tensor.name: np.zeros(tensor.shape, np.float32) for tensor in session.get_inputs()[1:]}
    stems = []
    for start in range(0, mixture.shape[3], frames):
        piece = np.ascontiguousarray(mixture[:, :, :, start : start + frames])
        found, *after = session.run(None, {"mixture": piece, **states})
        stems.append(found)
        states = dict(zip(states, after, strict=True))
    return np.concatenate(stems, axis=4)


def _session(content: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # it warns of constants that it has folded
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
