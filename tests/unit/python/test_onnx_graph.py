# SPDX-License-Identifier: MIT
"""Weights of a graph: those that half precision holds exactly are stored so, and the network computes the same."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto
from stemlane.catalog.convert.onnx_graph import GraphBuilder
from stemlane.catalog.network_check import check_network
from stemlane.engine.session import SegmentSession
from stemlane.errors import ModelError

SIZE = 256  # 65,536 values


def product(folder, matrix: np.ndarray, *, mapped: bool = False):
    """Paths of a network that multiplies (3, 256) by the matrix, twice."""
    graph = GraphBuilder()
    first = graph.node("MatMul", "x", graph.weight(matrix, mapped=mapped))
    graph.node("MatMul", first, graph.weight(matrix.copy(), mapped=mapped), output="y")
    return graph.save(folder, "network", {"x": (3, SIZE)}, {"y": (3, SIZE)})


@pytest.mark.parametrize("half, mapped, bytes_each", [(True, False, 2), (False, False, 4), (False, True, 4)])
def test_weights_of_half_precision(tmp_path, half, mapped, bytes_each):
    matrix = np.random.default_rng(4).uniform(-0.1, 0.1, (SIZE, SIZE)).astype(np.float32)
    if half:
        matrix = matrix.astype(np.float16).astype(np.float32)
    network, weights = product(tmp_path, matrix, mapped=mapped)
    assert weights.stat().st_size == bytes_each * SIZE**2  # once
    [stored] = onnx.load(network, load_external_data=False).graph.initializer
    assert stored.data_type == (TensorProto.FLOAT16 if half else TensorProto.FLOAT)
    assert check_network(network, {weights.name}) == ({"x": (3, SIZE)}, {"y": (3, SIZE)})
    session = SegmentSession(network, inputs={"x": (3, SIZE)}, outputs={"y": (3, SIZE)}, threads=1)
    assert bool(session._weights.arrays) == (half or mapped)
    values = np.random.default_rng(5).standard_normal((3, SIZE)).astype(np.float32)
    session.inputs["x"][...] = values
    session.run()
    exact = values.astype(np.float64) @ matrix.astype(np.float64) @ matrix.astype(np.float64)
    # Two sums of 256 products of float32; halves would be off by 1e-3.
    assert np.abs(session.outputs["y"] - exact).max() < 1e-5 * np.abs(exact).max()


def test_values_too_large_for_half_precision_stay(tmp_path):
    matrix = np.full((SIZE, SIZE), 70_000, np.float32)
    _, weights = product(tmp_path, matrix)
    assert weights.stat().st_size == 4 * SIZE**2


def test_weights_that_are_not_in_their_file(tmp_path):
    """The file is short, is none, or the place is none: one line, whatever the name says."""
    matrix = np.random.default_rng(4).uniform(-0.1, 0.1, (SIZE, SIZE)).astype(np.float32)
    network, weights = product(tmp_path, matrix, mapped=True)
    content, held = network.read_bytes(), weights.read_bytes()
    ends = {"inputs": {"x": (3, SIZE)}, "outputs": {"y": (3, SIZE)}, "threads": 1}
    for place in ("weights@8", "weights@-", "weights@9999999999999999999999"):
        network.write_bytes(renamed(content, place))
        with pytest.raises(ModelError, match=r"network\.weights: does not hold the weights of network\.onnx") as caught:
            SegmentSession(network, **ends)
        assert "\n" not in str(caught.value)
    network.write_bytes(renamed(content, "weights@0"))
    SegmentSession(network, **ends)
    (tmp_path / "other.weights").write_bytes(held)
    weights.unlink()
    network.write_bytes(content.replace(b"network.weights", b"other.weights\0\0"))
    with pytest.raises(ModelError):
        SegmentSession(network, **ends)


def renamed(content: bytes, name: str) -> bytes:
    """The network with another name for its only weight."""
    model = onnx.ModelProto.FromString(content)
    model.graph.initializer[0].name = model.graph.input[1].name = name
    for node in model.graph.node:
        node.input[1] = name
    return model.SerializeToString()
