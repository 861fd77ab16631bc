# SPDX-License-Identifier: MIT
"""Open-Unmix's networks as one ONNX graph: a bidirectional LSTM per stem on stereo magnitudes, then ratio masks.

The layers are those of Open-Unmix 1.3.0 (openunmix/model.py), the masks those of its `wiener` with `softmask` and no
iterations (openunmix/filtering.py). Batch normalisations, input and output scales are folded into the layers beside.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from stemlane.catalog.convert.onnx_graph import Ends, GraphBuilder
from stemlane.errors import ModelError

NUM_BINS = 2049
_NORM_EPSILON = 1e-5  # torch's default
_MASK_EPSILON = 1e-10
_NUM_LAYERS = 3
_OPSET = 17
# Left in files by older versions; they take no part.
_UNUSED = ("stft.window", "transform.0.window", "sample_rate")
_GATES = (0, 3, 1, 2)  # torch: input, forget, cell, output; ONNX: input, output, forget, cell


def expected_shapes(hidden: int, input_bins: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the weights of one stem."""
    shapes = {
        "fc1.weight": (hidden, 2 * input_bins), "fc2.weight": (hidden, 2 * hidden),
        "fc3.weight": (2 * NUM_BINS, hidden), "input_mean": (input_bins,), "input_scale": (input_bins,),
        "output_mean": (NUM_BINS,), "output_scale": (NUM_BINS,),
    }  # fmt: skip
    for name, size in (("bn1", hidden), ("bn2", hidden), ("bn3", 2 * NUM_BINS)):
        shapes |= {f"{name}.{part}": (size,) for part in ("weight", "bias", "running_mean", "running_var")}
    for layer in range(_NUM_LAYERS):
        for suffix in ("", "_reverse"):
            shapes |= {
                f"lstm.weight_{role}_l{layer}{suffix}": (2 * hidden, size)
                for role, size in (("ih", hidden), ("hh", hidden // 2))
            }
            shapes |= {f"lstm.bias_{role}_l{layer}{suffix}": (2 * hidden,) for role in ("ih", "hh")}
    return shapes


def check_weights(weights: Mapping[str, np.ndarray], where: str) -> None:
    """Raise `ModelError` naming what is not Open-Unmix's about the weights of one stem; `where` is told."""
    first = weights.get("fc1.weight")
    if first is None or first.ndim != 2 or "input_mean" not in weights:
        raise ModelError(f"{where}: has no fc1.weight and input_mean: not the weights of Open-Unmix")
    expected = expected_shapes(first.shape[0], first.shape[1] // 2)
    for name, shape in expected.items():
        if name not in weights:
            raise ModelError(f"{where}: has no tensor {name}: not the weights of a bidirectional Open-Unmix")
        values = weights[name]
        if values.shape != shape or values.dtype != np.float32:
            raise ModelError(f"{where}: {name} is {values.dtype} {values.shape}, should be float32 {shape}")
        if not np.isfinite(values).all():
            raise ModelError(f"{where}: {name} holds values that are not finite")
    for name in sorted(set(weights) - set(expected)):
        if name not in _UNUSED and not name.endswith(".num_batches_tracked"):
            raise ModelError(f"{where}: holds an unknown tensor {name}: not the weights of Open-Unmix")


def build_network(stems: Sequence[Mapping[str, np.ndarray]], num_masks: int | None) -> GraphBuilder:
    """Build the network; `network_ends` are its input and output.

    Parameters
    ----------
    stems
        The weights of each stem, checked.
    num_masks
        How many of the stems' masks are returned, from the first on; None for the magnitudes of all.
    """
    graph = GraphBuilder(_OPSET)
    axis = graph.constant(np.array([1]))
    found = []
    for weights in stems:  # each on its own from start to end, for the memory
        gains = graph.node("Unsqueeze", _stem(graph, weights), axis)
        found.append(graph.node("Mul", gains, graph.node("Unsqueeze", "magnitude", axis)))
    if num_masks is None:
        graph.node("Concat", *found, axis=1, output="magnitudes")
        return graph
    total = graph.node("Add", graph.node("Sum", *found), graph.constant(np.float32(_MASK_EPSILON)))
    graph.node("Concat", *(graph.node("Div", part, total) for part in found[:num_masks]), axis=1, output="masks")
    return graph


def network_ends(name: str, num_stems: int) -> tuple[Ends, Ends]:
    """Input and output of a network that gives `name` of so many stems, for any number of frames."""
    shape = (2, "frames", NUM_BINS)
    return {"magnitude": (1, *shape)}, {name: (1, num_stems, *shape)}


def _stem(graph: GraphBuilder, weights: Mapping[str, np.ndarray]) -> str:
    """Add the network of one stem; returns its gains, (1, 2, frames, bins), not negative."""
    exact = {name: values.astype(np.float64) for name, values in weights.items()}
    input_bins = len(exact["input_mean"])

    def normalised(layer: str, norm: str) -> tuple[np.ndarray, np.ndarray]:
        """Weight (outputs, inputs) and bias of a layer without bias and the batch normalisation after it."""
        scale = exact[f"{norm}.weight"] / np.sqrt(exact[f"{norm}.running_var"] + _NORM_EPSILON)
        bias = exact[f"{norm}.bias"] - exact[f"{norm}.running_mean"] * scale
        return exact[f"{layer}.weight"] * scale[:, np.newaxis], bias

    def dense(source: str, weight: np.ndarray, bias: np.ndarray) -> str:
        product = graph.node("MatMul", source, graph.weight(weight.T, mapped=True))
        return graph.node("Add", product, graph.weight(bias))

    # (1, 2, frames, bins) -> (frames, 1, 2 * input_bins)
    signal = graph.node("Transpose", graph.slice("magnitude", 3, 0, input_bins), perm=[2, 0, 1, 3])
    signal = graph.shape(signal, 0, 1, 2 * input_bins)
    weight, bias = normalised("fc1", "bn1")
    bias = bias + weight @ np.tile(exact["input_mean"] * exact["input_scale"], 2)
    encoded = graph.node("Tanh", dense(signal, weight * np.tile(exact["input_scale"], 2), bias))
    signal = encoded
    for layer in range(_NUM_LAYERS):
        signal = _lstm(graph, weights, layer, signal)
    signal = graph.node("Concat", encoded, signal, axis=2)
    signal = graph.node("Relu", dense(signal, *normalised("fc2", "bn2")))
    weight, bias = normalised("fc3", "bn3")
    scale, mean = np.tile(exact["output_scale"], 2), np.tile(exact["output_mean"], 2)
    signal = graph.node("Relu", dense(signal, weight * scale[:, np.newaxis], bias * scale + mean))
    signal = graph.shape(signal, 0, 1, 2, NUM_BINS)
    return graph.node("Transpose", signal, perm=[1, 2, 0, 3])


def _lstm(graph: GraphBuilder, weights: Mapping[str, np.ndarray], layer: int, source: str) -> str:
    """Add one bidirectional layer: (frames, 1, hidden) to (frames, 1, hidden)."""

    def gates(values: np.ndarray) -> np.ndarray:
        parts = np.split(values, 4)
        return np.concatenate([parts[gate] for gate in _GATES])

    def both(role: str) -> list[np.ndarray]:
        return [gates(weights[f"lstm.{role}_l{layer}{suffix}"]) for suffix in ("", "_reverse")]

    biases = [np.concatenate(pair) for pair in zip(both("bias_ih"), both("bias_hh"), strict=True)]
    inputs = [graph.weight(np.stack(values), mapped=True) for values in (both("weight_ih"), both("weight_hh"), biases)]
    hidden = weights[f"lstm.weight_hh_l{layer}"].shape[1]
    output = graph.node("LSTM", source, *inputs, hidden_size=hidden, direction="bidirectional")
    output = graph.node("Transpose", output, perm=[0, 2, 1, 3])
    return graph.shape(output, 0, 1, 2 * hidden)
