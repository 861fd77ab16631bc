# SPDX-License-Identifier: MIT
"""Weights of a graph: those that half precision holds exactly are stored so, and the network computes the same."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto
from stemlane.catalog.convert.onnx_graph import GraphBuilder
from stemlane.catalog.network_check import check_network
from stemlane.engine.session import SegmentSession

SIZE = 256  # 65,536 values


def product(folder, matrix: np.ndarray):
    """Paths of a network that multiplies (3, 256) by the matrix, twice."""
    graph = GraphBuilder()
    first = graph.node("MatMul", "x", graph.weight(matrix))
    graph.node("MatMul", first, graph.weight(matrix.copy()), output="y")
    return graph.save(folder, "network", {"x": (3, SIZE)}, {"y": (3, SIZE)})


@pytest.mark.parametrize("half, bytes_each", [(True, 2), (False, 4)])
def test_weights_of_half_precision(tmp_path, half, bytes_each):
    matrix = np.random.default_rng(4).uniform(-0.1, 0.1, (SIZE, SIZE)).astype(np.float32)
    if half:
        matrix = matrix.astype(np.float16).astype(np.float32)
    network, weights = product(tmp_path, matrix)
    assert weights.stat().st_size == bytes_each * SIZE**2  # once
    [stored] = onnx.load(network, load_external_data=False).graph.initializer
    assert stored.data_type == (TensorProto.FLOAT16 if half else TensorProto.FLOAT)
    assert check_network(network, {weights.name}) == ({"x": (3, SIZE)}, {"y": (3, SIZE)})
    session = SegmentSession(network, inputs={"x": (3, SIZE)}, outputs={"y": (3, SIZE)}, threads=1)
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
