# SPDX-License-Identifier: MIT
"""Networks made to do harm: endless loops, constants that fill the memory; and a model folder around one."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from support.tiny_models import build_model, rehash


def model_with(folder: Path, network: onnx.ModelProto, name: str = "own") -> Path:
    built = build_model(folder, name=name, lookahead_frames=0)
    (built / "network.onnx").write_bytes(network.SerializeToString())
    rehash(built)
    return built


def graph_of(nodes, constants=(), bins: int = 129) -> onnx.ModelProto:
    tensors = [helper.make_tensor_value_info("mixture", TensorProto.FLOAT, [1, 2, 2, 2, bins]),
               helper.make_tensor_value_info("stems", TensorProto.FLOAT, [1, 3, 2, 2, 2, bins])]  # fmt: skip
    graph = helper.make_graph(nodes, "own", tensors[:1], tensors[1:], list(constants))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def constant(name: str, value) -> TensorProto:
    return numpy_helper.from_array(np.asarray(value), name)


def network_of(*, before=(), constants=()) -> onnx.ModelProto:
    """Half of the mixture as each stem, once `before` has made `seed` (1,) of it."""
    nodes = [
        *before,
        helper.make_node("Unsqueeze", ["mixture", "axis"], ["one"]),
        helper.make_node("Mul", ["one", "seed"], ["zero"]),
        helper.make_node("Add", ["zero", "masks"], ["stems"]),
    ]
    masks = constant("masks", np.full((1, 3, 1, 1, 1, 1), 0.5, np.float32))
    return graph_of(nodes, [constant("axis", [1]), masks, *constants])


def endless_loop() -> onnx.ModelProto:
    """A Loop that goes on as long as a square is not negative."""
    body = helper.make_graph(
        [
            helper.make_node("Mul", ["value", "value"], ["next"]),
            helper.make_node("GreaterOrEqual", ["next", "nothing"], ["goes_on"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("condition", TensorProto.BOOL, []),
            helper.make_tensor_value_info("value", TensorProto.FLOAT, []),
        ],
        [
            helper.make_tensor_value_info("goes_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, []),
        ],
        [constant("nothing", np.float32(0))],
    )
    before = [
        helper.make_node("ReduceMean", ["mixture"], ["start"], keepdims=0),
        helper.make_node("Loop", ["", "yes", "start"], ["seed"], body=body),
    ]
    return network_of(before=before, constants=[constant("yes", True)])


def fills_memory() -> onnx.ModelProto:
    """A tensor of 64 GiB of ones."""
    before = [
        helper.make_node("ConstantOfShape", ["huge"], ["ones"]),
        helper.make_node("ReduceMean", ["mixture"], ["mean"], keepdims=0),
        helper.make_node("Add", ["ones", "mean"], ["sum"]),
        helper.make_node("ReduceMax", ["sum"], ["seed"], keepdims=0),
    ]
    return network_of(before=before, constants=[constant("huge", [1 << 34])])
